import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import {
  type LossSpec,
  type OptimizerSpec,
  ProgramBuilder,
  autodiff,
  correctCount,
  evaluate,
  lossOf,
  trainingStep,
  verify,
} from '../../src/tensor/index.js';
import { random, randomTensor } from './cases.js';
import { lifNetwork, trainingFeeds } from './networks.js';

const [T, N, K] = [3, 4, 5];
const logits = randomTensor('f64', [T * N, K], random(1));
const labels = tensor('i32', [N], [2, 0, 4, 2]);
const logit = (t: number, n: number, k: number) => logits.data[(t * N + n) * K + k]!;

function computed(spec: LossSpec): number {
  const b = new ProgramBuilder('loss');
  const x = b.input('x', 'f64', [{ batch: T }, K]);
  b.output('loss', lossOf(b, spec, x, b.input('labels', 'i32', [{ batch: 1 }])));
  return evaluate(b.build(), { x: logits, labels })['loss']!.data[0]!;
}

function negativeLogLikelihood(row: readonly number[], label: number, smoothing = 0): number {
  const total = Math.log(row.reduce((s, v) => s + Math.exp(v), 0));
  return -row.reduce((s, v, k) => s + ((k === label ? 1 - smoothing : 0) + smoothing / K) * (v - total), 0);
}

const average = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const meanRow = (n: number) => range(K).map((k) => average(range(T).map((t) => logit(t, n, k))));

describe('losses', () => {
  it('cross-entropy is of the mean logits', () => {
    const expected = average(range(N).map((n) => negativeLogLikelihood(meanRow(n), labels.data[n]!)));
    expect(computed({ kind: 'cross_entropy' })).toBeCloseTo(expected, 12);
  });
  it('label smoothing spreads part of the target over all classes', () => {
    const expected = average(range(N).map((n) => negativeLogLikelihood(meanRow(n), labels.data[n]!, 0.1)));
    expect(computed({ kind: 'cross_entropy', smoothing: 0.1 })).toBeCloseTo(expected, 12);
  });
  it('TET is the mean over time of cross-entropies, with the logits pulled to φ', () => {
    const each = range(T).flatMap((t) =>
      range(N).map((n) =>
        negativeLogLikelihood(
          range(K).map((k) => logit(t, n, k)),
          labels.data[n]!,
        ),
      ),
    );
    const spread = average(Array.from(logits.data, (v) => (v - 0.7) ** 2));
    expect(computed({ kind: 'tet', lambda: 0.2, phi: 0.7 })).toBeCloseTo(0.8 * average(each) + 0.2 * spread, 12);
  });
  it('MSE is of the mean logits against the one-hot class', () => {
    const squares = range(N).flatMap((n) => meanRow(n).map((v, k) => (v - (k === labels.data[n] ? 1 : 0)) ** 2));
    expect(computed({ kind: 'mse' })).toBeCloseTo(average(squares), 12);
  });
  it('does not overflow for large logits', () => {
    const b = new ProgramBuilder('loss');
    const x = b.input('x', 'f32', [{ batch: 1 }, 2]);
    b.output('loss', lossOf(b, { kind: 'cross_entropy' }, x, b.input('labels', 'i32', [{ batch: 1 }])));
    const feeds = { x: tensor('f32', [1, 2], [1000, -1000]), labels: tensor('i32', [1], [1]) };
    expect(evaluate(b.build(), feeds)['loss']!.data[0]).toBe(2000);
  });
  it('the gradient of cross-entropy is softmax minus target, over N·T', () => {
    const b = new ProgramBuilder('loss');
    const x = b.input('x', 'f64', [{ batch: T }, K]);
    b.output('loss', lossOf(b, { kind: 'cross_entropy' }, x, b.input('labels', 'i32', [{ batch: 1 }])));
    const { program } = autodiff(b.build(), b.build().outputs['loss']!, ['x']);
    const g = evaluate(program, { x: logits, labels })['grad.x']!;
    for (let n = 0; n < N; n++) {
      const row = meanRow(n);
      const total = row.reduce((s, v) => s + Math.exp(v), 0);
      for (let k = 0; k < K; k++) {
        const expected = (Math.exp(row[k]!) / total - (labels.data[n] === k ? 1 : 0)) / (N * T);
        for (let t = 0; t < T; t++) expect(g.data[(t * N + n) * K + k]).toBeCloseTo(expected, 12);
      }
    }
  });
  it('counts correct predictions', () => {
    const b = new ProgramBuilder('correct');
    const x = b.input('x', 'f64', [{ batch: T }, K]);
    b.output('correct', correctCount(b, x, b.input('labels', 'i32', [{ batch: 1 }])));
    const expected = range(N).filter((n) => meanRow(n).indexOf(Math.max(...meanRow(n))) === labels.data[n]).length;
    expect(evaluate(b.build(), { x: logits, labels })['correct']!.data[0]).toBe(expected);
  });
});

/** w after each of `steps` steps on loss = Σ c·w²/2, whose gradient is c·w. */
function descend(optimizer: OptimizerSpec, steps: number): number[][] {
  const b = new ProgramBuilder('bowl');
  const w = b.param('w', tensor('f64', [2], [1, -2]));
  b.output('loss', b.mul(b.sumAll(b.mul(b.mul(w, w), b.constant(tensor('f64', [2], [1, 3])))), 0.5));
  const step = trainingStep(b.build(), { loss: 'loss', train: ['w'], optimizer });
  expect(verify(step.program)).toEqual([]);
  let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
  const path: number[][] = [];
  for (let t = 1; t <= steps; t++) {
    const clock = { learning_rate: tensor('f32', [], [0.125]), step: tensor('f32', [], [t]) };
    const results = evaluate(step.program, { ...state, ...clock });
    state = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]!]));
    path.push([...state['w']!.data]);
  }
  return path;
}

/** The same, by the textbook's recurrences. */
function byHand(steps: number, update: (w: number, g: number, t: number, memory: number[]) => number): number[][] {
  let w = [1, -2];
  const memories: number[][] = [
    [0, 0],
    [0, 0],
  ];
  return range(steps).map((t) => (w = w.map((v, i) => update(v, [1, 3][i]! * v, t + 1, memories[i]!))));
}

function expectPath(actual: number[][], expected: number[][]): void {
  actual.forEach((row, t) => row.forEach((v, i) => expect(v).toBeCloseTo(expected[t]![i]!, 9)));
}

describe('optimisers', () => {
  it('plain SGD with weight decay', () => {
    const expected = byHand(4, (w, g) => w - 0.125 * (g + 0.5 * w));
    expectPath(descend({ kind: 'sgd', weightDecay: 0.5 }, 4), expected);
  });
  it('momentum, and Nesterov', () => {
    const momentum = (nesterov: boolean) =>
      byHand(5, (w, g, _, memory) => {
        memory[0] = 0.9 * memory[0]! + g;
        return w - 0.125 * (nesterov ? g + 0.9 * memory[0] : memory[0]);
      });
    expectPath(descend({ kind: 'sgd', momentum: 0.9 }, 5), momentum(false));
    expectPath(descend({ kind: 'sgd', momentum: 0.9, nesterov: true }, 5), momentum(true));
  });
  const adam = (decoupled: boolean, decay: number) =>
    byHand(5, (w0, g0, t, memory) => {
      const g = decoupled ? g0 : g0 + decay * w0;
      const w = decoupled ? w0 * (1 - 0.125 * decay) : w0;
      memory[0] = 0.8 * memory[0]! + 0.2 * g;
      memory[1] = 0.95 * memory[1]! + 0.05 * g * g;
      return w - (0.125 * (memory[0] / (1 - 0.8 ** t))) / (Math.sqrt(memory[1] / (1 - 0.95 ** t)) + 1e-8);
    });
  it('Adam, with weight decay in the gradient', () => {
    expectPath(descend({ kind: 'adam', beta1: 0.8, beta2: 0.95, weightDecay: 0.1 }, 5), adam(false, 0.1));
  });
  it('AdamW, with weight decay apart from the gradient', () => {
    expectPath(descend({ kind: 'adamw', beta1: 0.8, beta2: 0.95, weightDecay: 0.1 }, 5), adam(true, 0.1));
  });
});

describe('a training step', () => {
  it('learns, through spikes, weights and the neuron’s time constant', () => {
    const step = trainingStep(lifNetwork(3), {
      loss: 'loss',
      train: ['conv.w', 'fc.w', 'fc.b', 'lif.a'],
      optimizer: { kind: 'adam' },
    });
    expect(verify(step.program)).toEqual([]);
    expect(step.unreached).toEqual([]);
    let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
    const feeds = trainingFeeds(8);
    const losses: number[] = [];
    for (let t = 1; t <= 12; t++) {
      const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
      const results = evaluate(step.program, { ...feeds, ...state, ...clock });
      losses.push(results['loss']!.data[0]!);
      state = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]!]));
    }
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
    expect(state['lif.a']!.data[0]).not.toBe(step.states.find(({ id }) => id === 'lif.a')!.initial.data[0]);
  });

  it('names params that the loss does not depend on, and leaves them', () => {
    const b = new ProgramBuilder('p');
    const w = b.param('w', tensor('f32', [1], [1]));
    b.param('idle', tensor('f32', [1], [1]));
    b.output('loss', b.sumAll(b.mul(w, w)));
    const step = trainingStep(b.build(), { loss: 'loss', train: ['w', 'idle'], optimizer: { kind: 'sgd' } });
    expect(step.unreached).toEqual(['idle']);
    expect(step.states.map(({ id }) => id)).toEqual(['w']);
  });

  it('carries running statistics over', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [{ batch: 1 }]);
    const w = b.param('w', tensor('f32', [], [1]));
    const running = b.param('mean', tensor('f32', [], [0]));
    const mean = b.div(b.sumAll(x), b.batchSize('f32'));
    b.as('mean.next').add(b.mul(running, 0.9), b.mul(mean, 0.1));
    b.output('loss', b.mul(b.mul(mean, w), w));
    const step = trainingStep(b.build(), {
      loss: 'loss',
      train: ['w'],
      optimizer: { kind: 'sgd' },
      replace: { mean: 'mean.next' },
    });
    const feeds = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
    const clock = { learning_rate: tensor('f32', [], [0.5]), step: tensor('f32', [], [1]) };
    const results = evaluate(step.program, { ...feeds, ...clock, x: tensor('f32', [2], [1, 3]) });
    expect(results['next.mean']!.data[0]).toBeCloseTo(0.2, 6);
    expect(results['next.w']!.data[0]).toBeCloseTo(1 - 0.5 * 4, 6);
  });
});
