import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { lower } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { type MissingQuantiser, configure, missingQuantisers, passes, runPipeline } from '../passes/index.js';
import { openRunnable } from '../train/index.js';
import { libraryNeurons } from '../workspace/files.js';
import type { Findings } from '../workspace/findings.js';
import type { Calibration } from './calibrate.js';
import { fitToNetwork } from './fit.js';
import { givenBatch } from './memory.js';
import { RangeCounter, forEachBatch } from './metrics/index.js';

/** Images a batch, at most. */
const mostAtOnce = 20;
const defaultLimit = 1000;
const front = ['canonicalise', 'fold-batchnorm', 'fold-affine'];

/** What a quantiser has to cover. */
export interface ValueRange {
  readonly from: number;
  readonly range: number;
}

/**
 * The range of every value that `sws` needs a quantiser for and that has none, on calibration data: percentiles of its
 * positive and of its negative values; of the input all. Inputs of integers that fit into 8 bits get their whole range, so
 * that they are their own codes. Empty where nothing lacks a quantiser.
 */
export async function calibrateQuantisers(
  imported: Network,
  { dataset, normalisation, percentile, limit = defaultLimit, onProgress }: Calibration,
  findings: Findings,
): Promise<ReadonlyMap<string, ValueRange>> {
  const { network, missing } = withoutQuantisers(imported, findings);
  if (missing.length === 0 || dataset === undefined) return new Map();
  const fit = fitToNetwork(network, dataset, findings, { numbers: true, normalisation });
  const input = network.ops.find(({ kind }) => kind === 'input')!;
  const expose = missing.map(({ op }) => op.id).filter((id) => id !== input.id);
  const running = await openRunnable(lower(network, { probes: { expose } }), onnxruntimeEngine);
  const pass = running.pass();
  const { exposed } = running.outputs;
  const values = new Map(missing.map(({ op }) => [op.id, new SignedRange()]));
  try {
    await forEachBatch(
      {
        dataset: fit,
        normalisation,
        count: Math.min(dataset.length, limit),
        batch: givenBatch(network, expose, mostAtOnce),
      },
      1,
      async (images) => {
        values.get(input.id)?.add(images);
        return pass(images);
      },
      (found) => {
        for (const id of expose) values.get(id)!.add(present(found[exposed.get(id) ?? ''], `run: no activation ${id}`));
      },
      (done, total) => onProgress?.({ phase: 'calibrating', done, total, unit: 'images' }),
    );
  } finally {
    await running.dispose();
  }
  return new Map(
    missing.map(({ op, id }) => {
      const found = values.get(op.id)!;
      const range = op === input || op.kind === 'input' ? found.whole() : found.within(percentile);
      if (!(range.range > 0) && !(range.from < 0)) {
        const reason = `on "${dataset.name}", %${op.id} is 0 for every image`;
        const help = 'give more images, of the kind and with the --mean and --std that the network was trained with';
        fail('convert/calibration', { reason }, op.place, { help });
      }
      return [id, range] as const;
    }),
  );
}

/** A network as `sws` quantises it, and which quantisers it lacks. */
export function withoutQuantisers(
  imported: Network,
  findings: Findings,
): { readonly network: Network; readonly missing: readonly MissingQuantiser[] } {
  const first = passes.filter(({ name }) => front.includes(name));
  const { network, diagnostics } = runPipeline(imported, configure(first, {}), { neurons: libraryNeurons() });
  if (network === undefined) throw new DiagnosticError([...findings.all, ...diagnostics]);
  return { network, missing: missingQuantisers(network) };
}

/** The least and the greatest of some values. */
class SignedRange {
  readonly #positive = new RangeCounter();
  readonly #negative = new RangeCounter();
  #integers = true;

  add(values: Tensor): void {
    this.#positive.add(values);
    const negated = Float32Array.from(values.data, (value) => -value);
    this.#negative.add({ dtype: 'f32', shape: values.shape, data: negated });
    this.#integers &&= values.data.every((value: number) => Number.isInteger(value));
  }

  /** All of them; of integers of 8 bits the range of their type. */
  whole(): ValueRange {
    const { from, range } = this.within(100);
    if (!this.#integers) return { from, range };
    if (from === 0 && range <= 255) return { from: 0, range: 255 };
    return from >= -128 && range <= 127 ? { from: -128, range: 127 } : { from, range };
  }

  /** Between percentiles, to six digits: what is written into the model file. */
  within(percentile: number): ValueRange {
    const digits = (value: number): number => Number(value.toPrecision(6));
    // a range needs a value above 0
    const negative = digits(this.#negative.range(percentile));
    const positive = digits(this.#positive.range(percentile));
    return { from: -negative + 0, range: positive > 0 ? positive : digits(negative / 255) };
  }
}
