import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../../src/engines/tfjs.js';
import { lower, lowerForTraining, outputNames } from '../../../src/lower/program/index.js';
import { type Network, parseNetwork, printNetwork, verifyNetwork } from '../../../src/network/index.js';
import { autodiff, evaluate, simplify, trainingStep, verify } from '../../../src/tensor/index.js';
import { random } from '../../tensor/cases.js';
import { networkFrom } from '../../support/train.js';
import { nativeEngines } from '../../support/native.js';

const [samples, steps, inputs, hidden, upper, classes] = [3, 12, 5, 6, 4, 3];
const [theta, decay] = [0.6, 0.5];

/** A layer with its own output one step before, and one with its own two steps before. */
const network = networkFrom(`
  use "spikec/neurons" { LIF }
  network Seq {
    input x: real[${inputs}]
    h = (x | linear(${hidden})) + (h | delay(1) | linear(${hidden})) | spike
    b = (h | linear(${upper})) + (b | delay(2) | linear(${upper})) | spike
    output b | linear(${classes})
  }
  config c { network Seq  neuron LIF(tau: 2, theta: ${theta})  coding direct(steps: ${steps}) }`);

const next = random(5);
const x = Float32Array.from({ length: samples * inputs }, () => next() * 4 - 1);
const feeds = { x: tensor('f32', [samples, inputs], x) };
const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);

const param = (name: string): ArrayLike<number> => network.params.get(name)!.tensor.data;
const times = (name: string, v: readonly number[], n: number): number[] =>
  Array.from({ length: n }, (_, i) =>
    v.reduce((sum, one, j) => sum + param(`${name}.weight`)[i * v.length + j]! * one, param(`${name}.bias`)[i]!),
  );

interface Layer {
  readonly u: number[][];
  readonly s: number[][];
}

/** The network in plain loops: states and spikes of both layers and the logits, for one sample. */
function loops(image: readonly number[]): { readonly h: Layer; readonly b: Layer; readonly logits: number[] } {
  const layers = { h: { u: [], s: [] } as Layer, b: { u: [], s: [] } as Layer };
  const logits = new Array<number>(classes).fill(0);
  const fire = ({ u, s }: Layer, current: readonly number[]): void => {
    const before = u.length === 0 ? undefined : u.at(-1)!.map((v, i) => (s.at(-1)![i] === 0 ? v : 0));
    u.push(current.map((c, i) => decay * (before?.[i] ?? 0) + c));
    s.push(u.at(-1)!.map((v) => (v >= theta ? 1 : 0)));
  };
  for (let t = 0; t < steps; t++) {
    const { h, b } = layers;
    const ago = (layer: Layer, n: number, size: number) => layer.s[t - n] ?? new Array<number>(size).fill(0);
    const back = times('h.linear_2', ago(h, 1, hidden), hidden);
    fire(
      h,
      times('h.linear', image, hidden).map((v, i) => v + back[i]!),
    );
    const again = times('b.linear_2', ago(b, 2, upper), upper);
    fire(
      b,
      times('b.linear', h.s[t]!, upper).map((v, i) => v + again[i]!),
    );
    times('output.linear', b.s[t]!, classes).forEach((v, i) => (logits[i]! += v / steps));
  }
  return { ...layers, logits };
}

const images = Array.from({ length: samples }, (_, n) => [...x.subarray(n * inputs, (n + 1) * inputs)]);

describe('a recurrent network', () => {
  const { program } = lower(network, { probes: { trains: () => true, membranes: ['h.spike'] } });

  it('is one loop for each cycle, and a valid program', () => {
    expect(verify(program)).toEqual([]);
    expect(simplify(program).ops.filter(({ kind }) => kind === 'scan')).toHaveLength(2);
  });

  it('fires as plain loops do, at every step', () => {
    const results = evaluate(simplify(program), feeds);
    images.forEach((image, n) => {
      const { h, b, logits } = loops(image);
      for (const [id, layer] of [
        ['h.spike', h],
        ['b.spike', b],
      ] as const) {
        const size = layer.s[0]!.length;
        const train = results[outputNames.train(id)]!.data;
        layer.s.forEach((spikes, t) => {
          const at = (t * samples + n) * size;
          expect([...train].slice(at, at + size), `${id} at ${t + 1}`).toEqual(spikes);
        });
      }
      h.u.flat().forEach((u, i) => {
        const t = Math.floor(i / hidden);
        const found = results[outputNames.membranes('h.spike')]!.data[(t * samples + n) * hidden + (i % hidden)]!;
        expect(Math.abs(found - u)).toBeLessThan(1e-5);
      });
      logits.forEach((v, i) => expect(Math.abs(results['0']!.data[n * classes + i]! - v)).toBeLessThan(1e-5));
    });
    const spikes = [...results[outputNames.train('b.spike')]!.data];
    expect(spikes.includes(1) && spikes.includes(0)).toBe(true);
  });

  it('comes back from its text, cycles and all', () => {
    const text = printNetwork(network);
    expect(text).toMatch(/%h\.delay +/);
    const read = parseNetwork({ name: 'c.ir', text }, network.params);
    expect(read.diagnostics).toEqual([]);
    expect(printNetwork(read.value!)).toBe(text);
  });

  it('has the gradients of backpropagation through time, in plain loops', () => {
    const { program: forward, learned } = lowerForTraining(network, { kind: 'cross_entropy' });
    const given = { ...feeds, labels: { dtype: 'i32', shape: [samples], data: labels } satisfies Tensor };
    const weights = Object.fromEntries([...network.params].map(([name, one]) => [name, one.tensor]));
    const differentiated = autodiff(forward, forward.outputs['loss']!, learned).program;
    const found = evaluate(differentiated, { ...given, ...weights });
    const wanted = backThroughTime();
    for (const [name, grads] of Object.entries(wanted)) {
      const scale = Math.max(...grads.map(Math.abs));
      expect(scale, name).toBeGreaterThan(1e-4);
      grads.forEach((g, i) => expect(Math.abs(found[`grad.${name}`]!.data[i]! - g) / scale, name).toBeLessThan(1e-4));
    }
  });

  for (const engine of [fusedEngine, onnxruntimeEngine, tfjsEngine('wasm'), tfjsEngine('cpu'), ...nativeEngines]) {
    it(`trains on ${engine.name} as in the reference evaluator`, async () => {
      const lowered = lowerForTraining(network, { kind: 'cross_entropy' });
      const options = { loss: 'loss', train: lowered.learned, optimizer: { kind: 'sgd', momentum: 0.9 } } as const;
      const step = trainingStep(lowered.program, options);
      const opened = await engine.open(step.program, { threads: 1 });
      const state = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
      const clock = { learning_rate: tensor('f32', [], [0.1]), step: tensor('f32', [], [1]) };
      const given = {
        ...feeds,
        labels: { dtype: 'i32', shape: [samples], data: labels } as Tensor,
        ...state,
        ...clock,
      };
      const [found, wanted] = [await opened.step(given), evaluate(step.program, given)];
      await opened.dispose();
      for (const name of Object.keys(wanted)) {
        wanted[name]!.data.forEach((v, i) => expect(Math.abs(found[name]!.data[i]! - v)).toBeLessThan(1e-4));
      }
    });
  }
});

/** Gradients of the mean cross entropy by hand: rectangle of width 1 around θ, hard reset. */
function backThroughTime(): Record<string, number[]> {
  const names = ['h.linear', 'h.linear_2', 'b.linear', 'b.linear_2', 'output.linear'];
  const grads = Object.fromEntries(
    names.flatMap((name) =>
      ['weight', 'bias'].map((role) => [`${name}.${role}`, new Array<number>(param(`${name}.${role}`).length).fill(0)]),
    ),
  );
  /** Adds the gradients of a linear layer; gives those of its input. */
  const linear = (name: string, input: readonly number[], out: readonly number[]): number[] =>
    input.map((v, j) =>
      out.reduce((sum, g, i) => {
        grads[`${name}.weight`]![i * input.length + j]! += g * v;
        if (j === 0) grads[`${name}.bias`]![i]! += g;
        return sum + g * param(`${name}.weight`)[i * input.length + j]!;
      }, 0),
    );
  images.forEach((image, n) => {
    const { h, b, logits } = loops(image);
    const total = logits.reduce((sum, v) => sum + Math.exp(v), 0);
    const slope = logits.map((v, i) => (Math.exp(v) / total - (labels[n] === i ? 1 : 0)) / samples / steps);
    const empty = (size: number) => Array.from({ length: steps + 2 }, () => new Array<number>(size).fill(0));
    const [toH, toB] = [empty(hidden), empty(upper)];
    let [uh, ub] = [new Array<number>(hidden).fill(0), new Array<number>(upper).fill(0)];
    const charge = ({ u, s }: Layer, t: number, ds: readonly number[], du: readonly number[]): number[] =>
      u[t]!.map((v, i) => {
        const toRest = decay * du[i]!;
        // the reset is u·(1 − s), whose gradient to s is −u
        return (Math.abs(v - theta) < 0.5 ? ds[i]! - v * toRest : 0) + (s[t]![i] === 0 ? toRest : 0);
      });
    const plus = (to: number[], more: readonly number[]): void => more.forEach((v, i) => (to[i]! += v));
    for (let t = steps - 1; t >= 0; t--) {
      plus(toB[t]!, linear('output.linear', b.s[t]!, slope));
      ub = charge(b, t, toB[t]!, ub);
      const two = linear('b.linear_2', b.s[t - 2] ?? new Array<number>(upper).fill(0), ub);
      if (t >= 2) plus(toB[t - 2]!, two);
      plus(toH[t]!, linear('b.linear', h.s[t]!, ub));
      uh = charge(h, t, toH[t]!, uh);
      const one = linear('h.linear_2', h.s[t - 1] ?? new Array<number>(hidden).fill(0), uh);
      if (t >= 1) plus(toH[t - 1]!, one);
      linear('h.linear', image, uh);
    }
  });
  return grads;
}

describe('a delay', () => {
  it('that closes no cycle gives the train so many steps later, zeros first', () => {
    const shifted = networkFrom(`
      use "spikec/neurons" { IF }
      network N { input x: real[3]  s = x | spike  output s | delay(2) | spike }
      config c { network N  neuron IF  coding direct(steps: 5) }`);
    const { program } = lower(shifted, { probes: { trains: () => true } });
    const results = evaluate(program, { x: tensor('f32', [1, 3], [0.4, 1, 0.7]) });
    const [train, late] = ['s.spike', 'output.delay'].map((id) => [...results[outputNames.train(id)]!.data]);
    expect(late).toEqual([...new Array<number>(6).fill(0), ...train!.slice(0, 9)]);
  });

  it('of several steps in a cycle of two layers carries each of them', () => {
    const pingPong = networkFrom(`
      use "spikec/neurons" { IF }
      network N {
        input x: real[2]
        a = (x + (b | delay(3))) | spike
        b = a | spike
        output b
      }
      config c { network N  neuron IF  coding direct(steps: 9) }`);
    const { program } = lower(pingPong, { probes: { trains: () => true } });
    const results = evaluate(simplify(program), { x: tensor('f32', [1, 2], [0.25, 0.5]) });
    const wanted = [0.25, 0.5].map((current) => {
      let u = 0;
      const fired: number[] = [];
      for (let t = 0; t < 9; t++) {
        u += current + (fired[t - 3] ?? 0);
        fired.push(u >= 1 ? 1 : 0);
        u -= fired[t]!;
      }
      return fired;
    });
    const train = [...results[outputNames.train('b.spike')]!.data];
    expect([0, 1].map((i) => train.filter((_, k) => k % 2 === i))).toEqual(wanted);
  });
});

describe('a network text with a cycle', () => {
  const changed = (change: (text: string) => string) =>
    parseNetwork({ name: 'c.ir', text: change(printNetwork(network)) }, network.params).diagnostics.map(
      ({ message }) => message,
    );

  it('is refused where another op than a lag reads ahead, or a lag has another type than what it reads', () => {
    expect(changed((text) => text.replace('%h.linear_2 %b', '%b'))).toEqual([]);
    expect(changed((text) => text.replace('lag %h.spike {steps=1}', 'identity %h.spike'))).toEqual([
      expect.stringContaining('which no earlier op defines'),
    ]);
    expect(changed((text) => text.replace('lag %h.spike', 'lag %nobody'))[0]).toContain('which no op defines');
    expect(changed((text) => text.replace('lag %h.spike', 'lag %b.spike'))[0]).toContain('its inputs give');
    expect(changed((text) => text.replace('lag %h.spike {steps=1}', 'lag %h.spike {steps=0}'))[0]).toContain(
      'at least 1',
    );
  });

  it('verifies as it is', () => {
    expect(verifyNetwork(network satisfies Network)).toEqual([]);
  });
});
