import { describe, expect, it } from 'vitest';
import { emitC } from '../../../src/backends/c-program/index.js';
import { ProgramBuilder, type Program, type Value, evaluate } from '../../../src/tensor/index.js';
import { optimisedEngines } from '../../support/native.js';
import { feedsFor, largestDifference, random, randomTensor } from '../../tensor/cases.js';

/** conv – `act` – conv, its first result read once more at the end where `kept`. */
function chain(act: (b: ProgramBuilder, x: Value) => Value, kept: boolean): Program {
  const b = new ProgramBuilder('chain');
  const next = random(3);
  const x = b.input('x', 'f32', [{ batch: 2 }, 4, 6, 6]);
  const weight = (id: string): Value => b.param(id, randomTensor('f32', [4, 4, 3, 3], next));
  const first = b.conv2d(x, weight('w1'), { pads: [1, 1, 1, 1] });
  const second = b.conv2d(act(b, first), weight('w2'), { pads: [1, 1, 1, 1] });
  b.output('y', b.conv2d(kept ? b.add(second, first) : second, weight('w3'), { pads: [1, 1, 1, 1] }));
  return b.build();
}

const bounded = (b: ProgramBuilder, x: Value): Value => b.max(b.add(b.mul(x, 2), 1), 0);
/** Two steps of time, of which the second reads the first. */
const overTime = (b: ProgramBuilder, x: Value): Value => {
  const [now, then] = [b.sliceAxis(x, 0, 0, 1), b.sliceAxis(x, 0, 1, 2)];
  return b.concat([b.max(now, 0), b.sub(then, now)], 0);
};
const turned = (b: ProgramBuilder, x: Value): Value => b.add(b.transpose(x, [0, 1, 3, 2]), 1);

const goingOn = (program: Program): number =>
  emitC(program, { lanes: 16, registers: 32 }).buffers.filter(({ within }) => within !== undefined).length;

describe('the result of a kernel', () => {
  it('goes on in the memory of what it is computed from element by element, where nothing else reads that', () => {
    expect(goingOn(chain(bounded, false))).toBe(1);
    expect(goingOn(chain(overTime, false))).toBe(1);
  });

  it('has memory of its own where other elements are read, or what it is computed from is read later', () => {
    expect(goingOn(chain(turned, false))).toBe(0);
    expect(goingOn(chain(bounded, true))).toBe(1); // the sum, which nothing reads after it
    const { buffers } = emitC(chain(bounded, true), { lanes: 16, registers: 32 });
    const names = buffers.filter(({ within }) => within !== undefined).map(({ within }) => buffers[within!]!.last);
    const reader = buffers.find(({ within }) => within !== undefined)!;
    expect(names).toEqual([reader.first]);
  });

  it('is named without `restrict` where two names are of the same memory', () => {
    const { loops, buffers } = emitC(chain(bounded, false), { lanes: 16, registers: 32 });
    const { index, within } = buffers.find((buffer) => buffer.within !== undefined)!;
    expect(loops).toContain(`*b${index} =`);
    expect(loops).not.toContain(`*restrict b${index} =`);
    expect(loops).not.toContain(`*restrict b${within!} =`);
  });
});

describe.each(optimisedEngines)('on $name, results in the place of what they are computed from', (engine) => {
  it.each([
    ['bounded', bounded, false],
    ['bounded, and read again', bounded, true],
    ['over time', overTime, false],
    ['turned', turned, false],
  ] as const)('are those of the reference: %s', async (_, act, kept) => {
    const program = chain(act, kept);
    const opened = await engine.open(program, { threads: 2 });
    for (const n of [3, 1, 8]) {
      const feeds = feedsFor(program, n, n);
      const [{ y: found }, { y: expected }] = [await opened.step(feeds), evaluate(program, feeds)];
      const largest = Math.max(...Array.from(expected!.data as Float32Array, Math.abs));
      expect(largestDifference(found!, expected!) / largest).toBeLessThan(1e-6);
    }
    await opened.dispose();
  });
});
