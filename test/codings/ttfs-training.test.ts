import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { configProblems } from '../../src/lower/model-to-network/index.js';
import { lower, lowerForTraining } from '../../src/lower/program/index.js';
import { latencyOf, realValues } from '../../src/network/index.js';
import { autodiff, evaluate } from '../../src/tensor/index.js';
import { hasTorch, runPython, writeTensors } from '../support/pytorch.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { configFrom, networkFrom } from '../support/train.js';
import { random } from '../tensor/cases.js';

const [samples, inputs, hidden, classes, steps] = [6, 5, 7, 3, 9];

/** Two layers, and a path past the second. */
const modelOf = (tau: number): string => `
  use "spikec/neurons" { FirstSpike }
  network N {
    input x: real[${inputs}]
    a = x | linear(${hidden}) | spike
    b = (a | linear(${hidden}) | spike) + a
    output b | linear(${classes})
  }
  config c { network N  neuron FirstSpike(steps: ${steps}, tau: ${tau})  coding ttfs(steps: ${steps}, tau: ${tau}) }`;

const next = random(4);
const x = tensor(
  'f32',
  [samples, inputs],
  Float32Array.from({ length: samples * inputs }, () => next() * 4 - 1),
);
const labels: Tensor = {
  dtype: 'i32',
  shape: [samples],
  data: Int32Array.from({ length: samples }, (_, i) => i % classes),
};

/** What a neuron with membrane u is worth when it has fired, and whether that moves with u. */
function fired(u: number, tau: number): { readonly worth: number; readonly moves: boolean } {
  const weight = (t: number): number => (tau === 0 ? steps - t + 1 : steps * Math.exp(-(t - 1) / tau));
  for (let t = 1; t <= steps; t++) {
    const threshold = tau === 0 ? weight(t) - 0.5 : weight(t + 0.5);
    if (u >= threshold) return { worth: weight(t) / steps, moves: u <= weight(1) };
  }
  return { worth: 0, moves: false };
}

type Matrix = readonly (readonly number[])[];

/** The layers by name: weights and biases. */
type Layers = Readonly<
  Record<'first' | 'second' | 'last', { readonly weight: Matrix; readonly bias: readonly number[] }>
>;

/** Loss and gradients of a batch in plain loops: backpropagation by hand. */
function byHand(layers: Layers, tau: number): { loss: number; gradients: Record<keyof Layers, number[][]> } {
  const { first, second, last } = layers;
  const zeros = ({ weight }: { readonly weight: Matrix }) => weight.map((row) => [...row.map(() => 0), 0]);
  const gradients = { first: zeros(first), second: zeros(second), last: zeros(last) };
  const through = ({ weight, bias }: Layers['first'], values: readonly number[]) =>
    weight.map((row, i) => row.reduce((sum, w, j) => sum + w * values[j]!, bias[i]!));
  const back = (name: keyof Layers, values: readonly number[], given: readonly number[]): number[] => {
    given.forEach((g, i) => {
      values.forEach((value, j) => (gradients[name][i]![j]! += g * value));
      gradients[name][i]![values.length]! += g;
    });
    return values.map((_, j) => given.reduce((sum, g, i) => sum + g * layers[name].weight[i]![j]!, 0));
  };
  let loss = 0;
  for (let n = 0; n < samples; n++) {
    const image = [...x.data.slice(n * inputs, (n + 1) * inputs)];
    const a = through(first, image).map((mean) => fired(mean * steps, tau));
    const aWorth = a.map(({ worth }) => worth);
    const b = through(second, aWorth).map((mean) => fired(mean * steps, tau));
    const sum = b.map(({ worth }, i) => worth + aWorth[i]!);
    const logits = through(last, sum);
    const total = logits.reduce((all, z) => all + Math.exp(z), 0);
    const label = labels.data[n]!;
    loss -= Math.log(Math.exp(logits[label]!) / total) / samples;
    const given = logits.map((z, i) => (Math.exp(z) / total - Number(i === label)) / samples);
    const toSum = back('last', sum, given);
    const toSecond = toSum.map((g, i) => (b[i]!.moves ? g : 0));
    const toA = back('second', aWorth, toSecond).map((g, i) => g + toSum[i]!);
    back('first', image, toA.map((g, i) => (a[i]!.moves ? g : 0))); // prettier-ignore
  }
  return { loss, gradients };
}

function trained(tau: number) {
  const network = networkFrom(modelOf(tau), 3);
  const lowered = lowerForTraining(network, { kind: 'cross_entropy', smoothing: 0 });
  const weights = [...network.params].filter(([, { tensor: t }]) => t.shape.length === 2);
  const names = ['first', 'second', 'last'] as const;
  const layers = Object.fromEntries(
    weights.map(([name, param], i) => {
      const [rows, columns] = param.tensor.shape as [number, number];
      const values = realValues(param);
      const bias = realValues(network.params.get(name.replace(/weight$/, 'bias'))!);
      const weight = Array.from({ length: rows }, (_, r) => [...values.slice(r * columns, (r + 1) * columns)]);
      return [names[i]!, { name, weight, bias: [...bias] }];
    }),
  ) as Record<keyof Layers, { name: string; weight: number[][]; bias: number[] }>;
  const { program, gradients } = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
  const found = evaluate(program, { x, labels }, { precision: 'f64' });
  expect(Object.keys(gradients).length).toBe(6);
  return { network, layers, found };
}

describe('ttfs in networks of layers', () => {
  it.each([0, 3])('trains by the gradient of its spike times: plain loops, tau %d', (tau) => {
    const { layers, found } = trained(tau);
    const { loss, gradients } = byHand(layers, tau);
    expect(found['loss']!.data[0]).toBeCloseTo(loss, 6);
    let moved = 0;
    for (const name of ['first', 'second', 'last'] as const) {
      const own = found[`grad.${layers[name].name}`]!.data;
      const biases = found[`grad.${layers[name].name.replace(/weight$/, 'bias')}`]!.data;
      const columns = layers[name].weight[0]!.length;
      gradients[name].forEach((row, i) =>
        row.forEach((value, j) => {
          expect(j === columns ? biases[i] : own[i * columns + j], `${name} ${i} ${j}`).toBeCloseTo(value, 5);
          moved += Number(Math.abs(value) > 1e-4);
        }),
      );
    }
    expect(moved).toBeGreaterThan(40);
  });

  it.runIf(hasTorch)('PyTorch’s gradient through the times themselves is the same', () => {
    const { layers, found } = trained(0);
    const folder = temporaryFolder();
    const tensors = Object.entries(layers).flatMap(([name, { weight, bias }]): [string, Tensor][] => [
      [`${name}.weight`, tensor('f32', [weight.length, weight[0]!.length], Float32Array.from(weight.flat()))],
      [`${name}.bias`, tensor('f32', [bias.length], Float32Array.from(bias))],
    ]);
    writeTensors(folder, 'in.safetensors', { ...Object.fromEntries(tensors), x });
    writeFileSync(
      join(folder, 'times.py'),
      `import json, torch
import torch.nn.functional as F
from safetensors.torch import load_file
p = {name: value.double() for name, value in load_file("in.safetensors").items()}
x = p.pop("x")
for value in p.values(): value.requires_grad_(True)
T = ${steps}
def fire(u):
    time = T + 1 - u                                   # where the falling threshold T - t + 1 meets the membrane
    step = torch.ceil(time - 0.5).clamp(min=1)         # the nearest step
    time = time.clamp(min=1)                           # a spike at once can't come earlier
    time = time + (step - time).detach()
    return torch.where(step <= T, (T + 1 - time) / T, torch.zeros_like(u))
def layer(name, v): return F.linear(v, p[name + ".weight"], p[name + ".bias"])
a = fire(T * layer("first", x))
b = fire(T * layer("second", a)) + a
loss = F.cross_entropy(layer("last", b), torch.arange(${samples}) % ${classes})
loss.backward()
print(json.dumps({"loss": loss.item(), **{name: value.grad.flatten().tolist() for name, value in p.items()}}))
`,
    );
    const said = JSON.parse(runPython(folder, ['times.py'])) as Record<string, number[]> & { loss: never };
    expect(found['loss']!.data[0]).toBeCloseTo(said.loss, 6);
    for (const name of ['first', 'second', 'last'] as const) {
      const own = [...found[`grad.${layers[name].name}`]!.data];
      said[`${name}.weight`]!.forEach((value, i) => expect(own[i], `${name} ${i}`).toBeCloseTo(value, 5));
    }
  });

  it('what is trained and what is run is worth the same, each layer a train later', () => {
    for (const tau of [0, 3]) {
      const { network, layers, found } = trained(tau);
      expect(latencyOf(network)).toBe(3 * steps);
      const logits = evaluate(lower(network).program, { x }, { precision: 'f64' })['0']!.data;
      let loss = 0;
      for (let n = 0; n < samples; n++) {
        const row = [...logits.slice(n * classes, (n + 1) * classes)];
        const total = row.reduce((all, z) => all + Math.exp(z), 0);
        loss -= Math.log(Math.exp(row[labels.data[n]!]!) / total) / samples;
      }
      expect(found['loss']!.data[0]).toBeCloseTo(loss, 6);
      expect(Object.keys(layers)).toHaveLength(3);
    }
  });

  it('codings without such a gradient, delays and read-outs of single steps are refused with the reason', () => {
    const problemsOf = (coding: string, neuron: string, output = '| linear(2)'): readonly [string, string][] =>
      configProblems(
        configFrom(`use "spikec/neurons" { FirstSpike, Pattern, FirstCrossing, IF, Phase }
          network N { input x: real[4]  s = x | linear(3) | spike  output s ${output} }
          config c { network N neuron ${neuron} coding ${coding} }`),
      ).map(({ code, help = '' }) => [code, help]);
    expect(problemsOf('ttfs(steps: 8)', 'FirstSpike(steps: 8)')).toEqual([]);
    const refused = 'cli/not-lowered';
    const surrogate = expect.stringContaining('a decision without a surrogate in time') as string;
    expect(problemsOf('pattern(steps: 8)', 'Pattern(bits: 8)')).toEqual([[refused, surrogate]]);
    expect(problemsOf('offset(steps: 8)', 'IF')).toEqual([[refused, surrogate]]);
    const about = expect.stringContaining('`ttfs` trains by its spike times') as string;
    expect(problemsOf('ttfs_dynamic(steps: 8)', 'FirstCrossing')).toEqual([[refused, about]]);
    expect(problemsOf('ttfs(steps: 8)', 'FirstSpike(steps: 4)')).toEqual([[refused, expect.any(String)]]);
    const late = '| delay(2) | linear(2)';
    for (const [coding, neuron] of [
      ['ttfs(steps: 8)', 'FirstSpike(steps: 8)'],
      ['phase(steps: 8)', 'Phase'],
    ] as const) {
      expect(problemsOf(coding, neuron, late)).toEqual([['model/conflict', expect.stringContaining('`coding direct')]]);
    }
    const last = problemsOf('ttfs(steps: 8)', 'FirstSpike(steps: 8)', '| linear(2) | readout(last)');
    expect(last).toEqual([['model/conflict', expect.stringContaining('leave it out')]]);
  });
});
