import type { Tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { type Counter, type Images, forEachBatch } from './batches.js';
import { type Outputs, classesOf } from './outputs.js';
import { predictedClasses } from './predictions.js';

/** What a run of a spiking network counts besides its predictions. */
export interface SpikingRun {
  readonly classes: Int32Array;
  /** All values of the first output; none where they are looked at as they come. */
  readonly outputs: Outputs;
  /** Those of the others, by their names. */
  readonly others: ReadonlyMap<string, Outputs>;
  /** Spikes fired by each layer, over all images. */
  readonly spikes: ReadonlyMap<string, number>;
  /** Spikes times fan-out. */
  readonly synaptic: ReadonlyMap<string, number>;
  readonly milliseconds: number;
  /** Predictions of the mean over the first steps, by their number. */
  readonly early: ReadonlyMap<number, Int32Array>;
}

export interface SpikingNetwork {
  /** All outputs for a batch of images. */
  readonly run: (images: Tensor<'f32'>) => Promise<Readonly<Record<string, Tensor>>>;
  /** Output name of the logits. */
  readonly output: string;
  /** Outputs behind the first: their names → those of the program's outputs. */
  readonly others?: ReadonlyMap<string, string>;
  /** Layer id → name of the program's output with its counts [N, 2]. */
  readonly counts: ReadonlyMap<string, string>;
  readonly lanes: number;
  /** Number of steps → output name of the mean logits over them. */
  readonly early?: ReadonlyMap<number, string>;
  /** Takes the outputs [count, …] of the samples from `start`, which aren't kept then: those of detectors are many. */
  readonly onOutputs?: (outputs: Tensor, start: number) => void;
  /** Sees every batch's results. */
  readonly onResults?: (results: Readonly<Record<string, Tensor>>) => void;
}

/** Runs a spiking network over all images, counting spikes layer by layer. */
export async function runSpiking(
  network: SpikingNetwork,
  images: Images,
  now: () => number,
  counter?: Counter,
): Promise<SpikingRun> {
  const found = new Map<string, Outputs>();
  const keep = (name: string, { data }: Tensor, start: number, size: number): void => {
    const classes = data.length / size;
    const outputs = found.get(name) ?? { classes, data: new Float64Array(images.count * classes) };
    outputs.data.set(data, start * classes);
    found.set(name, outputs);
  };
  const spikes = new Map<string, number>();
  const synaptic = new Map<string, number>();
  const early = new Map([...(network.early ?? [])].map(([steps]) => [steps, new Int32Array(images.count)]));
  const started = now();
  await forEachBatch(
    images,
    network.lanes,
    async (batch) => {
      const results = await network.run(batch);
      return { results, logits: present(results[network.output], 'evaluate: no logits') };
    },
    ({ results, logits }, start, size) => {
      if (network.onOutputs === undefined) keep('', logits, start, size);
      else network.onOutputs(logits, start);
      for (const [name, output] of network.others ?? [])
        keep(name, present(results[output], `evaluate: no output ${name}`), start, size);
      network.onResults?.(results);
      for (const [steps, name] of network.early ?? []) {
        early.get(steps)!.set(predictedClasses(present(results[name], `evaluate: no ${name}`)), start);
      }
      for (const [id, name] of network.counts) {
        const { data } = present(results[name], `evaluate: no counts of ${id}`);
        for (let i = 0; i < size; i++) {
          spikes.set(id, (spikes.get(id) ?? 0) + data[2 * i]!);
          synaptic.set(id, (synaptic.get(id) ?? 0) + data[2 * i + 1]!);
        }
      }
    },
    counter,
  );
  const outputs = found.get('') ?? { classes: 0, data: new Float64Array(0) };
  found.delete('');
  const milliseconds = now() - started;
  return { classes: classesOf(outputs), outputs, others: found, spikes, synaptic, milliseconds, early };
}
