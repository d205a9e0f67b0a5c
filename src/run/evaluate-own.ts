import { type Outcome, fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { type Images, type SpikingRun, readTruth, scoreOf } from './metrics/index.js';
import { findCarrier } from '../lower/program/index.js';
import { type Network, isNeuronLayer, latencyOf } from '../network/index.js';
import { isSplit } from '../passes/index.js';
import { chooseEngine } from './engine.js';
import { chosenNormalisation, fitToNetwork } from './fit.js';
import { remarksOn } from './labels.js';
import { finiteOnly } from './evaluate-finite.js';
import { type OwnTarget, forInference } from '../workspace/own-network.js';
import { withoutPlanes } from '../workspace/planes.js';
import { type RunOptions, batchFor, runNetwork } from './run-network.js';
import { checkRuns } from './runnable.js';
import type { Findings } from '../workspace/findings.js';
import type { EvalResult } from './types.js';

/** Accuracy, spikes, operations per frame and latency of a network of layers on data. */
export async function evaluateOwn(
  own: OwnTarget,
  options: RunOptions,
  findings: Findings,
): Promise<Outcome<EvalResult>> {
  const written = forInference(own.network, findings).network;
  const network = withoutPlanes(written, findings);
  const carrier = findCarrier(network);
  if (carrier === undefined) {
    const construct = `evaluating a compiled network with \`coding ${network.coding?.name}\``;
    fail('cli/not-lowered', { construct }, undefined, { help: 'name the model file instead' });
  }
  if (carrier.trains === 'weighted' && options.activity === true)
    fail('cli/not-lowered', { construct: '`--activity` with `coding sws`' });
  const normalisation = chosenNormalisation(options.normalisation, own.normalisation);
  const dataset = fitToNetwork(network, options.dataset, findings, { numbers: true, normalisation });
  const images: Images = {
    dataset,
    normalisation,
    count: Math.min(dataset.length, options.limit ?? dataset.length),
    batch: options.batch ?? batchFor(network, options),
  };
  const truth = readTruth(images);
  findings.all.push(...remarksOn(truth, images));
  if (own.text !== undefined) checkRuns(network, own.text);
  const engine = finiteOnly(
    chooseEngine(options.engine, 'infer'),
    own.text === undefined ? undefined : { file: own.text },
  );
  const phase = carrier.trains === 'weighted' ? 'spiking network' : 'evaluating';
  const running = { ...options, ones: isSplit(written) };
  const { run, activity } = await runNetwork(network, images, engine, running, phase);
  const value: EvalResult = {
    samples: images.count,
    ...scoreOf(truth, run),
    ...spikeFigures(network, run, images.count),
    // planes take steps of their own, also where they are put back to run
    latency_steps: latencyOf(written),
    seconds: run.milliseconds / 1000,
    engine: engine.name,
    ...activity,
  };
  return { value, diagnostics: findings.all };
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
    if (!isNeuronLayer(op)) continue;
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
