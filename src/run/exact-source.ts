import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import { exactCodes, lower } from '../lower/program/index.js';
import { type Network, type Op, opsById } from '../network/index.js';
import { type Running, openRunnable } from '../train/index.js';
import type { Source } from '../workspace/target.js';
import {
  type ComparedLayer,
  type Counter,
  DifferenceCounter,
  type Images,
  agreement,
  exactTie,
  floatTie,
  forEachBatch,
  predictedClasses,
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

export interface ExactSource {
  /** Predictions of the imported file in exact arithmetic. */
  readonly classes: Int32Array;
  /** From the file in onnxruntime to the same exactly. */
  readonly fromSource: Pick<StageDifference, 'codes' | 'differing' | 'ties' | 'first'>;
  /** From there to the codes that the SNN is compared with, whose network went through passes. */
  readonly toCodes: Pick<StageDifference, 'codes' | 'differing' | 'ties' | 'first'>;
}

/** Values of layers that are given out at once, at most. */
const valuesAtOnce = 4e6;

/**
 * The imported file in exact arithmetic (integer sums of codes, all else in float64) beside onnxruntime's float32 and
 * beside the quantised network of the conversion. With external data onnxruntime gives no codes.
 */
export async function exactSource(
  source: Source,
  quantised: Network,
  images: Images,
  engine: Engine,
  counter?: Counter,
): Promise<ExactSource> {
  const { network } = source.imported;
  const quantisers = network.ops.filter((op) => op.kind === 'quantize');
  const opened: Running[] = [];
  const theirs = source.external.size > 0 ? undefined : await openCodes(source, quantisers);
  const known = new Map(quantised.ops.map((op) => [op.id, op] as const));
  const inner = quantisers.filter(({ id }) => known.get(id)?.kind === 'quantize');
  const [withSource, withCodes] = [
    new DifferenceCounter(theirs === undefined ? [] : quantisers.filter(hasOrigin).map(compared), floatTie),
    new DifferenceCounter(inner.map(compared), exactTie),
  ];
  const classes = new Int32Array(images.count);
  const values = quantisers.reduce((sum, { type }) => sum + elementCount(type.shape), 1);
  const batch = Math.max(1, Math.min(images.batch, Math.floor(valuesAtOnce / values)));
  try {
    const probes = { codes: true, ties: true };
    const open = async (one: Network): Promise<Running> => {
      const running = await openRunnable(lower(one, { carrier: exactCodes, probes }), engine);
      opened.push(running);
      return running;
    };
    const [exact, codes] = [await open(network), await open(quantised)];
    const [ofExact, ofCodes] = [exact.pass(), codes.pass()];
    await forEachBatch(
      { ...images, batch },
      1,
      async (inputs) => ({
        exactly: await ofExact(inputs),
        codes: await ofCodes(inputs),
        file: await theirs?.run(inputs),
      }),
      (found, start) => {
        classes.set(predictedClasses(present(found.exactly[exact.outputs.logits ?? ''], 'run: no logits')), start);
        const expected = (id: string): Tensor | undefined =>
          fromZero(found.exactly[exact.outputs.probes.codes.get(id) ?? ''], minOf(opsById(network).get(id)));
        const ties = (id: string): Tensor | undefined => found.exactly[exact.outputs.probes.tie.get(id) ?? ''];
        withSource.add(
          expected,
          (id) => found.file?.get(id),
          () => undefined,
          ties,
        );
        withCodes.add(
          expected,
          (id) => fromZero(found.codes[codes.outputs.probes.codes.get(id) ?? ''], minOf(known.get(id))),
          () => undefined,
          ties,
        );
      },
      counter,
    );
  } finally {
    await Promise.all([...opened.map((running) => running.dispose()), theirs?.dispose()]);
  }
  return {
    classes,
    fromSource: theirs === undefined ? {} : inSum(withSource.result()),
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

/** Codes above the lower end of their range, as codes. */
function fromZero(codes: Tensor | undefined, min: number): Tensor | undefined {
  if (codes === undefined || min === 0) return codes;
  return { ...codes, data: (codes.data as Float32Array).map((code) => code + min) } as Tensor;
}

/** The codes of a file's quantisers, as onnxruntime computes them. */
async function openCodes(file: Source, quantisers: readonly Op<'quantize'>[]) {
  const { network, sourceInputs } = file.imported;
  const names = new Set(sourceInputs.map(({ name }) => name));
  const tensors = quantisers.flatMap(({ origin }) => (origin === undefined || names.has(origin) ? [] : [origin]));
  const { source: session, outputs } = await openReference(file, tensors);
  return {
    run: async (inputs: Tensor<'f32'>): Promise<ReadonlyMap<string, Tensor>> => {
      const results = await session.run(sourceFeeds(file.imported, inputs), [...outputs.values()]);
      const found = [...outputs].map(([name, output]) => [name, results[output]!] as const);
      const reals = dequantised(network, new Map(found));
      return new Map(
        quantisers.flatMap(({ id, origin, attrs: { scale, zero } }) => {
          const real = origin === undefined ? undefined : reals.get(origin);
          if (real === undefined) return [];
          const data = Float32Array.from(real.data as Float32Array, (value) => Math.round(value / scale + zero));
          return [[id, { dtype: 'f32', shape: real.shape, data } as Tensor] as const];
        }),
      );
    },
    dispose: () => session.dispose(),
  };
}
