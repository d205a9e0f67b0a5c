import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { checkModel } from '../../src/model/index.js';
import { ProgramBuilder, autodiff, evaluate } from '../../src/tensor/index.js';
import { neuronProgram } from '../support/neuron-program.js';
import { readNpzArrays } from '../support/npz-arrays.js';
import { libraryText, testLoader } from '../support/spike.js';

const folder = join(import.meta.dirname, '../../../shared/cases/turn2/peers/neurons');
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: neurons of another library: ${folder} isn't there`);

interface Case {
  readonly file: string;
  readonly neuron: string;
  readonly args: Readonly<Record<string, number>>;
  readonly surrogate: string;
  /** Our name of a learned parameter → the file's. */
  readonly learned?: Readonly<Record<string, string>>;
  /** The file's name of the first state after a step, where it has it. */
  readonly state?: false;
}

const sigmoid = 'sigmoid(slope: 4)';
const cases: readonly Case[] = [
  {
    file: 'cubalif',
    neuron: 'CubaLIF',
    args: { current: 0.5, decay: 0.75, theta: 0.5 },
    surrogate: 'rectangle(width: 1)',
  },
  { file: 'eif', neuron: 'EIF', args: { tau: 2, sharpness: 1, rheobase: 0.8, back: -0.1 }, surrogate: sigmoid },
  // without its adaptation it is EIF
  {
    file: 'eif',
    neuron: 'AdEx',
    args: { tau: 2, sharpness: 1, rheobase: 0.8, back: -0.1, a: 0, b: 0 },
    surrogate: sigmoid,
  },
  { file: 'qif', neuron: 'QIF', args: { tau: 2, critical: 0.8, a0: 1, back: -0.1 }, surrogate: sigmoid },
  {
    file: 'izhikevich',
    neuron: 'Izhikevich',
    args: { tau: 2, tau_w: 2, critical: 0.8, rest: -0.1, a: 0.1, b: 0.2 },
    surrogate: sigmoid,
  },
  { file: 'klif', neuron: 'KLIF', args: { tau: 2 }, surrogate: sigmoid, learned: { k: 'k' } },
  {
    file: 'gatedlif',
    neuron: 'GLIF',
    args: {},
    surrogate: sigmoid,
    state: false,
    learned: {
      alpha: 'alpha',
      beta: 'beta',
      gamma: 'gamma',
      tau: 'tau',
      theta: 'v_threshold',
      linear: 'linear_decay',
      subreset: 'v_subreset',
      conduct: 'conduct',
    },
  },
  {
    file: 'slidingpsn',
    neuron: 'SlidingPSN',
    args: {},
    surrogate: 'atan(alpha: 2)',
    state: false,
    learned: { now: 'weight.2', before: 'weight.1', earlier: 'weight.0', bias: 'bias' },
  },
];

it.runIf(present).each(cases)('$neuron is that of SpikingJelly, spikes, membranes and gradients', (one) => {
  const arrays = readNpzArrays(join(folder, `${one.file}.npz`));
  const array = (name: string) => arrays.get(`${name}_f64`) ?? arrays.get(name)!;
  /** An array, or with `NAME.INDEX` one of its numbers. */
  const numbers = (name: string): ArrayLike<number> => {
    const [base = '', index] = name.split('.');
    const { data } = array(base);
    return index === undefined ? (data as ArrayLike<number>) : [Number(data[Number(index)])];
  };
  const { shape, data } = array('x');
  const steps = shape[0]!;
  const size = data.length / steps;
  const text = libraryText('neurons').replaceAll(/surrogate \w+\(.*\)/g, `surrogate ${one.surrogate}`);
  const { value } = checkModel({ name: 'neurons.spike', text }, testLoader());
  const def = value!.neurons.get(one.neuron)!;
  const b = new ProgramBuilder('neurons');
  const currents = Array.from({ length: steps }, (_, t) =>
    b.param(`x${t}`, tensor('f64', [size], Float64Array.from(data.slice(t * size, (t + 1) * size)))),
  );
  const learned = Object.entries(one.learned ?? {});
  const values = new Map(
    learned.map(([ours, theirs]) => {
      const given = Float64Array.from(numbers(`param_${theirs}`));
      return [ours, b.param(ours, tensor('f64', [given.length], given))];
    }),
  );
  const params = (name: string, otherwise: number | undefined) => values.get(name) ?? one.args[name] ?? otherwise!;
  const c = Array.from({ length: steps }, (_, t) => array('c').data.slice(t * size, (t + 1) * size));
  const program = neuronProgram(b, def, params, currents, c);
  const names = [...currents.map((_, t) => `x${t}`), ...values.keys()];
  const found = evaluate(autodiff(program, program.outputs['loss']!, names).program, {});
  const row = (name: string) => Array.from({ length: steps }, (_, t) => [...(found[`${name}${t}`]?.data ?? [])]).flat();
  expect(row('s')).toEqual([...array('s').data].map(Number));
  expect(new Set(row('s')).size).toBe(2);
  const close = (ours: readonly number[], theirs: ArrayLike<number>, bound: number): void => {
    expect(ours.length).toBe(theirs.length);
    ours.forEach((v, i) => expect(Math.abs(v - theirs[i]!)).toBeLessThan(bound));
  };
  if (one.state !== false) close(row('v'), array('v').data as ArrayLike<number>, 1e-9);
  const wanted = array('grad_x').data as ArrayLike<number>;
  const most = Math.max(...Array.from(wanted).map(Math.abs));
  close(row('grad.x'), wanted, 1e-8 * most);
  for (const [ours, theirs] of learned) {
    const slopes = numbers(`grad_${theirs}`);
    const largest = Math.max(...Array.from(slopes).map(Math.abs));
    close([...found[`grad.${ours}`]!.data], slopes, 1e-8 * largest);
  }
});
