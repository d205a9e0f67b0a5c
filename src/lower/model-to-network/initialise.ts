import { type Tensor, elementCount, tensor } from '../../base/dtype.js';
import { deferredTensor } from '../../base/lazy-tensor.js';
import { mulberry32 } from '../../base/random.js';

/**
 * Initial weights. Each parameter has a stream of random numbers of its own, seeded by the model's
 * seed and the parameter's name, so that editing one layer leaves the others' weights as they were.
 */
export class Initialiser {
  constructor(private readonly seed: number) {}

  /**
   * Uniform in ±1/√fanIn: Kaiming-uniform with a = √5, as PyTorch initialises convolutions and linear layers. Drawn when
   * they are read: counting and comparing networks needs no weights.
   */
  uniform(name: string, shape: readonly number[], fanIn: number): Tensor<'f32'> {
    return deferredTensor('f32', shape, () => {
      const bound = 1 / Math.sqrt(fanIn);
      const random = randomStream(this.seed, name);
      const values = new Float32Array(elementCount(shape));
      for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) * bound;
      return values;
    });
  }
}

/** Zeros in the shapes of initial weights. */
export class Blank extends Initialiser {
  override uniform(_name: string, shape: readonly number[]): Tensor<'f32'> {
    return deferredTensor('f32', shape, () => new Float32Array(elementCount(shape)));
  }
}

/** `value` everywhere. */
export function filled(shape: readonly number[], value: number): Tensor<'f32'> {
  return tensor('f32', shape, new Float32Array(elementCount(shape)).fill(value));
}

/** From `first` to `last` at equal distances, in the order of the elements; without `last`, `first` everywhere. */
export function spread(shape: readonly number[], first: number, last = first): Tensor<'f32'> {
  const count = elementCount(shape);
  const step = (last - first) / Math.max(1, count - 1);
  return tensor(
    'f32',
    shape,
    new Float32Array(count).map((_, i) => first + i * step),
  );
}

/** Numbers in [0, 1) with 53 random bits' worth of two 32-bit draws (mulberry32 over an FNV-1a seed). */
function randomStream(seed: number, name: string): () => number {
  const next = mulberry32(hash(`${seed}:${name}`));
  return () => (next() * 0x200000 + (next() >>> 11)) / 2 ** 53;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}
