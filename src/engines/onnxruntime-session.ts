import type * as Ort from 'onnxruntime-node';
import { type ArrayOf, type DType, type Tensor, longNames } from '../base/dtype.js';
import { fail } from '../base/diagnostics/index.js';
import { installCommand } from './packages.js';

type OrtModule = typeof Ort;

const dtypes: Readonly<Record<string, DType>> = Object.fromEntries(
  Object.entries(longNames).map(([ours, theirs]) => [theirs, ours as DType]),
);

/** Loads onnxruntime-node on first use, so that commands that run nothing don't pay for it. */
export async function loadOnnxruntime(): Promise<OrtModule> {
  try {
    const module = (await import('onnxruntime-node')) as OrtModule & { readonly default?: OrtModule };
    return module.default ?? module;
  } catch (error) {
    const help = `install it: \`${installCommand('onnxruntime')}\``;
    return fail('engine/unavailable', { engine: 'onnxruntime', reason: reasonOf(error) }, undefined, { help });
  }
}

export interface SessionOptions {
  readonly threads?: number | undefined;
  readonly optimize: boolean;
  /** Whether threads sleep until there is work for them, and memory of a run is given back. */
  readonly brief?: boolean | undefined;
  /** What runs, for messages: `program "lenet5"`, `net.onnx`. */
  readonly what: string;
}

/** Tensors that a run reads and writes in place, by names of the graph. */
export interface Binding {
  readonly feeds?: Readonly<Record<string, Ort.Tensor>>;
  readonly fetches?: Readonly<Record<string, Ort.Tensor>>;
}

/** One onnxruntime session over our tensors; its errors are diagnostics. */
export class Session {
  readonly #ort: OrtModule;
  readonly #session: Ort.InferenceSession;
  readonly #what: string;

  private constructor(ort: OrtModule, session: Ort.InferenceSession, what: string) {
    this.#ort = ort;
    this.#session = session;
    this.#what = what;
  }

  /** Opens a model from its bytes, or from a path (then external data lies beside it). */
  static async open(model: Uint8Array | string, { threads, optimize, brief, what }: SessionOptions): Promise<Session> {
    const ort = await loadOnnxruntime();
    const options: Ort.InferenceSession.SessionOptions = {
      graphOptimizationLevel: optimize ? 'all' : 'disabled',
      executionMode: 'sequential',
      // The pattern of a first run would be kept as one more block of all its memory, beside what that run left:
      // half of the memory of a training step, and no faster.
      enableMemPattern: false,
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(brief === true
        ? { enableCpuMemArena: false, extra: { session: { intra_op: { allow_spinning: '0' } } } }
        : {}),
    };
    try {
      const session =
        typeof model === 'string'
          ? await ort.InferenceSession.create(model, options)
          : await ort.InferenceSession.create(model, options);
      return new Session(ort, session, what);
    } catch (error) {
      return fail('engine/refused', { engine: 'onnxruntime', what, reason: reasonOf(error) });
    }
  }

  get inputs(): readonly Port[] {
    return this.#session.inputMetadata.map(port);
  }

  get outputs(): readonly Port[] {
    return this.#session.outputMetadata.map(port);
  }

  /** Feeds inputs, gives the outputs named in `fetches` (all where it is missing), beside what is bound. */
  async run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[] = this.#session.outputNames,
    bound: Binding = {},
  ): Promise<Record<string, Tensor>> {
    const wide = new Set(
      this.#session.inputMetadata.flatMap(({ name, ...of }) => ('type' in of && of.type === 'int64' ? [name] : [])),
    );
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => [name, wide.has(name) ? this.#int64(t) : this.bind(t)]),
    );
    const wanted = Object.fromEntries(fetches.map((name) => [name, null]));
    let results: Ort.InferenceSession.ReturnType;
    try {
      results = await this.#session.run({ ...given, ...bound.feeds }, { ...wanted, ...bound.fetches });
    } catch (error) {
      return fail('engine/run-failed', { engine: 'onnxruntime', what: this.#what, reason: reasonOf(error) });
    }
    return Object.fromEntries(fetches.map((name) => [name, this.#fromOrt(name, results[name]!)]));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** A tensor as onnxruntime takes it, over the same memory. */
  bind({ dtype, data, shape }: Tensor): Ort.Tensor {
    return new this.#ort.Tensor(longNames[dtype], data as never, shape);
  }

  #int64({ data, shape }: Tensor): Ort.Tensor {
    return new this.#ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  }

  /** int64 results (indices, classes) become i32. */
  #fromOrt(name: string, value: Ort.OnnxValue): Tensor {
    const { type, data, dims } = value as Ort.Tensor;
    if (type === 'int64') {
      return { dtype: 'i32', shape: dims, data: Int32Array.from(data as BigInt64Array, Number) };
    }
    const dtype = dtypes[type];
    if (dtype === undefined) {
      const reason = `its output "${name}" is of type ${type}`;
      return fail('engine/refused', { engine: 'onnxruntime', what: this.#what, reason });
    }
    return { dtype, shape: dims, data: data as ArrayOf[DType] } as Tensor;
  }
}

/** A graph's input or output as the file declares it. */
export interface Port {
  readonly name: string;
  /** Missing for types that we have no tensors of. */
  readonly dtype?: DType;
  /** Names stand for sizes that are open. */
  readonly shape: readonly (number | string)[];
}

function port(metadata: Ort.InferenceSession.ValueMetadata): Port {
  if (!metadata.isTensor) return { name: metadata.name, shape: [] };
  const dtype = metadata.type === 'int64' ? 'i32' : dtypes[metadata.type];
  return { name: metadata.name, shape: metadata.shape, ...(dtype === undefined ? {} : { dtype }) };
}

/** onnxruntime's message in one line, without the places in its own source. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\/[\w./-]*onnxruntime\/[\w./-]+(:\d+)?/g, '')
    .trim()
    .slice(0, 500);
}
