import fc from 'fast-check';
import { expect, it } from 'vitest';
import { integerRanges } from '../../../src/engines/fused/ranges.js';
import { prepare } from '../../../src/engines/fused/stages.js';
import { ProgramBuilder, evaluate } from '../../../src/tensor/index.js';
import { randomInputs, seeded, tsaLayer } from './programs.js';
import { randomProgram } from './random-program.js';

it('knows that spikes lie in −1…1 and their prefixes in ±(2^k − 1)', () => {
  const b = new ProgramBuilder('prefixes');
  const psp = b.input('psp', 'f32', [{ batch: 4 }, 3]);
  const { spikes } = tsaLayer(b, psp, { steps: 4, wait: 1, shape: [3], random: seeded(1) });
  const [first, second] = [b.sliceAxis(spikes, 0, 0, 1), b.sliceAxis(spikes, 0, 1, 2)];
  const prefix = b.as('prefix').add(b.mul(first, 2), second);
  const real = b.as('real').mul(spikes, 0.5);
  b.output('prefix', prefix);
  b.output('real', real);
  const program = b.build();
  const ranges = integerRanges(program, prepare(program).constants);
  expect(ranges.get(spikes.id)).toEqual({ lo: -1, hi: 1 });
  expect(ranges.get('prefix')).toEqual({ lo: -3, hi: 3 });
  expect(ranges.get('real')).toBeUndefined();
});

it('claims nothing that the reference evaluator contradicts', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = seeded(seed);
      const program = randomProgram({ random, inner: [2, 3, 3], steps: 2, ops: 30 });
      const ranges = integerRanges(program, prepare(program).constants);
      evaluate(program, randomInputs(program, 2, random), {
        onValue: (id, { data }) => {
          const range = ranges.get(id);
          if (range === undefined) return;
          for (const v of data)
            expect(Number.isInteger(v) && v >= range.lo && v <= range.hi, `${id} = ${v}`).toBe(true);
        },
      });
    }),
    { numRuns: 60 },
  );
});
