import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { partition } from '../../../src/engines/fused/partition.js';
import { makePlan } from '../../../src/engines/fused/plan.js';
import { flatSegments } from '../../../src/engines/fused/segments.js';
import { lower, lowerForTraining } from '../../../src/lower/program/index.js';
import { type Program, evaluate, simplify, trainingStep } from '../../../src/tensor/index.js';
import { feedsFor } from '../../tensor/cases.js';
import { loops, recurrentLoop } from '../../tensor/loops.js';
import { forwardFeeds, networkFrom } from '../../support/train.js';

const width = 40;

const networkOver = (steps: number) =>
  networkFrom(`
    use "spikec/neurons" { LIF }
    network N { input x: real[5]  output x | linear(${width}) | spike | linear(${width}) | spike | linear(3) }
    config n { network N  neuron LIF  coding direct(steps: ${steps}) }`);

/** The train of the last layer alone: the read-out behind it adds steps up one by one. */
function trainOf(steps: number, unroll?: boolean): Program {
  const { program } = lower(networkOver(steps), { unroll, probes: { trains: () => true } });
  const last = Object.keys(program.outputs).at(-1)!;
  return simplify({ ...program, outputs: { [last]: program.outputs[last]! } });
}

const inference = (steps: number, unroll?: boolean): Program => simplify(lower(networkOver(steps), { unroll }).program);

/** Memory of a plan, and how much code it has. */
function sizesOf(program: Program, n: number): { readonly bytes: number; readonly code: number } {
  const plan = makePlan(program, partition(program), n);
  return { bytes: plan.pages * 65_536, code: plan.module.length };
}

describe('a loop over time is the engine’s own', () => {
  it('no session has one: bodies are kernels, and sessions of what is no element by element', () => {
    for (const [name, make] of Object.entries(loops)) {
      const { segments } = partition(make());
      const own = segments.filter(({ kind }) => kind === 'loop');
      expect([name, own.length]).toEqual([name, 1]);
      const inSessions = segments.flatMap((s) => (s.kind === 'session' ? s.program.ops : []));
      expect(inSessions.filter(({ kind }) => kind === 'scan')).toEqual([]);
    }
    expect(flatSegments(partition(inference(784))).filter(({ kind }) => kind === 'kernel').length).toBeGreaterThan(1);
  });

  it('of neurons it is one kernel, compiled once: as much code for 784 steps as for 100', () => {
    const { segments } = partition(inference(784));
    const bodies = segments.flatMap((segment) => (segment.kind === 'loop' ? [segment.loop.body.segments] : []));
    expect(bodies.map((body) => body.map(({ kind }) => kind))).toEqual([['kernel'], ['kernel']]);
    const [short, long] = [100, 784].map((steps) => sizesOf(trainOf(steps), 2).code);
    // numbers of more digits, and no more
    expect(long! - short!).toBeLessThan(100);
    expect(sizesOf(trainOf(100, true), 2).code).toBeGreaterThan(5 * short!);
  });

  it('its memory for 784 steps is that of its trains: two live at a time, in inference', () => {
    const [short, long] = [100, 784].map((steps) => sizesOf(inference(steps), 16).bytes);
    const train = 684 * 16 * width * 4;
    expect(long! - short!).toBeLessThanOrEqual(2 * train + 65_536);
    expect(long! - short!).toBeGreaterThanOrEqual(train);
  });

  it('a training step over 784 steps keeps a few trains a layer, not the values of every operation', () => {
    const stepOf = (steps: number, unroll?: boolean): Program => {
      const { program, learned } = lowerForTraining(networkOver(steps), { kind: 'cross_entropy' }, [], { unroll });
      return trainingStep(program, { loss: 'loss', train: learned, optimizer: { kind: 'sgd' } }).program;
    };
    const [short, long] = [100, 784].map((steps) => sizesOf(stepOf(steps), 16).bytes);
    const train = 684 * 16 * width * 4;
    expect(long! - short!).toBeLessThanOrEqual(10 * train);
  });

  it('over 784 steps it has the spikes of the reference, over 100 those of the unrolled layer, and its gradients', async () => {
    const network = networkOver(784);
    const x = tensor(
      'f32',
      [3, 5],
      Float32Array.from({ length: 15 }, (_, i) => Math.sin(i) * 4),
    );
    const programOver = (steps: number, unroll: boolean): Program =>
      simplify(lower(networkOver(steps), { probes: { trains: () => true }, unroll }).program);
    for (const [program, looped] of [
      [programOver(784, false), programOver(784, false)],
      [programOver(100, true), programOver(100, false)],
    ] as const) {
      const expected = evaluate(looped, { x });
      const opened = await fusedEngine.open(program, { threads: 1 });
      const found = await opened.step({ x });
      await opened.dispose();
      for (const [name, { data }] of Object.entries(expected)) {
        // sums of a synapse in another order may tip a neuron at its threshold; here none does
        data.forEach((v, i) => expect(Math.abs(found[name]!.data[i]! - v), name).toBeLessThan(1e-4));
      }
      expect(Object.values(found).some(({ data }) => data.includes(1))).toBe(true);
    }
    const lowered = lowerForTraining(network, { kind: 'cross_entropy' });
    const step = trainingStep(lowered.program, { loss: 'loss', train: lowered.learned, optimizer: { kind: 'sgd' } });
    const feeds = {
      ...forwardFeeds(lowered, 3),
      ...Object.fromEntries(step.states.map(({ id, initial }) => [id, initial])),
      learning_rate: tensor('f32', [], [1]),
      step: tensor('f32', [], [1]),
    };
    const wanted = evaluate(step.program, feeds);
    const opened = await fusedEngine.open(step.program, { threads: 1 });
    const found = await opened.step(feeds);
    await opened.dispose();
    for (const [name, { data }] of Object.entries(wanted)) {
      data.forEach((v, i) => expect(Math.abs(found[name]!.data[i]! - v), name).toBeLessThan(1e-3));
    }
    const weights = step.states.filter(
      ({ id, initial }) => wanted[`next.${id}`] !== undefined && initial.data.length > 3,
    );
    expect(weights.some(({ id, initial }) => wanted[`next.${id}`]!.data.some((v, i) => v !== initial.data[i]))).toBe(
      true,
    );
  });
});

describe('loops as a choice of the engine’s options', () => {
  it('give what onnxruntime’s Scan gives', async () => {
    for (const [name, make] of Object.entries(loops)) {
      const program = make();
      const feeds = feedsFor(program, 3, 4, 1);
      const results = await Promise.all(
        [true, false].map(async (own) => {
          const opened = await fusedEngine.open(program, { threads: 1, loops: own });
          const result = await opened.step(feeds);
          await opened.dispose();
          return result;
        }),
      );
      for (const [id, { data }] of Object.entries(results[0]!)) {
        data.forEach((v, i) => expect(Math.abs(results[1]![id]!.data[i]! - v), name).toBeLessThan(1e-5));
      }
    }
  });

  it('a batch is cut into parts, and between lanes, as without loops', async () => {
    const program = recurrentLoop({ steps: 20 });
    const only = {
      ...program,
      outputs: Object.fromEntries(Object.entries(program.outputs).filter(([id]) => id !== 'loss')),
    };
    const feeds = feedsFor(only, 7, 4, 1);
    const one = await fusedEngine.open(only, { threads: 1, samples: 7 });
    const whole = await one.step(feeds);
    await one.dispose();
    const two = await fusedEngine.open(only, { threads: 1, lanes: 2, samples: 2 });
    const parts = await two.step(feeds);
    await two.dispose();
    for (const [id, { data }] of Object.entries(whole)) {
      data.forEach((v, i) => expect(Math.abs(parts[id]!.data[i]! - v)).toBeLessThan(1e-5));
    }
  });
});
