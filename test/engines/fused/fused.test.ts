import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { type Program, evaluate, printProgram } from '../../../src/tensor/index.js';
import { randomInputs, seeded, tsaProgram } from './programs.js';
import { randomProgram } from './random-program.js';

/** Zeros lose their sign: kernels may drop x + 0. */
function plain(values: Readonly<Record<string, Tensor>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: Array.from(data, (v) => v + 0) },
    ]),
  );
}

async function expectLikeReference(program: Program, n: number, random: () => number): Promise<void> {
  const executable = await fusedEngine.open(program, { threads: 1 });
  try {
    const inputs = randomInputs(program, n, random);
    expect(plain(await executable.step(inputs)), printProgram(program)).toEqual(plain(evaluate(program, inputs)));
  } finally {
    await executable.dispose();
  }
}

it('gives the reference evaluator’s numbers for spiking layers of any size', async () => {
  for (const shape of [[3, 5, 7], [10], [2, 8, 8], [3, 1, 1], [1, 2, 2], [1]]) {
    const random = seeded(shape.length);
    const program = tsaProgram({ steps: 8, wait: 2, shape, random });
    for (const n of [1, 3]) await expectLikeReference(program, n, random);
  }
});

const sizes = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  fc.tuple(fc.integer({ min: 1, max: 40 })),
);

it('gives the reference evaluator’s numbers for random element-wise programs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      sizes,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (seed, inner, steps, n) => {
        const random = seeded(seed);
        await expectLikeReference(randomProgram({ random, inner, steps, ops: 30 }), n, random);
      },
    ),
    { numRuns: 150 },
  );
});

it('gives the reference evaluator’s numbers where pooling and reshapes come between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 4 }), async (seed, n) => {
      const random = seeded(seed);
      await expectLikeReference(randomProgram({ random, inner: [3, 5, 6], steps: 2, ops: 16, heavy: true }), n, random);
    }),
    { numRuns: 60 },
  );
});

it('cuts batches into parts for several lanes, in any batch size, several runs at once', async () => {
  const random = seeded(7);
  const program = randomProgram({ random, inner: [3, 5, 6], steps: 3, ops: 16, heavy: true });
  const executable = await fusedEngine.open(program, { lanes: 2, samples: 2 });
  try {
    const batches = [7, 1, 2, 5, 4, 3, 7].map((n) => randomInputs(program, n, random));
    const results = await Promise.all(batches.map((inputs) => executable.step(inputs)));
    results.forEach((result, i) => expect(plain(result)).toEqual(plain(evaluate(program, batches[i]!))));
  } finally {
    await executable.dispose();
  }
});

it('computes in the calling thread first, and hands over to workers where there is more to do, between runs', async () => {
  const random = seeded(7);
  const program = randomProgram({ random, inner: [3, 5, 6], steps: 3, ops: 16, heavy: true });
  const executable = await fusedEngine.open(program, { threads: 2, samples: 2, workersAfter: Number.MIN_VALUE });
  try {
    const batches = [7, 1, 2, 5, 4, 3, 7].map((n) => randomInputs(program, n, random));
    const wanted = batches.map((inputs) => plain(evaluate(program, inputs)));
    const [first, second] = [executable.step(batches[0]!), executable.step(batches[1]!)];
    expect([plain(await first), plain(await second)]).toEqual(wanted.slice(0, 2));
    const before = process.report.getReport() as unknown as { workers: readonly unknown[] };
    const results = await Promise.all(batches.map((inputs) => executable.step(inputs)));
    const after = process.report.getReport() as unknown as { workers: readonly unknown[] };
    expect(after.workers.length - before.workers.length).toBe(2);
    expect(results.map(plain)).toEqual(wanted);
  } finally {
    await executable.dispose();
  }
});

it('refuses inputs of another shape and batches without samples as misuse', async () => {
  const random = seeded(1);
  const program = tsaProgram({ steps: 2, wait: 1, shape: [3], random });
  const executable = await fusedEngine.open(program, { threads: 1 });
  try {
    const empty = { psp: { dtype: 'f32', shape: [0, 3], data: new Float32Array(0) } } as const;
    await expect(executable.step(empty)).rejects.toThrow(TypeError);
    await expect(executable.step({})).rejects.toThrow(/"psp" .* was not fed/);
    await expect(executable.step({ psp: { ...empty.psp, shape: [3, 3], data: new Float32Array(9) } })).rejects.toThrow(
      TypeError,
    );
  } finally {
    await executable.dispose();
  }
});
