import { type Tensor, elementCount } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import { exactCodes, lower } from '../lower/program/index.js';
import type { Network, Op } from '../network/index.js';
import type { Source } from '../workspace/target.js';
import { CodeComparison, type ComparedCodes, codesOf } from './compare-codes.js';
import { KeptCodes } from './kept-codes.js';
import { type Probed, portionsOf, runLayers } from './layer-codes.js';
import {
  type ComparedLayer,
  type Counter,
  DifferenceCounter,
  type Images,
  agreement,
  exactTie,
  floatTie,
  forEachBatch,
} from './metrics/index.js';
import { openReference } from './reference.js';
import { sourceFeeds } from './source-feeds.js';
import { dequantised } from './verify-import.js';

/** How a stage differs from the one before it. */
export interface StageDifference {
  /** Fraction of equal predictions. */
  readonly agreement: number;
  /** Codes of quantisers compared; missing where the one before gives none. */
  readonly codes?: number;
  readonly differing?: number;
  /** Of those that differ: where the exact value is as good as a tie, so that rounding errors decide. */
  readonly ties?: number;
  /** The first layer with a code that differs and is no tie. */
  readonly first?: string;
}

/** The file, its codes in exact arithmetic and those of its conversion, and its SNN. */
export interface StageCodes extends ComparedCodes {
  /** Predictions of the imported file in exact arithmetic. */
  readonly exact: Int32Array;
  /** From the file in onnxruntime to the same exactly. */
  readonly fromSource: Differences;
  /** From there to the codes that the SNN is compared with, whose network went through passes. */
  readonly toCodes: Differences;
}

type Differences = Pick<StageDifference, 'codes' | 'differing' | 'ties' | 'first'>;

/**
 * The imported file in exact arithmetic (integer sums of codes, all else in float64) beside onnxruntime's float32 and
 * beside the quantised network of the conversion, and that beside the SNN: one after the other on portions of images, so
 * that only codes are kept. With external data onnxruntime gives no codes.
 */
export async function stageCodes(
  source: Source,
  networks: { readonly quantised: Network; readonly spiking: Network },
  images: Images,
  engine: Engine,
  counter?: Counter,
): Promise<StageCodes> {
  const { network } = source.imported;
  const quantisers = network.ops.filter((op) => op.kind === 'quantize');
  const known = new Map(networks.quantised.ops.map((op) => [op.id, op] as const));
  const inner = quantisers.filter(({ id }) => known.get(id)?.kind === 'quantize');
  const seen = source.external.size > 0 ? [] : quantisers.filter(hasOrigin);
  const [withSource, withCodes] = [
    new DifferenceCounter(seen.map(compared), floatTie),
    new DifferenceCounter(inner.map(compared), exactTie),
  ];
  const exactly = lower(network, { carrier: exactCodes, probes: { codes: true, ties: true } });
  const comparison = new CodeComparison(networks, images.count, true);
  const classes = new Int32Array(images.count);
  const minima = new Map(quantisers.map(({ id, attrs: { min } }) => [id, min]));
  const values = quantisers.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
  const most = Math.max(values, codesOf(networks.spiking));
  for (const portion of portionsOf(images, most)) {
    const progress = (stage: number) => (done: number, total: number) =>
      counter?.(portion.first + Math.floor((portion.images.count * (stage + done / total)) / 4), images.count);
    const kept = new KeptCodes(floatTie);
    const take = (start: number, id: string, found: Probed): void => kept.take(start, id, found);
    classes.set(await runLayers(exactly, engine, portion.images, { take, counter: progress(0) }), portion.first);
    const add = (differences: DifferenceCounter, start: number, id: string, found: Tensor, min: number): void => {
      if (!differences.has(id)) return;
      const shift = min - minima.get(id)!;
      const expected = kept.codes(start, id).data;
      differences.add(id, { expected, found: found.data, shift, nearness: kept.nearness(start, id) });
    };
    if (source.external.size === 0) {
      await eachCodes(source, quantisers, portion.images, progress(1), (start, id, found) =>
        add(withSource, start, id, found, 0),
      );
    }
    await comparison.run(portion, engine, {
      counter: (done, total) => progress(2)(2 * done, total),
      seen: (start, id, codes) => add(withCodes, start, id, codes, minOf(known.get(id))),
    });
  }
  return {
    ...comparison.result(),
    exact: classes,
    fromSource: source.external.size > 0 ? {} : inSum(withSource.result()),
    toCodes: inSum(withCodes.result()),
  };
}

/** Differences of all layers together. */
export function inSum(
  layers: readonly {
    readonly id: string;
    readonly codes: number;
    readonly differing: number;
    readonly ties?: number;
  }[],
): Pick<StageDifference, 'codes' | 'differing' | 'ties' | 'first'> {
  const sum = (of: 'codes' | 'differing' | 'ties'): number =>
    layers.reduce((total, layer) => total + (layer[of] ?? 0), 0);
  const first = layers.find(({ differing, ties = 0 }) => differing > ties);
  return {
    codes: sum('codes'),
    differing: sum('differing'),
    ties: sum('ties'),
    ...(first === undefined ? {} : { first: first.id }),
  };
}

export function difference(
  before: Int32Array,
  after: Int32Array,
  codes: Pick<StageDifference, 'codes' | 'differing' | 'ties' | 'first'>,
): StageDifference {
  return { agreement: agreement(after, before), ...codes };
}

const hasOrigin = (op: Op): boolean => op.origin !== undefined;

function compared({ id }: Op): ComparedLayer {
  return { id, amplitude: 1, amplification: 1, top: Infinity };
}

function minOf(op: Op | undefined): number {
  return op?.kind === 'quantize' ? op.attrs.min : 0;
}

/** The codes of a file's quantisers, as onnxruntime computes them. */
async function eachCodes(
  file: Source,
  quantisers: readonly Op<'quantize'>[],
  images: Images,
  counter: Counter,
  take: (start: number, id: string, codes: Tensor) => void,
): Promise<void> {
  const { network, sourceInputs } = file.imported;
  const names = new Set(sourceInputs.map(({ name }) => name));
  const tensors = quantisers.flatMap(({ origin }) => (origin === undefined || names.has(origin) ? [] : [origin]));
  const { source: session, outputs } = await openReference(file, tensors);
  const run = (inputs: Tensor<'f32'>) => session.run(sourceFeeds(file.imported, inputs), [...outputs.values()]);
  try {
    await forEachBatch(
      images,
      1,
      run,
      (results, start) => {
        const found = [...outputs].map(([name, output]) => [name, results[output]!] as const);
        const reals = dequantised(network, new Map(found));
        for (const { id, origin, attrs } of quantisers) {
          const real = origin === undefined ? undefined : reals.get(origin);
          if (real === undefined) continue;
          const data = Float32Array.from(real.data as Float32Array, (v) => Math.round(v / attrs.scale + attrs.zero));
          take(start, id, { dtype: 'f32', shape: real.shape, data });
        }
      },
      counter,
    );
  } finally {
    await session.dispose();
  }
}
