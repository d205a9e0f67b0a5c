import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { TypedArray } from '../../base/dtype.js';
import { type LaneOptions, createLane } from './lane.js';
import type { Plan } from './plan.js';

/** A lane that other code calls: in this thread or in a worker. Calls queue up. */
export interface RemoteLane {
  load(key: number, plan: Plan): Promise<void>;
  unload(key: number): Promise<void>;
  /** Whether the arrays given to `run` are handed over, and are empty afterwards. */
  readonly takesInputs: boolean;
  run(key: number, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>>;
  read(key: number, ids: readonly string[], before: boolean): Promise<Record<string, TypedArray>>;
  write(key: number, values: Readonly<Record<string, TypedArray>>): Promise<void>;
  dispose(): Promise<void>;
}

interface Reply {
  readonly id: number;
  readonly value?: Record<string, TypedArray>;
  readonly error?: string;
}

/** Runs in the worker, as source text; `require` is what evaluated workers have. */
const workerMain = (require: (id: string) => never, make: typeof createLane): void => {
  interface Port {
    on(event: 'message', listener: (message: { id: number; method: string; args: never[] }) => void): void;
    postMessage(message: object, transfer: ArrayBuffer[]): void;
  }
  const threads = require('node:worker_threads') as {
    parentPort: Port;
    workerData: { ort: string; options: LaneOptions };
  };
  const { parentPort, workerData } = threads;
  let lane: Awaited<ReturnType<typeof createLane>> | undefined;
  const handle = async (method: string, args: never[]): Promise<Record<string, TypedArray> | void> => {
    lane ??= await make(require(workerData.ort), workerData.options);
    if (method === 'open') return;
    return (lane[method as 'run'] as (...args: never[]) => Promise<Record<string, TypedArray>>)(...args);
  };
  let queue: Promise<void> = Promise.resolve();
  parentPort.on('message', ({ id, method, args }) => {
    queue = queue.then(async () => {
      try {
        const value = await handle(method, args);
        const transfer = value === undefined ? [] : Object.values(value).map((array) => array.buffer);
        parentPort.postMessage({ id, value }, transfer);
      } catch (error) {
        parentPort.postMessage({ id, error: error instanceof Error ? error.message : String(error) }, []);
      }
    });
  });
};

/**
 * A lane in a worker thread. onnxruntime-node computes on the thread that calls it, so only
 * separate threads keep several processors busy with kernels and sessions alike.
 *
 * The worker gets its program as text, not as a file: this code then runs the same from
 * compiled and from TypeScript sources.
 */
export async function openWorkerLane(options: LaneOptions): Promise<RemoteLane> {
  const ort = createRequire(import.meta.url).resolve('onnxruntime-node');
  const source = `(${workerMain.toString()})(require, ${createLane.toString()})`;
  const worker = new Worker(source, { eval: true, workerData: { ort, options } });
  const waiting = new Map<
    number,
    { resolve: (value: Record<string, TypedArray>) => void; reject: (error: Error) => void }
  >();
  let next = 0;
  const stop = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', ({ id, value, error }: Reply) => {
    const call = waiting.get(id);
    waiting.delete(id);
    // An idle worker must not keep the process alive.
    if (waiting.size === 0) worker.unref();
    if (error === undefined) call?.resolve(value ?? {});
    else call?.reject(new Error(error));
  });
  worker.on('error', stop);
  worker.on('exit', () => stop(new Error('the worker thread stopped')));
  const call = (method: string, args: readonly unknown[], transfer: ArrayBuffer[] = []) =>
    new Promise<Record<string, TypedArray>>((resolve, reject) => {
      waiting.set(++next, { resolve, reject });
      worker.ref();
      worker.postMessage({ id: next, method, args }, transfer);
    });
  await call('open', []);
  return {
    takesInputs: true,
    load: async (key, plan) => void (await call('load', [key, plan])),
    unload: async (key) => void (await call('unload', [key])),
    run: (key, inputs) => call('run', [key, inputs], [...new Set(Object.values(inputs).map((array) => array.buffer))]),
    read: (key, ids, before) => call('read', [key, ids, before]),
    write: async (key, values) => void (await call('write', [key, values])),
    async dispose() {
      await call('dispose', []);
      await worker.terminate();
    },
  };
}

/** A lane in this thread; calls wait for each other. */
export async function openLocalLane(ort: Parameters<typeof createLane>[0], options: LaneOptions): Promise<RemoteLane> {
  const lane = await createLane(ort, options);
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  return {
    takesInputs: false,
    load: (key, plan) => inTurn(async () => lane.load(key, plan)),
    unload: (key) => inTurn(async () => lane.unload(key)),
    run: (key, inputs) => inTurn(() => lane.run(key, inputs)),
    read: (key, ids, before) => inTurn(async () => lane.read(key, ids, before)),
    write: (key, values) => inTurn(async () => lane.write(key, values)),
    dispose: () => inTurn(() => lane.dispose()),
  };
}
