import { add } from './add.js';
import { affine } from './affine.js';
import { avgpool } from './avgpool.js';
import { batchnorm } from './batchnorm.js';
import { channelConv } from './channel-conv.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { conv } from './conv.js';
import { conv3d } from './conv3d.js';
import { decode } from './decode.js';
import { delay } from './delay.js';
import { digit } from './digit.js';
import { digitNeuron } from './digit-neuron.js';
import { dropout } from './dropout.js';
import { embedding } from './embedding.js';
import { encode } from './encode.js';
import { flatten } from './flatten.js';
import { functionOp } from './function.js';
import { gather } from './gather.js';
import { globalavgpool } from './globalavgpool.js';
import { groupNeuron } from './group-neuron.js';
import { identity } from './identity.js';
import { input } from './input.js';
import { integerNorm } from './integer-norm.js';
import { integerSoftmax } from './integer-softmax.js';
import { lag } from './lag.js';
import { layernorm } from './layernorm.js';
import { linear } from './linear.js';
import { matmul } from './matmul.js';
import { matrixProduct } from './matrix-product.js';
import { maxpool } from './maxpool.js';
import { maxprefix } from './maxprefix.js';
import { mixSteps } from './mix-steps.js';
import { mul } from './mul.js';
import { neuron } from './neuron.js';
import { pad } from './pad.js';
import { planes } from './planes.js';
import { product } from './product.js';
import { quantize } from './quantize.js';
import { recode } from './recode.js';
import { relu } from './relu.js';
import { resample } from './resample.js';
import { reshape } from './reshape.js';
import { sigmoid } from './sigmoid.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { squeeze } from './squeeze.js';
import { table } from './table.js';
import { transpose } from './transpose.js';
import { transposedConv } from './transposed-conv.js';

/** Every kind of layer the Network IR knows: a file each, and a line here. */
export const networkOps = {
  input,
  quantize,
  conv,
  conv3d,
  transposed_conv: transposedConv,
  linear,
  batchnorm,
  affine,
  add,
  mul,
  matmul,
  concat,
  relu,
  clip,
  sigmoid,
  function: functionOp,
  softmax,
  layernorm,
  integer_softmax: integerSoftmax,
  integer_norm: integerNorm,
  embedding,
  table,
  digit,
  channel_conv: channelConv,
  avgpool,
  globalavgpool,
  maxpool,
  flatten,
  reshape,
  resample,
  transpose,
  slice,
  pad,
  dropout,
  identity,
  encode,
  neuron,
  recode,
  product,
  matrix_product: matrixProduct,
  group_neuron: groupNeuron,
  digit_neuron: digitNeuron,
  maxprefix,
  delay,
  lag,
  mix_steps: mixSteps,
  decode,
  planes,
  gather,
  squeeze,
} as const;
