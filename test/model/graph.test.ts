import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Config, type Layer, type Model, type OwnNetwork, checkModel } from '../../src/model/index.js';
import { kitchenSink } from '../support/kitchen-sink.js';
import { expectDiagnostics, testLoader } from '../support/spike.js';

function model(text: string, files: Readonly<Record<string, string>> = {}): Model {
  const { value, diagnostics } = checkModel({ name: 'dir/model.spike', text }, testLoader(files));
  expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
  return value!;
}

function network(text: string): OwnNetwork {
  return [...model(text).networks.values()][0]!;
}

function own(config: Config | undefined): OwnNetwork {
  if (config?.network.kind !== 'network') throw new Error('not a network of layers');
  return config.network;
}

function line({ id, kind, inputs, shape }: Layer): string {
  return `${id} = ${kind}(${inputs.join(', ')}) [${shape.join(', ')}]`;
}

/** Weights of a network without batch norm and biases: what stays after folding. */
function parameters({ layers }: OwnNetwork): number {
  const shapes = new Map(layers.map((layer) => [layer.id, layer.shape]));
  return layers.reduce((sum, { kind, attrs, inputs }) => {
    const channels = inputs[0] === undefined ? 0 : shapes.get(inputs[0])![0]!;
    if (kind === 'linear') return sum + channels * (attrs['features'] as number);
    if (kind !== 'conv') return sum;
    const [kh, kw] = attrs['kernel'] as readonly [number, number];
    return sum + ((attrs['channels'] as number) * kh * kw * channels) / (attrs['groups'] as number);
  }, 0);
}

const resnet = (block: string): string => `use "spikec/blocks" { BasicBlock, InterlaminarBlock }
use "spikec/neurons" { LIF, MBLIF }
network ResNet20(classes: int = 10, Block: block = BasicBlock) {
  input image: real[3, 32, 32]
  stem   = image | conv(128, kernel: 3) | batchnorm | spike
  stage1 = stem | repeat(3) Block(128)
  stage2 = stage1 | Block(256, stride: 2) | repeat(2) Block(256)
  stage3 = stage2 | Block(512, stride: 2) | repeat(2) Block(512)
  output stage3 | global_avgpool | linear(classes)
}
config base { network ResNet20(Block: ${block})  neuron LIF(tau: 4) }`;

describe('networks', () => {
  it('expand to layers with ids from their places, in topological order', () => {
    const { layers, outputs } = network(`
      block Pair(n: int) { input x  left = x | conv(n) | relu  output left + x }
      network Net {
        input x: real[2, 4, 4]
        a = x | Pair(2) | conv(2) | conv(2) | repeat(2) Pair(2)
        output logits = a | global_avgpool | linear(3)
      }`);
    expect(layers.map(line)).toEqual([
      'x = input() [2, 4, 4]',
      'a.0.left.conv = conv(x) [2, 4, 4]',
      'a.0.left.relu = relu(a.0.left.conv) [2, 4, 4]',
      'a.0.output.add = add(a.0.left.relu, x) [2, 4, 4]',
      'a.conv = conv(a.0.output.add) [2, 4, 4]',
      'a.conv_2 = conv(a.conv) [2, 4, 4]',
      'a.1.left.conv = conv(a.conv_2) [2, 4, 4]',
      'a.1.left.relu = relu(a.1.left.conv) [2, 4, 4]',
      'a.1.output.add = add(a.1.left.relu, a.conv_2) [2, 4, 4]',
      'a.2.left.conv = conv(a.1.output.add) [2, 4, 4]',
      'a.2.left.relu = relu(a.2.left.conv) [2, 4, 4]',
      'a.2.output.add = add(a.2.left.relu, a.1.output.add) [2, 4, 4]',
      'logits.global_avgpool = globalavgpool(a.2.output.add) [2, 1, 1]',
      'logits.linear.flatten = flatten(logits.global_avgpool) [2]',
      'logits.linear = linear(logits.linear.flatten) [3]',
    ]);
    expect(outputs.map(({ name, layer }) => [name, layer])).toEqual([['logits', 'logits.linear']]);
  });

  it('take blocks with some of their arguments', () => {
    const text = `use "spikec/neurons" { LIF }
      block Leaf(kernel: int = 2) { input x  output x | avgpool(kernel, stride: 1) }
      block Inner(channels: int, bias: bool = true, Deep: block = Leaf) {
        input x
        output x | conv(channels, bias: bias) | Deep
      }
      network Net(Block: block = Inner(bias: false), channels: int = 4) {
        input x: real[1, 8, 8]
        output x | Block(channels) | spike | flatten | linear(2)
      }
      network Outer(Block: block = Inner) { input x: real[1, 8, 8]  output x | Block(2, bias: false) | spike }
      config a { network Net  neuron LIF }
      config b { network Net(Block: Inner(Deep: Leaf(kernel: 5)))  neuron LIF }
      config c { network Outer(Block: Inner(Deep: Leaf(kernel: 3)))  neuron LIF }`;
    const { configs } = model(text);
    const attrs = (config: string, kind: string): Layer['attrs'] =>
      own(configs.get(config)).layers.find((layer) => layer.kind === kind)!.attrs;
    expect(['a', 'b', 'c'].map((config) => attrs(config, 'conv')['bias'])).toEqual([false, true, false]);
    expect(['a', 'b', 'c'].map((config) => attrs(config, 'avgpool')['kernel'])).toEqual([
      [2, 2],
      [5, 5],
      [3, 3],
    ]);
  });

  it('refuse wrong arguments of blocks that are passed', () => {
    const diagnostics = expectDiagnostics(`use "spikec/neurons" { LIF }
      block Inner(channels: int = 2, stride: int = 1) { input x  output x | conv(channels, stride: stride) }
      network Net(Block: block = Inner) {
        input x: real[1, 8, 8]
        output x | Block(4) | spike // error: model/argument-twice
      }
      config a { network Net(Block: Inner(stride: 2))  neuron LIF }
      config b { network Net(Block: Inner(channels: 3))  neuron LIF }
      config c { network Net(Block: Inner(strid: 2))  neuron LIF } // error: model/argument-unknown
      config d { network Net(Block: Inner(stride: 0.5))  neuron LIF } // error: model/argument-type
      config e { network Net(Block: Inner(1, 2, 3))  neuron LIF } // error: model/argument-extra
      config f { network Net(Block: Net(Inner))  neuron LIF } // error: model/argument-type
      config g { network Net(Block: LIF(2))  neuron LIF } // error: model/argument-type
    `);
    const twice = diagnostics.find(({ code }) => code === 'model/argument-twice')!;
    expect(twice.related).toHaveLength(1);
  });

  it('keep an id when other lines change', () => {
    const ids = (extra: string): string[] =>
      network(`network Net { input x: real[2, 4, 4] ${extra} b = x | conv(3) | relu output b }`).layers.map(
        (l) => l.id,
      );
    expect(ids('a = x | conv(2)')).toEqual(ids(''));
    expect(ids('')).toEqual(['x', 'b.conv', 'b.relu']);
  });

  it('have the shapes of convolutions and pools', () => {
    const shape = (layer: string): readonly number[] =>
      network(`network Net { input x: real[4, 9, 7] output x | ${layer} }`).layers.at(-1)!.shape;
    expect(shape('conv(8)')).toEqual([8, 9, 7]);
    expect(shape('conv(8, kernel: 3, stride: 2)')).toEqual([8, 5, 4]);
    expect(shape('conv(8, kernel: 5, pad: none)')).toEqual([8, 5, 3]);
    expect(shape('conv(8, kernel: [3, 1], stride: [2, 1], pad: [1, 0])')).toEqual([8, 5, 7]);
    expect(shape('conv(8, kernel: 3, dilation: 2)')).toEqual([8, 9, 7]);
    expect(shape('conv(8, kernel: 2)')).toEqual([8, 9, 7]);
    expect(shape('conv(8, kernel: 2, pad: [0, 1, 1, 0], groups: 4)')).toEqual([8, 9, 7]);
    expect(shape('maxpool')).toEqual([4, 4, 3]);
    expect(shape('avgpool(kernel: 3, stride: 2, pad: 1)')).toEqual([4, 5, 4]);
    expect(shape('flatten')).toEqual([252]);
    expect(shape('conv(8) | eca')).toEqual([8, 9, 7]);
  });

  it('drop what doesn’t reach the output', () => {
    const { layers } = network('network Net { input x: real[1, 2, 2] idle = x | conv(9) output x | relu }');
    expect(layers.map((layer) => layer.id)).toEqual(['x', 'output.relu']);
  });

  it('give a bias to convolutions unless a batch norm follows alone', () => {
    const { layers } = network(`network Net {
      input x: real[1, 2, 2]
      a = x | conv(1) | batchnorm | conv(1) | spike | conv(1, bias: true) | batchnorm | conv(1, bias: false)
      b = a | conv(1)
      output (b | batchnorm) + b
    }
    `);
    const biases = layers.filter((layer) => layer.kind === 'conv').map((layer) => layer.attrs['bias']);
    expect(biases).toEqual([false, true, true, false, true]);
  });

  it('do arithmetic on values', () => {
    const { layers } = network(`network Net {
      input x: real[3, 2, 2]
      gain = x | global_avgpool
      output (x * 2 - x / 4 + 0.5 - 1) * gain + (3 - x) + -x
    }`);
    const made = layers.slice(2).map(({ kind, attrs }) => [kind, ...Object.values(attrs)].join(' '));
    expect(made).toEqual([
      'scale 2',
      'scale 0.25',
      'scale -1',
      'add',
      'shift 0.5',
      'shift -1',
      'mul',
      'scale -1',
      'shift 3',
      'add',
      'scale -1',
      'add',
    ]);
  });

  it('pass the neuron, blocks, lists, strings and flags as parameters', () => {
    const { layers } = network(`use "spikec/neurons" { LIF, IF }
    block B(kernel: int[2], cell: neuron, act: block, on: bool, label: string = "x") {
      input x
      output where(on and label == "x", x | conv(2, kernel: kernel), x) | spike(cell) | act
    }
    block Act { input x output x | relu }
    network Net(k: int[] = [1, 3], cell: neuron = IF(theta: 2)) {
      input x: real[2, 4, 4]
      output x | B(k, cell, Act, true) | B([3, 3], LIF(tau: 3), Act, on: false)
    }`);
    expect(layers.map((layer) => layer.id)).toEqual([
      'x',
      'output.0.output.conv',
      'output.0.output.spike',
      'output.0.output.0.output.relu',
      'output.1.output.spike',
      'output.1.output.0.output.relu',
    ]);
    expect(layers[2]!.neuron!.args).toMatchObject({ theta: 2, soft: 1 });
    expect(layers[4]!.neuron!.args).toMatchObject({ tau: 3, theta: 1, soft: 0 });
  });

  it('have the published size: ResNet-20 with 17.277 M parameters', () => {
    const basic = own(model(resnet('BasicBlock')).configs.get('base'));
    expect(parameters(basic) / 1e6).toBeCloseTo(17.277, 2);
    const interlaminar = own(model(resnet('InterlaminarBlock')).configs.get('base'));
    expect(parameters(interlaminar)).toBeGreaterThan(parameters(basic));
    expect(interlaminar.layers.filter((layer) => layer.kind === 'channelconv')).toHaveLength(9);
  });
});

describe('configs', () => {
  it('take over what they extend, blocks key by key', () => {
    const { configs } = model(`
      config base {
        network onnx("nets/a.onnx")
        coding sws(beta: 2, steps: 4)
        train { data mnist batch 64 optimizer sgd(lr: 0.1, momentum: 0.9) }
        bits { weights 4 layer "a" { weights 8 } }
      }
      config next extends base {
        train { batch 32 optimizer adam }
        bits { spikes 2 layer "b" { weights learn(init: 4, max: 6, target: 2) } }
      }
      config last extends next { network onnx("b.onnx") coding direct(4) }`);
    const next = configs.get('next')!;
    expect(next.network).toMatchObject({
      kind: 'onnx',
      path: 'nets/a.onnx',
      folder: 'dir',
      resolved: 'dir/nets/a.onnx',
    });
    expect(next.coding).toMatchObject({
      name: 'sws',
      args: { beta: 2, steps: 4, silent: 2, encoder: 'exact', threshold: 'half' },
    });
    expect(next.train!.settings).toMatchObject({
      data: 'mnist',
      batch: 32,
      optimizer: { name: 'adam', args: { lr: 0.001, beta1: 0.9, beta2: 0.999 } },
    });
    expect(next.bits!.settings).toEqual({ weights: 4, spikes: 2 });
    expect(next.bits!.layers.map((layer) => layer.pattern)).toEqual(['a', 'b']);
    const last = configs.get('last')!;
    expect(last.network).toMatchObject({ resolved: 'dir/b.onnx' });
    expect(last.coding).toMatchObject({ name: 'direct', args: { steps: 4 }, layers: [] });
  });

  it('set single layers of a coding', () => {
    const { configs } = model(`config a {
      network onnx("a.onnx")
      coding sws(2, 8, 2, encoder: drive, threshold: full) { layer "conv1" { silent 4 } layer "fc*" { silent 0 } }
    }`);
    const { args, layers } = configs.get('a')!.coding!;
    expect(args).toMatchObject({ encoder: 'drive', threshold: 'full' });
    expect(layers.map(({ pattern, settings }) => [pattern, settings['silent']])).toEqual([
      ['conv1', 4],
      ['fc*', 0],
    ]);
  });
});

describe('the kitchen sink', () => {
  const blocks = `block Residual(n: int) { input x output x + (x | conv(n) | spike) }
  block Squeeze(n: int) { input x output x | conv(n, kernel: 1) }`;

  it('checks without any diagnostic', () => {
    const files = { 'dir/blocks.spike': blocks };
    const { value, diagnostics } = checkModel({ name: 'dir/model.spike', text: kitchenSink }, testLoader(files));
    expect(diagnostics.map((one) => `${one.code}: ${one.message}`)).toEqual([]);
    expect([...value!.configs.keys()]).toEqual(['base', 'wider', 'quick', 'custom', 'converted', 'rates']);
    expect(own(value!.configs.get('wider')).layers[1]!.shape).toEqual([16, 16, 16]);
    expect(value!.configs.get('quick')!.train!.settings).toMatchObject({
      epochs: 5,
      batch: 64,
      augment: [{ name: 'flip' }, { name: 'crop' }],
    });
    expect([...value!.neurons.keys()].sort()).toEqual(['Custom', 'LIF', 'MultiBit', 'PLIF']);
  });
});

describe('the sketch the language was designed with', () => {
  const read = (name: string): string =>
    readFileSync(new URL(`../golden/design-sketch/${name}.spike`, import.meta.url), 'utf8');

  it('checks; its own neuron hides the imported one', () => {
    const files = { 'dir/blocks.spike': read('blocks') };
    const { value, diagnostics } = checkModel({ name: 'dir/model.spike', text: read('model') }, testLoader(files));
    expect(diagnostics.map((one) => one.code)).toEqual(['model/shadowed-import']);
    expect([...value!.configs.keys()]).toEqual(['base', 'mb21', 'interlaminar', 'adaptive', 'mixed', 'converted']);
    expect(own(value!.configs.get('base')).layers.map((layer) => layer.id)).toContain('stage2.0.pre.conv');
    const mixed = value!.configs.get('mixed')!;
    expect(mixed.neuron).toMatchObject({ def: { name: 'MBLIF' }, args: { tau: 4, integer: 2, fraction: 1 } });
    expect(mixed.bits).toMatchObject({
      settings: { weights: 4 },
      layers: [
        { pattern: 'stem', settings: { weights: 8 } },
        { pattern: 'stage3.*', settings: { weights: 2 } },
      ],
    });
    expect(value!.configs.get('adaptive')!.bits!.settings['steps']).toMatchObject({
      name: 'learn',
      args: { init: 2, max: 3, target: 1 },
    });
  });
});
