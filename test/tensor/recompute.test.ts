import { describe, expect, it } from 'vitest';
import { byteWidth, tensor, type Tensor } from '../../src/base/dtype.js';
import { emitC } from '../../src/backends/c-program/index.js';
import { tfjsEngine } from '../../src/engines/tfjs.js';
import {
  ProgramBuilder,
  type Program,
  type TrainingStep,
  type Value,
  evaluate,
  lossOf,
  parseProgram,
  printProgram,
  recomputing,
  trainingStep,
  verify,
} from '../../src/tensor/index.js';
import { nativeEngines } from '../support/native.js';
import { randomTensor, random } from './cases.js';

const [steps, channels, side] = [2, 4, 6];
const batch = 8;

/** `layers` × (conv3×3 – LIF with a detached reset) with a shortcut around each pair, then a linear layer. */
function deepStep(layers = 6): TrainingStep {
  const next = random(5);
  const b = new ProgramBuilder('deep');
  const train: string[] = [];
  const param = (id: string, shape: readonly number[]): Value => {
    train.push(id);
    return b.param(id, randomTensor('f32', shape, next));
  };
  const labels = b.input('labels', 'i32', [{ batch: 1 }]);
  let x = b.input('image', 'f32', [{ batch: steps }, channels, side, side]);
  let shortcut = x;
  for (let i = 0; i < layers; i++) {
    b.at(`layer${i}`);
    const filter = b.mul(param(`w${i}`, [channels, channels, 3, 3]), 0.5);
    const current = b.conv2d(x, filter, { pads: [1, 1, 1, 1] });
    const spikes: Value[] = [];
    let u: Value | undefined;
    for (let t = 0; t < steps; t++) {
      const now = b.sliceAxis(current, 0, t, t + 1);
      const charged = u === undefined ? now : b.add(b.mul(u, 0.5), now);
      const fired = b.ge(charged, 0.2, { surrogate: 'triangle', surrogate_width: 1 });
      spikes.push(b.cast(fired, 'f32'));
      u = b.select(b.detach(fired), 0, charged);
    }
    x = b.concat(spikes, 0);
    if (i % 2 === 1) shortcut = x = b.add(x, shortcut);
  }
  const flat = b.at('fc').reshape(x, [{ batch: steps }, channels * side * side]);
  const logits = b.matmul(flat, param('fc', [3, channels * side * side]), { transB: true });
  b.at(undefined);
  b.output('loss', lossOf(b, { kind: 'cross_entropy' }, logits, labels));
  return trainingStep(b.build(), { loss: 'loss', train, optimizer: { kind: 'sgd', momentum: 0.9 } });
}

function feedsFor(n: number): Record<string, Tensor> {
  return {
    image: randomTensor('f32', [steps * n, channels, side, side], random(9)),
    labels: tensor(
      'i32',
      [n],
      Array.from({ length: n }, (_, i) => i % 3),
    ),
    learning_rate: tensor('f32', [], [0.05]),
    step: tensor('f32', [], [1]),
  };
}

/** The most bytes of results that are needed at once, run op by op. */
function mostAlive(program: Program): number {
  const outputs = new Set(Object.values(program.outputs));
  const until = new Map<string, number>();
  program.ops.forEach((op, i) => [op.id, ...op.inputs].forEach((id) => until.set(id, i)));
  const bytes = program.ops.map(
    ({ dtype, shape }) =>
      byteWidth[dtype] *
      shape.reduce<number>((size, dim) => size * (typeof dim === 'number' ? dim : dim.batch * batch), 1),
  );
  let most = 0;
  for (let now = 0; now < program.ops.length; now++) {
    let alive = 0;
    for (let i = 0; i <= now; i++) {
      const { id } = program.ops[i]!;
      if (until.get(id)! >= now || outputs.has(id)) alive += bytes[i]!;
    }
    most = Math.max(most, alive);
  }
  return most;
}

describe('a step that recomputes', () => {
  const step = deepStep();
  const low = recomputing(step.program, 'loss');
  const states = new Map(step.states.map(({ id, initial }) => [id, initial]));

  it('is a valid program with the same inputs and outputs, in which copies wait for what is defined before them', () => {
    expect(verify(low)).toEqual([]);
    expect(low.inputs).toEqual(step.program.inputs);
    expect(Object.keys(low.outputs)).toEqual(Object.keys(step.program.outputs));
    const copies = low.ops.filter(({ after }) => after !== undefined);
    expect(copies.length).toBeGreaterThan(10);
    expect(copies.some(({ kind }) => kind === 'conv2d')).toBe(true);
  });

  it('gives the same numbers in the reference evaluator', () => {
    const feeds = { ...feedsFor(2), ...Object.fromEntries(states) };
    const [expected, found] = [evaluate(step.program, feeds), evaluate(low, feeds)];
    for (const [name, { data }] of Object.entries(expected)) expect(found[name]!.data).toEqual(data);
    expect(expected['next.w0']!.data).not.toEqual(states.get('w0')!.data);
  });

  it('needs less than two thirds as much at once, run op by op', () => {
    expect(mostAlive(low)).toBeLessThan((2 / 3) * mostAlive(step.program));
  });

  it('has a text form that is read back', () => {
    const text = printProgram(low);
    expect(text).toContain(' after %');
    const { value, diagnostics } = parseProgram({ name: 'low.tir', text });
    expect(diagnostics).toEqual([]);
    expect(printProgram(value!)).toBe(text);
  });

  it('refuses a wait for a value that is not there', () => {
    const [first, ...rest] = low.ops;
    expect(verify({ ...low, ops: [{ ...first!, after: 'later' }, ...rest] })[0]).toContain('waits for "later"');
  });

  for (const engine of [tfjsEngine('cpu'), ...nativeEngines]) {
    it(`trains bit for bit as one that keeps everything on ${engine.name}`, async () => {
      const short = deepStep(2);
      const states = new Map(short.states.map(({ id, initial }) => [id, initial]));
      const again = recomputing(short.program, 'loss');
      expect(again.ops.filter(({ after, kind }) => after !== undefined && kind === 'conv2d').length).toBeGreaterThan(0);
      const trained = async (program: Program) => {
        const opened = await engine.open(program, { threads: 1, states });
        const losses: number[] = [];
        for (let i = 0; i < 3; i++) losses.push((await opened.step(feedsFor(3)))['loss']!.data[0]!);
        const found = await opened.read();
        await opened.dispose();
        return { losses, found };
      };
      const [expected, actual] = [await trained(short.program), await trained(again)];
      expect(actual).toEqual(expected);
      expect(expected.losses.at(-1)).not.toBe(expected.losses[0]);
    });
  }

  it('lies in less than two thirds of the memory as C', () => {
    const most = (program: Program): number => {
      const { buffers, steps: run } = emitC(program, { lanes: 8, registers: 16 });
      const at = run.map((_, i) =>
        buffers.reduce(
          (sum, { first, last, bytes }) => sum + (first <= i && i <= last ? bytes.factor * batch ** bytes.power : 0),
          0,
        ),
      );
      return Math.max(...at);
    };
    expect(most(low)).toBeLessThan((2 / 3) * most(step.program));
  });
});
