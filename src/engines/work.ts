import { availableParallelism } from 'node:os';
import { elementCount } from '../base/dtype.js';
import { units } from '../tensor/dims.js';
import { type Program, type TensorOp, type ValueInfo, attrsOf } from '../tensor/index.js';

/** Threads that run side by side on this machine. */
export const threadsHere = (): number => availableParallelism();

/** What a program does with one sample: elements that its ops make, and products that it adds up. */
export interface Work {
  readonly elements: number;
  readonly products: number;
}

/** The work of a program on one sample; loops over time count as often as they run. */
export function workOf(program: Pick<Program, 'inputs' | 'params' | 'ops'>): Work {
  const types = new Map<string, ValueInfo>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) types.set(value.id, value);
  const sizes = (id: string): number[] => (types.get(id)?.shape ?? []).map(units);
  let [elements, products] = [0, 0];
  for (const op of program.ops) {
    if (op.kind === 'const' || op.kind === 'scan_output') continue;
    if (op.kind === 'scan') {
      const { body, steps } = attrsOf(op, 'scan');
      const inner = workOf(body);
      elements += steps * inner.elements;
      products += steps * inner.products;
      continue;
    }
    elements += elementCount(op.shape.map(units));
    products += productsOf(op, sizes);
  }
  return { elements, products };
}

function productsOf(op: TensorOp, sizes: (id: string) => number[]): number {
  const [a, b] = op.inputs as [string, string];
  const own = elementCount(op.shape.map(units));
  switch (op.kind) {
    case 'matmul':
      return own * sizes(a).at(attrsOf(op, 'matmul').transA ? -2 : -1)!;
    case 'conv2d':
      return own * elementCount(sizes(b).slice(1));
    // of the result's gradient with filters, or of images with the result's gradient
    case 'conv2d_input_grad':
      return elementCount(sizes(b)) * elementCount(sizes(a).slice(1));
    case 'conv2d_weight_grad':
      return elementCount(sizes(b)) * elementCount(op.shape.map(units).slice(1));
    default:
      return 0;
  }
}

/** Work that an engine is chosen for. */
export interface LongWork {
  readonly program: () => Program;
  /** Samples that it will be run on. */
  readonly samples: number;
  readonly threads?: number | undefined;
  /** Of a training: samples of a step. */
  readonly batch?: number;
}

/**
 * Seconds of a processor for each element that an op makes and each product that is added up, and seconds of a call for each
 * op, on the engine that `auto` takes without a compiler; and what of that time `native` saves. Of a training, these are
 * `onnxruntime` and its steps (fitted to four networks, docs/engines.md).
 */
const inference = { perElement: 1e-10, perProduct: 2e-11, perOp: 0, saved: 0.5 };
const training = { perElement: 5e-11, perProduct: 6.5e-11, perOp: 2e-5, saved: 0.7 };

/** Seconds that a C compiler takes for a program, and for each of its ops. */
const compiling = { any: 1, perOp: 0.0015 };

/** Seconds that work takes on the engines that are always there, and those that `native` saves by it, its compiler's taken off. */
export function estimate({ program, samples, threads = threadsHere(), batch }: LongWork) {
  const made = program();
  const { elements, products } = workOf(made);
  const { perElement, perProduct, perOp, saved } = batch === undefined ? inference : training;
  const calls = samples / (batch ?? samples);
  const shared = (samples * (elements * perElement + products * perProduct)) / threads;
  const seconds = shared + calls * made.ops.length * perOp;
  return { seconds, gain: saved * seconds - compiling.any - compiling.perOp * made.ops.length };
}
