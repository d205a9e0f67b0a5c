import { describe, expect, it } from 'vitest';
import { type Tensor, elementCount, tensor } from '../../../src/base/dtype.js';
import { type Compiler, findCompiler } from '../../../src/engines/native/find-compiler.js';
import { emitInference } from '../../../src/engines/native/inference.js';
import { openNative } from '../../../src/engines/native.js';
import { type ConvAttrs, type Program, ProgramBuilder, concreteShape, evaluate } from '../../../src/tensor/index.js';
import { optimisedEngines } from '../../support/native.js';
import { random } from '../../tensor/cases.js';

const shapes: readonly { label: string; x: readonly number[]; w: readonly number[]; attrs: Partial<ConvAttrs> }[] = [
  { label: 'a layer of a ResNet', x: [16, 9, 8], w: [16, 16, 3, 3], attrs: { pads: [1, 1, 1, 1] } },
  { label: 'strides', x: [8, 9, 11], w: [32, 8, 3, 3], attrs: { pads: [1, 0, 0, 1], stride: [2, 2] } },
  { label: 'one channel', x: [1, 12, 12], w: [6, 1, 5, 5], attrs: { pads: [2, 2, 2, 2] } },
  { label: 'six channels, filters that fill no vector', x: [6, 7, 7], w: [21, 6, 5, 4], attrs: {} },
  { label: 'one place', x: [64, 3, 3], w: [48, 64, 1, 1], attrs: {} },
  { label: 'dilated', x: [5, 9, 7], w: [40, 5, 3, 2], attrs: { pads: [2, 1, 2, 0], dilation: [2, 1] } },
];
const products = [
  { k: 37, outputs: 10, transB: true },
  { k: 64, outputs: 33, transB: false },
];

/** Integers in lo…hi. */
function integers(shape: readonly number[], lo: number, hi: number, seed: number): Tensor {
  const next = random(seed);
  const data = Float32Array.from({ length: elementCount(shape) }, () => lo + Math.floor(next() * (hi - lo + 1)));
  return tensor('f32', shape, data);
}

/** Convolutions and matrix products of choices between `lo`, 0 and `hi`. */
function layers(lo: number, hi: number, chosen = shapes): Program {
  const b = new ProgramBuilder('bytes');
  const codes = (id: string, shape: readonly number[]) => {
    const x = b.input(id, 'f32', [{ batch: 3 }, ...shape]);
    return b.select(b.ge(x, 2), b.scalar('f32', hi), b.select(b.le(x, -1), b.scalar('f32', lo), 0));
  };
  chosen.forEach(({ x, w, attrs }, i) => {
    b.output(`y${i}`, b.conv2d(codes(`x${i}`, x), b.param(`w${i}`, integers(w, -128, 127, i)), attrs));
  });
  products.forEach(({ k, outputs, transB }, i) => {
    const w = integers(transB ? [outputs, k] : [k, outputs], -128, 127, 20 + i);
    b.output(`p${i}`, b.matmul(codes(`r${i}`, [k]), b.param(`m${i}`, w), { transB }));
  });
  const image = codes('image', [3, 4, 5]);
  const flat = b.reshape(image, [{ batch: 3 }, 60]);
  b.output('flattened', b.matmul(flat, b.param('m', integers([7, 60], -128, 127, 9)), { transB: true }));
  const sums = b.mul(b.avgpool(codes('pooled', [4, 6, 6]), { kernel: [2, 2] }), 4);
  b.output('sums', b.conv2d(sums, b.param('w', integers([16, 4, 3, 3], -128, 127, 8))));
  return b.build();
}

async function isEqual(program: Program, compiler: Compiler | undefined, n: number): Promise<void> {
  const opened = await openNative(program, { threads: 2 }, compiler === undefined ? {} : { compiler });
  const feeds = Object.fromEntries(
    program.inputs.map(({ id, shape }, i) => [id, integers(concreteShape(shape, n), -3, 4, i + n)]),
  );
  const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
  await opened.dispose();
  for (const name of Object.keys(expected)) {
    expect(found[name]!.data, name).toEqual(expected[name]!.data);
  }
}

describe.each(optimisedEngines)('on $name, products of small integers', () => {
  it.each([
    [0, 1],
    [-2, 3],
  ])('in %d…%d are those of the reference to the last bit', async (lo, hi) => {
    const program = layers(lo, hi);
    await isEqual(program, undefined, 5);
    await isEqual(program, undefined, 1);
  });

  it('are computed in bytes, but for dilated ones', () => {
    const { products: text } = emitInference(layers(-2, 3), { lanes: 16, registers: 32 });
    expect(text.match(/if \(x->fresh\) pack_bytes/g)).toHaveLength(shapes.length - 1 + products.length + 2);
  });

  it('are so by each way that a processor may have', async () => {
    const compiler = await findCompiler();
    const { lanes, registers } = compiler.target;
    const ways = [
      { lanes, registers, without: ['AVX512VNNI'] },
      { lanes, registers, without: ['AVX512VNNI', 'AVX512BW'] },
      { lanes: 8, registers: 16, without: ['AVXVNNI'] },
      { lanes: 4, registers: 16, without: [] },
      { lanes: 4, registers: 16, without: ['SSSE3'] },
    ];
    const program = layers(-1, 1, [shapes[3]!]);
    for (const { without, ...target } of ways) {
      const flags = [...compiler.flags, ...without.map((ability) => `-U__${ability}__`)];
      await isEqual(program, { ...compiler, target, flags }, 3);
    }
  });
});
