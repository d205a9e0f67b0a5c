import { expect, it } from 'vitest';
import { configProblems, lowerModel } from '../../../src/lower/model-to-network/index.js';
import { type Config, checkModel } from '../../../src/model/index.js';
import { numberAttr } from '../../../src/network/index.js';
import { inferenceProgram } from '../../../src/workspace/artifacts.js';
import { testLoader } from '../../support/spike.js';

const lif = 'use "spikec/neurons" { LIF, Phase, Burst, Switch, Pattern, FirstSpike }';

function configOf(text: string): Config {
  const { value, diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return [...value!.configs.values()].at(-1)!;
}

/** Codes of what keeps a network from compiling; lowering it says the same. */
function refused(body: string, coding = 'direct(steps: 2)', neuron = 'LIF'): string[] {
  const config = configOf(`${lif} neuron Pot { state u = 0 charge u = u / 2 + x fire s = floor(u) }
    network N { ${body} } config c { network N neuron ${neuron} coding ${coding} }`);
  const problems = configProblems(config);
  const lowered = problems.length === 0 ? [] : lowerModel(config).diagnostics;
  expect(lowered).toEqual(problems);
  for (const { help } of problems) expect(help).toBeDefined();
  return problems.map(({ code }) => code);
}

const image = 'input x: real[1, 28, 28]';

it('codings that networks of layers don’t have, and outputs without levels, are refused', () => {
  const body = `${image} output x | conv(2) | spike | flatten | linear(10)`;
  expect(refused(body)).toEqual([]);
  for (const coding of ['phase(steps: 8)', 'ttfs(steps: 8)', 'burst(steps: 8)', 'offset(steps: 8, look: 4)']) {
    expect(refused(body, coding)).toEqual(['cli/not-lowered']);
  }
  expect(refused(body, 'direct(steps: 2)', 'Pot')).toEqual(['cli/not-lowered']);
  expect(refused(`${image} output x | flatten | linear(3) | spike(Pot)`)).toEqual(['cli/not-lowered']);
});

it('a parameter that is an argument of the surrogate is held to what that may be', () => {
  const wide = 'neuron Wide(width = 1) { state u = 0 charge u = x fire s = u >= 1 surrogate rectangle(width: width) }';
  const codes = (width: number) =>
    configProblems(
      configOf(`${wide} network N { ${image} output x | flatten | spike | linear(2) }
        config c { network N neuron Wide(width: ${width}) coding direct(steps: 2) }`),
    ).map(({ code }) => code);
  expect(codes(0.5)).toEqual([]);
  expect(codes(0)).toEqual(['model/argument-type']);
});

it('a coding that says what a spike counts takes the neurons that fire such spikes, and a real input', () => {
  const body = `${image} output x | conv(2) | spike | flatten | linear(10)`;
  for (const [coding, neuron] of [
    ['phase(period: 4, steps: 8)', 'Phase(period: 4)'],
    ['burst(steps: 8)', 'Burst'],
    ['tsc(steps: 8)', 'Switch'],
    ['ttfs(steps: 8)', 'FirstSpike(steps: 8)'],
  ] as const) {
    expect(refused(body, coding, neuron)).toEqual([]);
    expect(refused(body, coding, 'LIF')).toEqual(['cli/not-lowered']);
    expect(refused(body, coding.replace(')', ', input: 1)'), neuron)).toEqual(['cli/not-lowered']);
  }
  expect(refused(body, 'phase(period: 4, steps: 8)', 'Phase')).toEqual(['cli/not-lowered']);
  expect(refused(body, 'phase(period: 4, steps: 6)', 'Phase(period: 4)')).toEqual(['convert/bad-coding']);
  // its layers fire when their whole input is in
  expect(refused(body, 'pattern(steps: 8)', 'Pattern(bits: 8)')).toEqual(['cli/not-lowered']);
});

it('values over their steps, paddings and weights have 2^28 elements at most', () => {
  for (const body of [
    `${image} output x | conv(2, kernel: 3, pad: 1000000000) | spike | flatten | linear(10)`,
    `${image} output x | conv(2, kernel: 1000000) | spike | flatten | linear(10)`,
    `${image} output x | flatten | linear(1048576) | spike | linear(1048576) | spike | linear(10)`,
    `${image} output x | conv(65536) | spike | conv(65536, kernel: 7) | spike | flatten | linear(10)`,
    `${image} output x | avgpool(1000000, pad: 999999) | flatten | linear(10)`,
    'input x: real[1, 4096, 4096] output x | spike | conv(32) | avgpool(64) | flatten | linear(10)',
  ]) {
    expect(new Set(refused(body))).toEqual(new Set(['model/too-large']));
  }
  // 2^24 · 16 steps is the bound itself
  const at = (steps: number): string[] =>
    refused(
      'input x: real[1, 4096, 4096] output x | spike | avgpool(64) | flatten | linear(10)',
      `direct(steps: ${steps})`,
    );
  expect(at(17)).toEqual(['model/too-large']);
  expect(at(16)).toEqual([]);
});

it('weights are counted together', () => {
  // 2^27 each, with the biases: the second one is too much
  expect(refused('input x: real[8192] a = x | linear(16384) output a | linear(8192) | linear(8192)')).toEqual([
    'model/too-large',
  ]);
});

it('the negative of a spike is a number', () => {
  for (const reset of ['-s * theta + u', 'u - s', '-s + u', 'u + -(-s)', 'where(s, -s, u)', 's', 'not s', '-s']) {
    const config =
      configOf(`neuron D(theta = 1) { state u = 0 charge u = u + x fire s = u >= theta reset u = ${reset} + 0 * theta }
      network N { ${image} output x | flatten | linear(3) | spike | linear(2) }
      config c { network N neuron D coding direct(steps: 2) }`);
    expect(() => inferenceProgram(lowerModel(config).value!), reset).not.toThrow();
  }
});

it('tdBN scales by what fire compares with, whatever it is called, or is refused', () => {
  const thresholds = (neuron: string, use = 'Own'): (number | string)[] => {
    const config =
      configOf(`${neuron} network N { ${image} output x | conv(2) | batchnorm | spike | flatten | linear(3) }
      config c { network N neuron ${use} coding direct(steps: 2) train { data mnist batchnorm tdbn } }`);
    const { value, diagnostics } = lowerModel(config);
    if (value === undefined) return diagnostics.map(({ code }) => code);
    return value.ops.filter(({ kind }) => kind === 'batchnorm').map(({ attrs }) => numberAttr(attrs, 'threshold'));
  };
  const own = (params: string, fire: string): string =>
    `neuron Own(${params}) { state u = 0 charge u = u / 2 + x fire s = ${fire} reset u = where(s > 0, 0, u) }`;
  expect(thresholds(own('threshold = 0.25', 'u >= threshold'))).toEqual([0.25]);
  expect(thresholds(own('theta = 3', 'u > theta / 4'))).toEqual([0.75]);
  expect(thresholds(own('vth = learn(0.5, constraint: positive)', 'u >= 2 * vth'))).toEqual([1]);
  expect(thresholds(own('theta = 0.6', 'levels(u / theta, bits: 2.0)'))).toEqual([0.6]);
  expect(thresholds(own('a = 1', 'clip(round(u / a), 0, 4)'))).toEqual(['model/conflict']);
  expect(thresholds(own('a = 1', 'u * a >= 0'))).toEqual(['model/conflict']);
});
