import type { OpKind } from '../../../network/index.js';
import { batchnorm } from './batchnorm.js';
import { functionOp } from './function.js';
import type { OpLowering } from './op-lowering.js';
import { quantize } from './quantise.js';
import { table } from './table.js';
import * as synapses from './synapses.js';
import * as values from './values.js';

export type { Acting, OpLowering } from './op-lowering.js';

const time: OpLowering = { role: 'time' };

/** How each kind of op is lowered on one tensor; a kind without a row is a compile error. */
export const opLowerings: Readonly<Record<OpKind, OpLowering>> = {
  conv: synapses.conv,
  linear: synapses.linear,
  channel_conv: synapses.channelConv,
  affine: synapses.affine,
  avgpool: synapses.avgpool,
  globalavgpool: synapses.globalavgpool,
  batchnorm,
  quantize,
  relu: values.relu,
  clip: values.clip,
  sigmoid: values.sigmoid,
  function: functionOp,
  table,
  maxpool: values.maxpool,
  pad: values.pad,
  dropout: values.dropout,
  flatten: values.flatten,
  reshape: values.reshape,
  identity: values.identity,
  add: values.add,
  mul: values.mul,
  concat: values.concat,
  input: time,
  encode: time,
  decode: time,
  neuron: time,
  recode: time,
  product: time,
  maxprefix: time,
  delay: time,
  planes: time,
  gather: time,
  squeeze: time,
};
