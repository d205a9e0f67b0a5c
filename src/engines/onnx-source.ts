import { type DType, type Tensor, allocate, tensor } from '../base/dtype.js';
import { roundHalfEven } from '../base/rounding.js';
import { fail } from '../base/diagnostics/index.js';
import { type Port, Session } from './onnxruntime-session.js';

/** An ONNX file as it came, run by onnxruntime: the reference an import is compared with. */
export interface OnnxSource {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Feeds inputs by name, gives outputs by name (all, or those of `fetches`); axis 0 is the batch. A file whose batch
   * size is fixed is run piece by piece.
   */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/**
 * Opens an ONNX file's bytes, or its path where it has external data. Graph optimisations
 * stay disabled: they replace QDQ by integer kernels that saturate on some processors, and
 * then onnxruntime itself is not the reference.
 */
export async function openOnnxSource(
  model: Uint8Array | string,
  options: {
    readonly threads?: number;
    readonly brief?: boolean;
    readonly name?: string;
    /** The one batch size the file can be run with, where its input doesn't say so: a Reshape to [1, …] inside. */
    readonly batch?: number | undefined;
  } = {},
): Promise<OnnxSource> {
  const what = options.name ?? (typeof model === 'string' ? model : 'the ONNX file');
  const session = await Session.open(model, { threads: options.threads, brief: options.brief, optimize: false, what });
  const { inputs, outputs } = session;
  // beside other inputs, one of a single axis has none for the batch
  const batched = inputs.length === 1 ? inputs : inputs.filter(({ shape }) => shape.length > 1);
  const fixedBatch = batched.map(({ shape }) => shape[0]).find((size) => typeof size === 'number') ?? options.batch;
  const run: RunPiece = (feeds, fetches) => session.run(inRank(inputs, feeds), fetches);
  return {
    inputs,
    outputs,
    async run(feeds, fetches) {
      const missing = inputs.find(({ name }) => feeds[name] === undefined);
      if (missing !== undefined) {
        fail('engine/missing-input', { what, input: missing.name, given: Object.keys(feeds).join(', ') || 'none' });
      }
      const rows = feeds[inputs[0]?.name ?? '']?.shape[0] ?? 1;
      const given = asDeclared(inputs, feeds);
      // no input has an axis for the batch: a sample at a time
      const bare = inputs.every(({ name, shape }) => feeds[name]!.shape.length === shape.length + 1);
      if (bare) return rows === 1 ? run(given, fetches) : inPieces({ run, fetches }, given, rows, 1);
      if (fixedBatch === undefined || typeof fixedBatch === 'string' || rows === fixedBatch) return run(given, fetches);
      if (!(fixedBatch >= 1))
        fail('engine/refused', { engine: 'onnxruntime', what, reason: `its batch is ${fixedBatch}` });
      return inPieces({ run, fetches }, given, rows, fixedBatch);
    },
    dispose: () => session.close(),
  };
}

/** Feeds in the types that the file's inputs have: integers rounded and held in their range. */
function asDeclared(
  inputs: readonly Port[],
  feeds: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  const types = new Map(inputs.map(({ name, dtype }) => [name, dtype]));
  return Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => {
      const dtype = types.get(name) ?? t.dtype;
      if (dtype === t.dtype) return [name, t];
      const range = ranges[dtype];
      const cast = (x: number): number =>
        range === undefined ? x : Math.min(range[1], Math.max(range[0], roundHalfEven(x)));
      return [name, tensor(dtype, t.shape, Float64Array.from(t.data, cast))];
    }),
  );
}

const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  u8: [0, 255],
  i8: [-128, 127],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};

type RunPiece = (
  feeds: Readonly<Record<string, Tensor>>,
  fetches: readonly string[] | undefined,
) => Promise<Record<string, Tensor>>;

/** One row of an input that has no axis for the batch, without that axis. */
function inRank(inputs: readonly Port[], feeds: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  const ranks = new Map(inputs.map(({ name, shape }) => [name, shape.length]));
  return Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => {
      const once = t.shape[0] === 1 && ranks.get(name) === t.shape.length - 1 && t.shape.length > 1;
      return [name, once ? ({ ...t, shape: t.shape.slice(1) } as Tensor) : t];
    }),
  );
}

/** Runs `rows` rows `size` at a time; the last piece is filled up with its last row. */
async function inPieces(
  { run, fetches }: { readonly run: RunPiece; readonly fetches: readonly string[] | undefined },
  feeds: Readonly<Record<string, Tensor>>,
  rows: number,
  size: number,
): Promise<Record<string, Tensor>> {
  const pieces: Record<string, Tensor>[] = [];
  for (let start = 0; start < rows; start += size) {
    const piece = Object.entries(feeds).map(([name, t]) => [name, takeRows(t, start, size)]);
    pieces.push(await run(Object.fromEntries(piece), fetches));
  }
  const names = Object.keys(pieces[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      joinRows(
        pieces.map((piece) => piece[name]!),
        rows,
        size,
      ),
    ]),
  );
}

/** Rows start…start+count−1; past the end, the last row again. */
function takeRows(t: Tensor, start: number, count: number): Tensor {
  const row = t.data.length / t.shape[0]!;
  const data = allocate(t.dtype, row * count);
  for (let i = 0; i < count; i++) {
    const from = Math.min(start + i, t.shape[0]! - 1) * row;
    data.set(t.data.subarray(from, from + row), i * row);
  }
  return { dtype: t.dtype, shape: [count, ...t.shape.slice(1)], data } as Tensor;
}

/** Of one row a time, a tensor is all of a row, whatever its axes are. */
function joinRows(pieces: readonly Tensor[], rows: number, size: number): Tensor {
  const first = pieces[0]!;
  const whole = size === 1 && first.shape[0] !== 1;
  const row = whole ? first.data.length : first.data.length / first.shape[0]!;
  const data = allocate(first.dtype, row * rows);
  let at = 0;
  for (const piece of pieces) {
    const part = piece.data.subarray(0, Math.min(piece.data.length, data.length - at));
    data.set(part, at);
    at += part.length;
  }
  return { dtype: first.dtype, shape: [rows, ...first.shape.slice(whole ? 0 : 1)], data } as Tensor;
}
