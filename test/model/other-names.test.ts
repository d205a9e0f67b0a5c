import { expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { testLoader } from '../support/spike.js';

/** What is said of a layer that the language hasn't, up to the list of layers. */
function saidOf(stage: string): string {
  const text = `network N { input x: real[3, 8, 8]  output x | ${stage} | flatten | linear(2) }`;
  const { diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
  expect(diagnostics.map(({ code }) => code)).toEqual(['model/unknown-name']);
  return diagnostics[0]!.help!.replace(/; the layers are .*/, '');
}

it.each([
  ['dense(10)', '`linear`'],
  ['Dense(10)', '`linear`'],
  ['fully_connected(10)', '`linear`'],
  ['bn', '`batchnorm`'],
  ['BatchNorm2d', '`batchnorm`'],
  ['batch_norm', '`batchnorm`'],
  ['conv2d(8)', '`conv`'],
  ['Conv2D(8)', '`conv`'],
  ['Dropout(0.5)', '`dropout`'],
  ['avg_pool(2)', '`avgpool`'],
  ['AveragePooling2D(2)', '`avgpool`'],
  ['MaxPool2d(2)', '`maxpool`'],
  ['AdaptiveAvgPool2d(1)', '`global_avgpool`'],
  ['GlobalAveragePooling2D', '`global_avgpool`'],
  ['Flatten', '`flatten`'],
  ['ReLU', '`relu`'],
  ['cat', '`concat`'],
  ['ConvTranspose2d(8)', '`transposed_conv`'],
  ['Conv2DTranspose(8)', '`transposed_conv`'],
])('%s is what the layer %s is called elsewhere', (stage, name) => {
  expect(saidOf(stage)).toBe(`the layer is called ${name} here`);
});

it.each([
  ['Softmax', 'the layer is called `softmax` here'],
  ['log_softmax', 'a network ends in logits'],
  ['relu6', 'a neuron with levels is bounded'],
  ['clip(0, 6)', 'a neuron with levels is bounded'],
  ['elu', 'a spiking network has `spike` here'],
  ['LeakyReLU', 'a spiking network has `spike` here'],
  ['mish', 'a spiking network has `spike` here'],
  ['InstanceNorm', 'only batch norm can be folded'],
  ['LayerNorm', 'the layer is called `layernorm` here'],
  ['SiLU', 'the layer is called `silu` here'],
  ['Leaky', 'what others call Leaky is `LIF`'],
  ['LIFNode', 'what others call LIFNode is `LIF`'],
  ['lapicque', 'neurons stand in `spike`'],
  ['ZeroPad2d(1)', 'the layer is called `pad` here'],
  ['interpolate(2)', 'the layer is called `upsample` here'],
  ['lstm(8)', 'there are no recurrent cells'],
  ['einsum(4)', 'products with weights are `linear`'],
  ['sign', '`sign` is a function of neurons’ equations'],
  ['frobnicate', 'the layers are conv, linear'],
])('%s gets no wrong suggestion', (stage, begin) => {
  expect(saidOf(stage)).toContain(begin);
});

it('a slip is still corrected', () => {
  expect(saidOf('linaer(10)')).toBe('did you mean "linear"?');
  expect(saidOf('flaten')).toBe('did you mean "flatten"?');
});
