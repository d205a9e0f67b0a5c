import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../src/engines/tfjs.js';
import { type Program, evaluate, simplify, trainingStep } from '../../src/tensor/index.js';
import { nativeEngines } from '../support/native.js';
import { tfjsBackends } from '../support/tfjs.js';
import { feedsFor, random } from '../tensor/cases.js';
import { loops, recurrentLoop, trainedIn } from '../tensor/loops.js';

const engines = [fusedEngine, onnxruntimeEngine, ...tfjsBackends.map(tfjsEngine), ...nativeEngines];

function expectClose(actual: Record<string, Tensor>, expected: Record<string, Tensor>, tolerance: number): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
    const found = actual[name]!;
    expect([name, found.dtype, [...found.shape]]).toEqual([name, dtype, [...shape]]);
    const error = Math.max(...Array.from(data, (v, i) => Math.abs(found.data[i]! - v) / Math.max(1, Math.abs(v))));
    expect(error, name).toBeLessThan(tolerance);
  }
}

/** The program's trained inputs as params with fixed values. */
function withParams(program: Program, ids: readonly string[], feeds: Record<string, Tensor>): Program {
  return {
    ...program,
    inputs: program.inputs.filter(({ id }) => !ids.includes(id)),
    params: program.inputs.filter(({ id }) => ids.includes(id)).map((input) => ({ ...input, data: feeds[input.id]! })),
  };
}

describe('every engine runs a loop as the reference evaluator does', () => {
  for (const engine of engines) {
    for (const [name, make] of Object.entries(loops)) {
      it(`${name}, for batches of two sizes, on ${engine.name}`, async () => {
        const program = make();
        // a compiler takes long: it is given the loop as it comes from simplification
        for (const simple of nativeEngines.includes(engine) ? [true] : [false, true]) {
          const tested = simple ? simplify(program) : program;
          const opened = await engine.open(tested, { threads: 1 });
          for (const n of [2, 5]) {
            const feeds = feedsFor(program, n, n, 1);
            expectClose(await opened.step(feeds), evaluate(program, feeds), 1e-5);
          }
          await opened.dispose();
        }
      });
    }
  }
});

describe('every engine trains through a loop as the reference evaluator does', () => {
  for (const engine of engines) {
    for (const [name, wrt] of Object.entries(trainedIn)) {
      it(`${name} on ${engine.name}`, async () => {
        const program = loops[name]!();
        const learned = wrt.filter(
          (id) => id !== 'x' && program.inputs.find((i) => i.id === id)!.shape.every(Number.isInteger),
        );
        const feeds = feedsFor(program, 3, 8, 1);
        const forward = withParams(program, learned, feeds);
        const optimizer = { kind: 'sgd', momentum: 0.9 } as const;
        const step = trainingStep(forward, { loss: 'loss', train: learned, optimizer });
        expect(step.unreached).toEqual([]);
        const opened = await engine.open(step.program, { threads: 1 });
        const state = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
        const clock = { learning_rate: tensor('f32', [], [0.01]), step: tensor('f32', [], [1]) };
        const fed = { ...feedsFor(forward, 3, 8, 1), ...state, ...clock };
        expectClose(await opened.step(fed), evaluate(step.program, fed), 1e-4);
        await opened.dispose();
      });
    }
  }
});

describe('a recurrent layer over 50 steps', () => {
  const program = recurrentLoop({ steps: 50 });
  const next = random(5);
  const small = (shape: readonly number[]): Tensor =>
    tensor(
      'f32',
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next() - 0.4),
    );
  const forward = withParams(program, ['w', 'back', 'out'], {
    w: small([5, 3]),
    back: small([5, 5]),
    out: small([2, 5]),
  });
  const step = trainingStep(forward, { loss: 'loss', train: ['w', 'back', 'out'], optimizer: { kind: 'adam' } });
  const x = small([50 * 4, 3]);

  const losses = async (run: (feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>>): Promise<number[]> => {
    let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
    const found: number[] = [];
    for (let t = 1; t <= 5; t++) {
      const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
      const results = await run({ x, ...state, ...clock });
      found.push(results['loss']!.data[0]!);
      state = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]!]));
    }
    return found;
  };
  const expected = losses((feeds) => Promise.resolve(evaluate(step.program, feeds)));

  for (const engine of engines) {
    it(`learns the same in five steps on ${engine.name}`, async () => {
      const opened = await engine.open(step.program, { threads: 1 });
      const actual = await losses((feeds) => opened.step(feeds));
      await opened.dispose();
      const wanted = await expected;
      expect(wanted.at(-1)).toBeLessThan(wanted[0]!);
      wanted.forEach((loss, i) => expect(Math.abs(actual[i]! - loss) / loss).toBeLessThan(1e-4));
    });
  }
});
