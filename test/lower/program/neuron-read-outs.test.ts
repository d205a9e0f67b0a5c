import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { layeredModel } from '../../../src/backends/torch/model.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../../src/engines/tfjs.js';
import { configProblems } from '../../../src/lower/model-to-network/index.js';
import { lower, lowerForTraining, outputNames } from '../../../src/lower/program/index.js';
import { parseNetwork, printNetwork, verifyNetwork } from '../../../src/network/index.js';
import { firstSpikeOf } from '../../../src/run/first-spike.js';
import { autodiff, evaluate, simplify } from '../../../src/tensor/index.js';
import { random } from '../../tensor/cases.js';
import { nativeEngines } from '../../support/native.js';
import { configFrom, networkFrom } from '../../support/train.js';

const [samples, steps, classes] = [6, 7, 3];

const modelOf = (end: string, loss = '', T = steps): string => `
  use "spikec/neurons" { LIF, ILIF, SlidingPSN }
  network N {
    input x: real[5]
    s = x | linear(6) | spike
    output s | linear(${classes}) ${end}
  }
  config c { network N  neuron LIF(tau: 3, theta: 0.4)  coding direct(steps: ${T})  train { data mnist optimizer sgd ${loss} } }`;

const next = random(9);
const x = tensor(
  'f32',
  [samples, 5],
  Float32Array.from({ length: samples * 5 }, () => next() * 4 - 1),
);

const trainOf = (network: ReturnType<typeof networkFrom>) => {
  const probes = { trains: () => true, membranes: ['output.spike'], early: [3] };
  return evaluate(simplify(lower(network, { probes }).program), { x });
};

it('first_spike is T less the steps before the first spike, and 0 without one', () => {
  const network = networkFrom(modelOf('| spike | readout(first_spike)'));
  const results = trainOf(network);
  const train = results[outputNames.train('output.spike')]!.data;
  const wanted = (n: number, c: number, until: number): number => {
    for (let t = 0; t < until; t++) if (train[(t * samples + n) * classes + c] === 1) return until - t;
    return 0;
  };
  const found: number[] = [];
  for (let n = 0; n < samples; n++)
    for (let c = 0; c < classes; c++) {
      found.push(Number(results['0']!.data[n * classes + c]));
      expect(found.at(-1)).toBe(wanted(n, c, steps));
      expect(results[outputNames.early(3)]!.data[n * classes + c]).toBe(wanted(n, c, 3));
    }
  expect(new Set(found).size).toBeGreaterThan(2);
  expect(found).toContain(0);
  // of each sample the earliest one, by hand
  const outputs = { classes, data: Float64Array.from(found) };
  const firsts = Array.from({ length: samples }, (_, n) => Math.max(...found.slice(n * classes, (n + 1) * classes)));
  const decided = firsts.filter((left) => left > 0);
  const mean = decided.reduce((sum, left) => sum + steps - left + 1, 0) / decided.length;
  expect(firstSpikeOf(network, network.outputs[0], outputs).first_spike).toEqual({
    step: mean,
    share: decided.length / samples,
  });
  expect(firstSpikeOf(network, network.outputs[0], { classes, data: new Float64Array(6) })).toEqual({
    first_spike: { share: 0 },
  });
});

it('the gradient of a first spike goes to it, times the steps that are left, and where there is none to all alike', () => {
  const network = networkFrom(modelOf('| spike | readout(first_spike)'));
  const lowered = lowerForTraining(network, { kind: 'cross_entropy' });
  const { program } = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
  const labels: Tensor = {
    dtype: 'i32',
    shape: [samples],
    data: Int32Array.from({ length: samples }, (_, i) => i % 3),
  };
  const found = evaluate(program, { x, labels });
  const logits = trainOf(network)['0']!.data;
  let loss = 0;
  for (let n = 0; n < samples; n++) {
    const row = [...logits.slice(n * classes, (n + 1) * classes)].map(Number);
    loss += Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[n % 3]!;
  }
  expect(found['loss']!.data[0]!).toBeCloseTo(loss / samples, 5);
  const weight = [...program.params].find(({ id }) => id === 'output.linear.weight')!.id;
  expect([...found[`grad.${weight}`]!.data].some((value) => value !== 0)).toBe(true);
});

it.each([
  [5, undefined],
  [5, false],
  [40, undefined],
] as const)('membrane, of %i steps (unrolled: %s), is what the neurons compare at the last step', (T, unroll) => {
  const network = networkFrom(modelOf('| spike | readout(membrane)', '', T));
  const probes = { membranes: ['output.spike'] };
  const results = evaluate(simplify(lower(network, { probes, unroll }).program), { x });
  const membranes = results[outputNames.membranes('output.spike')]!.data;
  expect([...results['0']!.data]).toEqual([...membranes.slice((T - 1) * samples * classes)]);
  const plain = evaluate(simplify(lower(network, { unroll }).program), { x });
  expect(Object.keys(plain)).toEqual(['0']);
  expect([...plain['0']!.data]).toEqual([...results['0']!.data]);
});

describe.each(['first_spike', 'membrane'])('%s', (kind) => {
  const network = networkFrom(modelOf(`| spike | readout(${kind})`));
  const { program } = lower(network);

  it.each([fusedEngine, onnxruntimeEngine, tfjsEngine('wasm'), ...nativeEngines])(
    'is the same on $name',
    async (engine) => {
      const ready = simplify(program);
      const opened = await engine.open(ready);
      try {
        const found = await opened.step({ x });
        const wanted = evaluate(ready, { x })['0']!.data;
        found['0']!.data.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
      } finally {
        await opened.dispose();
      }
    },
  );

  it('stands in the text form', () => {
    const text = printNetwork(network);
    expect(text).toContain(`readout=${kind}`);
    expect(printNetwork(parseNetwork({ name: 'n.ir', text }, network.params).value!)).toBe(text);
  });
});

it('a text that reads neurons where there are none is no network', () => {
  const network = networkFrom(modelOf('| readout(last)'));
  const problems = (readout: 'first_spike' | 'membrane'): readonly string[] => {
    const ops = network.ops.map((op) => (op.kind === 'decode' ? { ...op, attrs: { ...op.attrs, readout } } : op));
    return verifyNetwork({ ...network, ops }).map(({ message }) => message);
  };
  expect(problems('first_spike')).toEqual(['reads the first spike, and its input has no spikes of 0 and 1']);
  expect(problems('membrane')).toEqual(['reads membranes, and %output.linear is no layer of neurons']);
});

it('reads binary neurons right in front of it, with a loss of classes', () => {
  const problems = (end: string, loss = ''): readonly string[] =>
    configProblems(configFrom(modelOf(end, loss))).map(({ code, message }) => `${code}: ${message}`);
  expect(problems('| spike | readout(first_spike)')).toEqual([]);
  expect(problems('| spike | readout(first_spike)', 'loss cross_entropy + 0.1 * firing(target: 0.1)')).toEqual([]);
  expect(problems('| spike | readout(membrane)', 'loss tet')).toEqual([]);
  expect(problems('| readout(first_spike)')).toEqual([
    'model/conflict: `readout(first_spike)` behind a `linear`, which fires nothing',
  ]);
  expect(problems('| readout(membrane)')).toEqual([
    'model/conflict: `readout(membrane)` behind a `linear`, which has no membrane',
  ]);
  expect(problems('| spike(ILIF) | readout(first_spike)')).toEqual([
    'model/conflict: `readout(first_spike)` of `ILIF`, whose outputs aren’t 0 and 1',
  ]);
  expect(problems('| spike | readout(first_spike)', 'loss tet')).toEqual([
    'model/conflict: the loss `tet` has no gradient for `readout(first_spike)`: it is of every step, and the first spike of all of them',
  ]);
  expect(problems('| spike | readout(first_spike)', 'loss mse')).toEqual([
    'model/conflict: the loss `mse` has no gradient for `readout(first_spike)`: it compares numbers, and how early a spike comes says a class',
  ]);
});

it('PyTorch has the first spike, and refuses membranes by name', () => {
  expect(layeredModel(networkFrom(modelOf('| spike | readout(first_spike)'))).text).toContain('"first_spike"');
  expect(() => layeredModel(networkFrom(modelOf('| spike | readout(membrane)')))).toThrow('a read-out of membranes');
});
