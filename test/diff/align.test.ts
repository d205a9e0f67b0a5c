import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { alignNetworks, diffNetworks } from '../../src/diff/index.js';
import { weightItems } from '../../src/diff/present-weights.js';
import { compareParams } from '../../src/diff/weights.js';
import { NetworkBuilder, type Param } from '../../src/network/index.js';
import { numbered } from '../support/numbered.js';

const six = ['a', 'b', 'c', 'd', 'e', 'f'];

it('an inserted block moves nobody, though every number behind it shifts', () => {
  const before = numbered({ blocks: six, behind: ['relu', 'identity'] });
  const after = numbered({ blocks: ['a', 'b', 'new', 'c', 'd', 'e', 'f'], behind: ['relu', 'identity'] });
  const diff = diffNetworks(before, after);
  expect(diff.added.map(({ id }) => id)).toEqual(['Conv_7', 'relu_8', 'identity_9']);
  expect(diff.removed).toEqual([]);
  expect(diff.changed).toEqual([]);
  expect(diff.renamed.map(({ from, to }) => `${from} ${to}`)).toEqual(
    ['Conv', 'relu', 'identity']
      .flatMap((_, i) =>
        [7, 10, 13, 16].map(
          (n) => `${['Conv', 'relu', 'identity'][i]}_${n + i} ${['Conv', 'relu', 'identity'][i]}_${n + i + 3}`,
        ),
      )
      .sort((a, b) => Number(/_(\d+)/.exec(a)![1]) - Number(/_(\d+)/.exec(b)![1])),
  );
  expect(diff.consequences).toEqual([{ id: 'Conv_7', field: 'inputs', from: ['identity_6'], to: ['identity_9'] }]);
  expect(diff.weights.every(({ equal }) => equal)).toBe(true);
});

it('a removed block is the same in reverse', () => {
  const diff = diffNetworks(numbered({ blocks: six }), numbered({ blocks: ['a', 'c', 'd', 'e', 'f'] }));
  expect(diff.removed.map(({ id }) => id)).toEqual(['Conv_3', 'relu_4']);
  expect([diff.added, diff.changed]).toEqual([[], []]);
});

it('a network whose every id changed is renamed, with equal or with other weights', () => {
  for (const seed of [1, 2]) {
    const diff = diffNetworks(numbered({ blocks: six }), numbered({ blocks: six, prefix: 'net/', seed }));
    expect(diff.renamed).toHaveLength(12);
    expect(diff.renamed.every(({ from, to }) => to === `net/${from}`)).toBe(true);
    expect([diff.added, diff.removed, diff.changed, diff.consequences]).toEqual([[], [], [], []]);
    expect(diff.weights.map(({ equal }) => equal)).toEqual(six.map(() => seed === 1));
  }
});

it('layers that change places keep their names in the report', () => {
  const diff = diffNetworks(numbered({ blocks: six }), numbered({ blocks: ['a', 'c', 'b', 'd', 'e', 'f'] }));
  expect(diff.renamed).toEqual(
    expect.arrayContaining([
      { from: 'Conv_3', to: 'Conv_5' },
      { from: 'Conv_5', to: 'Conv_3' },
    ]),
  );
  expect([diff.added, diff.removed]).toEqual([[], []]);
});

it('networks that share nothing share their input', () => {
  const other = new NetworkBuilder('other');
  const image = other.add({ id: 'x', kind: 'input', attrs: { shape: [4] } });
  const to = other.finish([other.add({ id: 'y', kind: 'sigmoid', inputs: [image] })]);
  const { pairs, added, removed } = alignNetworks(numbered({ blocks: ['a'] }), to);
  expect(pairs.map(({ from, to: t }) => `${from.id} ${t.id}`)).toEqual([]);
  expect([added.length, removed.length]).toEqual([2, 3]);
});

function weighted(weight: Param, bias?: Param): Parameters<typeof diffNetworks>[0] {
  const b = new NetworkBuilder('linear');
  b.param('w', weight);
  if (bias !== undefined) b.param('b', bias);
  b.add({ id: 'x', kind: 'input', attrs: { shape: [3] } });
  const params = bias === undefined ? { weight: 'w' } : { weight: 'w', bias: 'b' };
  b.add({ id: 'y', kind: 'linear', inputs: ['x'], params });
  return b.finish(['y']);
}

const values = [0.5, -1, 2, 3, 0.25, -0.125];
const plain = (list: readonly number[]): Param => ({ tensor: tensor('f32', [2, 3], list) });
const one = (a: Param, b: Param) => diffNetworks(weighted(a), weighted(b)).weights[0]!;

it('weights: equal, a multiple, a multiple per channel, or how far apart', () => {
  expect(one(plain(values), plain(values))).toEqual({ id: 'w', op: 'y', role: 'weight', equal: true, max_abs: 0 });
  const half = one(plain(values), plain(values.map((v) => v / 2)));
  expect(half).toMatchObject({ equal: false, max_abs: 1.5, largest: 3, scale: 0.5 });
  const channels = one(plain(values), plain(values.map((v, i) => v * (i < 3 ? 3 : -0.1))));
  expect(channels.scale).toBeUndefined();
  expect(channels.channel_scales?.map((s) => Number(s.toFixed(6)))).toEqual([3, -0.1]);
  const off = one(plain(values), plain(values.map((v, i) => (i === 4 ? v + 0.01 : v))));
  expect(off.max_abs).toBeCloseTo(0.01, 6);
  expect([off.scale, off.channel_scales]).toEqual([undefined, undefined]);
});

it('weights: one number is shown as it was and as it is', () => {
  const number = (value: number): Param => ({ tensor: tensor('f32', [1], [value]) });
  const change = { id: 'spike.theta', op: 'spike', role: 'theta', ...compareParams(number(0.5), number(0.75)) };
  expect(change).toMatchObject({ equal: false, max_abs: 0.25, scale: 1.5, value: { from: 0.5, to: 0.75 } });
  expect(weightItems([change], 10)).toMatchObject([{ text: '%spike.theta', detail: '0.5 → 0.75' }]);
  expect(compareParams(number(0.5), number(0.5))).toEqual({ equal: true, max_abs: 0 });
});

it('weights: a change of storage is one, although the values stay', () => {
  const codes: Param = {
    tensor: tensor('i8', [2, 3], [1, -2, 4, 6, 1, -1]),
    quant: { scale: [0.5, 0.125], zero: [0], axis: 0 },
  };
  const reals = plain([0.5, -1, 2, 0.75, 0.125, -0.125]);
  expect(one(codes, reals)).toMatchObject({ equal: false, max_abs: 0, stored: { from: 'i8 × 2 scales', to: 'f32' } });
});

it('weights: NaN and infinity are far from numbers and equal to themselves', () => {
  const odd = values.with(0, NaN).with(1, Infinity);
  expect(one(plain(odd), plain(odd)).equal).toBe(true);
  expect(one(plain(values), plain(odd)).max_abs).toBe(Infinity);
});

it('a parameter that one side lacks is a field of its op', () => {
  const bias = { tensor: tensor('f32', [2], [1, 2]) };
  const { changed } = diffNetworks(weighted(plain(values)), weighted(plain(values), bias));
  expect(changed).toEqual([{ id: 'y', field: 'bias', from: null, to: 'f32[2]' }]);
});

it('a wider layer is the cause, and what the next layers had to become is not', () => {
  const chain = (width: number) => {
    const b = new NetworkBuilder('chain');
    b.add({ id: 'x', kind: 'input', attrs: { shape: [3] } });
    const weight = (name: string, shape: readonly [number, number]): string =>
      b.param(name, {
        tensor: tensor(
          'f32',
          shape,
          Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => i % 5),
        ),
      });
    b.add({ id: 'wide', kind: 'linear', inputs: ['x'], params: { weight: weight('wide.w', [width, 3]) } });
    b.add({ id: 'relu', kind: 'relu', inputs: ['wide'] });
    b.add({ id: 'last', kind: 'linear', inputs: ['relu'], params: { weight: weight('last.w', [2, width]) } });
    return b.finish(['last']);
  };
  const diff = diffNetworks(chain(4), chain(6));
  expect(diff.changed).toEqual([{ id: 'wide', field: 'shape', from: [4], to: [6] }]);
  expect(diff.consequences).toEqual([{ id: 'relu', field: 'shape', from: [4], to: [6] }]);
  expect(diff.weights.map(({ id, follows }) => [id, follows])).toEqual([
    ['wide.w', undefined],
    ['last.w', true],
  ]);
});
