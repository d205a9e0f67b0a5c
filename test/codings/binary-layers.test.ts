import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { driver } from '../../src/commands/index.js';
import { chooseEngine } from '../../src/run/engine.js';
import { configProblems } from '../../src/lower/model-to-network/index.js';
import { lower } from '../../src/lower/program/index.js';
import { criticalPathOf, latencyOf, realValues } from '../../src/network/index.js';
import { runPlan } from '../../src/passes/index.js';
import { evaluate, simplify } from '../../src/tensor/index.js';
import { inferencePlanOf } from '../../src/workspace/planes.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { configFrom, networkFrom } from '../support/train.js';
import { random } from '../tensor/cases.js';

const [inputs, hidden, classes, bits, steps] = [6, 9, 3, 3, 2];
const most = 2 ** bits - 1;

const modelOf = (coding: string, neuron = `IBLIF(D: ${most})`): string => `
  use "spikec/neurons" { IBLIF, ILIF, Ternary, LIF }
  network N {
    input x: real[${inputs}]
    output x | linear(${hidden}) | spike | linear(${hidden}) | spike | linear(${classes})
  }
  config c { network N  neuron ${neuron}  coding ${coding} }`;

const binary = `binary(bits: ${bits}, steps: ${steps})`;

/** IBRA eq. 1–9 in plain loops: integer spikes of each layer at each step, and the mean of the logits. */
function byHand(
  layers: readonly { readonly weight: readonly number[][]; readonly bias: readonly number[] }[],
  image: readonly number[],
): { readonly codes: number[][][]; readonly logits: number[] } {
  const membranes = layers.map(({ bias }) => bias.map(() => 0));
  const codes = layers.slice(1).map((): number[][] => []);
  const logits = new Array<number>(classes).fill(0);
  for (let t = 0; t < steps; t++) {
    let values = image;
    layers.forEach(({ weight, bias }, l) => {
      const current = weight.map((row, i) => row.reduce((sum, w, j) => sum + w * values[j]!, bias[i]!));
      if (l === layers.length - 1) {
        current.forEach((z, i) => (logits[i]! += z / steps));
        return;
      }
      values = current.map((x, i) => {
        const u = 0.25 * membranes[l]![i]! + x;
        const code = Math.min(most, Math.max(0, Math.round(u)));
        membranes[l]![i] = u - code;
        return code;
      });
      codes[l]!.push([...values]);
    });
  }
  return { codes, logits };
}

it('binary in networks of layers: the bits of each integer spike, in virtual steps, on every engine', async () => {
  const network = networkFrom(modelOf(binary), 5);
  expect(network.coding).toEqual({ name: 'binary', args: { bits, steps } });
  const { network: sent } = runPlan(network, inferencePlanOf(network));
  const weights = [...network.params].filter(([, { tensor: t }]) => t.shape.length === 2);
  const layers = weights.map(([name, param]) => {
    const [rows, columns] = param.tensor.shape as [number, number];
    // large enough to use the levels
    const values = [...realValues(param)];
    const weight = Array.from({ length: rows }, (_, r) => values.slice(r * columns, (r + 1) * columns));
    return { weight, bias: [...realValues(network.params.get(name.replace(/weight$/, 'bias'))!)] };
  });
  const next = random(8);
  const image = Float32Array.from({ length: inputs }, () => next() * 16 - 4);
  const { codes, logits } = byHand(layers, [...image]);
  const { program, outputs } = lower(sent!, { probes: { trains: () => true } });
  const found = evaluate(program, { x: tensor('f32', [1, inputs], image) }, { precision: 'f64' });
  const planes = sent!.ops.filter(({ kind }) => kind === 'planes');
  expect(planes).toHaveLength(2);
  planes.forEach((op, l) => {
    const train = [...found[outputs.probes.train.get(op.id)!]!.data];
    // step by step, the least bit first
    const hand = codes[l]!.flatMap((step) =>
      Array.from({ length: bits }, (_, b) => step.map((code) => Math.floor(code / 2 ** b) % 2)),
    ).flat();
    expect(train).toEqual(hand);
  });
  expect(new Set(codes.flat(2)).size).toBeGreaterThan(3);
  [...found['0']!.data].forEach((value, i) => expect(value).toBeCloseTo(logits[i]!, 5));
  for (const name of ['fused', 'native', 'onnxruntime', 'tfjs']) {
    const opened = await chooseEngine(name, 'infer').open(simplify(lower(sent!).program));
    const own = opened.step({ x: tensor('f32', [1, inputs], image) });
    const values = [...(await own)['0']!.data];
    values.forEach((value, i) => expect(value, name).toBeCloseTo(logits[i]!, 4));
    await opened.dispose();
  }
});

it('what is compiled has planes, and its latency is that of the virtual steps; direct has the same logits', async () => {
  const folder = temporaryFolder();
  for (const [name, coding] of [
    ['binary', binary],
    ['direct', `direct(steps: ${steps})`],
  ] as const)
    // prettier-ignore
    writeFileSync(join(folder, `${name}.spike`), modelOf(coding));
  const { value } = await driver.costOf({ path: join(folder, 'binary.spike') }, {});
  expect(value!.total.latency_steps).toBe(bits * steps);
  const direct = await driver.costOf({ path: join(folder, 'direct.spike') }, {});
  expect(direct.value!.total.latency_steps).toBe(steps);
  const [one, other] = [networkFrom(modelOf(binary), 5), networkFrom(modelOf(`direct(steps: ${steps})`), 5)];
  const x = tensor('f32', [1, inputs], Float32Array.from([3, -1, 8, 0.5, 2, 7]));
  expect(evaluate(lower(one).program, { x })).toEqual(evaluate(lower(other).program, { x }));
});

it('neurons whose codes it can’t send bit by bit are refused', () => {
  const problems = (neuron: string, coding = binary) =>
    configProblems(configFrom(modelOf(coding, neuron))).map(({ code, help }) => [code, help]);
  expect(problems(`IBLIF(D: ${most})`)).toEqual([]);
  expect(problems('LIF')).toEqual([]);
  const own = expect.stringContaining('`planes binary`') as string;
  expect(problems(`ILIF(D: ${most})`)).toEqual([['cli/not-lowered', own]]);
  for (const neuron of [`IBLIF(D: ${most + 1})`, 'Ternary']) {
    expect(problems(neuron)).toEqual([['cli/not-lowered', expect.stringContaining(`codes have to be 0 to ${most}`)]]);
  }
});

/** The step at which the read-out has all planes of all time steps: a layer sends one plane a step, once its sources have sent theirs of that time step. */
function lastPlane(
  time: number,
  sources: readonly (readonly number[])[],
  read: readonly number[],
  width: number,
): number {
  const sent = sources.map(() => 0);
  for (let step = 1; ; step++) {
    const before = [...sent];
    sources.forEach((own, layer) => {
      const t = Math.floor(before[layer]! / width);
      if (t < time && own.every((source) => before[source]! >= (t + 1) * width)) sent[layer]!++;
    });
    if (read.every((layer) => sent[layer] === time * width)) return step;
  }
}

it.each([
  [3, 1],
  [3, 4],
  [2, 5],
])(
  'a layer waits for all planes of what it reads (%i bits, %i steps): the critical path, beside a clock',
  (width, time) => {
    const text = `
    use "spikec/neurons" { IBLIF }
    network N {
      input x: real[${inputs}]
      a = x | linear(4) | spike
      b = a | linear(5) | spike
      c = (a | linear(4)) + (b | linear(4)) | spike
      output (c | linear(${classes})) + (a | linear(${classes}))
    }
    config c { network N  neuron IBLIF(D: ${2 ** width - 1})  coding binary(bits: ${width}, steps: ${time}) }`;
    const network = networkFrom(text, 5);
    const { network: sent } = runPlan(network, inferencePlanOf(network));
    expect(latencyOf(sent!)).toBe(time * width);
    expect(criticalPathOf(sent!)).toBe(lastPlane(time, [[], [0], [0, 1]], [0, 2], width));
    expect(criticalPathOf(network)).toBe(latencyOf(network));
  },
);
