import { describe, expect, it } from 'vitest';
import { evaluateAnn, paramReals } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';
import { codesEqual } from './spiking.js';

interface Format {
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
  readonly largest?: number;
  readonly scale?: number;
  readonly attributes?: Readonly<Record<string, number | string>>;
}

let count = 0;
function quant(b: OnnxBuilder, x: string, { scale = 1, ...format }: Format): string {
  const { exponent, mantissa, bias, largest = 1e9, attributes = {} } = format;
  const n = count++;
  const inputs = [scale, exponent, mantissa, bias, largest].map((v, i) => b.scalar(`f${n}.${i}`, 'float', v));
  return b.node(
    'FloatQuant',
    [x, ...inputs],
    { has_nan: 1, has_subnormal: 1, ...attributes },
    { domain: 'onnx.brevitas' },
  );
}

function model(size: number, make: (b: OnnxBuilder) => string): Uint8Array {
  const b = new OnnxBuilder(13, { 'onnx.brevitas': 1 });
  b.input('x', ['N', size]);
  return b.output(make(b)).bytes();
}

/** All values from 0 up, by their bits: exponent 0 has no leading one. */
function values({ exponent, mantissa, bias, largest = 1e9 }: Format): number[] {
  const all = Array.from({ length: 2 ** (exponent + mantissa) }, (_, bits) => {
    const [e, m] = [Math.floor(bits / 2 ** mantissa), bits % 2 ** mantissa];
    return e === 0 ? m * 2 ** (1 - bias - mantissa) : (1 + m / 2 ** mantissa) * 2 ** (e - bias);
  });
  return all.filter((v) => v <= largest);
}

/** The nearest value; of two as near that with even bits. */
function nearest(x: number, format: Format): number {
  const list = values(format);
  const size = Math.abs(x) / (format.scale ?? 1);
  const best = list.reduce((a, v, i) => {
    const [near, far] = [Math.abs(size - v), Math.abs(size - list[a]!)];
    return near < far || (near === far && i % 2 === 0) ? i : a;
  }, 0);
  return Math.sign(x) * list[best]! * (format.scale ?? 1);
}

const formats: readonly Format[] = [
  { exponent: 4, mantissa: 3, bias: 7, largest: 448 },
  { exponent: 2, mantissa: 1, bias: 1, scale: 0.25 },
  { exponent: 3, mantissa: 2, bias: 3, scale: 0.5 },
];

describe('FloatQuant', () => {
  it.each(formats)('gives the nearest of its values, every tie too: %o', async (format) => {
    const all = values(format).map((v) => v * (format.scale ?? 1));
    const most = all.at(-1)!;
    const middles = all.slice(1).map((v, i) => (v + all[i]!) / 2);
    const around = [...all, ...middles].flatMap((v) => [v, v * (1 - 2 ** -20), v * (1 + 2 ** -20)]);
    const x = [...around, ...around.map((v) => -v), 0, 2 * most, -5 * most].map(Math.fround);
    const bytes = model(x.length, (b) => quant(b, 'x', format));
    const { network } = imported(bytes);
    expect(network.ops.map(({ kind }) => kind)).toEqual(['input', 'table']);
    const found = evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!;
    expect([...found].map((y) => y + 0)).toEqual(x.map((v) => nearest(v, format) + 0));
    await compareWithOnnxruntime(bytes, Float32Array.from(x));
  });

  it('constants are those values as reals, and spikes carry its codes', async () => {
    const [weights, hidden] = [formats[0]!, { exponent: 3, mantissa: 2, bias: 3, scale: 0.5 }];
    const drawn = randomFloats(3, 24, 2);
    const bytes = model(6, (b) => {
      const sums = b.node('MatMul', [b.fakeQuant('x', 0.125, 8), quant(b, b.floats('w', [6, 4], drawn), weights)]);
      return b.node('MatMul', [quant(b, sums, hidden), b.floats('v', [4, 3], randomFloats(4, 12))]);
    });
    const { network } = imported(bytes);
    const linear = network.ops.find(({ kind }) => kind === 'linear')!;
    const [weight] = Object.values(linear.params);
    const found = [...paramReals(network.params.get(weight!)!)];
    const expected = [...drawn].map((v) => nearest(v, weights));
    expect(found.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
    const images = randomFloats(5, 60, 8);
    const { logits } = codesEqual(bytes, images, 12);
    for (let n = 0; n < 10; n++) {
      const { output } = await compareWithOnnxruntime(bytes, images.slice(6 * n, 6 * n + 6));
      for (let i = 0; i < 3; i++) expect(logits[3 * n + i]).toBeCloseTo(output[i]!, 4);
    }
  });

  it('what no train can carry, and what has no end, is refused', () => {
    const [wide] = refused(model(4, (b) => quant(b, 'x', { exponent: 5, mantissa: 2, bias: 15 })));
    expect(wide!.message).toContain('its values are up to 2^32 of its smallest steps');
    const open = { ...formats[0]!, attributes: { saturation: 0 } };
    expect(refused(model(4, (b) => quant(b, 'x', open)))[0]!.help).toContain('with saturation');
    const half = refused(model(4, (b) => quant(b, 'x', { exponent: 2.5, mantissa: 1, bias: 1 })));
    expect(codes(half)).toEqual(['onnx/bad-attribute']);
    const odd = refused(model(4, (b) => quant(b, 'x', { exponent: 2, mantissa: 1, bias: 1, largest: 2.3 })));
    expect(odd[0]!.message).toContain('is none of its steps');
  });
});
