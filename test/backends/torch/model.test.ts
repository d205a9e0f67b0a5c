import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { encodeSafetensors } from '../../../src/base/safetensors.js';
import { Unsupported, layeredModel, loweredModel } from '../../../src/backends/torch/index.js';
import { lowerModel } from '../../../src/lower/model-to-network/index.js';
import { checkModel } from '../../../src/model/index.js';
import { diskLoader } from '../../../src/workspace/files.js';
import { lower } from '../../../src/lower/program/index.js';
import { type Network, paramsToTensors } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { hasModules, hasTorch, python, readTensors, runPython, writeTensors } from '../../support/pytorch.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { forwardFeeds, networkFrom, tinyModel } from '../../support/train.js';
import { random } from '../../tensor/cases.js';

const layers = resolve(import.meta.dirname, '../../../src/backends/torch/python/layers.py');

const check = `
from safetensors.torch import load_file, save_file
from model import Network
import torch
network = Network()
network.load_state_dict(load_file("weights.safetensors"), strict=True)
network.eval()
x = load_file("x.safetensors")
with torch.no_grad():
    y = network(*x.values())
save_file({"y": y.contiguous()}, "y.safetensors")
`;

/** The network with batch norms whose statistics are those of no other, so that its neurons fire. */
function stirred(network: Network, seed = 7): Network {
  const next = random(seed);
  const params = [...network.params].map(([name, param]) => {
    if (!/\.(beta|mean|variance)$/.test(name)) return [name, param] as const;
    const data = Float32Array.from(param.tensor.data, (x) => x + 0.5 * next());
    return [name, { ...param, tensor: tensor('f32', param.tensor.shape, data) }] as const;
  });
  return { ...network, params: new Map(params) };
}

/** Of a text that uses networks of models/. */
function libraryNetwork(text: string): Network {
  const { value } = checkModel({ name: 'model.spike', text }, diskLoader('model.spike', false));
  const { value: network } = lowerModel([...value!.configs.values()][0]!, { seed: 1 });
  return network!;
}

/** What the emitted network gives for an image. */
function inPyTorch(text: string, weights: ReadonlyMap<string, Tensor>, x: Tensor): Tensor {
  const folder = temporaryFolder();
  copyFileSync(layers, join(folder, 'layers.py'));
  writeFileSync(join(folder, 'model.py'), text);
  writeFileSync(join(folder, 'weights.safetensors'), encodeSafetensors(weights));
  writeTensors(folder, 'x.safetensors', { x });
  runPython(folder, ['-c', check]);
  return readTensors(readFileSync(join(folder, 'y.safetensors'))).get('y')!;
}

function expectEqual(found: Tensor, wanted: Tensor, tolerance: number): void {
  expect(found.shape).toEqual(wanted.shape);
  const greatest = Math.max(...wanted.data);
  wanted.data.forEach((value, i) =>
    expect(Math.abs(found.data[i]! - value) / greatest, `[${i}]`).toBeLessThanOrEqual(tolerance),
  );
}

const width4: Readonly<Record<string, string>> = {
  Spikformer: `use "spikec/spikformer/cifar" { Spikformer } use "spikec/attention" { InputDecayLIF }
    config c { network Spikformer(dim: 24, blocks: 1, size: 8) neuron InputDecayLIF coding direct(steps: 2) }`,
  'Spikformer with learned bits': `use "spikec/spikformer/cifar" { Spikformer } use "spikec/neurons" { Refined }
    config c { network Spikformer(dim: 24, blocks: 1, size: 8, Attention: Refined, coded: true) neuron Refined coding direct(steps: 1)
      bits { weights learn(init: 4, max: 6, target: 2) spikes learn(init: 3, max: 6, target: 2) steps learn(init: 2, max: 3, target: 1) } }`,
  'multibit, interlaminar': `use "spikec/multibit/resnet20" { ResNet20 } use "spikec/neurons" { MBLIF } use "spikec/blocks" { InterlaminarBlock }
    config c { network ResNet20(width: 4, Block: InterlaminarBlock) neuron MBLIF coding direct(steps: 2) }`,
  IBRA: `use "spikec/ibra/resnet18" { ResNet18 } use "spikec/neurons" { IBRALIF }
    config c { network ResNet18(width: 4) neuron IBRALIF(D: 5.11, N: 100) coding direct(steps: 1) }`,
  'ILIF over steps': `use "spikec/ibra/resnet20" { ResNet20 } use "spikec/neurons" { ILIF }
    config c { network ResNet20(width: 4) neuron ILIF(D: 4) coding direct(steps: 3) }`,
  'learned bits of weights, spikes and steps': `use "spikec/adaptive/resnet20" { ResNet20 } use "spikec/neurons" { Refined }
    config c { network ResNet20(width: 4, stem_stride: 2) neuron Refined coding direct(steps: 1)
      bits { weights learn(init: 4, max: 6, target: 2) spikes learn(init: 3, max: 6, target: 2) steps learn(init: 2, max: 3, target: 1) } }`,
  'fixed bits': `use "spikec/adaptive/resnet20" { ResNet20 } use "spikec/neurons" { Refined }
    config c { network ResNet20(width: 4, stem_stride: 2) neuron Refined coding direct(steps: 1) bits { weights 1 spikes 2 steps 2 } }`,
};

/** Layers that no network above has. */
const bodies: Readonly<Record<string, Parameters<typeof tinyModel>[0]>> = {
  'convolutions with other pads on each side, groups and dilation': {
    body: `image | conv(4, kernel: [2, 3], stride: [1, 2], pad: [1, 0, 0, 2]) | spike
      | conv(6, kernel: 3, groups: 2, dilation: 2, pad: [2, 1, 2, 2]) | batchnorm | spike | flatten | linear(3)`,
  },
  'a transposed convolution with groups': {
    body: `image | conv(4, kernel: 3, stride: 2) | spike | transposed_conv(6, kernel: 3, groups: 2, pad: [1, 0, 0, 1]) | spike
      | flatten | linear(3)`,
  },
  'a concatenation, attention over channels and a padded maximum': {
    body: `concat(image | conv(4, kernel: 3) | spike, image | conv(2, kernel: 3) | relu) | eca(3)
      | maxpool(3, stride: 2, pad: 1) | flatten | linear(3)`,
  },
  'group norm, interpolation and learned positions': {
    body: `image | conv(4, kernel: 3, stride: 2) | groupnorm(2) | spike | upsample(2, linear) | conv(4, kernel: 3) | spike
      | reshape([4, -1]) | permute([1, 0]) | positions | spike | linear(3) | mean(axis: 0)`,
  },
  'convolutions and pools over three axes': {
    body: `image | reshape([1, 4, 4, 4]) | conv(4, kernel: [2, 3, 3], pad: same) | batchnorm | spike | maxpool(2)
      | conv(3, kernel: 2, pad: 1, stride: [1, 2, 1]) | spike | flatten | linear(3)`,
  },
  'an embedding of whole numbers': {
    body: 'image | flatten | linear(12) | spike | embedding(2, 3) | positions | spike | mean(axis: 1) | linear(3)',
  },
  'layer norm over the features of tokens, and over channels by the axes that are moved': {
    body: `image | conv(4, kernel: 3, stride: 2) | spike | reshape([4, -1]) | permute([1, 0]) | linear(6) | layernorm | spike
      | permute([1, 0]) | linear(5) | layernorm | permute([1, 0]) | spike | mean(axis: 0) | linear(3)`,
  },
  'a delay in a chain, the last step read out': {
    body: 'image | flatten | linear(6) | spike | delay(2) | linear(3) | readout(last)',
  },
  'sums over all time steps, of a train and of a current that stays': {
    body: 'image | flatten | linear(6) | mix_steps(start: 0.2) | spike | mix_steps | linear(3)',
  },
  'a greatest step read out': {
    body: 'image | flatten | linear(6) | spike | linear(4) | sigmoid | linear(3) | readout(max)',
  },
  'weights on a grid: transposed, with other pads on each side, fully connected': {
    neuron: 'LIF(tau: 2, theta: 0.05)',
    body: 'image | conv(4, kernel: 3, stride: 2, pad: [1, 0, 0, 1]) | transposed_conv(4) | spike | flatten | linear(5) | linear(3)',
    train: 'optimizer sgd(lr: 0.1) } bits { weights 3',
  },
};

const neurons: Readonly<Record<string, string>> = {
  LIF: 'LIF(tau: 2, theta: 0.7)',
  'LIF with soft reset': 'LIF(tau: 3, theta: 0.7, soft: true)',
  PLIF: 'PLIF(a: 0.3, theta: 0.5)',
  MBLIF: 'MBLIF',
  Ternary: 'Ternary(theta: 0.5)',
  BackEI: 'BackEI(theta: 0.5, feedback: 0.25)',
  MLF: 'MLF(k: 3, spacing: 0.3)',
  ALIF: 'ALIF(theta: 0.5)',
  CubaLIF: 'CubaLIF(theta: 0.5)',
  KLIF: 'KLIF(theta: 0.3)',
  QIF: 'QIF(theta: 0.4)',
  EIF: 'EIF(theta: 0.4)',
  Izhikevich: 'Izhikevich(theta: 0.4)',
  'a neuron that reads the time': 'Timed',
  'parameters per channel, neuron and step': 'Varied',
};

const timed = `
  neuron Varied(leak = learn(0.5, per: channel), gain = learn(1, per: step), theta = learn(0.4, per: neuron)) {
    state u = 0  charge u = leak * u + gain * x  fire s = u >= theta  reset u = where(s, 0, u)  surrogate atan }
  neuron Timed { state u = 0  charge u = u + x / t  fire s = u >= 0.4 + 0.1 * t / T  reset u = where(s, 0, u)  surrogate atan }
`;

describe.skipIf(!hasTorch)('networks in PyTorch', () => {
  it.each(Object.entries(neurons))('%s: what the reference evaluator gives', (_, neuron) => {
    const text = tinyModel({
      neuron,
      declarations: `use "spikec/neurons" { MLF, ALIF, CubaLIF, KLIF, QIF, EIF, Izhikevich } ${timed}`,
    });
    const network = stirred(networkFrom(text));
    const runnable = lower(network, { trainable: true });
    const feeds = forwardFeeds(runnable, 3);
    const { labels: _labels, ...images } = feeds;
    const wanted = evaluate(runnable.program, images)['0']!;
    const found = inPyTorch(layeredModel(network).text, paramsToTensors(network.params), images['image']!);
    expectEqual(found, wanted, 1e-6);
  });

  it.each(Object.entries(width4))(
    'networks of models/ (%s): what the reference evaluator gives',
    (_, text) => {
      const network = stirred(libraryNetwork(text));
      const runnable = lower(network, { trainable: true });
      const { labels: _labels, ...images } = forwardFeeds(runnable, 2);
      const wanted = evaluate(runnable.program, images)['0']!;
      expectEqual(
        inPyTorch(layeredModel(network).text, paramsToTensors(network.params), images['image']!),
        wanted,
        1e-6,
      );
    },
    240_000,
  );

  it.each(Object.entries(bodies))('%s: what the reference evaluator gives', (_, body) => {
    const network = stirred(networkFrom(tinyModel({ neuron: 'LIF(tau: 2, theta: 0.3)', ...body })));
    const runnable = lower(network, { trainable: true });
    const { labels: _labels, ...images } = forwardFeeds(runnable, 3);
    const wanted = evaluate(runnable.program, images)['0']!;
    expect(new Set(wanted.data).size).toBeGreaterThan(3);
    expectEqual(inPyTorch(layeredModel(network).text, paramsToTensors(network.params), images['image']!), wanted, 1e-6);
  });

  it('a cycle is a loop over the steps, and learns as it does here', () => {
    const network = networkFrom(
      tinyModel({
        declarations: 'use "spikec/blocks" { Recurrent, Gated }',
        body: 'image | flatten | Recurrent(6) | Gated(5) | linear(3)',
        neuron: 'LIF(tau: 2, theta: 0.3)',
      }),
    );
    const runnable = lower(network, { trainable: true });
    const { labels: _labels, ...images } = forwardFeeds(runnable, 3);
    const { text } = layeredModel(network);
    expect(text).toContain('for t in range(3):');
    const found = inPyTorch(text, paramsToTensors(network.params), images['image']!);
    expectEqual(found, evaluate(runnable.program, images)['0']!, 1e-6);
  });

  it('a network without a form of its layers is written as it is lowered', () => {
    const network = stirred(networkFrom(tinyModel({ neuron: 'MBLIF' })));
    const runnable = lower(network);
    const { labels: _labels, ...images } = forwardFeeds(runnable, 3);
    const { text, weights } = loweredModel(network, runnable);
    expectEqual(inPyTorch(text, weights, images['image']!), evaluate(runnable.program, images)['0']!, 1e-6);
  });
});

/** A layer of an attribute's name, and neurons of one with learned parameters. */
const renaming = `
  use "spikec/neurons" { PLIF }
  network None {
    input image: real[1, 8, 8]
    half = image | conv(4, kernel: 3) | batchnorm | spike
    type = half | flatten | linear(5) | spike
    output type | linear(3)
  }
  config c { network None neuron PLIF(theta: 0.3) coding direct(steps: 2) }`;

const loadedTwice = `
import copy, pickle
from safetensors.torch import load_file
from model import NAMES, Network
from torch import nn
import torch
given = load_file("weights.safetensors")
network, again = Network(), Network()
print(network.load_state_dict(given, strict=True))
for key, value in network.state_dict().items():
    assert torch.equal(value, given[NAMES.get(key, key)]), key
print(again.load_state_dict(copy.deepcopy(pickle.loads(pickle.dumps(network))).state_dict(), strict=True))
print(nn.Sequential(again).load_state_dict({f"0.{name}": value for name, value in given.items()}, strict=True))
del given["half.conv.weight"]
try:
    again.load_state_dict(given, strict=True)
except RuntimeError as error:
    print("half_.conv.weight" in str(error))
`;

it.skipIf(!hasTorch)(
  'strict loading takes the file’s weights where layers are renamed, alone and inside of another module, and misses what isn’t there',
  () => {
    const network = stirred(networkFrom(renaming));
    const runnable = lower(network, { trainable: true });
    const { labels: _labels, ...images } = forwardFeeds(runnable, 3);
    const weights = paramsToTensors(network.params);
    const { text } = layeredModel(network);
    expectEqual(inPyTorch(text, weights, images['image']!), evaluate(runnable.program, images)['0']!, 1e-6);
    const folder = temporaryFolder();
    copyFileSync(layers, join(folder, 'layers.py'));
    writeFileSync(join(folder, 'model.py'), text);
    writeFileSync(join(folder, 'weights.safetensors'), encodeSafetensors(weights));
    const matched = '<All keys matched successfully>\n';
    expect(runPython(folder, ['-c', loadedTwice])).toBe(`${matched.repeat(3)}True\n`);
  },
);

it('a network of renamed layers takes their names when it is loaded; one without has no such method', () => {
  const network = networkFrom(renaming);
  const { text, renamed } = layeredModel(network);
  expect([...renamed]).toContainEqual(['half_.conv.weight', 'half.conv.weight']);
  expect([...renamed]).toContainEqual(['type_.linear.weight', 'type.linear.weight']);
  expect([...renamed.values()].every((name) => network.params.has(name))).toBe(true);
  expect(text).toContain('"half_.conv.weight": "half.conv.weight"');
  expect(text).toMatch(
    /def _load_from_state_dict\(.*\n(.*\n)*? +state_dict\[prefix \+ key\] = state_dict\.pop\(prefix \+ name\)/,
  );
  expect(layeredModel(networkFrom(tinyModel())).text).not.toContain('_load_from_state_dict');
});

const hasLinters = hasModules('ruff and mypy on emitted Python', 'ruff', 'mypy', 'torch');

describe.skipIf(!hasLinters)('emitted Python', () => {
  it('passes ruff and mypy --strict, and so does what is copied beside it', () => {
    const folder = join(temporaryFolder(), 'python');
    cpSync(dirname(layers), folder, { recursive: true });
    const texts = [
      ...Object.values(width4),
      tinyModel({ neuron: 'EIF', declarations: 'use "spikec/neurons" { EIF }' }),
      renaming,
    ];
    texts.forEach((text, i) =>
      writeFileSync(join(folder, `model${i || ''}.py`), layeredModel(libraryNetwork(text)).text),
    );
    const network = networkFrom(tinyModel());
    writeFileSync(join(folder, 'lowered.py'), loweredModel(network, lower(network)).text);
    runPython(folder, ['-m', 'ruff', 'check', '--no-cache', '.']);
    // what mypy finds out of PyTorch's own files, it keeps from run to run
    runPython(folder, ['-m', 'mypy', '--strict', '--cache-dir', join(tmpdir(), `spikec-mypy-${userInfo().uid}`), '.']);
  }, 300_000);
});

it('what a model file calls things reaches Python as names that Python has no other meaning for', () => {
  const body = `class = image | conv(4, kernel: 3) | spike
    self = class | flatten
    half = self | linear(3)
    torch = half | spike
    output torch | linear(3)`;
  const network = networkFrom(`
    use "spikec/neurons" { LIF }
    network None { input lambda: real[1, 8, 8] ${body.replace('image', 'lambda').replaceAll('class', 'klass')} }
    config c { network None neuron LIF coding direct(steps: 2) }`);
  const { text, renamed } = layeredModel(network);
  expect([...renamed]).toContainEqual(['half_.linear.weight', 'half.linear.weight']);
  const { status, stderr } = spawnSync(python, ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
    input: text,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(text).not.toMatch(/\blambda\b/);
});

it('a layer without such a form is named', () => {
  const network = networkFrom(tinyModel());
  const first = network.ops.find(({ kind }) => kind === 'conv')!;
  const planes = { ...first, attrs: { ...first.attrs, planes: 3 } } as typeof first;
  const changed = { ...network, ops: network.ops.map((op) => (op === first ? planes : op)) };
  expect(() => layeredModel(changed)).toThrowError(new Unsupported(planes, 'a synapse on planes'));
});
