import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { sampleShape } from '../../src/lower/program/index.js';
import { compareCodes } from '../../src/run/compare-codes.js';
import { drawnInputs } from '../../src/run/drawn-inputs.js';
import { KeptCodes } from '../../src/run/kept-codes.js';
import { withSkip } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

it('one network after the other counts the same codes that differ as both side by side', async () => {
  const { quantised, spiking } = convert(withSkip(), sws({ silent: 0 }));
  const dataset = drawnInputs(quantised, sampleShape(spiking), 7, 5);
  const images = { dataset, normalisation: {}, count: 7, batch: 3 };
  const together = await compareCodes({ quantised, spiking }, images, fusedEngine);
  const counted: number[] = [];
  const inTurn = await compareCodes({ quantised, spiking }, images, fusedEngine, {
    inTurn: true,
    counter: (done, total) => counted.push(done / total),
  });
  expect([inTurn.classes, inTurn.spiking]).toEqual([together.classes, together.spiking]);
  const codes = ({ layers }: typeof together) =>
    layers.map(({ mean_residual: _, max_residual: __, ...layer }) => layer);
  expect(codes(inTurn)).toEqual(codes(together));
  expect(inTurn.layers.reduce((sum, { differing }) => sum + differing, 0)).toBeGreaterThan(0);
  expect(counted.at(-1)).toBe(1);
});

it('kept codes are what was taken, in bytes where they are bytes; what is nearer than a tie is one', () => {
  const kept = new KeptCodes(['small', 'large', 'broken', 'signed'], 0.01);
  const taken = {
    small: tensor('f32', [1, 3], Float32Array.of(0, 7, 255)),
    large: tensor('f32', [1, 2], Float32Array.of(256, 3)),
    broken: tensor('f32', [1, 2], Float32Array.of(0.5, 3)),
    signed: tensor('f32', [1, 2], Float32Array.of(-1, 3)),
  };
  kept.take(4, (kind, id) =>
    kind === 'codes'
      ? taken[id as keyof typeof taken]
      : id === 'small'
        ? tensor('f32', [1, 3], Float32Array.of(0, 0.02, 0.5))
        : undefined,
  );
  for (const [id, { data }] of Object.entries(taken)) expect([...kept.codes(4, id)!.data]).toEqual([...data]);
  expect(kept.codes(4, 'small')!.dtype).toBe('u8');
  expect([...kept.ties(4, 'small')!.data]).toEqual([0, 1, 1]);
  expect(kept.ties(4, 'large')).toBeUndefined();
  expect(kept.codes(0, 'small')).toBeUndefined();
});
