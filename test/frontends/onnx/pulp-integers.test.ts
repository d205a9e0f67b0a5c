import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { openOnnxSource } from '../../../src/engines/onnx-source.js';
import { standardForm } from '../../../src/frontends/onnx/index.js';
import { sourceFeeds } from '../../../src/run/source-feeds.js';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import * as kernels from '../../support/integer-kernels.js';
import { codes, compareWithOnnxruntime, imported, randomInts, refused } from './harness.js';
import { codesEqual } from './spiking.js';

type Attributes = NonNullable<Parameters<OnnxBuilder['node']>[2]>;

const one = (value: number): Attributes[string] => ({ tensor: { type: 'float', dims: [1], values: [value] } });
const big = (values: readonly number[]): bigint[] => values.map((v) => BigInt(v));

/** Integers held in [least, most], as a quantised file has them. */
function held(b: OnnxBuilder, x: string, least = -128, most = 127): string {
  return b.node('Clip', [b.node('Round', [x]), b.scalar('least', 'float', least), b.scalar('most', 'float', most)]);
}

function requantised(b: OnnxBuilder, x: string, mul: number, div: number, add = 0, name = 'shift'): string {
  const inputs = [x, b.scalar(`${name}.mul`, 'float', mul), b.scalar(`${name}.add`, 'float', add)];
  return b.node('RequantShift', inputs, { div: one(div), n_levels_out: one(256), signed: one(1) });
}

function network(make: (b: OnnxBuilder) => string, dims: readonly number[]): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13, {});
  b.input('x', ['N', ...dims]);
  b.output(make(b));
  return b.bytes();
}

const everyCode = Array.from({ length: 256 }, (_, i) => i - 128);

describe('functions of one integer', () => {
  it.each([
    ['iGELU', { b: -40, one: 1743 }, 13, (x: bigint) => kernels.iGelu(x, -40n, 1743n)],
    [
      'iHardswish',
      { one_over_six: 42, three: 122, six: 244 },
      5,
      (x: bigint) => kernels.iHardswish(x, 42n, 122n, 244n),
    ],
    ['iLeakyReLU', { mul: 3, shift: 4 }, 41000, (x: bigint) => (x >= 0n ? x : (x * 3n) >> 4n)],
    [
      'TrueIntegerDiv',
      { Delta: 16384, eta: 200000, eps: 1, y: 2 },
      4,
      (x: bigint) => {
        const product = x * 16384n * 200000n;
        return product / 400001n - (product < 0n && product % 400001n !== 0n ? 1n : 0n);
      },
    ],
  ] as const)('%s and the RequantShift behind it are one table', async (operator, attributes, mul, f) => {
    const bytes = network(
      (b) => {
        const made = b.node(operator, [held(b, 'x')], attributes);
        return b.node('Flatten', [requantised(b, made, mul, 65536)]);
      },
      [256],
    );
    const expected = everyCode.map((v) => Number(kernels.requantShift(f(BigInt(v)), BigInt(mul), 0n, 65536n, 256n)));
    expect(new Set(expected).size).toBeGreaterThan(2);
    const { spiking, logits } = codesEqual(bytes, Float32Array.from(everyCode));
    expect([...logits]).toEqual(expected);
    expect(spiking.ops.filter(({ kind }) => kind === 'recode')).toHaveLength(1);
    const { output } = await compareWithOnnxruntime(bytes, Float32Array.from(everyCode));
    expect([...output]).toEqual(expected);
  });
});

/** Rows of 8 codes: all alike, extremes, one far above, steps, and drawn ones. */
const rows: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0, 0, 0],
  [-128, -128, -128, -128, -128, -128, -128, -128],
  [127, -128, 127, -128, 127, -128, 127, -128],
  [-128, -128, -128, 127, -128, -128, -128, -128],
  [-100, -68, -36, -4, 28, 60, 92, 124],
  [124, 92, 60, 28, -4, -36, -68, -100],
  ...Array.from({ length: 6 }, (_, n) => randomInts(n + 1, 8, -128, 127)),
  ...Array.from({ length: 4 }, (_, n) => randomInts(n + 9, 8, -3, 2)),
];

const weight = randomInts(21, 8, -300_000, 300_000);
const bias = randomInts(22, 8, -40_000, 40_000);
const softmaxOf = { a: 1n, b: 86n, c: 3888n, log2: 64n, levels: 256n };

describe('functions of all integers along an axis', () => {
  it.each([
    [
      'iSoftmax',
      (b: OnnxBuilder, x: string) => {
        const attributes = { coeffA: one(1), coeffB: one(86), coeffC: one(3888), log2: one(64), n_levels: one(256) };
        return b.node('iSoftmax', [x], attributes);
      },
      (row: readonly bigint[]) => kernels.iSoftmax(row, softmaxOf),
    ],
    [
      'iSoftmax of small steps, whose powers halve many times',
      (b: OnnxBuilder, x: string) => {
        const attributes = { coeffA: one(1), coeffB: one(6), coeffC: one(20), log2: one(5), n_levels: one(256) };
        return b.node('iSoftmax', [x], attributes);
      },
      (row: readonly bigint[]) => kernels.iSoftmax(row, { a: 1n, b: 6n, c: 20n, log2: 5n, levels: 256n }),
    ],
    [
      'ITAMax',
      (b: OnnxBuilder, x: string) => b.node('ITAMax', [x], { n_levels: one(256) }),
      (row: readonly bigint[]) => kernels.itaMax(row, 256n),
    ],
    [
      'ITAPartialMax',
      (b: OnnxBuilder, x: string) => {
        b.between(x, ['N', rows.length, 8]);
        return b.node('ITAPartialMax', [x], { n_levels: one(256), group_width: 2 });
      },
      (row: readonly bigint[]) => kernels.itaPartialMax(row, 256n, 2),
    ],
    [
      'iLayerNorm',
      (b: OnnxBuilder, x: string) => {
        const inputs = [x, b.floats('weight', [8], weight), b.floats('bias', [8], bias)];
        return b.node('iLayerNorm', inputs, { D: one(16384), n_levels: one(256) });
      },
      (row: readonly bigint[]) => kernels.iLayerNorm(row, big(weight), big(bias), 16384n, 256n),
    ],
    [
      'iRMSNorm',
      (b: OnnxBuilder, x: string) =>
        b.node('iRMSNorm', [x, b.floats('weight', [8], weight)], { D: 8192, n_levels: 256 }),
      (row: readonly bigint[]) => kernels.iRmsNorm(row, big(weight), 8192n, 256n),
    ],
  ] as const)('%s, and a product behind it, give what its kernel gives', async (_, make, kernel) => {
    const columns = randomInts(31, 24, -7, 7);
    const bytes = network(
      (b) => b.node('MatMul', [make(b, held(b, 'x')), b.floats('w', [8, 3], columns)]),
      [rows.length, 8],
    );
    const expected = rows.flatMap((row) => {
      const made = kernel(big(row)).map(Number);
      return [0, 1, 2].map((o) => made.reduce((sum, v, i) => sum + v * columns[i * 3 + o]!, 0));
    });
    const values = Float32Array.from(rows.flat());
    const { spiking, logits } = codesEqual(bytes, values);
    expect([...logits]).toEqual(expected);
    expect(spiking.ops.filter(({ kind }) => kind === 'group_neuron')).toHaveLength(1);
    const { output } = await compareWithOnnxruntime(bytes, values);
    expect([...output]).toEqual(expected);
  });

  it.each([[[1]], [1]])('IntegerMean rounds halves up, and iNoNorm down (axes %j)', async (axes) => {
    const table = randomInts(41, 16, -60, 60);
    const bytes = network(
      (b) => {
        const inputs = [held(b, 'x'), b.floats('weight', [2, 8], table), b.floats('bias', [8], bias)];
        const moved = b.node('iNoNorm', inputs, { D: one(65536), mul: one(425), n_levels: one(256) });
        return b.node('IntegerMean', [moved], { axes, keepdims: 0 });
      },
      [2, 8],
    );
    const values = randomInts(42, 16, -128, 127);
    const moved = values.map((v, i) => {
      const whole = ((BigInt(v) * BigInt(table[i]!) + BigInt(bias[i % 8]!)) * 425n) >> 16n;
      return whole > 127n ? 127n : whole < -128n ? -128n : whole;
    });
    const expected = Array.from({ length: 8 }, (_, i) => Number((moved[i]! + moved[i + 8]! + 1n) >> 1n));
    expect([...codesEqual(bytes, Float32Array.from(values)).logits]).toEqual(expected);
    const { output } = await compareWithOnnxruntime(bytes, Float32Array.from(values));
    expect([...output]).toEqual(expected);
  });

  it.each([
    ['of what isn’t integers', (b: OnnxBuilder) => b.node('ITAMax', [b.node('Tanh', ['x'])], { n_levels: one(256) })],
    [
      'with groups that don’t fit',
      (b: OnnxBuilder) => b.node('ITAPartialMax', [held(b, 'x')], { n_levels: one(256), group_width: 3 }),
    ],
    [
      'with a weight of fractions',
      (b: OnnxBuilder) =>
        b.node('iRMSNorm', [held(b, 'x'), b.floats('weight', [8], Array<number>(8).fill(0.5))], {
          ...{ D: 4, n_levels: 256 },
        }),
    ],
    ['by 0', (b: OnnxBuilder) => b.node('TrueIntegerDiv', [held(b, 'x')], { Delta: 1, eta: 0, eps: 0, y: 2 })],
  ])('%s is refused', (_, make) => {
    expect(codes(refused(network(make, [8])))).toEqual(['onnx/unsupported-form']);
  });

  it('without its attributes it is refused', () => {
    const bytes = network((b) => b.node('iSoftmax', [held(b, 'x')], { n_levels: one(256) }), [8]);
    expect(codes(refused(bytes))).toEqual(['onnx/bad-attribute']);
  });
});

describe('inputs of a network with caches', () => {
  const file = (cache: number, joined = true): Uint8Array<ArrayBuffer> => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 2, 4]);
    b.input('mask', [4]);
    b.input('cache', [1, cache, 4]);
    const own = requantised(b, 'x', 3, 4, 0, 'own');
    const all = joined ? b.node('Concat', ['cache', own], { axis: 1 }) : b.node('MatMul', ['cache', own]);
    b.output(b.node('Add', [requantised(b, all, 5, 8, 0, 'all'), requantised(b, 'mask', 7, 2, 0, 'masked')]));
    return b.bytes();
  };
  const inputCodes = { min: -128, max: 127 };

  it.each([0, 2])('a vector is one of the only sample, and a cache of %i rows is joined', async (cache) => {
    const bytes = file(cache);
    const { network: read, sourceInputs } = imported(bytes, 'test.onnx', { inputCodes });
    expect(sourceInputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['x', [2, 4]],
      ['mask', [4]],
      ...(cache === 0 ? [] : [['cache', [2, 4]]]),
    ]);
    const size = 12 + 4 * cache;
    const values = [3, 4].map((seed) => randomInts(seed, size, -128, 127));
    const expected = values.map((row) => {
      const part = (from: number, to: number): bigint[] => big(row.slice(from, to));
      const own = part(0, 8).map((v) => kernels.requantShift(v, 3n, 0n, 4n, 256n));
      const masked = part(8, 12).map((v) => kernels.requantShift(v, 7n, 0n, 2n, 256n));
      return [...part(12, size), ...own].map((v, i) =>
        Number(kernels.requantShift(v, 5n, 0n, 8n, 256n) + masked[i % 4]!),
      );
    });
    for (const [n, row] of values.entries())
      expect([...evaluateAnn(read, Float64Array.from(row)).get(read.outputs[0]!)!]).toEqual(expected[n]);
    const source = await openOnnxSource(standardForm(bytes)!.bytes);
    const feeds = sourceFeeds({ sourceInputs, unread: [] }, tensor('f32', [2, size], Float32Array.from(values.flat())));
    const [result] = Object.values(await source.run(feeds));
    await source.dispose();
    expect([...result!.data]).toEqual(expected.flat());
  });

  it('a cache without rows that isn’t joined is refused', () => {
    const [problem] = refused(file(0, false), { inputCodes });
    expect(problem).toMatchObject({ code: 'onnx/input-shape' });
    expect(problem!.help).toContain('Concat');
  });
});
