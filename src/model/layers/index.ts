import { eca, shortcut } from './composites.js';
import { add, concat, matmul, mul } from './joins.js';
import type { LayerDef } from './layer-def.js';
import {
  delay,
  dropout,
  embedding,
  flatten,
  gelu,
  groupnorm,
  layernorm,
  mixSteps,
  positions,
  readout,
  relu,
  sigmoid,
  silu,
  softmax,
  spike,
  tanh,
} from './plain.js';
import { avgpool, globalAvgpool, maxpool } from './pooling.js';
import { channelShuffle, pad, upsample, voting } from './rearranged.js';
import { mean, permute, reshape, slice, split } from './shapes.js';
import { transposedConv } from './transposed.js';
import { batchnorm, conv, linear } from './weighted.js';

export { type LayerDef, type LayerSite, sameShape } from './layer-def.js';

/** The layers the language brings along, by the name they are called by. */
export const layerTable: Readonly<Record<string, LayerDef>> = {
  conv,
  linear,
  transposed_conv: transposedConv,
  batchnorm,
  layernorm,
  groupnorm,
  positions,
  embedding,
  spike,
  avgpool,
  maxpool,
  global_avgpool: globalAvgpool,
  flatten,
  reshape,
  permute,
  slice,
  split,
  mean,
  pad,
  upsample,
  channel_shuffle: channelShuffle,
  voting,
  dropout,
  delay,
  mix_steps: mixSteps,
  readout,
  relu,
  sigmoid,
  tanh,
  gelu,
  silu,
  softmax,
  add,
  mul,
  matmul,
  concat,
  shortcut,
  eca,
};

export function layerNamed(name: string): LayerDef | undefined {
  return Object.hasOwn(layerTable, name) ? layerTable[name] : undefined;
}
