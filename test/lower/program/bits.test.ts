import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { roundHalfEven } from '../../../src/base/rounding.js';
import { gridWeight } from '../../../src/lower/program/bits.js';
import { Lowering } from '../../../src/lower/program/context.js';
import { MeansNetwork } from '../../../src/lower/program/carriers/means.js';
import { spikeLevels } from '../../../src/equations/index.js';
import { NetworkBuilder } from '../../../src/network/index.js';
import { autodiff, evaluate } from '../../../src/tensor/index.js';
import { random } from '../../tensor/cases.js';
import { libraryNeurons } from '../../../src/workspace/files.js';

// The second computation is the straight-through form itself, written by hand in float64: every rounding is the number
// it rounds plus a residue that is held fixed. Its finite differences are the gradients that SPEC §6 states.

const settings = { precision: 'f32', trainable: true, mode: 'train' } as const;
const f32 = (shape: readonly number[], values: readonly number[]): Tensor => tensor('f32', shape, values);

/** Central differences of f at x. */
function slope(f: (x: number) => number, x: number): number {
  const h = 1e-5;
  return (f(x + h) - f(x - h)) / (2 * h);
}

function weightsNetwork(weights: readonly number[], step: number, bits: number, learned: boolean) {
  const b = new NetworkBuilder('grid');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [weights.length] } });
  const params = {
    weight: b.param('w', { tensor: f32([1, weights.length], weights) }),
    weight_step: b.param('step', { tensor: f32([1], [step]) }),
    ...(learned ? { weight_bits: b.param('bits', { tensor: f32([1], [bits]) }) } : {}),
  };
  const attrs = learned ? { weight_bits_max: 8 } : { weight_bits: Math.round(bits) };
  b.add({ id: 'y', kind: 'linear', inputs: ['x'], attrs, params });
  return b.finish(['y']);
}

/** Σ c·Ŵ and its gradients by the compiled program. */
function gridGradients(weights: readonly number[], step: number, bits: number, learned: boolean, c: readonly number[]) {
  const network = weightsNetwork(weights, step, bits, learned);
  const lowering = new Lowering(network, settings);
  lowering.builder.at('y');
  const op = network.ops[1]!;
  if (op.kind !== 'linear') throw new TypeError('no linear layer');
  const grid = gridWeight(lowering, op);
  const { builder } = lowering;
  builder.output('grid', grid);
  const loss = builder.sumAll(builder.mul(grid, builder.constant(f32([1, c.length], c))));
  builder.output('loss', loss);
  const wrt = learned ? ['w', 'step', 'bits'] : ['w', 'step'];
  const { program } = autodiff(builder.build(), loss.id, wrt);
  const found = evaluate(program, {}, { precision: 'f64' });
  return { found, grid: [...found['grid']!.data], grad: (id: string) => [...found[`grad.${id}`]!.data] };
}

const cases = [1, 2, 3, 4, 6].flatMap((bits) => [
  { bits, learned: true },
  { bits, learned: false },
]);

it.each(cases)('the grid of weights and its gradients: $bits bits, learned: $learned', ({ bits, learned }) => {
  const next = random(bits + 7);
  const count = 40;
  const weights = Array.from({ length: count }, () => Math.fround(3 * (2 * next() - 1)));
  const c = Array.from({ length: count }, () => Math.fround(2 * next() - 1));
  const [step, real] = [Math.fround(2 / 2 ** (bits - 1) / 1.3), Math.fround(bits + (bits === 1 ? 0.2 : -0.3))];
  const { grid, grad } = gridGradients(weights, step, real, learned, c);
  const [lo, hi] = bits === 1 ? [-1, 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const codes = weights.map((w) =>
    bits === 1 ? (w >= 0 ? 1 : -1) : Math.min(hi, Math.max(lo, roundHalfEven(w / step))),
  );
  grid.forEach((value, i) => expect(value).toBeCloseTo(codes[i]! * step, 6));

  const g = 1 / Math.sqrt(count * hi);
  const residueOfBits = bits - real;
  /** Σ c·Ŵ in straight-through form; S and B also move the bounds of what is clipped at (step, real). */
  const form = (ws: readonly number[], s: number, b: number): number => {
    const top = 2 ** (b + residueOfBits - 1);
    return ws.reduce((sum, w, i) => {
      const v0 = weights[i]! / step;
      const above = v0 >= hi;
      const below = v0 <= lo;
      const residue = roundHalfEven(v0) - v0;
      if (bits === 1) {
        // the sign passes inside |v| ≤ 1; outside it is cut off at ±S·2^(B−1)
        const inside = Math.abs(v0) <= 1;
        const sign = v0 >= 0 ? 1 : -1;
        return sum + c[i]! * s * (inside ? w / s + (sign - v0) : sign * top);
      }
      return sum + c[i]! * s * (above ? top - 1 : below ? -top : w / s + residue);
    }, 0);
  };
  weights.forEach((w, i) => {
    const moved = (x: number): number => form(weights.with(i, x), step, real);
    expect(grad('w')[i]).toBeCloseTo(slope(moved, w), 5);
  });
  expect(grad('step')[0]).toBeCloseTo(g * slope((s) => form(weights, s, real), step), 4);
  if (!learned) return;
  const byBits = weights.reduce((sum, w, i) => {
    const v = w / step;
    const sign = v >= hi ? 1 : v <= lo ? -1 : 0;
    return sum + c[i]! * sign * step * 2 ** (bits - 1) * Math.LN2;
  }, 0);
  expect(slope((b) => form(weights, step, b), real)).toBeCloseTo(byBits, 4);
  expect(grad('bits')[0]).toBeCloseTo(g * byBits, 4);
});

it('the grid holds at most 2^B values, and is a fixed point of quantisation', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (values, bits, size) => {
        const weights = values.map(Math.fround);
        const step = Math.fround(size);
        const ones = weights.map(() => 1);
        const { grid } = gridGradients(weights, step, bits, true, ones);
        expect(new Set(grid).size).toBeLessThanOrEqual(2 ** bits);
        grid.forEach((value) => {
          const code = value / step;
          expect(Math.abs(code - Math.round(code))).toBeLessThan(1e-4);
        });
        const again = gridGradients(grid.map(Math.fround), step, bits, true, ones).grid;
        again.forEach((value, i) => expect(value).toBeCloseTo(grid[i]!, 4));
      },
    ),
    { numRuns: 60 },
  );
});

interface NeuronCase {
  readonly bits: number;
  readonly signed: boolean;
  readonly rounding: boolean;
  readonly steps: number;
}

function neuronProgram(
  { bits, signed, rounding, steps }: NeuronCase,
  currents: readonly number[],
  theta: number,
  real: number,
) {
  const def = libraryNeurons().get('Refined')!;
  const b = new NetworkBuilder('refined');
  b.neuron(def);
  const count = currents.length;
  b.add({ id: 'x', kind: 'input', attrs: { shape: [count] } });
  b.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs: { coding: 'direct', steps: 1 } });
  const levels = signed ? [-(2 ** 5), 2 ** 5 - 1] : [0, 2 ** 6 - 1];
  const attrs = {
    neuron: 'Refined',
    levels,
    amplitude: 1,
    signed: Number(signed),
    rounding: Number(rounding),
    hold: 3,
    bits_max: 6,
  };
  const params = {
    theta: b.param('theta', { tensor: f32([1], [theta]) }),
    bits: b.param('bits', { tensor: f32([1], [bits + 0.3]) }),
  };
  b.add({ id: 'n', kind: 'neuron', inputs: ['e'], attrs, params });
  const squeeze = { steps: b.param('steps', { tensor: f32([1], [real]) }) };
  b.add({ id: 'q', kind: 'squeeze', inputs: ['n'], attrs: { steps_max: 3 }, params: squeeze });
  const network = b.finish(['q']);
  expect(Math.round(real)).toBe(steps);
  const lowering = new Lowering(network, settings);
  const x = lowering.builder.param('current', f32([1, count], currents));
  const carried = new MeansNetwork(lowering, { coding: 'direct', doc: '', encode: (_, __, image) => image });
  carried.set(
    'e',
    lowering.builder.mul(lowering.builder.broadcast(lowering.builder.scalar('f32', 1), [{ batch: 1 }, count]), x),
  );
  for (const op of network.ops.slice(2)) carried.lower(op);
  return carried;
}

const neurons: readonly NeuronCase[] = [
  { bits: 2, signed: false, rounding: true, steps: 2 },
  { bits: 3, signed: false, rounding: true, steps: 3 },
  { bits: 1, signed: false, rounding: true, steps: 1 },
  { bits: 2, signed: true, rounding: true, steps: 2 },
  { bits: 1, signed: true, rounding: true, steps: 2 },
  { bits: 1, signed: true, rounding: false, steps: 3 },
  { bits: 3, signed: true, rounding: true, steps: 1 },
  { bits: 2, signed: false, rounding: false, steps: 3 },
];

it.each(neurons)(
  'refined neurons, squeezed, and their gradients: $bits bits, signed $signed, rounding $rounding, T = $steps',
  (one) => {
    const { bits, signed, rounding, steps } = one;
    const next = random(bits + 3 * steps);
    const count = 24;
    const currents = Array.from({ length: count }, () => Math.fround(2.5 * (2 * next() - 0.8)));
    const c = Array.from({ length: count }, () => Math.fround(2 * next() - 1));
    const [theta, real] = [Math.fround(0.43), Math.fround(steps + 0.2)];
    const carried = neuronProgram(one, currents, theta, real);
    const { builder } = carried;
    const mean = carried.of('q');
    const loss = builder.sumAll(builder.mul(mean, builder.constant(f32([count], c))));
    builder.output('mean', mean);
    const { program } = autodiff(builder.build(), loss.id, ['current', 'theta', 'bits', 'steps']);
    const found = evaluate(program, {}, { precision: 'f64', batch: 1 });

    const sign = signed && bits === 1;
    const [lo, hi] = sign ? [-1, 1] : signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    const shift = rounding ? 0.5 : 0;
    /** What happens at (theta, bits, steps): membranes before each fire, codes. */
    const run = currents.map((x) => {
      let u = 0;
      const trace: { before: number; u: number; code: number }[] = [];
      for (let t = 0; t < 3; t++) {
        const before = u;
        u += x;
        const code = sign ? (u >= 0 ? 1 : -1) : Math.min(hi, Math.max(lo, Math.floor(u / theta + shift)));
        trace.push({ before, u, code });
        u -= theta * code;
      }
      return trace;
    });
    const expected = run.map((trace) => trace.slice(0, steps).reduce((sum, { code }) => sum + theta * code, 0) / steps);
    [...found['mean']!.data].forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));

    /** The straight-through form: what a step takes over from the one before is held fixed (the reset is detached). */
    const form = (xs: readonly number[], th: number, b: number, t: number): number =>
      xs.reduce((sum, x, i) => {
        let total = 0;
        for (let k = 0; k < steps; k++) {
          const { u: u0, code } = run[i]![k]!;
          const u = run[i]![k]!.before + x;
          const v0 = u0 / theta;
          const bound = signed ? 2 ** (b - 1) : 2 ** b;
          const residue = code - v0;
          total += th * (v0 >= hi ? bound - (sign ? 0 : 1) : v0 < lo ? (signed ? -bound : 0) : u / th + residue);
        }
        return sum + (c[i]! * total) / (t + (steps - real));
      }, 0);
    const g = 1 / Math.sqrt(count * Math.max(1, hi));
    currents.forEach((x, i) => {
      const moved = (value: number): number => form(currents.with(i, value), theta, bits, real);
      expect(found['grad.current']!.data[i]).toBeCloseTo(slope(moved, x), 4);
    });
    expect(found['grad.theta']!.data[0]).toBeCloseTo(g * slope((th) => form(currents, th, bits, real), theta), 4);
    expect(found['grad.bits']!.data[0]).toBeCloseTo(g * slope((b) => form(currents, theta, b, real), bits), 4);
    expect(found['grad.steps']!.data[0]).toBeCloseTo(
      slope((t) => form(currents, theta, bits, t), real),
      4,
    );
  },
);

it('of one bit, weights inside of ±S pull B nowhere; only those beyond do', () => {
  const weights = [0.9, 0.4, 0, -0.4, -0.9].map(Math.fround);
  const ones = weights.map(() => 1);
  expect(gridGradients(weights, 1, 1.2, true, ones).grad('bits')).toEqual([0]);
  const beyond = gridGradients([...weights, 1.5], 1, 1.2, true, [...ones, 1]).grad('bits')[0]!;
  expect(beyond).toBeCloseTo(Math.LN2 / Math.sqrt(6), 6);
});

it('signed spikes of one bit are −θ and θ, with fixed bits too, and their levels say so', () => {
  const def = libraryNeurons().get('Refined')!;
  for (const bits of [1, 2, 5]) {
    const levels = spikeLevels(def, { bits, theta: 0.5, signed: 1, rounding: 1 })!;
    expect([levels.min, levels.max]).toEqual(bits === 1 ? [-1, 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]);
    expect(levels.step).toBe(0.5);
  }
});
