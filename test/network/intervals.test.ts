import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { type NewOp, NetworkBuilder, intervalOf, intervalSource } from '../../src/network/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { seeded } from '../support/random-network.js';

const window = { kernel: [2, 2], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1] };
const nothing = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1] };

/** %i has the reals 2 … 7 on [2, 3, 3], %c = i₁ − 2·i₂ + ½, %r its relu. */
function network(): ReturnType<NetworkBuilder['finish']> {
  const b = new NetworkBuilder('intervals');
  const param = (name: string, shape: readonly number[], values: readonly number[]): string =>
    b.param(name, { tensor: tensor('f32', [...shape], Float32Array.from(values)) });
  const add = (id: string, kind: NewOp['kind'], inputs: readonly string[], attrs = {}, params = {}): string =>
    b.add({ id, kind, inputs, attrs, params });
  const weight = param('difference', [1, 2, 1, 1], [1, -2]);
  const ones = param('ones', [2, 1, 2, 2], new Array<number>(8).fill(1));
  const tap = param('tap', [2, 1, 1, 1], [1, 3]);
  add('x', 'input', [], { shape: [2, 3, 3] });
  add('i', 'quantize', ['x'], { scale: 1, zero: -2, min: 0, max: 5 });
  add('c', 'conv', ['i'], { ...nothing, groups: 1 }, { weight, bias: param('half', [1], [0.5]) });
  add('r', 'relu', ['c']);
  add('padded', 'conv', ['i'], { ...window, pads: [1, 0, 0, 0], groups: 2 }, { weight: ones });
  add(
    'up',
    'transposed_conv',
    ['i'],
    { ...nothing, stride: [2, 2], output_padding: [0, 0], groups: 2 },
    { weight: tap },
  );
  add('mean', 'avgpool', ['i'], { kernel: [2, 2], stride: [1, 1], pads: [1, 1, 0, 0], include_pad: true });
  add('border', 'pad', ['i'], { pads: [1, 1, 1, 1], value: -3 });
  add('clipped', 'clip', ['c'], { min: -4, max: 100 });
  add('curve', 'function', ['c'], { name: 'hardswish' });
  add('sum', 'add', ['c', 'r']);
  add('square', 'mul', ['c', 'c']);
  add('both', 'concat', ['i', 'c']);
  const channels = { scale: param('scale', [2], [2, -1]), shift: param('shift', [2], [0, 1]) };
  add('scaled', 'affine', ['i'], {}, channels);
  const codes = { scale: 0.5, zero: 8, min: 0, max: 15 };
  add('signed', 'quantize', ['c'], codes);
  add('unsigned', 'quantize', ['r'], codes);
  add('open', 'conv', ['x'], { ...nothing, groups: 1 }, { weight });
  add('rectified', 'relu', ['open']);
  return b.finish(['curve']);
}

const expected: Readonly<Record<string, readonly [number, number] | undefined>> = {
  x: undefined,
  i: [2, 7],
  c: [2 - 14 + 0.5, 7 - 4 + 0.5],
  r: [0, 3.5],
  // above the first row are zeros
  padded: [0, 28],
  // between the places that a stride reaches is nothing
  up: [0, 21],
  mean: [0, 7],
  border: [-3, 7],
  clipped: [-4, 3.5],
  sum: [-11.5, 7],
  // of factors that are taken to be independent
  square: [-40.25, 132.25],
  both: [-11.5, 7],
  scaled: [-6, 14],
  signed: [-4, 3.5],
  unsigned: [0, 3.5],
  open: undefined,
  rectified: [0, Infinity],
};

it.each(Object.entries(expected))('what %s can be follows from what it reads', (id, bounds) => {
  const found = intervalOf(intervalSource(network()), id);
  expect(found === undefined ? undefined : [found.min, found.max]).toEqual(bounds);
});

it('a function that turns inside is bounded by a little more than its values on a net', () => {
  const { min, max } = intervalOf(intervalSource(network()), 'curve')!;
  // hardswish has its least value −3/8 at −3/2; x·(x + 3)/6 becomes x from 3 on
  expect(min).toBeLessThanOrEqual(-0.375);
  expect(min).toBeGreaterThan(-0.38);
  expect(max).toBeGreaterThanOrEqual(3.5);
  expect(max).toBeLessThan(3.51);
});

it('no input gives a value outside of its interval', () => {
  const made = network();
  const source = intervalSource(made);
  const next = seeded(8);
  for (let n = 0; n < 50; n++) {
    const [low, high] = [20 * next() - 10, 20 * next() - 10];
    const input = Float64Array.from({ length: 18 }, () => low + (high - low) * next());
    for (const [id, values] of evaluateAnn(made, input)) {
      const { min, max } = intervalOf(source, id) ?? { min: -Infinity, max: Infinity };
      for (const value of values) expect(value >= min - 1e-9 && value <= max + 1e-9, `${id}: ${value}`).toBe(true);
    }
  }
});
