import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byteWidth, tensor } from '../../src/base/dtype.js';
import { chooseEngine } from '../../src/run/engine.js';
import { engineNamed, withinMemory } from '../../src/engines/index.js';
import { type Program, ProgramBuilder, concreteShape, peakBytes } from '../../src/tensor/index.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';

/** A chain that doubles a value and adds earlier ones again: `reads[i]` says how far back op i reaches. */
function chain(reads: readonly number[]): Program {
  const b = new ProgramBuilder('chain');
  const values = [b.input('x', 'f32', [{ batch: 1 }, 3])];
  reads.forEach((back) => values.push(b.add(values.at(-1)!, values.at(-1 - Math.min(back, values.length - 1))!)));
  b.output('y', values.at(-1)!);
  return b.build();
}

/** Before each op: which values are still read, by it or later, found by looking. */
function peakByLooking(program: Program, n: number): number {
  const size = ({ dtype, shape }: Program['ops'][number]): number =>
    concreteShape(shape, n).reduce((a, b) => a * b, byteWidth[dtype]);
  const given = 4 * 3 * n;
  return Math.max(
    ...program.ops.map((_, now) => {
      const later = program.ops.slice(now).flatMap(({ inputs }) => inputs);
      const needed = new Set([...later, ...Object.values(program.outputs)]);
      const alive = program.ops.slice(0, now + 1).filter(({ id }, i) => i === now || needed.has(id));
      // an input that nothing reads any more is given back too
      return alive.reduce((sum, op) => sum + size(op), needed.has('x') ? given : 0);
    }),
  );
}

it('the least memory of a program is what is alive at once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (reads, n) => {
        const program = chain(reads);
        expect(peakBytes(program, n)).toBe(peakByLooking(program, n));
      },
    ),
  );
});

it('a program that cannot fit is refused before it is compiled, one that fits runs', async () => {
  const b = new ProgramBuilder('giant');
  b.output('y', b.sum(b.mul(b.input('x', 'f32', [{ batch: 1 }, 1]), b.input('w', 'f32', [1, 2 ** 50])), [1]));
  const giant = b.build();
  const refused: unknown = await chooseEngine('onnxruntime', 'infer')
    .open(giant)
    .catch((error: unknown) => error);
  expectDiagnostic('engine/too-much-memory', () => {
    throw refused;
  });
  const program = chain([0, 1]);
  const engine = engineNamed('onnxruntime')!;
  await expect(withinMemory(engine, peakBytes(program, 1) - 1).open(program)).rejects.toThrow('for one sample');
  const executable = await withinMemory(engine, peakBytes(program, 1)).open(program);
  const { y } = await executable.step({ x: tensor('f32', [1, 3], [1, 2, 3]) });
  expect([...y!.data]).toEqual([3, 6, 9]);
  await executable.dispose();
});
