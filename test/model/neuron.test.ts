import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { type Expr, type NeuronDef, assignmentsOf, printExpr } from '../../src/equations/index.js';
import { checkModel, loadNeuron } from '../../src/model/index.js';
import { evaluateNeuron } from '../support/run-neuron.js';
import { expectDiagnostics, libraryText, testLoader } from '../support/spike.js';

const library = { name: 'spikec/neurons', text: libraryText('neurons') };

function standard(name: string): NeuronDef {
  const { value, diagnostics } = loadNeuron(library, name);
  expect(diagnostics).toEqual([]);
  return value!;
}

function neuron(text: string): NeuronDef {
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, testLoader());
  expect(diagnostics).toEqual([]);
  return [...value!.neurons.values()][0]!;
}

describe('neuron declarations', () => {
  it('become equations as data', () => {
    const def = neuron(`neuron N(tau = 2, flag: bool = true, w = learn(0.5, constraint: unit)) {
      state u = 1
      charge u = u / tau + w * x
      fire s = where(flag, u, 0) >= 1
      reset detached u = -u
      surrogate ste(lo: -tau)
    }`);
    expect(def.params).toEqual([
      { name: 'tau', default: 2 },
      { name: 'flag', type: 'bool', default: 1 },
      { name: 'w', default: 0.5, learn: { constraint: 'unit' } },
    ]);
    expect(def.states).toEqual([{ name: 'u', initial: { kind: 'number', value: 1 } }]);
    expect(def.detachReset).toBe(true);
    expect(assignmentsOf(def, 'reset')).toEqual([
      { target: 'u', value: { kind: 'unary', op: '-', operand: { kind: 'name', name: 'u' } } },
    ]);
    const lo: Expr = { kind: 'unary', op: '-', operand: { kind: 'name', name: 'tau' } };
    expect(def.surrogate).toEqual({ name: 'ste', args: { lo } });
  });

  it('have a negative literal as one number, as their text form does', () => {
    const [first, second] = assignmentsOf(
      neuron('neuron N { state u = 0 charge u = u + -(70.6) + x fire s = u >= -(1) surrogate atan }'),
    );
    expect(printExpr(first!.value)).toBe('u + -70.6 + x');
    expect(second!.value).toMatchObject({ right: { kind: 'number', value: -1 } });
  });

  it('give surrogates their usual arguments', () => {
    const args = (surrogate: string): unknown =>
      neuron(`neuron N { state u = 0 charge u = u + x fire s = u > 1 surrogate ${surrogate} }`).surrogate!.args;
    expect(args('triangle')).toEqual({ width: 1 });
    expect(args('sigmoid(slope: 2)')).toEqual({ slope: 2 });
    expect(args('fast_sigmoid')).toEqual({ slope: 25 });
  });

  it('turn `levels` with bits into its range and step', () => {
    const def = neuron('neuron N(m = 2, n = 1) { state u = 0 charge u = x fire s = levels(u, bits: m.n) }');
    const call = assignmentsOf(def, 'fire')[0]!.value as Expr & { kind: 'call' };
    expect(Object.keys(call.named)).toEqual(['min', 'max', 'step']);
    const literal = neuron('neuron N { state u = 0 charge u = x fire s = levels(u, bits: 2.1) }');
    const args = { m: 2, n: 1 };
    for (const u of [-1, 0.4, 0.5, 1.3, 3.4, 9]) {
      const expected = 0.5 * Math.min(7, Math.max(0, Math.floor(2 * u)));
      expect(evaluateNeuron(def, args, [u])).toEqual([expected]);
      expect(evaluateNeuron(literal, {}, [u])).toEqual([expected]);
    }
  });

  it('are checked as a whole', () => {
    const found = expectDiagnostics(`
    neuron A(unused = 1, u = 2) { // warning: model/unused-parameter
      state u = 0 // error: model/duplicate-name // warning: model/unused-state
      state v = y // error: model/unknown-name // warning: model/unused-state
      fire s = where(u > thet, 1, 0) // error: model/unknown-name
      charge w = x // error: model/phase-order
    }
    neuron B { state u = 0 charge u = u + x } // error: model/missing-phase
    neuron C { state u = 0 fire s = u charge u = x } // error: model/phase-order
    neuron D {
      state u = 0
      charge u = u + x
      fire z = u // error: model/no-spike
    }
    neuron E(x = 1, T = 2, levels = 3) { // error: model/assignment, model/assignment, model/assignment
      state u = 0
      charge u = u + x * T * levels
             t = 3 // error: model/assignment
             s = 1 // error: model/assignment
      fire detached s = u > 0 // error: model/assignment
    }
    neuron F(a = 1) { state u = 0 charge a = 2 u = a + x fire s = u } // error: model/assignment
    neuron G { fire s = x } // error: model/missing-phase
    `);
    expect(found.find((one) => one.code === 'model/phase-order')!.related).toMatchObject([
      { message: '`fire` is here' },
    ]);
  });

  it('give surrogates the arguments that they can have', () => {
    expectDiagnostics(`
    neuron A { state u = 0 charge u = x fire s = u >= 1 surrogate rectangle(width: 0) } // error: model/argument-type
    neuron B { state u = 0 charge u = x fire s = u >= 1 surrogate fast_sigmoid(slope: -1) } // error: model/argument-type
    neuron C { state u = 0 charge u = x fire s = u >= 1 surrogate q_pseudo_spike(alpha: 1) } // error: model/argument-type
    neuron D { state u = 0 charge u = x fire s = u >= 1 surrogate ste(lo: 1, hi: 0) } // error: model/argument-type
    neuron E { state u = 0 charge u = x fire s = u >= 1 surrogate q_pseudo_spike(alpha: 1.5) }
    `);
  });

  it('read no value of a step before the first', () => {
    expectDiagnostics(`
    neuron A(p = learn(0.3, per: step)) { state u = 2 * p charge u = p * u + x fire s = u >= 1 } // error: model/conflict
    neuron B(p = learn(0.3, per: step)) { state u = 0 charge u = p * u + x fire s = u >= 1 }
    neuron C(p = learn(0.3, per: neuron)) { state u = p charge u = p * u + x fire s = u >= 1 }
    `);
  });

  it('keep single values and those of units apart', () => {
    expectDiagnostics(`
    neuron A(k = 2) {
      state u[k] = 0
      state v = 0
      charge u = u + x
             v = u // error: model/assignment
      fire   a = u > unit
             b = sum(v + x) // error: model/argument-type
             s = a * b // error: model/assignment
      reset  v = sum(u * a)
    }
    neuron B(k = 2) { state u[k] = 0 charge u = u + x fire a = u > 0 b = not a s = sum(b) reset u = where(a, 0, u) }
    `);
  });

  it('use only what equations are made of', () => {
    const found = expectDiagnostics(`
    neuron A {
      state u = 0
      charge u = u + x | relu // error: model/equation
      fire a = "text" // error: model/equation
           b = [1, 2] // error: model/equation
           c = a.b // error: model/equation
           d = foo(a) // error: model/unknown-name
           e = flor(a) // error: model/unknown-name
           f = min(a) // error: model/argument-type
           g = where(a, b, c, d) // error: model/argument-type
           h = clip(a, lo: 1, hi: 2) // error: model/argument-type
           i = floor // error: model/unknown-name
           j = levels(u) // error: model/argument-missing
           k = levels(u, bit: 2.1) // error: model/argument-unknown
           l = unit // error: model/unknown-name
           s = a + b + c + d + e + f + g + h + i + j + k + l
    }`);
    expect(found.map((one) => one.help)).toEqual(
      expect.arrayContaining(['did you mean "floor"?', '`floor` is a function: `floor(…)`']),
    );
  });

  it('say once how inference sends their spikes; `planes` stays a name', () => {
    const text = (planes: string): string =>
      `neuron N(planes = 2) { state u = 0 charge u = u + planes * x fire s = clip(floor(u), 0, 3) ${planes} }`;
    expect(neuron(text('planes unary')).planes).toBe('unary');
    expect(neuron(text('planes binary')).planes).toBeUndefined();
    expect(neuron(text('')).planes).toBeUndefined();
    expectDiagnostics(
      text(`planes unary
      planes unary // error: model/planes-twice
    `),
    );
    const found = expectDiagnostics(
      text(`
      planes unery // error: model/unknown-name
    `),
    );
    expect(found.map(({ help }) => help)).toEqual(['did you mean "unary"?']);
  });

  it('have one known surrogate', () => {
    const found = expectDiagnostics(`
    neuron A { state u = 0 charge u = u + x fire s = u > 0
      surrogate triangl(width: 1) // error: model/unknown-name
    }
    neuron B { state u = 0 charge u = u + x fire s = u > 0
      surrogate triangle(slope: 1) // error: model/argument-unknown
      surrogate atan // error: model/surrogate-twice
    }`);
    expect(found[0]!.help).toBe('did you mean "triangle"?');
  });

  it('take arguments, learned ones too', () => {
    const text = `use "spikec/neurons" { LIF, PLIF, Refined }
      network N { input x: real[1, 2, 2] output x | spike | spike(PLIF(a: 2)) }
      config a { network N neuron LIF(theta: learn(0.6, constraint: positive)) }
      config b { network N neuron LIF(3, soft: true) }
      config c { network N neuron Refined(theta: fixed(0.5)) }
      config d { network N neuron Refined(theta: 0.5) }`;
    const { value, diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
    expect(diagnostics).toEqual([]);
    const learned = value!.configs.get('a')!.neuron!;
    expect(learned.args).toEqual({ tau: 2, theta: 0.6, soft: 0 });
    expect(learned.def.params[1]).toEqual({ name: 'theta', default: 0.6, learn: { constraint: 'positive' } });
    expect(value!.neurons.get('LIF')!.params[1]!.learn).toBeUndefined();
    expect(value!.configs.get('b')!.neuron!.args).toEqual({ tau: 3, theta: 1, soft: 1 });
    const [fixed, started] = ['c', 'd'].map((name) => value!.configs.get(name)!.neuron!);
    expect(fixed!.args['theta']).toBe(0.5);
    expect(fixed!.def.params[1]).toEqual({ name: 'theta', default: 0.5 });
    expect(started!.args['theta']).toBe(0.5);
    expect(started!.def.params[1]).toEqual({ name: 'theta', default: 1, learn: { constraint: 'step' } });
    const network = value!.networks.get('N')!;
    expect(network.layers.at(-1)!.neuron!.args).toEqual({ a: 2, theta: 1, soft: 0 });
  });

  it('start at equal distances with `to`, unless a number is given', () => {
    const text = `neuron N(w = learn(0.2, to: 0.8, per: neuron)) { state u = 0 charge u = w * u + x fire s = u >= 1 }
      network A { input x: real[4] output x | linear(4) | spike }
      config a { network A neuron N }
      config b { network A neuron N(w: 0.5) }
      config c { network A neuron N(w: learn(0.1, to: 0.4, per: channel)) }`;
    const { value, diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
    expect(diagnostics).toEqual([]);
    const learns = ['a', 'b', 'c'].map((name) => value!.configs.get(name)!.neuron!.def.params[0]!.learn);
    expect(learns).toEqual([{ per: 'neuron', to: 0.8 }, { per: 'neuron' }, { per: 'channel', to: 0.4 }]);
  });

  it('refuse wrong arguments', () => {
    expectDiagnostics(`use "spikec/neurons" { LIF, MBLIF, Refined }
      neuron Needs(k, theta = learn(-1, constraint: positive)) { // error: model/learn
        state u = 0 charge u = u * k * theta + x fire s = u > 0
      }
      neuron Typed(a: string = "x", b: int = 1.5) { // error: model/argument-type, model/argument-type, model/argument-type
        state u = 0 charge u = u * a * b + x fire s = u > 0
      }
      neuron Bits(bits = learn(4)) { // error: model/learn
        state u = 0 charge u = u + x fire s = clip(floor(u), 0, 2 ^ bits - 1)
      }
      network N { input x: real[1, 2, 2] output x | spike }
      config a { network N neuron Needs } // error: model/argument-missing
      config m { network N neuron Needs(1) }
      config b { network N neuron LIF(theta: "x") } // error: model/argument-type
      config c { network N neuron LIF(learn(2, constraint: unit)) } // error: model/learn
      config o { network N neuron LIF(theta: learn(0.5, to: 0.9)) } // error: model/learn
      config p { network N neuron LIF(theta: learn(0.5, to: 1.5, per: neuron, constraint: unit)) } // error: model/learn
      config q { network N neuron LIF(tau: learn(2, to: 0.5, per: neuron)) } // error: model/argument-type
      config d { network N neuron LIF(theta: learn()) } // error: model/argument-missing
      config e { network N neuron LIF(thetta: 1) } // error: model/argument-unknown
      config f { network N neuron Refined(theta: -1) } // error: model/learn
      config g { network N neuron Refined(4, 0) } // error: model/learn
      config h { network N neuron Refined(theta: fixed(0)) } // error: model/learn
      config k { network N neuron MBLIF(integer: fixed(1.5)) } // error: model/argument-type
      config l { network N neuron MBLIF(integer: learn(2)) } // error: model/learn
      config n { network N neuron Refined(bits: learn(3)) } // error: model/learn
      config i { network N neuron Refined(theta: fixed()) } // error: model/argument-missing
      config j { network N neuron Refined(theta: fix(1)) } // error: model/unknown-name
    `);
  });
});

describe('the standard neurons', () => {
  it('integrate and fire (IF, soft and hard)', () => {
    const input = [0.6, 0.6, 0.6, 2.5, 0];
    expect(evaluateNeuron(standard('IF'), { theta: 1, soft: 1 }, input)).toEqual([0, 1, 0, 1, 1]);
    expect(evaluateNeuron(standard('IF'), { theta: 1, soft: 0 }, input)).toEqual([0, 1, 0, 1, 0]);
  });

  it('leak (LIF, PLIF)', () => {
    const input = [0.9, 0.6, 0.3, 0.9, 0.9];
    // u: 0.9 → 1.05 fires → 0.3 → 1.05 fires → 0.9
    expect(evaluateNeuron(standard('LIF'), { tau: 2, theta: 1, soft: 0 }, input)).toEqual([0, 1, 0, 1, 0]);
    // σ(0) = 1/2 is τ = 2
    expect(evaluateNeuron(standard('PLIF'), { a: 0, theta: 1, soft: 0 }, input)).toEqual([0, 1, 0, 1, 0]);
    expect(standard('PLIF').params[0]).toEqual({ name: 'a', default: 0, learn: {} });
  });

  it('fire with several bits (MBLIF, MBIF)', () => {
    const args = { tau: 4, theta: 0.6, integer: 2, fraction: 1, soft: 0 };
    expect(evaluateNeuron(standard('MBLIF'), args, [0.2, 0.5, 1, 9])).toEqual([0, 1, 1.5, 3.5]);
    // 0.6875 → 5/8, rest 0.0625; + 0.0625 → 1/8
    expect(evaluateNeuron(standard('MBIF'), { theta: 1, integer: 1, fraction: 3 }, [0.6875, 0.0625])).toEqual([
      0.625, 0.125,
    ]);
  });

  it('add up several membranes (MLF)', () => {
    const args = { k: 3, tau: 2, theta: 0.6, spacing: 1 };
    // thresholds 0.6, 1.6, 2.6; only units that fired are reset
    expect(evaluateNeuron(standard('MLF'), args, [1, 1.2, 3])).toEqual([1, 2, 3]);
  });

  it('fire with signs (Ternary, BackEI)', () => {
    expect(evaluateNeuron(standard('Ternary'), { tau: 2, theta: 1, alpha: 0.5 }, [1.5, -0.8, -0.8])).toEqual([
      0.5, 0, -0.5,
    ]);
    const fed = evaluateNeuron(standard('BackEI'), { tau: 2, theta: 1, feedback: -0.5 }, [1.5, 1.2, 1]);
    expect(fed).toEqual([1, 0, 1]);
  });

  it('fire integers (ILIF, IBLIF, IBRALIF) with round half to even', () => {
    expect(evaluateNeuron(standard('ILIF'), { D: 4, alpha: 0.25 }, [2.5, 9, -3])).toEqual([2, 4, 0]);
    expect(evaluateNeuron(standard('IBLIF'), { D: 3, alpha: 0.25 }, [2.5, 9, -3])).toEqual([2, 3, 0]);
    expect(evaluateNeuron(standard('IBRALIF'), { D: 1.5, N: 10, alpha: 0.25 }, [0.33, 9])).toEqual([0.3, 1.5]);
  });

  it('quantise with a learned step (Refined)', () => {
    expect(evaluateNeuron(standard('Refined'), { bits: 2, theta: 0.5, signed: 0 }, [0.7, 9, -9])).toEqual([
      0.5, 1.5, 0,
    ]);
    expect(evaluateNeuron(standard('Refined'), { bits: 2, theta: 0.5, signed: 1 }, [9, -20])).toEqual([0.5, -1]);
  });

  it('code stepwise weighted values (TSA): with enough silence the code is the rounded sum', () => {
    const def = standard('TSA');
    const steps = 4;
    for (const silent of [4, 6]) {
      for (const total of [0, 0.4, 0.5, 0.6, 1.5, 2.5, 3.49, 7, 9.5, 10.5, 12.2, 15.4]) {
        // the whole input in the last input step, where it counts once
        const input = [0, 0, 0, total, ...new Array<number>(silent).fill(0)];
        const args = { beta: 2, steps, silent, threshold: 0.5, rectified: 1, limit: 15 };
        const spikes = evaluateNeuron(def, args, input);
        expect(spikes.slice(0, silent)).toEqual(new Array(silent).fill(0));
        const code = spikes.slice(silent).reduce((sum, s) => 2 * sum + s, 0);
        const half = Math.floor(total) + (Math.floor(total) % 2);
        expect(code).toBe(Math.min(15, total % 1 === 0.5 ? half : Math.round(total)));
      }
    }
  });

  it('keep TSA’s codes at or above zero and at most at the limit', () => {
    const def = standard('TSA');
    const next = seededRandom(5);
    for (let run = 0; run < 200; run++) {
      const input = Array.from({ length: 5 }, () => 10 * next() - 5);
      const args = { beta: 2, steps: 5, silent: 1, threshold: 0.5, rectified: 1, limit: 21 };
      const spikes = evaluateNeuron(def, args, [...input, 0]).slice(1);
      let prefix = 0;
      for (const s of spikes) {
        prefix = 2 * prefix + s;
        expect(prefix).toBeGreaterThanOrEqual(0);
      }
      expect(prefix).toBeLessThanOrEqual(21);
    }
  });
});
