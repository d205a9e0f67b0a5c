import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DiagnosticError } from '../../../src/base/diagnostics/index.js';
import { type Lifetime, placeBuffers } from '../../../src/engines/fused/arena.js';
import { partition } from '../../../src/engines/fused/partition.js';
import { makePlan } from '../../../src/engines/fused/plan.js';
import { seeded, tsaProgram } from './programs.js';

const buffers = fc.array(
  fc.record({ bytes: fc.integer({ min: 1, max: 900 }), first: fc.integer({ min: 0, max: 9 }), life: fc.nat(5) }),
);

it('never lets buffers overlap that are alive together', () => {
  fc.assert(
    fc.property(buffers, (wanted) => {
      const lifetimes = wanted.map(({ bytes, first, life }, i): Lifetime => ({
        id: `${i}`,
        bytes,
        first,
        last: first + life,
      }));
      const { offsets, end } = placeBuffers(lifetimes, 64);
      for (const a of lifetimes) {
        const from = offsets.get(a.id)!;
        expect(from).toBeGreaterThanOrEqual(64);
        expect(from + a.bytes).toBeLessThanOrEqual(end);
        for (const b of lifetimes) {
          const apart = a === b || a.last < b.first || b.last < a.first;
          const other = offsets.get(b.id)!;
          expect(apart || from + a.bytes <= other || other + b.bytes <= from).toBe(true);
        }
      }
    }),
  );
});

it('uses the memory of a value again after its last reader', () => {
  const chain = Array.from({ length: 6 }, (_, i): Lifetime => ({ id: `${i}`, bytes: 1000, first: i, last: i + 1 }));
  expect(placeBuffers(chain, 0).end).toBeLessThan(3 * 1024);
});

it('says so when a batch does not fit the memory that WebAssembly can address', () => {
  const program = tsaProgram({ steps: 8, wait: 2, shape: [64, 32, 32], random: seeded(1) });
  const split = partition(program);
  let error: unknown;
  try {
    makePlan(program, split, 4000);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(DiagnosticError);
  const [found] = (error as DiagnosticError).diagnostics;
  expect(found?.code).toBe('engine/batch-too-large');
  expect(found?.message).toMatch(/a batch of 4000 of "tsa" needs \d+\.\d GiB/);
});
