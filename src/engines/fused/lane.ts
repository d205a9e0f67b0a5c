import type { DType, TypedArray } from '../../base/dtype.js';
import type { Plan, View } from './plan.js';

/** The part of onnxruntime-node that a lane uses. */
export interface OrtLike {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: TypedArray, dims: readonly number[]) => object;
}

export interface OrtSession {
  run(feeds: object, fetches: object): Promise<object>;
  release(): Promise<void>;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The part of the WebAssembly interface that a lane uses; the language's libraries don't declare it. */
interface WasmApi {
  readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, () => void>> };
}

/** Runs plans of one program, one at a time. */
export interface Lane {
  load(key: number, plan: Plan): void;
  unload(key: number): void;
  /** Copies inputs in by name and outputs out by name. */
  run(key: number, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>>;
  /** Copies of states in a plan's memory; `before` are those that its last run began with. */
  read(key: number, ids: readonly string[], before: boolean): Record<string, TypedArray>;
  write(key: number, values: Readonly<Record<string, TypedArray>>): void;
  dispose(): Promise<void>;
}

export interface LaneOptions {
  readonly models: readonly Uint8Array[];
  /** Threads inside onnxruntime. */
  readonly threads: number;
}

/**
 * Makes a lane: the program's onnxruntime sessions and, per plan, a memory with its kernels.
 *
 * The function stands alone, without imports at run time, because worker threads run its source
 * text (see pool.ts).
 */
export async function createLane(ort: OrtLike, { models, threads }: LaneOptions): Promise<Lane> {
  interface Loaded {
    readonly memory: WasmMemory;
    readonly plan: Plan;
    readonly steps: readonly (() => Promise<object> | void)[];
    /** Whether the values of states lie where the last run left them. */
    ran: boolean;
  }
  const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
  const arrays = {
    f32: Float32Array,
    f64: Float64Array,
    i32: Int32Array,
    i8: Int8Array,
    u8: Uint8Array,
    bool: Uint8Array,
  };
  const types: Record<DType, string> = {
    f32: 'float32',
    f64: 'float64',
    i32: 'int32',
    i8: 'int8',
    u8: 'uint8',
    bool: 'bool',
  };
  // Each session has a pool of threads; by default they all keep spinning after a run, against each other.
  const extra = { session: { intra_op: { allow_spinning: '0' } } };
  const options = {
    executionProviders: ['cpu'],
    // The pattern of a first run would be kept as one more block of all its memory, beside what that run left.
    enableMemPattern: false,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    extra,
  };
  const sessions = await Promise.all(models.map((model) => ort.InferenceSession.create(model, options)));
  const loaded = new Map<number, Loaded>();

  const view = (memory: WasmMemory, { dtype, shape, offset }: View): TypedArray =>
    new arrays[dtype](
      memory.buffer,
      offset,
      shape.reduce((a, b) => a * b, 1),
    ) as TypedArray;
  const tensors = (memory: WasmMemory, views: Readonly<Record<string, View>>): object =>
    Object.fromEntries(
      Object.entries(views).map(([name, at]) => [name, new ort.Tensor(types[at.dtype], view(memory, at), at.shape)]),
    );

  /** Moves next values of states to where the next run reads them. A next value may be another state. */
  const advance = (here: Loaded): void => {
    if (!here.ran) return;
    const states = Object.values(here.plan.states);
    const read = new Set(states.map(({ now }) => now.offset));
    const values = states.map(({ next }) => {
      const value = view(here.memory, next);
      return read.has(next.offset) ? value.slice() : value;
    });
    states.forEach(({ now }, i) => view(here.memory, now).set(values[i]!));
    here.ran = false;
  };

  return {
    load(key, plan) {
      const memory = new wasm.Memory({ initial: plan.pages, maximum: plan.pages });
      for (const { offset, bytes } of plan.constants) new Uint8Array(memory.buffer).set(bytes, offset);
      const kernels = new wasm.Instance(new wasm.Module(plan.module), { env: { memory } }).exports;
      const steps = plan.steps.map((step) => {
        if (step.kind === 'kernel') return kernels[`k${step.kernel}`]!;
        const session = sessions[step.session]!;
        const [feeds, fetches] = [tensors(memory, step.feeds), tensors(memory, step.fetches)];
        return () => session.run(feeds, fetches);
      });
      loaded.set(key, { memory, plan, steps, ran: false });
    },
    unload(key) {
      loaded.delete(key);
    },
    async run(key, inputs) {
      const here = loaded.get(key)!;
      const { memory, plan, steps } = here;
      advance(here);
      for (const [id, at] of Object.entries(plan.inputs)) view(memory, at).set(inputs[id]!);
      for (const step of steps) {
        const pending = step();
        if (pending !== undefined) await pending;
      }
      here.ran = true;
      return Object.fromEntries(Object.entries(plan.outputs).map(([name, at]) => [name, view(memory, at).slice()]));
    },
    read(key, ids, before) {
      const { memory, plan, ran } = loaded.get(key)!;
      const at = (id: string): View => (ran && !before ? plan.states[id]!.next : plan.states[id]!.now);
      return Object.fromEntries(ids.map((id) => [id, view(memory, at(id)).slice()]));
    },
    write(key, values) {
      const here = loaded.get(key)!;
      advance(here);
      for (const [id, data] of Object.entries(values)) view(here.memory, here.plan.states[id]!.now).set(data);
    },
    async dispose() {
      loaded.clear();
      await Promise.all(sessions.map((session) => session.release()));
    },
  };
}
