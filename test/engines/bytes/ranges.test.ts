import fc from 'fast-check';
import { expect, it } from 'vitest';
import { integerRanges } from '../../../src/engines/bytes/ranges.js';
import { prepare } from '../../../src/engines/fused/stages.js';
import { ProgramBuilder, type Value, evaluate } from '../../../src/tensor/index.js';
import { randomInputs, seeded, tsaLayer } from '../fused/programs.js';
import { randomProgram } from '../fused/random-program.js';

it('knows that spikes lie in −1…1, the first in 0…1, and what their prefixes can be', () => {
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
  expect(ranges.get('prefix')).toEqual({ lo: -1, hi: 3 });
  expect(ranges.get('real')).toBeUndefined();
});

it('knows that spikes read from running maxima are spikes', () => {
  const b = new ProgramBuilder('maxima');
  const psp = b.input('psp', 'f32', [{ batch: 3 }, 2, 4, 4]);
  const { spikes } = tsaLayer(b, psp, { steps: 3, wait: 1, shape: [2, 4, 4], random: seeded(1) });
  const prefixes: Value[] = [b.sliceAxis(spikes, 0, 0, 1)];
  for (let k = 1; k < 3; k++) prefixes.push(b.add(b.mul(prefixes[k - 1]!, 2), b.sliceAxis(spikes, 0, k, k + 1)));
  const window = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
  const maxima = b.op('maxpool', [b.concat(prefixes, 0)], window);
  const step = (k: number) => b.sliceAxis(maxima, 0, k, k + 1);
  const [first, second] = [b.as('first').sliceAxis(maxima, 0, 0, 1), b.as('second').sub(step(1), b.mul(step(0), 2))];
  const wrong = b.as('wrong').sub(step(2), b.mul(step(0), 2));
  for (const value of [first, second, wrong]) b.output(value.id, value);
  const program = b.build();
  const ranges = integerRanges(program, prepare(program).constants);
  expect(ranges.get('first')).toEqual({ lo: 0, hi: 1 });
  expect(ranges.get('second')).toEqual({ lo: -1, hi: 1 });
  expect(ranges.get('wrong')).toEqual({ lo: -5, hi: 7 });
  evaluate(program, randomInputs(program, 3, seeded(2)), {
    onValue: (id, { data }) => {
      if (id === 'second') for (const v of data) expect(Math.abs(v)).toBeLessThanOrEqual(1);
    },
  });
});

it('knows that what is rounded and then cut off is whole, and multiples of its fractions', () => {
  const b = new ProgramBuilder('codes');
  const x = b.input('x', 'f32', [{ batch: 1 }, 2, 4, 4]);
  const codes = b.as('codes').min(b.max(b.round(x), 0), 63);
  const halves = b.concat([b.mul(codes, 0.5), b.mul(b.min(codes, 7), 0.5)], 0);
  const pool = b.avgpool(halves, { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0], include_pad: false });
  const made = {
    open: b.as('open').round(x),
    whole: b.as('whole').mul(halves, 2),
    half: b.as('half').mul(pool, 4),
    pooled: b.as('pooled').mul(pool, 8),
    third: b.as('third').mul(b.mul(codes, 1 / 3), 3),
  };
  for (const [name, value] of Object.entries(made)) b.output(name, value);
  const program = b.build();
  const ranges = integerRanges(program, prepare(program).constants);
  expect(ranges.get('codes')).toEqual({ lo: 0, hi: 63 });
  expect(ranges.get('whole')).toEqual({ lo: 0, hi: 63 });
  expect(ranges.get('pooled')).toEqual({ lo: 0, hi: 252 });
  for (const name of ['open', 'half', 'third']) expect(ranges.get(name)).toBeUndefined();
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
