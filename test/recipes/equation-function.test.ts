import { afterAll, beforeAll, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { type FunctionRow, ops } from '../../src/equations/emit/function-row.js';
import { equationFunctions } from '../../src/equations/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { lower } from '../../src/lower/program/index.js';
import { checkModel } from '../../src/model/index.js';
import { printNetwork } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { testLoader } from '../support/spike.js';

// A function of equations: one row of the table.

const table = equationFunctions as Record<string, FunctionRow>;
const cube = (x: number): number => x ** 3;

beforeAll(() => {
  table['cube'] = {
    params: ['x'],
    doc: 'x³',
    gradient: '3·x²',
    fold: cube,
    range: ({ args: [x] }) => ({ lo: cube(x!.lo), hi: cube(x!.hi), step: cube(x!.step) }),
    emit: ops((builder, [x]) => builder.mul(x, builder.mul(x, x))),
  };
});
afterAll(() => void delete table['cube']);

const model = (fire: string): string => `
  neuron Cubed(theta: real = 1) {
    state u = 0
    charge u = u + cube(x) * cube(0.5)
    fire s = ${fire}
    reset u = u - s
  }
  network N { input a: real[4]  output a | spike(Cubed()) | linear(2) }
  config c { network N  coding direct(steps: 3) }
`;

function checked(fire: string) {
  return checkModel({ name: 'model.spike', text: model(fire) }, testLoader());
}

it('a new function is known to the language, the levels, the text form and the lowering', () => {
  const { value, diagnostics } = checked('where(u >= theta, cube(2), 0)');
  expect(diagnostics).toEqual([]);
  const { value: network } = lowerModel(value!.configs.get('c')!);
  const neuron = network!.ops.find(({ kind }) => kind === 'neuron')!;
  // its levels are derived from the row's range: 0 or 2³
  expect(neuron.type.code).toEqual({ kind: 'spike', min: 0, max: 1, step: 8 });
  expect(printNetwork(network!)).toContain('charge u = u + cube(x) * cube(0.5)');
  const { program } = lower(network!, { probes: { trains: (id) => id === neuron.id } });
  const x = [1.5, 2, 2.5, -3];
  const run = evaluate(program, { a: tensor('f32', [1, 4], x) });
  const train = [...run[`train ${neuron.id}`]!.data];
  const expected: number[][] = [[], [], []];
  for (const value of x) {
    let u = 0;
    for (const step of expected) {
      u += value ** 3 / 8;
      const s = u >= 1 ? 8 : 0;
      u -= s;
      step.push(s);
    }
  }
  expect(train).toEqual(expected.flat());
});

it('a call of a new function with too many arguments is refused at its line', () => {
  const { diagnostics } = checked('cube(u, u) >= 1');
  expect(diagnostics[0]?.code).toMatch(/^model\//);
  expect(diagnostics[0]?.message).toContain('cube');
});
