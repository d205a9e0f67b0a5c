import { availableParallelism } from 'node:os';
import type { Tensor, TypedArray } from '../../base/dtype.js';
import { DiagnosticError, diagnostic, fail } from '../../base/diagnostics/index.js';
import { present } from '../../base/invariant.js';
import { emitOnnx, unsupportedByOnnx } from '../../backends/onnx/index.js';
import { type Program, type ProgramInput, batchSize, checkedFeed } from '../../tensor/index.js';
import { loadOnnxruntime, reasonOf } from '../onnxruntime-session.js';
import { type Ports, checkState, chosenStates, portsOf } from '../states.js';
import type { Engine, OpenOptions, Opened } from '../types.js';
import type { OrtLike } from './lane.js';
import { partition } from './partition.js';
import { type Plan, bytesPerSample, makePlan } from './plan.js';
import { type RemoteLane, openLocalLane, openWorkerLane } from './pool.js';
import { emitProduct } from './products.js';
import { type Partition, flatSegments } from './segments.js';
import { collectSamples, cutBatch, isSeparable, takeSamples } from './samples.js';

export interface FusedOptions extends OpenOptions {
  /**
   * Lanes that compute parts of a batch side by side, each in a worker thread of its own with
   * one thread inside onnxruntime. Where samples depend on each other there is one lane with
   * `threads` inside onnxruntime.
   */
  readonly lanes?: number;
  /** Whether synapses on spikes and small integers may be computed in bytes; the results are the same. */
  readonly integers?: boolean;
  /** Whether loops over time are the engine's own, otherwise onnxruntime's `Scan`; the results are the same. */
  readonly loops?: boolean;
  /** Samples that a lane takes at a time; by default as many as fit the processor's cache. */
  readonly samples?: number;
  /** Milliseconds of computing in the calling thread behind which worker threads take over; not with `lanes`. */
  readonly workersAfter?: number;
}

/** Element-wise regions as WebAssembly kernels, everything else in onnxruntime. */
export const fusedEngine = { name: 'fused', open: openFused } satisfies Engine;

/** What a lane's values may fill: about the cache of one core, more makes every pass go to memory. */
const cacheBytes = 2 << 20;
const largestPart = 64;
/** Where each step of a loop calls onnxruntime, calls are worth their time from so many samples on. */
const leastInLoops = 32;
/** Milliseconds of computing in this thread that show that there is work for more: about what workers take to begin. */
const worthWorkers = 200;
/** Bytes of onnxruntime's models that are loaded a second time rather than that short work waits for workers. */
const smallModels = 2 ** 20;
/** Plans kept, one per batch size; an old one is dropped for a new. */
const keptPlans = 4;

async function openFused(program: Program, options: FusedOptions = {}): Promise<Opened> {
  const split = partition(program, options);
  const segments = flatSegments(split);
  const sessions = segments.flatMap((segment) => (segment.kind === 'session' ? [segment.program] : []));
  const unsupported = sessions.flatMap(unsupportedByOnnx);
  if (unsupported.length > 0) {
    throw new DiagnosticError(
      unsupported.map(({ id, kind, dtype }) =>
        diagnostic('engine/no-kernel', { engine: 'fused', op: id, kind, dtype }),
      ),
    );
  }
  const what = `program "${program.name}"`;
  const { threads = availableParallelism(), brief } = options;
  const ports = portsOf(program, options.states);
  // States pass through all samples of a step, and lie in the memory of one lane.
  const separable = isSeparable(program) && ports.states.length === 0;
  const models = segments.flatMap((segment) => {
    if (segment.kind === 'kernel' || segment.kind === 'dot') return [];
    return [segment.kind === 'session' ? emitOnnx(segment.program) : emitProduct(segment.synapse)];
  });
  const ort = (await loadOnnxruntime()) as unknown as OrtLike;
  const count = separable ? (options.lanes ?? threads) : 1;
  const local = (within: number) => Promise.all([openLocalLane(ort, { models, threads: within, brief })]);
  const workers = () =>
    opened(what, () => Promise.all(Array.from({ length: count }, () => openWorkerLane({ models, threads: 1, brief }))));
  const isLater =
    count > 1 && options.lanes === undefined && models.reduce((sum, one) => sum + one.length, 0) < smallModels;
  const lanes = await (count === 1 || isLater ? opened(what, () => local(count === 1 ? threads : 1)) : workers());
  const samples = separable ? options.samples : Infinity;
  const more = isLater ? { open: workers, after: options.workersAfter ?? worthWorkers } : undefined;
  const run = new FusedRun(program, split, ports, lanes, more, samples, what, options.states);
  return {
    engine: 'fused',
    // While one batch is cut up and put together, the lanes work on the other.
    lanes: count > 1 ? 2 : 1,
    step: (inputs) => run.step(inputs),
    read: (ids, { before = false } = {}) => run.read(ids, before),
    write: (values) => run.write(values),
    dispose: () => run.dispose(),
  };
}

async function opened<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    return fail('engine/refused', { engine: 'onnxruntime', what, reason: reasonOf(error) });
  }
}

/** Samples to compute: at most two wait at each lane, so that none is idle between them. */
interface Job {
  readonly key: number;
  readonly inputs: (lane: RemoteLane) => Record<string, TypedArray>;
  readonly resolve: (outputs: Record<string, TypedArray>) => void;
  readonly reject: (error: unknown) => void;
}

interface KeptPlan {
  readonly plan: Plan;
  readonly loaded: Promise<unknown>;
  users: number;
}

/** A compiled program: its plans by batch size, its lanes, and the work that waits for them. */
class FusedRun {
  private readonly plans = new Map<number, KeptPlan>();
  private readonly waiting: Job[] = [];
  private busy: number[];
  /** Runs under way. */
  private readonly active = new Set<Promise<unknown>>();
  private growing: Promise<void> | undefined;
  /** Milliseconds of all runs. */
  private spent = 0;
  private readonly samples: number;
  /** States of which no plan's memory has the value: at first, and after another batch size. */
  private states: Map<string, Tensor>;
  /** The plan whose memory has all other states. */
  private home: number | undefined;

  constructor(
    private readonly program: Program,
    private readonly split: Partition,
    private readonly ports: Ports,
    private lanes: readonly RemoteLane[],
    /** Opens the lanes that take over where there is work for them. */
    private more: { readonly open: () => Promise<readonly RemoteLane[]>; readonly after: number } | undefined,
    samples: number | undefined,
    private readonly what: string,
    initial: ReadonlyMap<string, Tensor> = new Map(),
  ) {
    this.states = new Map(initial);
    this.busy = lanes.map(() => 0);
    this.samples =
      samples ?? Math.max(cachedSamples(bytesPerSample(program, split)), hasProducts(split) ? leastInLoops : 1);
  }

  async step(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    this.grow();
    if (this.growing !== undefined) await this.growing;
    const began = performance.now();
    const run = this.run(inputs);
    this.active.add(run);
    try {
      return await run;
    } finally {
      this.active.delete(run);
      this.spent += performance.now() - began;
    }
  }

  async dispose(): Promise<void> {
    this.more = undefined;
    await this.growing?.catch(() => undefined);
    await Promise.all(this.lanes.map((lane) => lane.dispose()));
  }

  /** Once it is worth it, the workers take over from this thread: behind the runs under way, before those that come. */
  private grow(): void {
    const { more } = this;
    if (more === undefined || this.spent < more.after) return;
    this.more = undefined;
    this.growing = Promise.allSettled(this.active).then(async () => {
      const [before, lanes] = [this.lanes, await more.open()];
      this.lanes = lanes;
      this.busy = lanes.map(() => 0);
      this.plans.clear();
      await Promise.all(before.map((lane) => lane.dispose()));
    });
  }

  private async run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const n = batchSize(this.program, inputs) ?? 1;
    if (n === 0) throw new TypeError(`fused: a batch of "${this.program.name}" without samples`);
    const feeds = this.ports.fed.map((input) => ({ input, fed: checkedFeed(input, inputs[input.id], n) }));
    const parts = cutBatch(n, Math.min(this.samples, Math.ceil(n / this.lanes.length)));
    await this.leave(n);
    const plans = [...new Set(parts.map((part) => part.count))].map((count) => this.plan(count));
    try {
      await Promise.all(plans.map((kept) => kept.loaded));
      await this.settle(n);
      if (parts.length === 1) return await this.runWhole(n, plans[0]!.plan, feeds);
      const results = Object.entries(this.ports.returned).map(
        ([name, id]) => [name, collectSamples(this.split.infoOf(id), n)] as const,
      );
      await Promise.all(
        parts.map(async ({ first, count }) => {
          const outputs = await this.submit(count, () =>
            Object.fromEntries(
              feeds.map(({ input, fed }) => [input.id, takeSamples(fed, input.shape, n, first, count)]),
            ),
          );
          for (const [name, result] of results) result.put(outputs[name]!, first, count);
        }),
      );
      return Object.fromEntries(results.map(([name, result]) => [name, result.tensor]));
    } catch (error) {
      return fail('engine/run-failed', { engine: 'fused', what: this.what, reason: reasonOf(error) });
    } finally {
      for (const kept of plans) kept.users--;
    }
  }

  /** Copies of states; `before` are those that the last step began with. */
  async read(ids: readonly string[] | undefined, before: boolean): Promise<Map<string, Tensor>> {
    const chosen = chosenStates(this.ports.states, ids);
    if (before && this.home === undefined) throw new TypeError('states before the last step: there was no step');
    const kept = chosen.map(({ id }) => id).filter((id) => before || !this.states.has(id));
    const found =
      kept.length === 0 ? {} : await this.lanes[0]!.read(present(this.home, 'fused: no memory'), kept, before);
    return new Map(
      chosen.map(({ id, input }) => {
        const { dtype, shape } = input;
        const data = found[id] ?? this.states.get(id)!.data.slice();
        return [id, { dtype, shape, data } as Tensor];
      }),
    );
  }

  async write(values: ReadonlyMap<string, Tensor>): Promise<void> {
    for (const { id, input } of chosenStates(this.ports.states, [...values.keys()])) {
      const given = values.get(id)!;
      checkState(input, given);
      this.states.set(id, { ...given, data: given.data.slice() } as Tensor);
    }
    return Promise.resolve();
  }

  /** Takes all states out of another plan's memory than that for `n` samples; it may be dropped. */
  private async leave(n: number): Promise<void> {
    if (this.home === undefined || this.home === n) return;
    this.states = await this.read(undefined, false);
    this.home = undefined;
  }

  /** Brings states into the memory of the plan for `n` samples. */
  private async settle(n: number): Promise<void> {
    if (this.ports.states.length === 0) return;
    const values = Object.fromEntries([...this.states].map(([id, { data }]) => [id, data]));
    await this.lanes[0]!.write(n, values);
    this.home = n;
    this.states.clear();
  }

  private async runWhole(n: number, plan: Plan, feeds: readonly Feed[]): Promise<Record<string, Tensor>> {
    const outputs = await this.submit(n, (lane) =>
      Object.fromEntries(feeds.map(({ input, fed }) => [input.id, lane.takesInputs ? fed.data.slice() : fed.data])),
    );
    return Object.fromEntries(
      Object.entries(plan.outputs).map(([name, { dtype, shape }]) => [
        name,
        { dtype, shape, data: outputs[name]! } as Tensor,
      ]),
    );
  }

  /** The plan for parts of `count` samples, on every lane. */
  private plan(count: number): KeptPlan {
    let kept = this.plans.get(count);
    if (kept === undefined) {
      for (const [key, { users }] of this.plans) {
        if (this.plans.size < keptPlans) break;
        if (users > 0) continue;
        this.plans.delete(key);
        for (const lane of this.lanes) void lane.unload(key);
      }
      const plan = makePlan(this.program, this.split, count, this.ports);
      kept = { plan, users: 0, loaded: Promise.all(this.lanes.map((lane) => lane.load(count, plan))) };
      this.plans.set(count, kept);
    }
    kept.users++;
    return kept;
  }

  private submit(key: number, inputs: Job['inputs']): Promise<Record<string, TypedArray>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, inputs, resolve, reject });
      this.dispatch();
    });
  }

  /** Gives waiting jobs to the lanes with least to do. */
  private dispatch(): void {
    while (this.waiting.length > 0) {
      const least = Math.min(...this.busy);
      if (least >= 2) return;
      const at = this.busy.indexOf(least);
      const job = this.waiting.shift()!;
      this.busy[at]!++;
      void this.execute(at, job);
    }
  }

  private async execute(at: number, { key, inputs, resolve, reject }: Job): Promise<void> {
    const lane = this.lanes[at]!;
    try {
      resolve(await lane.run(key, inputs(lane)));
    } catch (error) {
      reject(error);
    } finally {
      this.busy[at]!--;
      this.dispatch();
    }
  }
}

interface Feed {
  readonly input: ProgramInput;
  readonly fed: Tensor;
}

/** Whether a loop calls onnxruntime at every step. */
function hasProducts({ segments }: Partition): boolean {
  return segments.some(
    (segment) => segment.kind === 'loop' && segment.loop.body.segments.some(({ kind }) => kind === 'session'),
  );
}

/** How many samples at once keep their values in the cache. */
function cachedSamples(bytes: number): number {
  return Math.min(largestPart, Math.max(1, Math.round(cacheBytes / bytes)));
}
