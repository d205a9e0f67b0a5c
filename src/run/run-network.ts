import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { fanOuts, firingOps } from '../cost/index.js';
import type { Engine } from '../engines/index.js';
import {
  type CountedLayer,
  type Images,
  LevelCounter,
  type SpikeCounter,
  type SpikingRun,
  runSpiking,
} from './metrics/index.js';
import { carrierOf, lower, outputNames, stepsOfNetwork } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { openRunnable } from '../train/index.js';
import type { EvalOptions, EvalResult } from './types.js';

/** Images times steps that are under way at once, and images at most. */
const stepsAtOnce = 800;
const mostImages = 100;

/** Values of trains given out at once, at most. */
const valuesAtOnce = 3e7;

/** An evaluation that also counts what the trains of the network it runs cost. */
export interface RunOptions extends EvalOptions {
  readonly countSpikes?: (network: Network) => SpikeCounter;
  /** A spike counts as the ones of its code, each a spike of a binary plane, and not as its level; of unary trains both are the same. */
  readonly ones?: boolean;
  /** Takes the outputs of the samples from `start`, which aren't kept then. */
  readonly onOutputs?: (outputs: Tensor, start: number) => void;
  /** Run the network as its binary planes have it, put back into codes. */
  readonly planes?: boolean;
}

/** Images a batch: where values hold all time steps, long trains take smaller batches; so do trains given out. */
export function batchFor(network: Network, options: RunOptions): number {
  const { trains, steps } = lowered(network);
  const given = options.countSpikes === undefined && options.activity !== true ? [] : firingOps(network);
  const values = given.reduce((sum, op) => sum + elementCount(op.type.shape) * (op.type.time?.steps ?? 1), 1);
  // stepwise programs see the steps in front of a decision as one
  const whole = trains === 'weighted' && given.length === 0 ? 1 : steps;
  return Math.max(1, Math.min(mostImages, Math.floor(stepsAtOnce / whole), Math.floor(valuesAtOnce / values)));
}

/** 1, 2, 4 … below the number of steps. */
function earlySteps(steps: number): readonly number[] {
  const early: number[] = [];
  for (let n = 1; n < steps; n *= 2) early.push(n);
  return early;
}

/**
 * Runs a network of any coding over images: predictions, also those of the first steps where trains carry means; spikes
 * by layer; levels where that is asked for.
 */
export async function runNetwork(
  network: Network,
  images: Images,
  engine: Engine,
  options: RunOptions,
  phase: string,
): Promise<{ readonly run: SpikingRun; readonly activity: Pick<EvalResult, 'activity'> }> {
  const { trains, steps } = lowered(network);
  const early = trains === 'means' && carrierOf(network).whole !== true ? earlySteps(steps) : [];
  const counter = new LevelCounter(options.activity === true ? countedLayers(network) : []);
  const spikes = options.countSpikes?.(network);
  const given = new Set([...counter.layers.map(({ id }) => id), ...(spikes?.ids ?? [])]);
  const probes = {
    counts: fanOuts(network),
    early,
    trains: (id: string) => given.has(id),
    ones: options.ones === true,
  };
  const running = await openRunnable(lower(network, { probes }), engine, { threads: options.threads });
  const { outputs } = running;
  try {
    const run = await runSpiking(
      {
        run: running.pass(),
        output: present(outputs.logits, 'run: no logits'),
        others: new Map(network.outputs.slice(1).map((id, i) => [id, outputNames.output(i + 1)])),
        counts: outputs.probes.counts,
        lanes: running.lanes,
        early: outputs.early,
        ...(options.onOutputs === undefined ? {} : { onOutputs: options.onOutputs }),
        onResults: (results) => {
          const train = (id: string): Tensor =>
            present(results[outputs.probes.train.get(id) ?? ''], `run: no train of ${id}`);
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
    await running.dispose();
  }
}

export function countedLayers(network: Network): readonly CountedLayer[] {
  return network.ops.flatMap(({ id, kind, type: { code } }) =>
    kind === 'neuron' && code.kind === 'spike' ? [{ id, min: code.min, max: code.max, step: code.step }] : [],
  );
}

function lowered(network: Network): { readonly trains: 'none' | 'means' | 'weighted'; readonly steps: number } {
  return { trains: carrierOf(network).trains, steps: stepsOfNetwork(network) };
}
