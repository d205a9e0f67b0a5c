import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { lower, lowerForTraining, outputNames } from '../../../src/lower/program/index.js';
import { configProblems } from '../../../src/lower/model-to-network/index.js';
import { parseNetwork, printNetwork } from '../../../src/network/index.js';
import { evaluate, simplify } from '../../../src/tensor/index.js';
import { random } from '../../tensor/cases.js';
import { configFrom, networkFrom } from '../../support/train.js';

const [samples, steps, classes] = [4, 7, 3];

/** A leaky integrator read out, which `delay` makes of currents. */
const modelOf = (readout: string, coding = `coding direct(steps: ${steps})`): string => `
  use "spikec/neurons" { LIF }
  network N {
    input x: real[5]
    s = x | linear(6) | spike
    m = 0.8 * (m | delay(1)) + (s | linear(${classes}))
    output m ${readout}
  }
  config c { network N  neuron LIF(theta: 0.5)  ${coding} }`;

const next = random(9);
const x = tensor(
  'f32',
  [samples, 5],
  Float32Array.from({ length: samples * 5 }, () => next() * 4 - 1),
);
const labels: Tensor = {
  dtype: 'i32',
  shape: [samples],
  data: Int32Array.from({ length: samples }, (_, i) => i % classes),
};

const ways: Readonly<Record<string, (values: readonly number[]) => number>> = {
  mean: (values) => values.reduce((a, b) => a + b) / steps,
  sum: (values) => values.reduce((a, b) => a + b),
  last: (values) => values.at(-1)!,
  max: (values) => Math.max(...values),
};

describe('a read-out', () => {
  it.each(Object.entries(ways))('%s is that of the values of each step', (name, way) => {
    const network = networkFrom(modelOf(`| readout(${name})`));
    const { program } = lower(network, { probes: { trains: () => true, early: [3] } });
    const results = evaluate(simplify(program), { x });
    const train = results[outputNames.train('m.add')]!.data;
    const at = (n: number, c: number, until = steps) =>
      Array.from({ length: until }, (_, t) => train[(t * samples + n) * classes + c]!);
    for (let n = 0; n < samples; n++) {
      for (let c = 0; c < classes; c++) {
        expect(results['0']!.data[n * classes + c]!).toBeCloseTo(way(at(n, c)), 5);
        if (name === 'mean') continue;
        expect(results[outputNames.early(3)]!.data[n * classes + c]!).toBeCloseTo(way(at(n, c, 3)), 5);
      }
    }
    expect(new Set(train).size).toBeGreaterThan(10);
  });

  it('is what the loss is of, unless the loss is of every step', () => {
    const feeds = (network: ReturnType<typeof networkFrom>) => ({
      x,
      labels,
      ...Object.fromEntries([...network.params].map(([name, one]) => [name, one.tensor])),
    });
    const losses = Object.keys(ways).map((name) => {
      const network = networkFrom(modelOf(`| readout(${name})`));
      const { program } = lowerForTraining(network, { kind: 'cross_entropy' });
      const logits = evaluate(simplify(lower(network).program), { x })['0']!.data;
      let wanted = 0;
      for (let n = 0; n < samples; n++) {
        const row = [...logits.slice(n * classes, (n + 1) * classes)];
        wanted += Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[Number(labels.data[n])]!;
      }
      const found = evaluate(program, feeds(network))['loss']!.data[0]!;
      expect(found, name).toBeCloseTo(wanted / samples, 5);
      return found;
    });
    expect(new Set(losses).size).toBe(4);
    const each = ['mean', 'last'].map((name) => {
      const network = networkFrom(modelOf(`| readout(${name})`));
      return evaluate(lowerForTraining(network, { kind: 'tet' }).program, feeds(network))['loss']!.data[0];
    });
    expect(each[0]).toBe(each[1]);
  });

  it('stands in the text of the network, the mean unsaid', () => {
    const network = networkFrom(modelOf('| readout(last)'));
    const text = printNetwork(network);
    expect(text).toContain('{coding=direct, readout=last}');
    expect(printNetwork(parseNetwork({ name: 'c.ir', text }, network.params).value!)).toBe(text);
    expect(printNetwork(networkFrom(modelOf('| readout(mean)')))).toBe(printNetwork(networkFrom(modelOf(''))));
    const wrong = parseNetwork({ name: 'c.ir', text: text.replace('=last', '=first') }, network.params);
    expect(wrong.diagnostics.map(({ message }) => message)).toEqual([expect.stringContaining('mean, sum, last, max')]);
  });

  it('is refused before the end, without time, and under another name', () => {
    const problems = (readout: string, coding?: string) =>
      configProblems(configFrom(modelOf(readout, coding))).map(({ message }) => message);
    expect(problems('| readout(last)')).toEqual([]);
    expect(problems('| readout(last) | linear(3)')).toEqual([expect.stringContaining('before the end of the network')]);
    expect(problems('| readout(last)', '')).toContainEqual(expect.stringContaining('without time steps'));
    expect(() => configFrom(modelOf('| readout(median)'))).toThrow(/mean.*sum.*last.*max/);
  });
});
