import type { DType, TypedArray } from '../../base/dtype.js';
import type { Copy, Plan, Step, Task, View } from './plan.js';

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
  ) => { readonly exports: Readonly<Record<string, (...at: readonly number[]) => void>> };
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
  /** Whether onnxruntime keeps no memory between runs. */
  readonly brief?: boolean | undefined;
}

/**
 * Makes a lane: the program's onnxruntime sessions and, per plan, a memory with its kernels.
 *
 * The function stands alone, without imports at run time, because worker threads run its source
 * text (see pool.ts).
 */
export async function createLane(ort: OrtLike, { models, threads, brief = false }: LaneOptions): Promise<Lane> {
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
    enableCpuMemArena: !brief,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    extra,
  };
  const sessions = await Promise.all(models.map((model) => ort.InferenceSession.create(model, options)));
  const loaded = new Map<number, Loaded>();

  type Numbers = readonly [number, number, number];
  const offsetOf = ({ offset, moves }: Pick<View, 'offset' | 'moves'>, at: Numbers): number =>
    moves === undefined ? offset : offset + at[moves.by] * moves.bytes;
  const still: Numbers = [0, 0, 0];
  const view = (memory: WasmMemory, of: View, at = still): TypedArray =>
    new arrays[of.dtype](
      memory.buffer,
      offsetOf(of, at),
      of.shape.reduce((a, b) => a * b, 1),
    ) as TypedArray;
  const tensors = (memory: WasmMemory, views: Readonly<Record<string, View>>, at = still): object =>
    Object.fromEntries(
      Object.entries(views).map(([name, of]) => [
        name,
        new ort.Tensor(types[of.dtype], view(memory, of, at), of.shape),
      ]),
    );
  const copy = (bytes: Uint8Array, copies: readonly Copy[], at: Numbers): void => {
    for (const one of copies) {
      const from = offsetOf(one.from, at);
      bytes.copyWithin(offsetOf(one.to, at), from, from + one.bytes);
    }
  };

  /** A session's run at a step of a loop; tensors that don't move are made once. */
  const sessionAt = (memory: WasmMemory, { session, feeds, fetches }: Task & { readonly kind: 'session' }) => {
    const of = (views: Readonly<Record<string, View>>): ((at: Numbers) => object) => {
      const entries = Object.entries(views);
      const fixed = tensors(memory, Object.fromEntries(entries.filter(([, one]) => one.moves === undefined)));
      const moving = Object.fromEntries(entries.filter(([, one]) => one.moves !== undefined));
      return (at) => ({ ...fixed, ...tensors(memory, moving, at) });
    };
    const [fed, fetched] = [of(feeds), of(fetches)];
    return (at: Numbers): Promise<object> => sessions[session]!.run(fed(at), fetched(at));
  };

  type Kernels = Readonly<Record<string, (...at: readonly number[]) => void>>;

  /** A loop over time: each step is told its time, and which of a state's two places holds its value. */
  const loop = (
    memory: WasmMemory,
    kernels: Kernels,
    { steps, reverse, before, tasks, after, end }: Step & { readonly kind: 'loop' },
  ): (() => Promise<void>) => {
    const bytes = new Uint8Array(memory.buffer);
    const work = tasks.map((task): ((at: Numbers) => Promise<object> | void) => {
      if (task.kind === 'session') return sessionAt(memory, task);
      const kernel = kernels[`k${task.kernel}`]!;
      return (at: Numbers) => kernel(at[0], at[1], at[2]);
    });
    return async () => {
      copy(bytes, before, still);
      for (let i = 0; i < steps; i++) {
        const now = i % 2;
        const at: Numbers = [reverse ? steps - 1 - i : i, now, 1 - now];
        for (const one of work) {
          const pending = one(at);
          if (pending !== undefined) await pending;
        }
        copy(bytes, after, at);
      }
      copy(bytes, end, [0, steps % 2, 1 - (steps % 2)]);
    };
  };

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
        if (step.kind === 'loop') return loop(memory, kernels, step);
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
