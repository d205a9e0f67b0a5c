import { type Help } from '../base/diagnostics/index.js';
import { closest, suggest } from '../base/did-you-mean.js';
import { layerTable } from './layers/index.js';

/** What other tools call a layer of the language, as {@link plainName} has it. */
const layers = new Map(
  Object.entries({
    linear: 'dense fc fullyconnected affine gemm linear',
    conv: 'conv convolution',
    batchnorm: 'bn batchnorm batchnormalization',
    dropout: 'dropout alphadropout',
    avgpool: 'avgpool averagepool averagepooling meanpool',
    maxpool: 'maxpool maxpooling',
    transposed_conv: 'deconv deconvolution convtranspose convolutiontranspose upconv convtransposed',
    global_avgpool: 'gap globalavgpool globalaveragepool globalaveragepooling adaptiveavgpool',
    flatten: 'flatten view ravel',
    relu: 'relu',
    tanh: 'tanh',
    gelu: 'gelu',
    silu: 'silu swish',
    softmax: 'softmax',
    layernorm: 'layernorm layernormalization',
    groupnorm: 'groupnorm groupnormalization',
    positions: 'parameter positionalencoding positionalembedding positionembedding posembed',
    embedding: 'embed embedding',
    pad: 'pad zeropad constantpad',
    upsample: 'upsample interpolate upsampling upsamplingnearest',
    channel_shuffle: 'channelshuffle',
    voting: 'votinglayer',
    sigmoid: 'sigmoid logistic',
    concat: 'concat cat concatenate',
    add: 'add sum residual',
    mul: 'mul multiply',
    matmul: 'matmul bmm mm matrixmultiply',
    permute: 'permute transpose swapaxes movedim',
    reshape: 'reshape rearrange unflatten',
    split: 'split chunk',
    slice: 'slice narrow getitem',
    mean: 'mean reducemean',
  }).flatMap(([name, others]) => others.split(' ').map((other): [string, string] => [other, name])),
);

/** What other tools have and the language hasn't, or says otherwise. */
const advice = new Map(
  (
    [
      ['logsoftmax', 'a network ends in logits: `loss cross_entropy` has the softmax, so leave it out'],
      [
        'relu6 clamp clip hardtanh hardsigmoid threshold',
        'a neuron with levels is bounded: `spike(ILIF(D: 6))`; `relu` and `sigmoid` are the activations of real values',
      ],
      [
        'leakyrelu prelu elu selu celu hardswish mish softplus activation',
        'a spiking network has `spike` here; `relu`, `sigmoid`, `tanh`, `gelu` and `silu` are the activations of real values',
      ],
      [
        'instancenorm rmsnorm norm normalization',
        'only batch norm can be folded into weights: `batchnorm`; `layernorm` is of each sample over its last axis, `groupnorm` over its channels in groups (each by itself: `groupnorm(C)`)',
      ],
      ['depthwiseconv depthwise', 'a depthwise convolution is `conv(C, groups: C)` of C channels'],
      ['separableconv', 'write `conv(C, groups: C) | conv(channels, kernel: 1)`'],
      ['pool pooling', '`avgpool` and `maxpool` are the pools'],
      ['padding', 'padding is an argument: `conv(8, pad: 1)`, `maxpool(3, pad: 1)`'],
      ['globalpool', '`global_avgpool` is the mean over height and width, `mean(axis: 0)` over one axis'],
      ['identity noop', 'leave it out'],
      ['unpool', '`upsample` and `transposed_conv` make height and width larger'],
      [
        'lif leaky lifnode lifcell lapicque synaptic rleaky rsynaptic alpha if ifnode plif parametriclif parametriclifnode izhikevich adex neuron neurons neurongroup fire',
        'neurons stand in `spike`, or in the config: `spike(LIF(tau: 2))` with `use "spikec/neurons" { LIF }`; leak β of other tools is 1 - 1 / tau',
      ],
      [
        'rnn lstm gru recurrent',
        'there are no recurrent cells; a neuron keeps its states from step to step, and equations of your own say how',
      ],
      [
        'attention multiheadattention selfattention transformer',
        'blocks of spiking attention are in the library: `use "spikec/attention" { SpikformerBlock }`; `eca` is channel attention',
      ],
      [
        'einsum dot tensordot',
        'products with weights are `linear`, of two values `matmul`; `mul` multiplies element by element',
      ],
      ['reshape permute transpose squeeze unsqueeze rearrange', '`flatten` is the change of shape there is'],
      [
        'sequential model module forward',
        'layers follow one another with `|`: `x | conv(8) | spike | flatten | linear(10)`',
      ],
      ['synapses synapse connection', 'synapses are `linear` and `conv`'],
      [
        'poissongroup poissoninput poisson spikegenerator encoder rate ratecoding',
        'the config says how the input is coded: `coding rate(steps: 16)`',
      ],
      ['spikemonitor statemonitor monitor', 'run `spikec picture spikes` or `spikec eval --activity` on the config'],
    ] as const
  ).flatMap(([names, said]) => names.split(' ').map((name): [string, string] => [name, said])),
);

/** Without case, underscores and what says how many dimensions there are: `Conv2d`, `conv_2d`, `Conv2D` are `conv`. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('_', '')
    .replace(/[123]d(?=transpose$|$)|layer$/, '');
}

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

/** Help for an unknown layer: what another tool's name means here, the likeliest name, or all layers. */
export function layerNameHelp(name: string, candidates: readonly string[]): Help {
  const list = `the layers are ${Object.keys(layerTable).join(', ')}`;
  const plain = plainName(name);
  const meant = layers.get(plain);
  if (meant !== undefined) {
    return { text: `the layer is called \`${meant}\` here; ${list}`, fix: { kind: 'replace', text: meant } };
  }
  const said = advice.get(plain);
  const equation = equationWords.has(name) ? `\`${name}\` is a function of neurons’ equations; ` : '';
  if (said !== undefined) return `${equation}${said}; ${list}`;
  if (equation !== '') return `${equation}${list}`;
  return closest(name, candidates) === undefined ? list : suggest(name, candidates)!;
}
