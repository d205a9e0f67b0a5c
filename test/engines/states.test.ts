import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { type Engine, engineNamed } from '../../src/engines/index.js';
import { type Program, ProgramBuilder, evaluate, trainingStep } from '../../src/tensor/index.js';
import { nativeEngines } from '../support/native.js';
import { tfjsBackends } from '../support/tfjs.js';
import { lifNetwork, trainingFeeds } from '../tensor/networks.js';

const named = ['onnxruntime', 'fused', ...tfjsBackends.map((backend) => `tfjs-${backend}`)];
const engines = [...named.map((name) => engineNamed(name)!), ...nativeEngines];

/** a ← b, b ← a + Σx, c ← 1, d ← d; d isn't read, and c always becomes a constant. */
function swapping(): Program {
  const b = new ProgramBuilder('swapping');
  const x = b.input('x', 'f32', [{ batch: 1 }, 2]);
  const [p, q] = [b.input('a', 'f32', [2]), b.input('b', 'f32', [2])];
  const c = b.input('c', 'f32', []);
  const d = b.input('d', 'i32', [2]);
  const sum = b.sum(x, [0]);
  b.output('next.a', q);
  b.output('next.b', b.add(p, sum));
  b.output('next.c', b.scalar('f32', 1));
  b.output('next.d', d);
  b.output('y', b.add(b.mul(sum, q), c));
  return b.build();
}

const initial = new Map<string, Tensor>([
  ['a', tensor('f32', [2], [1, 2])],
  ['b', tensor('f32', [2], [10, 20])],
  ['c', tensor('f32', [], [7])],
  ['d', tensor('i32', [2], [3, -4])],
]);

const feed = (...values: number[]): Record<string, Tensor> => ({ x: tensor('f32', [values.length / 2, 2], values) });

/** The same, state by state, in the reference evaluator. */
function reference(program: Program, states: Map<string, Tensor>, feeds: Record<string, Tensor>) {
  const results = evaluate(program, { ...feeds, ...Object.fromEntries(states) });
  for (const id of states.keys()) states.set(id, results[`next.${id}`]!);
  return Object.fromEntries(Object.entries(results).filter(([name]) => !name.startsWith('next.')));
}

describe.each(engines)('states in $name', (engine: Engine) => {
  it('go from step to step by themselves, whatever the batch sizes', async () => {
    const program = swapping();
    const states = new Map(initial);
    const opened = await engine.open(program, { threads: 1, states: initial });
    const sizes = [1, 2, 2, 1, 3, 4, 5, 6, 1];
    for (const [i, size] of sizes.entries()) {
      const feeds = feed(...Array.from({ length: 2 * size }, (_, k) => k + i));
      const before = new Map(states);
      expect(await opened.step(feeds)).toEqual(reference(program, states, feeds));
      expect(await opened.read(undefined, { before: true })).toEqual(before);
      expect(await opened.read()).toEqual(states);
    }
    await opened.dispose();
  });

  it('what is written counts from the next step on; what was read or given is a copy', async () => {
    const program = swapping();
    const opened = await engine.open(program, { threads: 1, states: initial });
    await opened.step(feed(1, 2));
    const read = await opened.read(['b']);
    read.get('b')!.data.fill(99);
    const given = tensor('f32', [2], [5, 6]);
    await opened.write(new Map([['a', given]]));
    given.data.fill(77);
    const states = new Map(initial);
    reference(program, states, feed(1, 2));
    states.set('a', tensor('f32', [2], [5, 6]));
    expect(await opened.read()).toEqual(states);
    expect(await opened.step(feed(3, 4))).toEqual(reference(program, states, feed(3, 4)));
    expect(await opened.read(['b', 'd'])).toEqual(new Map(['b', 'd'].map((id) => [id, states.get(id)!])));
    expect(initial.get('a')!.data).toEqual(Float32Array.of(1, 2));
    await opened.dispose();
  });

  it('what is no state is refused, and a value that doesn’t fit', async () => {
    const program = swapping();
    const open = (states: Map<string, Tensor>) => engine.open(program, { states });
    await expect(open(new Map([['x', tensor('f32', [1, 2], [0, 0])]]))).rejects.toThrow(/no state "x"/);
    await expect(open(new Map([['a', tensor('f32', [3], [0, 0, 0])]]))).rejects.toThrow(/state "a" is f32\[2\]/);
    const opened = await open(initial);
    await expect(opened.read(['y'])).rejects.toThrow(/"y" is no state/);
    await expect(opened.read(['a'], { before: true })).rejects.toThrow(/no step/);
    await expect(opened.write(new Map([['a', tensor('i32', [2], [1, 1])]]))).rejects.toThrow(/state "a"/);
    await opened.dispose();
  });

  it('a training step with its weights in the engine is the one that is fed them, bit for bit', async () => {
    const train = ['conv.w', 'fc.w', 'fc.b', 'lif.a'];
    const step = trainingStep(lifNetwork(3), { loss: 'loss', train, optimizer: { kind: 'adamw' } });
    const states = new Map(step.states.map(({ id, initial: value }) => [id, value]));
    const [held, fed] = [
      await engine.open(step.program, { threads: 1, states }),
      await engine.open(step.program, { threads: 1 }),
    ];
    for (let t = 1; t <= 5; t++) {
      const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
      const feeds = { ...trainingFeeds(9), ...clock };
      const expected = await fed.step({ ...feeds, ...Object.fromEntries(states) });
      for (const id of states.keys()) states.set(id, expected[`next.${id}`]!);
      expect((await held.step(feeds))['loss']).toEqual(expected['loss']);
    }
    expect(await held.read()).toEqual(states);
    await held.dispose();
    await fed.dispose();
  });
});
