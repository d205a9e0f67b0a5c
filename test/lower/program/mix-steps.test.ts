import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { checkModel } from '../../../src/model/index.js';
import { type Op, parseNetwork, printNetwork, realValues } from '../../../src/network/index.js';
import type { Lowering } from '../../../src/lower/program/context.js';
import { mixedSteps } from '../../../src/lower/program/carriers/means-time.js';
import { configProblems } from '../../../src/lower/model-to-network/index.js';
import { lower, lowerForTraining } from '../../../src/lower/program/index.js';
import { ProgramBuilder, autodiff, evaluate, folded, simplify } from '../../../src/tensor/index.js';
import { agreesWithSlopes } from '../../support/finite-differences.js';
import { nativeEngines } from '../../support/native.js';
import { neuronProgram } from '../../support/neuron-program.js';
import { readNpzArrays } from '../../support/npz-arrays.js';
import { libraryText, testLoader } from '../../support/spike.js';
import { configFrom, forwardFeeds, networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';

const smooth = 'neuron Smooth { state u = 0 charge u = 0.5 * u + x fire s = sigmoid(4 * u) }';
const networkOf = (body: string, steps: number) =>
  networkFrom(`${smooth}
    network Net { input x: real[2, 3]  output ${body} }
    config c { network Net  neuron Smooth  coding direct(steps: ${steps})  train { optimizer sgd } }`);

const peers = join(import.meta.dirname, '../../../../shared/cases/turn2/peers/neurons/psn.npz');
if (!existsSync(peers)) console.warn(`SKIPPED: PSN of another library: ${peers} isn't there`);

it.runIf(existsSync(peers))('PSN is that of SpikingJelly, spikes and gradients', () => {
  const arrays = readNpzArrays(peers);
  const values = (name: string): number[] => [...arrays.get(name)!.data].map(Number);
  const [steps = 0] = arrays.get('x')!.shape;
  const size = values('x').length / steps;
  const b = new ProgramBuilder('psn');
  const x = b.input('x', 'f64', folded(steps, [size]));
  const params = {
    weight: b.param('weight', tensor('f64', [steps, steps], values('param_weight'))),
    bias: b.param('bias', tensor('f64', [steps], values('param_bias'))),
  };
  const lowering = { builder: b, steps, realWeight: (_: unknown, role: keyof typeof params) => params[role] };
  const op = { id: 'mixed', params: { weight: 'w', bias: 'b' }, type: { shape: [size] } };
  const mixed = mixedSteps(lowering as unknown as Lowering, op as unknown as Op<'mix_steps'>, x);
  const { value } = checkModel({ name: 'blocks.spike', text: libraryText('blocks') }, testLoader());
  const currents = Array.from({ length: steps }, (_, t) => b.step(mixed, t));
  const c = currents.map((_, t) => values('c').slice(t * size, (t + 1) * size));
  const program = neuronProgram(b, value!.neurons.get('Jump')!, (_, otherwise) => otherwise!, currents, c);
  const { program: whole, gradients } = autodiff(program, program.outputs['loss']!, ['x', 'weight', 'bias']);
  expect(Object.keys(gradients)).toHaveLength(3);
  const found = evaluate(whole, { x: tensor('f64', [steps, size], values('x')) });
  expect(currents.flatMap((_, t) => [...found[`s${t}`]!.data])).toEqual(values('s'));
  for (const name of ['x', 'weight', 'bias']) {
    const wanted = values(`grad_${name}_f64`);
    const own = [...found[`grad.${name}`]!.data];
    expect(own).toHaveLength(wanted.length);
    own.forEach((one, i) => expect(one).toBeCloseTo(wanted[i]!, 6));
  }
});

it('each step is the sum of all steps, weighed, as plain loops have it', () => {
  const steps = 4;
  const network = networkOf('x | flatten | linear(5) | spike | mix_steps(start: 0.5) | readout(last)', steps);
  const text = printNetwork(network);
  expect(text).toContain('mix_steps');
  expect(printNetwork(parseNetwork({ name: 'n.ir', text }, network.params).value!)).toBe(text);
  const real = (suffix: string) => realValues([...network.params].find(([id]) => id.endsWith(suffix))![1]);
  const [w, b, mix, plus] = ['linear.weight', 'linear.bias', 'mix_steps.weight', 'mix_steps.bias'].map(real);
  const next = random(8);
  const x = Float32Array.from({ length: 6 }, () => next());
  const wanted = Array.from({ length: 5 }, (_, j) => {
    const current = [...x].reduce((sum, value, i) => sum + w![j * 6 + i]! * value, b![j]!);
    let [u, sum] = [0, plus![steps - 1]!];
    for (let k = 0; k < steps; k++) {
      u = 0.5 * u + current;
      sum += mix![(steps - 1) * steps + k]! / (1 + Math.exp(-4 * u));
    }
    return sum;
  });
  const { program, feeds } = lower(network);
  const found = evaluate(program, { [feeds.image.id]: tensor('f32', [1, 2, 3], x) }, { precision: 'f64' })['0']!;
  [...found.data].forEach((value, j) => expect(value).toBeCloseTo(wanted[j]!, 5));
});

it.each([3, 40])('has the gradients of finite differences, and runs on every engine, over %i steps', async (steps) => {
  const network = networkOf(
    'x | flatten | linear(4) | mix_steps | spike | mix_steps(start: 0.1) | spike | linear(3)',
    steps,
  );
  const lowered = lowerForTraining(network, { kind: 'cross_entropy' });
  const feeds = forwardFeeds(lowered, 3);
  const differentiated = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
  expect(differentiated.unreached).toEqual([]);
  const of = (id: string): boolean => id.includes('mix_steps');
  expect(agreesWithSlopes(differentiated, feeds, random(4), { each: 3, of })).toBe(12);
  const program = simplify(lowered.program);
  const wanted = Number(evaluate(program, feeds)['loss']!.data[0]);
  for (const engine of [fusedEngine, onnxruntimeEngine, ...nativeEngines]) {
    const opened = await engine.open(program);
    try {
      const found = await opened.step(feeds);
      expect(found['loss']!.data[0], engine.name).toBeCloseTo(wanted, 5);
    } finally {
      await opened.dispose();
    }
  }
});

it('is refused without steps, where they don’t count alike, where trains are squeezed, and in a cycle', () => {
  const problemsOf = (config: string, body = 'h = x | linear(4) | mix_steps | spike'): readonly string[] =>
    configProblems(
      configFrom(
        `use "spikec/neurons" { LIF, Refined } network N { input x: real[4] ${body} output h } config n { network N ${config} }`,
      ),
    ).map(({ message }) => message);
  expect(problemsOf('neuron LIF coding direct(steps: 4)')).toEqual([]);
  expect(problemsOf('neuron LIF')).toContain('`mix_steps` in a network without time steps');
  expect(problemsOf('neuron LIF coding ttfs(steps: 4)')).toContainEqual(
    expect.stringContaining('`mix_steps` in `coding ttfs`'),
  );
  expect(problemsOf('neuron Refined coding direct(steps: 4) bits { weights 2 spikes 2 steps 2 }')).toContainEqual(
    expect.stringContaining('`mix_steps` with squeezed trains'),
  );
  const cycle = 'h = (x | linear(3)) + (h | delay(1) | mix_steps | linear(3)) | spike';
  expect(problemsOf('neuron LIF coding direct(steps: 4)', cycle)).toEqual([
    expect.stringContaining('`mix_steps` in a cycle'),
  ]);
});
