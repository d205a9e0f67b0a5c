import { DiagnosticError, type Outcome, fail, hasErrors } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { fanOuts } from '../cost/index.js';
import { checkFit } from '../data/dataset.js';
import type { Executable } from '../engines/index.js';
import { type Images, type SpikingRun, agreement, readLabels, runSpiking } from '../evaluate/index.js';
import { type LayersProgram, layerNames, lowerForInference, stepsOfNetwork } from '../lower/layers-to-tensor/index.js';
import { type Network, latencyOf } from '../network/index.js';
import { simplify } from '../tensor/index.js';
import { randomFeeds } from '../train/index.js';
import { chooseEngine } from './engine.js';
import { type OwnTarget, forInference, isOfLayers } from './own-network.js';
import type { Findings } from './target.js';
import type { EvalOptions, EvalResult } from './types.js';

const defaultBatch = 100;

/** Accuracy, spikes, operations per frame and latency of a network of layers on data. */
export async function evaluateOwn(
  own: OwnTarget,
  options: EvalOptions,
  findings: Findings,
): Promise<Outcome<EvalResult>> {
  const { network } = forInference(own.network, findings);
  const real = network.coding === undefined && network.ops.every((op) => op.type.time === undefined);
  if (!isOfLayers(network) && !real) {
    fail('cli/not-lowered', { construct: `evaluating a compiled network with \`coding ${network.coding?.name}\`` });
  }
  const { dataset } = options;
  const input = present(
    network.ops.find((op) => op.kind === 'input'),
    'driver: a network without input',
  ).type.shape;
  const events = network.coding?.name === 'events';
  const shape = events ? [stepsOfNetwork(network), ...input] : input;
  const misfits = checkFit(dataset, shape, elementCount(outputShape(network)));
  if (hasErrors(misfits)) throw new DiagnosticError(misfits);
  const flags = options.normalisation;
  const images: Images = {
    dataset,
    normalisation: flags.mean === undefined && flags.std === undefined ? own.normalisation : flags,
    count: Math.min(dataset.length, options.limit ?? dataset.length),
    batch: options.batch ?? defaultBatch,
  };
  const labels = readLabels(images);
  const engine = chooseEngine(options.engine, 'infer');
  const lowered = lowerForInference(network, { fanOut: fanOuts(network) });
  const program = simplify(lowered.program);
  const executable = await engine.compile(program, options.threads === undefined ? {} : { threads: options.threads });
  try {
    const layers = network.ops.filter((op) => op.kind === 'neuron');
    const run = await runSpiking(
      {
        executable: fedWith(executable, lowered),
        input: lowered.image,
        output: layerNames.logits,
        counts: new Map(layers.map((op) => [op.id, layerNames.counts(op.id)])),
        lanes: executable.lanes ?? 1,
      },
      images,
      () => performance.now(),
      (done, total) => options.onProgress?.({ phase: 'evaluating', done, total, unit: 'images' }),
    );
    const value: EvalResult = {
      samples: images.count,
      accuracy: agreement(run.classes, labels),
      ...spikeFigures(network, run, images.count),
      latency_steps: latencyOf(network),
      seconds: run.milliseconds / 1000,
      engine: engine.name,
    };
    return { value, diagnostics: findings.all };
  } finally {
    await executable.dispose();
  }
}

/** The program's executable, fed with images as data sets give them and with its random numbers. */
function fedWith(executable: Executable, { image, imageSteps, randoms }: LayersProgram): Executable {
  let batch = 0;
  return {
    ...executable,
    run: (inputs) => {
      const images = present(inputs[image], 'driver: no images');
      const fed = imageSteps === 1 ? images : timeFirst(images);
      return executable.run({ [image]: fed, ...randomFeeds(randoms, images.shape[0]!, 'eval', batch++) });
    },
    dispose: () => executable.dispose(),
  };
}

/** [N, T, …] → [T·N, …], time slowest. */
function timeFirst({ dtype, shape, data }: Tensor): Tensor {
  const [n, steps, ...rest] = shape as [number, number, ...number[]];
  const frame = elementCount(rest);
  const moved = data.slice();
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < steps; t++) {
      moved.set(data.subarray((i * steps + t) * frame, (i * steps + t + 1) * frame), (t * n + i) * frame);
    }
  }
  return { dtype, shape: [steps * n, ...rest], data: moved } as Tensor;
}

export function outputShape(network: Network): readonly number[] {
  return present(
    network.ops.find((op) => op.id === network.outputs[0]),
    'driver: a network without output',
  ).type.shape;
}

/** Spikes per neuron and sample, and OPF = Σ(Tc+Ts)·N + Σ fan-out·spikes (SWS eq. 10), per sample. */
export function spikeFigures(
  spiking: Network,
  run: SpikingRun,
  samples: number,
): { spikes_per_neuron: number; opf: number } {
  let neurons = 0;
  let membraneUpdates = 0;
  let spikes = 0;
  for (const op of spiking.ops) {
    if (op.kind !== 'neuron') continue;
    const count = elementCount(op.type.shape);
    neurons += count;
    membraneUpdates += count * (op.type.time!.steps + Number(op.attrs['silent'] ?? 0));
    spikes += run.spikes.get(op.id) ?? 0;
  }
  const synaptic = [...run.synaptic.values()].reduce((a, b) => a + b, 0);
  return {
    spikes_per_neuron: neurons === 0 ? 0 : spikes / neurons / samples,
    opf: membraneUpdates + synaptic / samples,
  };
}
