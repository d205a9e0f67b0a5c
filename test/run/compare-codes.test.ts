import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { InvariantError } from '../../src/base/invariant.js';
import { readBatch } from '../../src/data/index.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { type Runnable, exactCodes, lower, sampleShape } from '../../src/lower/program/index.js';
import { codesOf, compareCodes } from '../../src/run/compare-codes.js';
import { drawnInputs } from '../../src/run/drawn-inputs.js';
import { KeptCodes } from '../../src/run/kept-codes.js';
import { openRunnable } from '../../src/train/index.js';
import { withSkip } from '../support/random-network.js';
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
