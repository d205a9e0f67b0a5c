import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { compareWithOnnxruntime, randomFloats, randomInts, randomNumbers } from './harness.js';

/** Builds a network by random steps from an image; `shape` follows it. */
class RandomNetwork {
  readonly builder = new OnnxBuilder(13);
  readonly #next: () => number;
  #shape: [number, number, number];
  #value = 'x';
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed * 1000;
    this.#next = randomNumbers(seed);
    this.#shape = [this.#int(1, 3), this.#int(6, 9), this.#int(6, 9)];
    this.builder.input('x', ['N', ...this.#shape]);
  }

  get inputShape(): readonly number[] {
    return this.#shape;
  }

  #int(min: number, max: number): number {
    return min + Math.floor(this.#next() * (max - min + 1));
  }

  #floats(dims: readonly number[], range: number): string {
    const count = dims.reduce((a, b) => a * b, 1);
    return this.builder.floats(`f${this.#seed++}`, dims, randomFloats(this.#seed, count, range));
  }

  /** Weights as floats, as int8 codes per channel or per tensor, or as floats quantised in the graph. */
  #weight(dims: readonly number[]): string {
    const b = this.builder;
    const [outputs] = dims as [number];
    const count = dims.reduce((x, y) => x * y, 1);
    const form = this.#int(0, 3);
    const tag = `w${this.#seed++}`;
    if (form === 0) return this.#floats(dims, 0.5);
    const perChannel = form !== 1;
    const scales = randomFloats(this.#seed, perChannel ? outputs : 1, 0.004).map((v) => v + 0.006);
    const s = b.floats(`${tag}.s`, perChannel ? [outputs] : [], scales);
    const z = b.constant(`${tag}.z`, {
      type: 'int8',
      dims: perChannel ? [outputs] : [],
      values: randomInts(this.#seed, scales.length, -3, 3),
    });
    if (form === 3) {
      const q = b.node('QuantizeLinear', [this.#floats(dims, 0.5), s, z], { axis: 0 });
      return b.node('DequantizeLinear', [q, s, z], { axis: 0 });
    }
    const q = b.constant(tag, { type: 'int8', dims, values: randomInts(this.#seed, count, -60, 60) });
    return b.node('DequantizeLinear', [q, s, z], { axis: 0 });
  }

  #conv(): void {
    const [channels, height, width] = this.#shape;
    const groups = channels > 1 && this.#next() < 0.3 ? channels : 1;
    const outputs = groups * this.#int(1, 3);
    const kernel = [this.#int(1, Math.min(3, height)), this.#int(1, Math.min(3, width))] as const;
    const pads = [0, 1, 2, 3].map(() => this.#int(0, 1));
    const stride = [this.#int(1, 2), this.#int(1, 2)] as const;
    const inputs = [this.#value, this.#weight([outputs, channels / groups, ...kernel])];
    if (this.#next() < 0.7) inputs.push(this.#floats([outputs], 1));
    this.#value = this.builder.node('Conv', inputs, { group: groups, pads, strides: stride });
    const size = (n: number, i: 0 | 1): number => Math.floor((n + pads[i]! + pads[i + 2]! - kernel[i]) / stride[i]) + 1;
    this.#shape = [outputs, size(height, 0), size(width, 1)];
  }

  #pool(): void {
    const [channels, height, width] = this.#shape;
    if (height < 2 || width < 2) return;
    const type = this.#next() < 0.5 ? 'MaxPool' : 'AveragePool';
    this.#value = this.builder.node(type, [this.#value], { kernel_shape: [2, 2], strides: [1, 2] });
    this.#shape = [channels, height - 1, Math.floor(width / 2)];
  }

  /** y = f(x) + g(x), or the two joined. */
  #branch(): void {
    const from = this.#value;
    const one = this.#quantised(this.builder.node('Relu', [from]));
    const two = this.builder.node('Mul', [from, this.#floats([this.#shape[0], 1, 1], 2)]);
    if (this.#next() < 0.5) this.#value = this.builder.node('Add', [one, two]);
    else {
      this.#value = this.builder.node('Concat', [two, one, from], { axis: 1 });
      this.#shape = [3 * this.#shape[0], this.#shape[1], this.#shape[2]];
    }
  }

  #quantised(value: string): string {
    const signed = this.#next() < 0.5;
    const scale = 0.01 + this.#next() * 0.05;
    return this.builder.fakeQuant(
      value,
      scale,
      signed ? this.#int(-128, 127) : this.#int(0, 255),
      signed ? 'int8' : 'uint8',
    );
  }

  build(): Uint8Array<ArrayBuffer> {
    const steps = [() => this.#conv(), () => this.#pool(), () => this.#branch(), () => this.#quantise()];
    for (let i = this.#int(4, 9); i > 0; i--) steps[this.#int(0, 3)]!();
    const features = this.#shape[0] * this.#shape[1] * this.#shape[2];
    const flat = this.builder.node('Flatten', [this.#value]);
    this.builder.output(
      this.builder.node('Gemm', [flat, this.#weight([5, features]), this.#floats([5], 1)], { transB: 1 }),
    );
    return this.builder.bytes();
  }

  #quantise(): void {
    this.#value = this.#quantised(this.#value);
  }
}

it.each(Array.from({ length: 40 }, (_, i) => i + 1))(
  'random network %i agrees with onnxruntime op by op',
  async (seed) => {
    const network = new RandomNetwork(seed);
    const [c, h, w] = network.inputShape as [number, number, number];
    const { compared, ties } = await compareWithOnnxruntime(network.build(), randomFloats(seed, c * h * w, 2));
    expect(compared).toBeGreaterThan(2);
    expect(ties).toBeLessThan(3);
  },
);
