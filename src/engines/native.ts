import { availableParallelism } from 'node:os';
import { type CProgram, type PlacedBuffer, countOf, emitC } from '../backends/c-program/index.js';
import { type Tensor, type TypedArray, allocate, byteWidth, elementCount } from '../base/dtype.js';
import { fail } from '../base/diagnostics/index.js';
import { type Program, type ValueInfo, batchSize, checkedFeed, concreteShape } from '../tensor/index.js';
import { type Lifetime, aligned, placeBuffers } from './fused/arena.js';
import { collectSamples, cutBatch, isSeparable, takeSamples } from './fused/samples.js';
import { compileProgram } from './native/compiler.js';
import { type Compiler, findCompiler } from './native/find-compiler.js';
import { emitInference } from './native/inference.js';
import { type Library, type Pointer, openLibrary, requireKoffi } from './native/library.js';
import { type Ports, type StatePort, checkState, chosenStates, portsOf } from './states.js';
import type { Engine, OpenOptions, Opened } from './types.js';

/** Runs programs as machine code: C made for the program, compiled on this machine. */
export const nativeEngine: Engine = {
  name: 'native',
  waits: true,
  open: (program, options) => openNative(program, options),
};

/** A program whose steps' times are added up. */
export interface Profiled extends Opened {
  /** Seconds in each step of a run so far, with what it does. */
  times(): Promise<readonly { readonly step: string; readonly seconds: number }[]>;
}

/** As `nativeEngine.open`, with a profile, or by another compiler than the one that is found. */
export async function openNative(
  program: Program,
  options: OpenOptions = {},
  { profile = false, compiler: given }: { readonly profile?: boolean; readonly compiler?: Compiler } = {},
): Promise<Profiled> {
  const ports = portsOf(program, options.states);
  await requireKoffi();
  const compiler = given ?? (await findCompiler());
  const emitted =
    ports.states.length === 0
      ? emitInference(program, compiler.target)
      : emitC(program, compiler.target, { storesBytes: true });
  const library = await compileProgram(compiler, emitted, openLibrary);
  const threads = options.threads ?? availableParallelism();
  const separable = ports.states.length === 0 && isSeparable(program);
  const states = options.states ?? new Map<string, Tensor>();
  // samples that don't depend on each other are computed by threads of their own, a few at a time
  const lanes = Array.from(
    { length: separable ? threads : 1 },
    () => new Run(program, emitted, ports, library, separable ? 1 : threads, states),
  );
  const run = lanes[0]!;
  if (profile) lanes.forEach((lane) => lane.measure());
  const whole = new Lanes(program, ports, lanes);
  let last: Promise<unknown> = Promise.resolve();
  /** One at a time: a program has one memory. */
  const queued = <T>(job: () => T | Promise<T>): Promise<T> => {
    const next = last.then(job);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    engine: 'native',
    // the next batch can be read while one is computed
    ...(separable ? { lanes: 2 } : {}),
    step: (inputs) => queued(() => (separable ? whole.step(inputs) : run.step(inputs))),
    read: (ids, { before = false } = {}) => queued(() => run.read(ids, before)),
    write: (values) => queued(() => run.write(values)),
    dispose: () => queued(() => lanes.forEach((lane) => lane.close())),
    times: () =>
      queued(() => {
        const all = lanes.map((lane) => lane.times());
        return all[0]!.map(({ step }, i) => ({ step, seconds: all.reduce((sum, one) => sum + one[i]!.seconds, 0) }));
      }),
  };
}

/** Bytes of values of the samples that a thread works on at once: they stay in its processor's caches. */
const cachedBytes = 4 * 2 ** 20;

/** A batch cut into parts, for threads that take them as they get free. */
class Lanes {
  readonly #samples: number;

  constructor(
    readonly program: Program,
    readonly ports: Ports,
    readonly lanes: readonly Run[],
  ) {
    // weights are read anew for each part: parts are as large as they are
    const bytes = Math.max(cachedBytes, lanes[0]!.keptBytes);
    this.#samples = Math.max(1, Math.floor(bytes / Math.max(1, lanes[0]!.bytesFor(1))));
  }

  async step(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const n = batchSize(this.program, inputs) ?? 1;
    const largest = Math.max(1, Math.min(this.#samples, Math.ceil(n / this.lanes.length)));
    // parts of one size after those of the other: memory is laid out anew once
    const waiting = cutBatch(n, largest).toSorted((a, b) => b.count - a.count);
    if (waiting.length === 1) return this.lanes[0]!.step(inputs);
    const feeds = this.ports.fed.map((input) => ({ input, fed: checkedFeed(input, inputs[input.id], n) }));
    const types = new Map([...this.program.inputs, ...this.program.params, ...this.program.ops].map((v) => [v.id, v]));
    const results = Object.entries(this.ports.returned).map(
      ([name, id]) => [name, collectSamples(types.get(id)!, n)] as const,
    );
    const work = async (lane: Run): Promise<void> => {
      for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
        const { first, count } = part;
        const given = feeds.map(({ input, fed }) => {
          const data = takeSamples(fed, input.shape, n, first, count);
          return [input.id, { dtype: input.dtype, shape: concreteShape(input.shape, count), data } as Tensor] as const;
        });
        const found = await lane.step(Object.fromEntries(given));
        for (const [name, result] of results) result.put(found[name]!.data, first, count);
      }
    };
    await Promise.all(this.lanes.map(work));
    return Object.fromEntries(results.map(([name, result]) => [name, result.tensor]));
  }
}

/** A compiled program with its memory: one block of what stays, one that is laid out anew for each batch size. */
class Run {
  /** Bytes of params, states and packed weights. */
  readonly keptBytes: number;
  readonly #context: Pointer;
  readonly #kept: Pointer;
  readonly #keptOffsets = new Map<number, number>();
  readonly #types = new Map<string, ValueInfo>();
  #memory: Pointer | undefined;
  #bytes = 0;
  #batch: number | undefined;
  /** For each state its buffers: where it is read now, and where the other value is. */
  readonly #places = new Map<string, { now: number; other: number }>();
  #stepped = false;

  constructor(
    readonly program: Program,
    readonly emitted: CProgram,
    readonly ports: Ports,
    readonly library: Library,
    threads: number,
    states: ReadonlyMap<string, Tensor>,
  ) {
    for (const value of [...program.inputs, ...program.params, ...program.ops]) this.#types.set(value.id, value);
    const staying = new Set([...emitted.params.map(({ buffer }) => buffer), ...emitted.kept]);
    for (const { id, next } of ports.states) {
      staying.add(emitted.inputs.get(id)!).add(emitted.outputs.get(next)!);
    }
    let end = 0;
    for (const buffer of staying) {
      this.#keptOffsets.set(buffer, end);
      end += aligned(countOf(emitted.buffers[buffer]!.bytes, 1));
    }
    this.#context = this.#had(library.open(emitted.buffers.length, threads, emitted.scratch, emitted.sums));
    this.keptBytes = end;
    this.#kept = this.#had(library.allocate(end));
    for (const [buffer, offset] of this.#keptOffsets) library.place(this.#context, buffer, this.#kept, offset);
    for (const { buffer, data } of emitted.params) this.#write(buffer, data.data);
    for (const { id, next } of ports.states) {
      const [input, output] = [emitted.inputs.get(id)!, emitted.outputs.get(next)!];
      this.#places.set(id, { now: this.#keptOffsets.get(input)!, other: this.#keptOffsets.get(output)! });
      this.#write(input, states.get(id)!.data);
    }
  }

  #had(memory: Pointer | null): Pointer {
    if (memory !== null) return memory;
    return fail('engine/run-failed', {
      engine: 'native',
      what: `program "${this.program.name}"`,
      reason: 'there is not enough memory',
    });
  }

  #write(buffer: number, data: TypedArray): void {
    if (data.length > 0) this.library.write(this.#context, buffer, data, data.byteLength);
  }

  /** Where buffers lie that don't stay, for batches of `n`. */
  #layOut(n: number): { readonly moving: readonly PlacedBuffer[]; offsets: Map<string, number>; end: number } {
    const returned = new Set(Object.keys(this.ports.returned).map((name) => this.emitted.outputs.get(name)!));
    const fed = new Set(this.ports.fed.map(({ id }) => this.emitted.inputs.get(id)!));
    const moving = this.emitted.buffers.filter(({ index }) => !this.#keptOffsets.has(index));
    const lifetimes = new Map<number, Lifetime>();
    for (const { index, bytes, first, last } of moving) {
      lifetimes.set(index, {
        id: String(index),
        bytes: countOf(bytes, n),
        first: fed.has(index) ? -1 : first,
        last: returned.has(index) ? Infinity : last,
      });
    }
    // a buffer that goes on in another's memory lengthens that one's life
    const roots = new Map<number, number>();
    for (const { index, within } of moving.toSorted((a, b) => a.first - b.first)) {
      if (within === undefined) continue;
      const root = roots.get(within) ?? within;
      roots.set(index, root);
      lifetimes.set(root, { ...lifetimes.get(root)!, last: lifetimes.get(index)!.last });
      lifetimes.delete(index);
    }
    const { offsets, end } = placeBuffers([...lifetimes.values()], 0);
    for (const [index, root] of roots) offsets.set(String(index), offsets.get(String(root))!);
    return { moving, offsets, end };
  }

  /** Bytes of memory for a batch of `n`. */
  bytesFor(n: number): number {
    return this.#layOut(n).end;
  }

  #prepare(n: number): void {
    if (this.#batch === n) return;
    const { moving, offsets, end } = this.#layOut(n);
    if (end > this.#bytes || this.#memory === undefined) {
      if (this.#memory !== undefined) this.library.free(this.#memory);
      this.#memory = undefined;
      this.#memory = this.#had(this.library.allocate(end));
      this.#bytes = end;
    }
    for (const { index } of moving) {
      this.library.place(this.#context, index, this.#memory, offsets.get(String(index))!);
    }
    this.#batch = n;
  }

  async step(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const n = batchSize(this.program, inputs) ?? 1;
    const feeds = this.ports.fed.map((input) => [input.id, checkedFeed(input, inputs[input.id], n)] as const);
    this.#prepare(n);
    for (const [id, { data }] of feeds) this.#write(this.emitted.inputs.get(id)!, data);
    await this.library.step(this.#context, n);
    const results = Object.entries(this.ports.returned).map(([name, id]) => {
      const { dtype, shape } = this.#types.get(id)!;
      const sizes = concreteShape(shape, n);
      const data = allocate(dtype, elementCount(sizes));
      if (data.length > 0) this.library.read(this.#context, this.emitted.outputs.get(name)!, data, data.byteLength);
      return [name, { dtype, shape: sizes, data } as Tensor] as const;
    });
    for (const port of this.ports.states) this.#swap(port);
    this.#stepped = true;
    return Object.fromEntries(results);
  }

  #swap({ id, next }: StatePort): void {
    const place = this.#places.get(id)!;
    const swapped = { now: place.other, other: place.now };
    this.#places.set(id, swapped);
    this.library.place(this.#context, this.emitted.inputs.get(id)!, this.#kept, swapped.now);
    this.library.place(this.#context, this.emitted.outputs.get(next)!, this.#kept, swapped.other);
  }

  read(ids: readonly string[] | undefined, before: boolean): Map<string, Tensor> {
    if (before && !this.#stepped) throw new TypeError('states before the last step: there was no step');
    return new Map(
      chosenStates(this.ports.states, ids).map(({ id, input, next }) => {
        const shape = input.shape as readonly number[];
        const data = allocate(input.dtype, elementCount(shape));
        const buffer = before ? this.emitted.outputs.get(next)! : this.emitted.inputs.get(id)!;
        if (data.length > 0) this.library.read(this.#context, buffer, data, data.length * byteWidth[input.dtype]);
        return [id, { dtype: input.dtype, shape, data } as Tensor];
      }),
    );
  }

  write(values: ReadonlyMap<string, Tensor>): void {
    const chosen = chosenStates(this.ports.states, [...values.keys()]);
    for (const { id, input } of chosen) checkState(input, values.get(id)!);
    for (const { id } of chosen) this.#write(this.emitted.inputs.get(id)!, values.get(id)!.data);
  }

  measure(): void {
    this.library.measure(this.#context, this.emitted.steps.length);
  }

  times(): { step: string; seconds: number }[] {
    const seconds = new Float64Array(this.emitted.steps.length);
    this.library.times(this.#context, seconds, seconds.byteLength);
    return this.emitted.steps.map((step, i) => ({ step, seconds: seconds[i]! }));
  }

  close(): void {
    this.library.close(this.#context);
    if (this.#memory !== undefined) this.library.free(this.#memory);
    this.library.free(this.#kept);
  }
}
