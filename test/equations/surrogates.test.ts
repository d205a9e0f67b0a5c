import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import type { NeuronDef } from '../../src/equations/index.js';
import { checkModel } from '../../src/model/index.js';
import { ProgramBuilder, autodiff, evaluate } from '../../src/tensor/index.js';
import { neuronProgram } from '../support/neuron-program.js';
import { random } from '../tensor/cases.js';
import { libraryText, testLoader } from '../support/spike.js';

function neuronOf(text: string, name: string): NeuronDef {
  const { value, diagnostics } = checkModel({ name: 'neurons.spike', text }, testLoader());
  expect(diagnostics).toEqual([]);
  return value!.neurons.get(name)!;
}

interface Run {
  readonly spikes: readonly number[][];
  /** Of Σ c_t·s_t: to the currents of each step, and to θ. */
  readonly currents: readonly number[][];
  readonly theta: number;
}

/** A layer of neurons over steps, f64, with currents and θ as parameters that gradients are asked for. */
function run(
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  x: readonly number[][],
  c: readonly number[][],
  learnsTheta = true,
): Run {
  const b = new ProgramBuilder('neurons');
  const theta = b.param('theta', tensor('f64', [1], [args['theta'] ?? 1]));
  const currents = x.map((row, t) => b.param(`x${t}`, tensor('f64', [row.length], row)));
  const params = (name: string, value: number | undefined) =>
    name === 'theta' && learnsTheta ? theta : (args[name] ?? value!);
  const forward = neuronProgram(b, def, params, currents, c);
  const names = ['theta', ...currents.map((_, t) => `x${t}`)];
  const { program } = autodiff(forward, forward.outputs['loss']!, names);
  const found = evaluate(program, {});
  return {
    spikes: currents.map((_, t) => [...found[`s${t}`]!.data]),
    currents: currents.map((_, t) => [...(found[`grad.x${t}`]?.data ?? x[t]!.map(() => 0))]),
    theta: found['grad.theta']?.data[0] ?? 0,
  };
}

const steps = 4;
const size = 200;
const next = random(3);
const x = Array.from({ length: steps }, () => Array.from({ length: size }, () => 2.4 * next()));
const c = Array.from({ length: steps }, () => Array.from({ length: size }, () => next() - 0.3));

type Shape = (v: number) => number;
const shapes: Readonly<Record<string, (p: number) => Shape>> = {
  rectangle: (w) => (v) => (Math.abs(v) < w / 2 ? 1 / w : 0),
  triangle: (w) => (v) => Math.max(0, 1 - Math.abs(v) / w) / w,
  sigmoid: (k) => (v) => (k * Math.exp(-k * v)) / (1 + Math.exp(-k * v)) ** 2,
  fast_sigmoid: (k) => (v) => 1 / (1 + k * Math.abs(v)) ** 2,
};

interface Hand {
  readonly leak: number;
  readonly theta: number;
  readonly fraction: number;
  readonly most: number;
  readonly soft: boolean;
  readonly shape: Shape;
}

/** MBLIF by hand, forward and backward: a surrogate at every boundary k·θ/2ⁿ, in units of the membrane. */
function byHand({ leak, theta, fraction, most, soft, shape }: Hand): Run {
  const unit = theta / 2 ** fraction;
  const spikes = x.map(() => new Array<number>(size).fill(0));
  const currents = x.map(() => new Array<number>(size).fill(0));
  let gradTheta = 0;
  for (let i = 0; i < size; i++) {
    const u: number[] = [];
    let rest = 0;
    for (let t = 0; t < steps; t++) {
      u[t] = leak * rest + x[t]![i]!;
      let level = 0;
      for (let k = 1; k <= most; k++) if (u[t]! / theta >= k / 2 ** fraction) level = k;
      spikes[t]![i] = level / 2 ** fraction;
      rest = soft ? u[t]! - spikes[t]![i]! * theta : level > 0 ? 0 : u[t]!;
    }
    let toRest = 0;
    for (let t = steps - 1; t >= 0; t--) {
      const toSpike = c[t]![i]! - (soft ? toRest * theta : 0);
      let toMembrane = soft || spikes[t]![i] === 0 ? toRest : 0;
      if (soft) gradTheta -= toRest * spikes[t]![i]!;
      for (let k = 1; k <= most; k++) {
        const slope = shape(u[t]! - k * unit);
        const toStep = toSpike / 2 ** fraction + (!soft && k === 1 ? -u[t]! * toRest : 0);
        toMembrane += toStep * slope;
        gradTheta -= (toStep * slope * k) / 2 ** fraction;
      }
      currents[t]![i] = toMembrane;
      toRest = leak * toMembrane;
    }
  }
  return { spikes, currents, theta: gradTheta };
}

function expectSame(found: Run, expected: Run): void {
  expect(found.spikes).toEqual(expected.spikes);
  found.currents.forEach((row, t) =>
    row.forEach((value, i) => expect(value, `x${t}[${i}]`).toBeCloseTo(expected.currents[t]![i]!, 9)),
  );
  expect(found.theta).toBeCloseTo(expected.theta, 7);
}

const library = libraryText('neurons');

it.each([false, true])('MBLIF(1+0) is LIF, spikes and gradients, with soft reset: %s', (soft) => {
  const args = { tau: 4, theta: 0.6, soft: Number(soft), integer: 1, fraction: 0 };
  const lif = run(neuronOf(library, 'LIF'), args, x, c);
  expectSame(run(neuronOf(library, 'MBLIF'), args, x, c), lif);
  expectSame(lif, byHand({ leak: 0.75, theta: 0.6, fraction: 0, most: 1, soft, shape: shapes['rectangle']!(1) }));
  expect(lif.currents.flat().some((g) => g !== 0)).toBe(true);
});

it.each([
  ['rectangle(width: 1)', 2, 1, false],
  ['rectangle(width: 0.5)', 1, 1, true],
  ['triangle(width: 1)', 2, 1, false],
  ['triangle(width: 0.35)', 2, 0, true],
  ['sigmoid(slope: 4)', 2, 1, false],
  ['fast_sigmoid(slope: 25)', 2, 2, false],
  ['rectangle(width: 1)', 3, 3, false],
  ['triangle(width: 1)', 3, 3, false],
] as const)('%s stands at every boundary of %d + %d bits, soft reset: %s', (surrogate, integer, fraction, soft) => {
  const text = library.replaceAll('surrogate rectangle(width: 1)', `surrogate ${surrogate}`);
  const args = { tau: 4, theta: 0.6, soft: Number(soft), integer, fraction };
  const [, name, parameter] = /(\w+)\(\w+: ([\d.]+)\)/.exec(surrogate)!;
  const most = 2 ** (integer + fraction) - 1;
  const shape = shapes[name!]!(Number(parameter));
  const found = run(neuronOf(text, 'MBLIF'), args, x, c);
  const expected = byHand({ leak: 0.75, theta: 0.6, fraction, most, soft, shape });
  const fixed = run(neuronOf(text, 'MBLIF'), args, x, c, false);
  expectSame({ ...fixed, theta: expected.theta }, expected);
  // of more than 16 boundaries, θ takes them to be where the membrane is
  expectSame(most > 16 ? { ...found, theta: expected.theta } : found, expected);
});

it('a floor, a rounding, `levels` and a sum of comparisons have one surrogate, in whatever units they are written', () => {
  const of = (fire: string, reset = ''): Run =>
    run(
      neuronOf(
        `neuron N(theta = 0.6) { state u = 0 charge u = 0.75 * u + x fire s = ${fire} ${reset} surrogate triangle(width: 0.8) }`,
        'N',
      ),
      { theta: 0.6 },
      x,
      c,
    );
  const levels = of('levels(u / theta, min: 0, max: 3)');
  for (const same of [
    'clip(floor(u / theta), 0, 3)',
    'clip(floor(2 * u / (theta * 2)), 0, 3)',
    'min(max(floor(u / theta), 0), 3)',
    'max(0, min(3, floor(u / theta)))',
    '(u >= theta) + (u >= 2 * theta) + (u >= 3 * theta)',
  ])
    expectSame(of(same), levels);
  // rounding puts boundaries halfway between levels, in units of u/θ: of u − θ/2, they are those above
  const shifted = of('levels((u + theta / 2) / theta, min: 0, max: 3)');
  const rounded = of('clip(round(u / theta), 0, 3)');
  expectSame(rounded, shifted);
  const hard = 'reset u = where(s > 0, 0, u)';
  expectSame(of('clip(floor(u / theta), 0, 3)', hard), of('levels(u / theta, min: 0, max: 3)', hard));
});

it.each(['IBRALIF(5.11, 100)', 'IBRALIF(0.29, 100)', 'IBRALIF(1.27, 100)', 'ILIF(4)', 'min-max', 'open'])(
  'the straight-through gradient of %s is 1 from the lowest to the highest level, both included',
  (written) => {
    const [, name, D, N] = /^(\w+)(?:\(([\d.]+)(?:, (\d+))?\))?/.exec(written)!;
    const own = (fire: string): string => `neuron N { state u = 0 charge u = x fire s = ${fire} surrogate ste }`;
    const def = written.includes('LIF')
      ? neuronOf(library, name!)
      : neuronOf(own(written === 'open' ? 'round(clip(u, 0, 4))' : 'max(min(round(u), 4), 0)'), 'N');
    const [top, per] = [Number(D ?? 4), Number(N ?? 1)];
    const args = { D: top, N: per, alpha: 0.25 };
    const inside = [0, 0.25 / per, 1 / per, top - 1 / per, top];
    const outside = [-1 / per, -0.01 / per, top + 0.01 / per, top + 3];
    // `ste` without bounds passes everywhere, also where what is clipped is a level already
    const everywhere = written === 'min-max';
    const row = [...inside, ...outside];
    const found = run(def, args, [row], [row.map(() => 1)]);
    expect(found.currents[0]!.map((g) => Number(g.toFixed(9)))).toEqual([
      ...inside.map(() => 1),
      ...outside.map(() => (everywhere ? 1 : 0)),
    ]);
  },
);
