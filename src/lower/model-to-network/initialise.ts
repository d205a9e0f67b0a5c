import { type Tensor, elementCount, tensor } from '../../base/dtype.js';
import { mulberry32 } from '../../base/random.js';

/**
 * Initial weights. Each parameter has a stream of random numbers of its own, seeded by the model's
 * seed and the parameter's name, so that editing one layer leaves the others' weights as they were.
 */
export class Initialiser {
  constructor(private readonly seed: number) {}

  /** Uniform in ±1/√fanIn: Kaiming-uniform with a = √5, as PyTorch initialises convolutions and linear layers. */
  uniform(name: string, shape: readonly number[], fanIn: number): Tensor<'f32'> {
    const bound = 1 / Math.sqrt(fanIn);
    const random = randomStream(this.seed, name);
    const values = new Float32Array(elementCount(shape));
    for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) * bound;
    return { dtype: 'f32', shape, data: values };
  }
}

/** Zeros in the shapes of initial weights. */
export class Blank extends Initialiser {
  override uniform(_name: string, shape: readonly number[]): Tensor<'f32'> {
    return tensor('f32', shape, new Float32Array(elementCount(shape)));
  }
}

/** `value` everywhere. */
export function filled(shape: readonly number[], value: number): Tensor<'f32'> {
  return tensor('f32', shape, new Float32Array(elementCount(shape)).fill(value));
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
