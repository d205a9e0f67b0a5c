import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { InvariantError } from '../../src/base/invariant.js';
import { readBatch } from '../../src/data/index.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import {
  type Runnable,
  alongName,
  exactCodes,
  exactCodesAlong,
  lower,
  sampleShape,
} from '../../src/lower/program/index.js';
import { NetworkBuilder } from '../../src/network/index.js';
import { codesOf, compareCodes } from '../../src/run/compare-codes.js';
import { drawnInputs } from '../../src/run/drawn-inputs.js';
import { KeptCodes } from '../../src/run/kept-codes.js';
import { openRunnable } from '../../src/train/index.js';
import { seeded, withSkip } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

it('codes that differ are those of both networks side by side, however few are kept at once', async () => {
  const { quantised, spiking } = convert(withSkip(), sws({ silent: 0 }));
  const dataset = drawnInputs(quantised, sampleShape(spiking), 7, 5);
  const images = { dataset, normalisation: {}, count: 7, batch: 3 };
  const found = await compareCodes({ quantised, spiking }, images, fusedEngine);
  const counted: number[] = [];
  // batches of 3, 3 and 1 image, each a portion
  const few = await compareCodes({ quantised, spiking }, images, fusedEngine, {
    mostKept: 3 * codesOf(spiking),
    counter: (done, total) => counted.push(done / total),
  });
  expect(few).toEqual(found);
  expect(counted.at(-1)).toBe(1);

  // whole, in one program each
  const batch = readBatch(dataset, 0, 7).images;
  const side = async (runnable: Runnable) => {
    const running = await openRunnable(runnable, fusedEngine);
    const results = await running.pass()(batch);
    await running.dispose();
    return (id: string) => results[runnable.outputs.probes.codes.get(id)!]!.data;
  };
  const exact = await side(lower(quantised, { carrier: exactCodes, probes: { codes: true } }));
  const snn = await side(lower(spiking, { probes: { codes: true } }));
  for (const { id, codes, differing } of found.layers) {
    const amplitude = Number(spiking.ops.find((op) => op.id === id)!.attrs['amplitude' as never]);
    const levels = snn(id);
    const right = Array.from(exact(id)).filter((code, i) => amplitude * levels[i]! === code).length;
    expect([id, codes, differing]).toEqual([id, levels.length, levels.length - right]);
  }
  expect(found.layers.reduce((sum, { differing }) => sum + differing, 0)).toBeGreaterThan(0);
});

it('residuals are counted where they are asked for, whatever is kept', async () => {
  const { quantised, spiking } = convert(withSkip(), sws({ silent: 0 }));
  const images = {
    dataset: drawnInputs(quantised, sampleShape(spiking), 5, 5),
    normalisation: {},
    count: 5,
    batch: 2,
  };
  const whole = await compareCodes({ quantised, spiking }, images, fusedEngine, { residuals: true });
  const few = await compareCodes({ quantised, spiking }, images, fusedEngine, { residuals: true, mostKept: 1 });
  expect(Math.max(...whole.layers.map((layer) => layer.max_residual))).toBeGreaterThan(0);
  for (const [i, layer] of few.layers.entries()) {
    expect(layer.mean_residual).toBeCloseTo(whole.layers[i]!.mean_residual, 12);
    expect(layer.max_residual).toBe(whole.layers[i]!.max_residual);
  }
});

it('kept codes are what was taken, in bytes where they are bytes; of what is near a tie it is known how near', () => {
  const kept = new KeptCodes(0.01);
  const taken = {
    small: tensor('f32', [1, 3], Float32Array.of(0, 7, 255)),
    large: tensor('f32', [1, 2], Float32Array.of(256, 3)),
    broken: tensor('f32', [1, 2], Float32Array.of(0.5, 3)),
    signed: tensor('f32', [1, 2], Float32Array.of(-1, 3)),
  };
  for (const [id, codes] of Object.entries(taken)) {
    const tie = id === 'small' ? tensor('f32', [1, 3], Float32Array.of(0.001, 0.02, 0.5)) : undefined;
    kept.take(4, id, (kind) => (kind === 'codes' ? codes : tie));
  }
  for (const [id, { data }] of Object.entries(taken)) expect([...kept.codes(4, id).data]).toEqual([...data]);
  expect(kept.codes(4, 'small').dtype).toBe('u8');
  expect([0, 1, 2].map(kept.nearness(4, 'small'))).toEqual([Math.fround(0.001), Infinity, Infinity]);
  expect(kept.nearness(4, 'large')(0)).toBe(Infinity);
  expect(() => kept.codes(0, 'small')).toThrow(InvariantError);
});

it.each([
  ['half_even', [3, 4, 3], [1, 1, 9], [2, 2, 2], [1, 2, 2]],
  ['half_up', [1, 4, 1], [0, 1, 9], [1, 2, 1], [0, 2, 1]],
  ['floor', [4, 3, 4], [1, 0, 9], [2, 1, 2], [1, 1, 2]],
] as const)(
  '%s: at a tie the code beside it is read where another network has it, and nowhere else',
  async (rounding, x, fed, codes, read) => {
    const builder = new NetworkBuilder('ties');
    const range = { zero: 0, min: 0, max: 15 };
    builder.add({ id: 'x', kind: 'input', inputs: [], attrs: { shape: [3] } });
    builder.add({ id: 'a', kind: 'quantize', inputs: ['x'], attrs: { scale: 1, ...range } });
    builder.add({ id: 'b', kind: 'quantize', inputs: ['a'], attrs: { scale: 2, ...range, rounding } });
    const along = exactCodesAlong(new Set(['b']), 1e-3);
    const runnable = lower(builder.finish(['b']), { carrier: along, probes: { codes: true } });
    const running = await openRunnable(runnable, fusedEngine);
    const row = (list: readonly number[]) => tensor('f32', [1, 3], Float32Array.from(list));
    const found = await running.pass({ [alongName('b')]: row(fed) })(row(x));
    await running.dispose();
    expect([...found[runnable.outputs.probes.codes.get('b')!]!.data]).toEqual(codes);
    expect([...found[runnable.outputs.logits!]!.data]).toEqual(read.map((code) => 2 * code));
  },
);

it('codes that differ where float32 decides are counted by themselves, not with all that they change behind them', async () => {
  const width = 24;
  const chain = (bias: number) => {
    const builder = new NetworkBuilder('chain');
    const random = seeded(3);
    const quantize = (id: string, input: string): string => {
      builder.add({ id, kind: 'quantize', inputs: [input], attrs: { scale: 1, zero: 0, min: 0, max: 255 } });
      return id;
    };
    const linear = (id: string, input: string, scale: number, code: (at: number) => number): string => {
      const codes = Int8Array.from({ length: width * width }, (_, at) => code(at));
      builder.param(`${id}.w`, {
        tensor: tensor('i8', [width, width], codes),
        quant: { scale: [scale], zero: [0], axis: 0 },
      });
      builder.param(`${id}.b`, { tensor: tensor('f64', [width], new Float64Array(width).fill(bias)) });
      builder.add({ id, kind: 'linear', inputs: [input], attrs: {}, params: { weight: `${id}.w`, bias: `${id}.b` } });
      return id;
    };
    builder.add({ id: 'x', kind: 'input', inputs: [], attrs: { shape: [width] } });
    const same = linear('same', quantize('a', 'x'), 1, (at) => (at % (width + 1) === 0 ? 1 : 0));
    const mixed = linear('mixed', quantize('b', same), 1 / 128, () => Math.round(60 * random() - 20));
    return convert(builder.finish([linear('last', quantize('c', mixed), 1, (at) => at % 7)]), sws({ silent: 8 }));
  };
  // the layer b rounds whole numbers and a half, here a little less and there a little more
  const { spiking } = chain(0.5 - 1e-4);
  const { quantised } = chain(0.5 + 1e-4);
  const images = { dataset: drawnInputs(quantised, [width], 4, 1), normalisation: {}, count: 4, batch: 3 };
  const { layers } = await compareCodes({ quantised, spiking }, images, fusedEngine);
  const known = layers.find(({ id }) => id === 'b')!;
  expect(known.differing).toBeGreaterThan(0.9 * known.codes);
  expect(layers.map(({ id, differing }) => [id, differing])).toEqual([
    ['a', 0],
    ['b', known.differing],
    ['c', 0],
  ]);
});
