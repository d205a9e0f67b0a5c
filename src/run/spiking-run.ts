import { present } from '../base/invariant.js';
import { fanOuts } from '../cost/index.js';
import type { Engine } from '../engines/index.js';
import { type Images, type SpikingRun, runSpiking } from './metrics/index.js';
import { lowerNetwork, probeNames } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { simplify } from '../tensor/index.js';
import { type RunOptions, batchFor } from './run-layers.js';

const defaultBatch = 100;

/** Images a batch of a stepwise weighted network; fewer where trains are given out. */
export function swsBatchFor(network: Network, options: RunOptions): number {
  return options.countSpikes === undefined ? defaultBatch : batchFor(network, options);
}

/** Runs a stepwise weighted network over images; counts spikes. */
export async function spikingRun(
  spiking: Network,
  images: Images,
  engine: Engine,
  options: RunOptions,
): Promise<SpikingRun> {
  const fanOut = fanOuts(spiking);
  const counter = options.countSpikes?.(spiking);
  const probes = { counts: true, trains: counter !== undefined };
  const program = simplify(lowerNetwork(spiking, { precision: 'f64', probes, fanOut }));
  const executable = await engine.open(program, options.threads === undefined ? {} : { threads: options.threads });
  const layers = spiking.ops.filter(
    (op) => op.type.code.kind === 'spike' && program.outputs[probeNames.counts(op.id)] !== undefined,
  );
  try {
    return await runSpiking(
      {
        executable,
        input: program.inputs[0]!.id,
        output: '0',
        counts: new Map(layers.map((op) => [op.id, probeNames.counts(op.id)])),
        lanes: executable.lanes ?? 1,
        onResults: (results) =>
          counter?.add((id) => present(results[probeNames.train(id)], `driver: no train of ${id}`)),
      },
      images,
      () => performance.now(),
      (done, total) => options.onProgress?.({ phase: 'spiking network', done, total, unit: 'images' }),
    );
  } finally {
    await executable.dispose();
  }
}
