import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { type Expr, type NeuronDef, applyBinary, assignmentsOf } from '../../src/equations/index.js';
import { lower, outputNames } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { type Program, evaluate, simplify } from '../../src/tensor/index.js';
import { networkFrom } from '../support/train.js';

/** One neuron for each input value, which is fed at every step; the program gives out their trains. */
function programOf(network: Network): Program {
  return lower(network, { probes: { trains: () => true } }).program;
}

function networkOf(neuron: string, inputs: number, steps: number, declarations = ''): Network {
  return networkFrom(`
    use "spikec/neurons" { MBLIF, MBIF, Refined, LIF }
    ${declarations}
    network N { input x: real[${inputs}]  output x | spike }
    config n { network N  neuron ${neuron}  coding direct(steps: ${steps}) }`);
}

const nameOf = (network: Network): string => outputNames.train(network.ops.find(({ kind }) => kind === 'neuron')!.id);

/** Spikes by step. */
function spikes(program: Program, name: string, x: readonly number[], steps: number): number[][] {
  const train = evaluate(program, { x: tensor('f32', [1, x.length], x) })[name]!;
  return Array.from({ length: steps }, (_, t) => [...train.data.slice(t * x.length, (t + 1) * x.length)]);
}

const f32 = Math.fround;

/** A value of an equation: known while it is compiled (float64), or computed as it runs (float32). */
interface Item {
  readonly value: number;
  readonly known: boolean;
}

const functions: Readonly<Record<string, (...x: number[]) => number>> = {
  floor: Math.floor,
  clip: (x, lo, hi) => Math.min(hi!, Math.max(lo!, x!)),
};

/** The equations carried out as they are written, every operation rounded to float32. */
function asWritten(def: NeuronDef, args: Readonly<Record<string, number>>, x: number, steps: number): number[] {
  const names = new Map<string, Item>(Object.entries(args).map(([name, value]) => [name, { value, known: true }]));
  const of = (expr: Expr): Item => {
    if (expr.kind === 'number') return { value: expr.value, known: true };
    if (expr.kind === 'name') return names.get(expr.name)!;
    const parts =
      expr.kind === 'binary'
        ? [of(expr.left), of(expr.right)]
        : expr.kind === 'call'
          ? expr.args.map(of)
          : [of(expr.operand)];
    const known = parts.every((part) => part.known);
    const [a, b] = parts.map(({ value }) => (known ? value : f32(value)));
    let value: number;
    if (expr.kind === 'unary') value = -a!;
    else if (expr.kind === 'binary') value = Number(applyBinary(expr.op, a!, b!));
    else if (expr.callee === 'where') value = (a !== 0 ? parts[1]! : parts[2]!).value;
    else if (expr.callee === 'levels') {
      const [min, max, step] = ['min', 'max', 'step'].map((name) => of(expr.named[name]!).value);
      value = f32(functions['clip']!(Math.floor(f32(a! / f32(step!))), min!, max!) * f32(step!));
    } else value = functions[expr.callee]!(...parts.map((part) => part.value));
    return { value: known ? value : f32(value), known };
  };
  for (const { name, initial } of def.states) names.set(name, of(initial));
  return Array.from({ length: steps }, () => {
    names.set('x', { value: f32(x), known: false });
    for (const { target, value } of assignmentsOf(def)) names.set(target, of(value));
    return f32(names.get('s')!.value);
  });
}

/** Numbers whose products and quotients round: few are dyadic. */
const constant = fc.integer({ min: 5, max: 300 }).map((n) => n / 100);

/** Membranes, currents and what is made of them by constants. */
const linear: fc.Arbitrary<string> = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('x', 'u'),
    fc.tuple(tie('expr'), constant).map(([e, c]) => `(${e}) / ${c}`),
    fc.tuple(tie('expr'), constant).map(([e, c]) => `(${e}) * ${c}`),
    fc.tuple(constant, tie('expr')).map(([c, e]) => `${c} * (${e})`),
    fc.tuple(tie('expr'), tie('expr')).map(([a, b]) => `(${a}) + (${b})`),
    fc.tuple(tie('expr'), tie('expr')).map(([a, b]) => `(${a}) - (${b})`),
  ),
})).expr;

/** A neuron and inputs of which many lie on a boundary between two of its levels, but for rounding. */
const neuron = fc
  .record({ c: constant, d: constant, charge: linear, inner: linear })
  .chain(({ c, d, charge, inner }) => {
    const near = (factor: number): fc.Arbitrary<number[]> =>
      fc.array(
        fc.integer({ min: -4, max: 30 }).map((n) => f32(n * c * factor)),
        { minLength: 8, maxLength: 8 },
      );
    const form = (
      charges: string,
      value: string,
      factor: number,
    ): fc.Arbitrary<{ charges: string; fires: string; x: number[] }> =>
      fc.record({
        charges: fc.constant(charges),
        fires: fc.constantFrom(
          `${value} / ${c} >= 1`,
          `clip(floor((${value}) / ${c}), 0, 15)`,
          `levels((${value}) / ${c}, bits: 3.1)`,
        ),
        x: near(factor),
      });
    return fc.oneof(
      form('x', 'u', 1),
      form('0.75 * u + x', 'u', 1),
      form(`x / ${d}`, 'u', d),
      form(`x * ${d}`, 'u', 1 / d),
      form('x', `u * ${d}`, 1 / d),
      form(charge, `(${inner})`, 1),
    );
  });

const reset = fc.constantFrom('', 'reset u = where(s != 0, 0, u)', 'reset u = u - s * 0.3');

it('equations round as they are written, in every step, in every form of the program', async () => {
  await fc.assert(
    fc.asyncProperty(neuron, reset, async ({ charges, fires, x }, resets) => {
      const steps = 3;
      const declarations = `neuron Mine { state u = 0  charge u = ${charges}  fire s = ${fires}  ${resets} }`;
      const network = networkOf('Mine', 8, steps, declarations);
      const name = nameOf(network);
      const program = programOf(network);
      const plain = spikes(program, name, x, steps);
      const def = network.neurons.get('Mine')!;
      expect(plain).toEqual(plain.map((_, t) => x.map((one) => asWritten(def, {}, one, steps)[t]! + 0)));
      const simpler = simplify(program, { differentiated: true });
      expect(spikes(simpler, name, x, steps)).toEqual(plain);
      const fused = await fusedEngine.open(simpler, { threads: 1 });
      const ran = (await fused.step({ x: tensor('f32', [1, 8], x) }))[name]!;
      await fused.dispose();
      expect([...ran.data]).toEqual(plain.flat());
    }),
    { numRuns: 150 },
  );
});

it.each(['MBLIF(tau: 4, theta: 0.85, integer: 2, fraction: 0)', 'MBLIF(tau: 4, theta: 0.55)', 'LIF(theta: 0.85)'])(
  'the first step of %s decides as the second does after a reset',
  (neuron) => {
    const network = networkOf(neuron, 100, 2);
    const theta = Number(/theta: ([\d.]+)/.exec(neuron)![1]);
    // membranes at and next to the boundaries
    const x = Array.from({ length: 100 }, (_, i) =>
      f32(f32(theta * (1 + Math.floor(i / 4) / 4)) * (1 + ((i % 4) - 1) * 2 ** -24)),
    );
    const [first, second] = spikes(programOf(network), nameOf(network), x, 2);
    const fired = first!.map((s) => s !== 0);
    expect(fired.filter(Boolean).length).toBeGreaterThan(50);
    expect(second!.filter((_, i) => fired[i])).toEqual(first!.filter((_, i) => fired[i]));
  },
);
