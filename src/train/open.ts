import { type Tensor, elementCount } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import type { Runnable } from '../lower/program/index.js';
import { paramsAsInputs, simplify } from '../tensor/index.js';
import { randomFeedsOf } from './feeds.js';

export type Results = Readonly<Record<string, Tensor>>;

/** A runnable that an engine has made ready. */
export interface Running {
  readonly outputs: Runnable['outputs'];
  /** Ids of everything that a step is fed. */
  readonly inputs: ReadonlySet<string>;
  /** Batches it can usefully have under way at once. */
  readonly lanes: number;
  /** One step on all that the program wants. */
  readonly step: (feeds: Results) => Promise<Results>;
  /**
   * Begins a pass over images as data sets give them, [N, …] or [N, T, …], with values for the parameters that are
   * fed. Random inputs of a sample are drawn from its number in the pass, whatever the batches are.
   */
  readonly pass: (params?: Results) => (images: Tensor<'f32'>) => Promise<Results>;
  readonly dispose: () => Promise<void>;
}

export interface RunningOptions {
  readonly threads?: number | undefined;
  /** Whether it runs a few times only. */
  readonly brief?: boolean | undefined;
  /** Ids of program parameters that are given at each step; those that the program doesn't have are left out. */
  readonly fed?: readonly string[];
}

/** Makes a lowered network ready on an engine: the one place where programs of networks are opened. */
export async function openRunnable(
  { program, feeds, outputs }: Runnable,
  engine: Engine,
  { threads, brief, fed = [] }: RunningOptions = {},
): Promise<Running> {
  const given = program.params.map(({ id }) => id).filter((id) => fed.includes(id));
  const ready = simplify(given.length === 0 ? program : paramsAsInputs(program, given));
  const opened = await engine.open(ready, { brief, ...(threads === undefined ? {} : { threads }) });
  const { image, randoms } = feeds;
  return {
    outputs,
    inputs: new Set(ready.inputs.map(({ id }) => id)),
    lanes: opened.lanes ?? 1,
    step: (all) => opened.step(all),
    pass: (params = {}) => {
      let read = 0;
      return (images) => {
        const frames = image.steps === 1 ? images : timeFirst(images);
        const samples = Array.from({ length: images.shape[0]! }, () => read++);
        const random = randomFeedsOf(randoms, samples, 'eval');
        return opened.step({ ...params, [image.id]: frames, ...random });
      };
    },
    dispose: () => opened.dispose(),
  };
}

/** [N, T, …] → [T·N, …], time slowest. */
function timeFirst({ dtype, shape, data }: Tensor): Tensor {
  const [n, steps, ...rest] = shape as [number, number, ...number[]];
  const frame = elementCount(rest);
  const moved = data.slice();
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < steps; t++) {
      moved.set(data.subarray((i * steps + t) * frame, (i * steps + t + 1) * frame), (t * n + i) * frame);
    }
  }
  return { dtype, shape: [steps * n, ...rest], data: moved } as Tensor;
}
