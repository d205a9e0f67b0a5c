import { closest, suggest } from '../base/did-you-mean.js';
import { layerTable } from './layers/index.js';

/** What other tools call a layer of the language. */
const layers = new Map(
  Object.entries({
    linear: 'dense fc fully_connected affine gemm matmul_weights Dense Linear',
    conv: 'conv1d conv2d conv3d Conv2d Conv2D convolution depthwise_conv separable_conv',
    batchnorm: 'bn BN batch_norm batchnorm1d batchnorm2d BatchNorm2d BatchNormalization layernorm groupnorm norm',
    dropout: 'dropout1d dropout2d Dropout',
    avgpool: 'avg_pool avgpool2d AvgPool2d average_pool AveragePooling2D',
    maxpool: 'max_pool maxpool2d MaxPool2d MaxPooling2D pool',
    transposed_conv:
      'deconv deconvolution conv_transpose convtranspose ConvTranspose ConvTranspose2d Conv2DTranspose upconv',
    global_avgpool: 'gap GAP globalavgpool adaptive_avgpool AdaptiveAvgPool2d mean reduce_mean',
    flatten: 'Flatten view reshape',
    relu: 'ReLU leaky_relu gelu elu silu hardtanh activation',
    sigmoid: 'Sigmoid softmax tanh',
    spike: 'lif LIF neuron activation_spike fire',
    concat: 'cat concatenate Concat',
    add: 'sum Add residual',
    mul: 'multiply Mul',
  }).flatMap(([name, others]) => others.split(' ').map((other): [string, string] => [other, name])),
);

/** Functions of a neuron's equations, which networks don't have as layers. */
const equationWords = new Set([
  'clip',
  'log',
  'log2',
  'exp',
  'sign',
  'tanh',
  'levels',
  'detach',
  'floor',
  'round',
  'abs',
]);

/** Neurons of the standard library by what other tools call them. */
export const neuronNames = new Map(
  Object.entries({
    LIF: 'Leaky LIFNode LIFCell lif leaky LeakyIntegrateAndFire Lif',
    IF: 'IFNode if_node IntegrateAndFire',
    PLIF: 'ParametricLIFNode ParametricLIF ParametricLeaky plif',
    TSA: 'tsa',
  }).flatMap(([name, others]) => others.split(' ').map((other): [string, string] => [other, name])),
);

/** Help for an unknown layer: the likeliest name, what another tool's name means here, or all layers. */
export function layerNameHelp(name: string, candidates: readonly string[]): string {
  const near = closest(name, candidates);
  if (near !== undefined) return suggest(name, candidates)!;
  const meant = layers.get(name);
  const list = `the layers are ${Object.keys(layerTable).join(', ')}`;
  if (equationWords.has(name)) return `\`${name}\` is a function of neurons’ equations; ${list}`;
  return meant === undefined ? list : `the layer is called \`${meant}\` here; ${list}`;
}
