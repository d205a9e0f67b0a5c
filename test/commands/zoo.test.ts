import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../src/base/diagnostics/index.js';
import { costOf } from '../../src/cost/index.js';
import { formatFile } from '../../src/commands/fmt.js';
import { loadModel } from '../../src/workspace/load-model.js';
import { forInference } from '../../src/workspace/compiled.js';
import { networkOf } from '../../src/workspace/own-network.js';
import { withPlanes } from '../../src/workspace/planes.js';
import { Findings } from '../../src/workspace/findings.js';
import type { Config } from '../../src/model/index.js';
import type { Network } from '../../src/network/index.js';

const zoo = ['multibit', 'ibra', 'adaptive'].flatMap((folder) =>
  readdirSync(join('models', folder)).map((name) => join('models', folder, name)),
);

function configsOf(path: string): readonly Config[] {
  const { value, diagnostics } = loadModel(path, {});
  expect(hasErrors(diagnostics), JSON.stringify(diagnostics)).toBe(false);
  return [...value!.configs.values()];
}

/** With its initial weights, ready for inference. */
function compiled(config: Config): Network {
  const findings = new Findings();
  return forInference(networkOf(config, findings), findings).network;
}

function compile(path: string, name: string): Network {
  return compiled(configsOf(path).find((config) => config.name === name)!);
}

/** The largest of the networks take long: of those, only one config is compiled; W/S/T in cost-tables.test.ts. */
const large = /^imagenet_(?!lif)|^w\d+s\d+t\d+$|^adaptive\d|^a44|^mbif13_t(?!4$)|^if_t(?!4$)/;

describe.each(zoo)('%s', (path) => {
  it('is formatted and checks without a remark', () => {
    expect(formatFile(path).value?.changed).toBe(false);
    expect(loadModel(path, {}).diagnostics).toEqual([]);
  });

  it('compiles to Network IR in every config', () => {
    for (const config of configsOf(path)) {
      if (large.test(config.name)) continue;
      const network = compiled(config);
      expect(network.ops.filter((op) => op.kind === 'neuron').length, config.name).toBeGreaterThan(10);
      expect(
        network.ops.filter((op) => op.kind === 'batchnorm'),
        config.name,
      ).toEqual([]);
    }
  }, 120_000);
});

it('ResNet-20 has the operations and parameters of the papers', () => {
  // before batch norm is folded: the papers count no biases that it leaves behind
  const base = configsOf('models/multibit/resnet20.spike').find(({ name }) => name === 'base')!;
  const { total } = costOf(networkOf(base, new Findings()));
  expect((total.macs / 1e9).toFixed(3)).toBe('2.587');
  expect((total.params / 1e6).toFixed(3)).toBe('17.277');
});

it('an interlaminar connection adds a 1×1 convolution and a channel attention to each block', () => {
  const count = (name: string, kind: string): number =>
    compile('models/multibit/resnet20.spike', name).ops.filter((op) => op.kind === kind).length;
  expect(count('narrow_mb21_ic', 'conv') - count('narrow_mb21', 'conv')).toBe(9);
  expect(count('narrow_mb21_ic', 'channel_conv')).toBe(9);
});

it('multi-bit networks have binary planes; channel attentions alone multiply, and a note says so', () => {
  const planes = withPlanes(compile('models/multibit/resnet20.spike', 'narrow_mb21'), new Findings()).network;
  for (const { spike_bits, steps } of costOf(planes).layers.slice(1)) expect([spike_bits, steps]).toEqual([1, 3]);
  const ibra = withPlanes(compile('models/ibra/resnet19.spike', 'ibra9'), new Findings()).network;
  for (const { spike_bits, steps } of costOf(ibra).layers.slice(1)) expect([spike_bits, steps]).toEqual([1, 9]);
  const findings = new Findings();
  const joined = withPlanes(compile('models/multibit/resnet20.spike', 'narrow_mb21_ic'), findings).network;
  const synapses = costOf(joined).layers.filter(({ kind }) => kind === 'conv' || kind === 'linear');
  for (const { spike_bits, steps } of synapses.slice(1)) expect([spike_bits, steps]).toEqual([1, 3]);
  expect(findings.all.map(({ code }) => code)).toEqual(['convert/attention-gate']);
}, 120_000);
