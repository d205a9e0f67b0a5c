import type { Op, OpKind } from '../../network/index.js';

/** What a layer is for: its colour in the graph. */
export type Group = 'border' | 'synapse' | 'norm' | 'neuron' | 'join' | 'shape';

const groups: Readonly<Record<OpKind, Group>> = {
  input: 'border',
  encode: 'border',
  decode: 'border',
  quantize: 'norm',
  conv: 'synapse',
  linear: 'synapse',
  channel_conv: 'synapse',
  batchnorm: 'norm',
  affine: 'norm',
  add: 'join',
  mul: 'join',
  concat: 'join',
  relu: 'neuron',
  clip: 'neuron',
  sigmoid: 'neuron',
  neuron: 'neuron',
  maxprefix: 'shape',
  avgpool: 'shape',
  globalavgpool: 'shape',
  maxpool: 'shape',
  flatten: 'shape',
  reshape: 'shape',
  transpose: 'shape',
  slice: 'shape',
  pad: 'shape',
  dropout: 'shape',
  identity: 'shape',
  lag: 'shape',
  delay: 'shape',
  squeeze: 'shape',
  planes: 'shape',
  gather: 'shape',
};

export const groupNames: Readonly<Record<Group, string>> = {
  border: 'input, encoder, read-out',
  synapse: 'synapses',
  norm: 'normalisation, quantiser',
  neuron: 'neurons, activations',
  join: 'add, multiply, concatenate',
  shape: 'pooling, shape, time',
};

export function groupOf({ kind }: Op): Group {
  return groups[kind];
}

/** `neuron LIF` or the kind. */
export function kindName(op: Op): string {
  return op.kind === 'neuron' ? `neuron ${op.attrs.neuron}` : op.kind;
}
