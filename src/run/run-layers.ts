import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { fanOuts, firingOps } from '../cost/index.js';
import type { Engine, Opened } from '../engines/index.js';
import {
  type CountedLayer,
  type Images,
  LevelCounter,
  type SpikeCounter,
  type SpikingRun,
  runSpiking,
} from './metrics/index.js';
import { type LayersProgram, layerNames, lowerForInference, stepsOfNetwork } from '../lower/program/training.js';
import type { Network } from '../network/index.js';
import { simplify } from '../tensor/index.js';
import { randomFeeds } from '../train/index.js';
import type { EvalOptions, EvalResult } from './types.js';

/** Images times steps that are under way at once, and images at most. */
const stepsAtOnce = 800;
const mostImages = 100;

/** Values of trains given out at once, at most. */
const valuesAtOnce = 3e7;

/** An evaluation that also counts what the trains of the network it runs cost. */
export interface RunOptions extends EvalOptions {
  readonly countSpikes?: (network: Network) => SpikeCounter;
  /** A spike counts as the ones of its code, each a spike of a binary plane, and not as its level. */
  readonly ones?: boolean;
}

/** Images a batch: values hold all time steps, so long trains take smaller batches; so do trains given out. */
export function batchFor(network: Network, options: RunOptions): number {
  const steps = stepsOfNetwork(network);
  const given = options.countSpikes === undefined && options.activity !== true ? [] : firingOps(network);
  const values = given.reduce((sum, op) => sum + elementCount(op.type.shape) * (op.type.time?.steps ?? 1), 1);
  return Math.max(1, Math.min(mostImages, Math.floor(stepsAtOnce / steps), Math.floor(valuesAtOnce / values)));
}

/** 1, 2, 4 … below the number of steps. */
function earlySteps(steps: number): readonly number[] {
  const early: number[] = [];
  for (let n = 1; n < steps; n *= 2) early.push(n);
  return early;
}

/** Runs a network whose trains carry means over images; counts spikes, and levels where that is asked for. */
export async function runLayers(
  network: Network,
  images: Images,
  engine: Engine,
  options: RunOptions,
  phase: string,
): Promise<{ readonly run: SpikingRun; readonly activity: Pick<EvalResult, 'activity'> }> {
  const early = earlySteps(stepsOfNetwork(network));
  const counter = new LevelCounter(options.activity === true ? countedLayers(network) : []);
  const spikes = options.countSpikes?.(network);
  const given = new Set([...counter.layers.map(({ id }) => id), ...(spikes?.ids ?? [])]);
  const trains = (id: string): boolean => given.has(id);
  const lowered = lowerForInference(network, { fanOut: fanOuts(network), early, trains, ones: options.ones === true });
  const program = simplify(lowered.program);
  const executable = await engine.open(program, options.threads === undefined ? {} : { threads: options.threads });
  try {
    const layers = network.ops.filter((op) => program.outputs[layerNames.counts(op.id)] !== undefined);
    const run = await runSpiking(
      {
        executable: fedWith(executable, lowered),
        input: lowered.image,
        output: layerNames.logits,
        counts: new Map(layers.map((op) => [op.id, layerNames.counts(op.id)])),
        lanes: executable.lanes ?? 1,
        early: new Map(early.map((steps) => [steps, layerNames.early(steps)])),
        onResults: (results) => {
          const train = (id: string): Tensor => present(results[layerNames.train(id)], `driver: no train of ${id}`);
          counter.add(train);
          spikes?.add(train);
        },
      },
      images,
      () => performance.now(),
      (done, total) => options.onProgress?.({ phase, done, total, unit: 'images' }),
    );
    return { run, activity: options.activity === true ? { activity: counter.result() } : {} };
  } finally {
    await executable.dispose();
  }
}

export function countedLayers(network: Network): readonly CountedLayer[] {
  return network.ops.flatMap(({ id, kind, type: { code } }) =>
    kind === 'neuron' && code.kind === 'spike' ? [{ id, min: code.min, max: code.max, step: code.step }] : [],
  );
}

/** The program's executable, fed with images as data sets give them and with its random numbers. */
export function fedWith(executable: Opened, { image, imageSteps, randoms }: LayersProgram): Opened {
  let batch = 0;
  return {
    ...executable,
    step: (inputs) => {
      const images = present(inputs[image], 'driver: no images');
      const fed = imageSteps === 1 ? images : timeFirst(images);
      return executable.step({ ...inputs, [image]: fed, ...randomFeeds(randoms, images.shape[0]!, 'eval', batch++) });
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
