import { type Op, type OpRole, roleOf } from '../../network/index.js';

/** What a layer is for: its colour in the graph. */
export type Group = 'border' | 'synapse' | 'norm' | 'neuron' | 'join' | 'shape';

const groups: Readonly<Record<OpRole, Group>> = {
  input: 'border',
  encoder: 'border',
  'read-out': 'border',
  quantiser: 'norm',
  weighted: 'synapse',
  mixing: 'synapse',
  norm: 'norm',
  scaling: 'norm',
  sum: 'join',
  product: 'join',
  concatenation: 'join',
  bound: 'neuron',
  function: 'neuron',
  'group-function': 'neuron',
  neurons: 'neuron',
  'running-maximum': 'shape',
  average: 'shape',
  maximum: 'shape',
  reshape: 'shape',
  border: 'shape',
  same: 'shape',
  delay: 'shape',
  squeeze: 'shape',
  planes: 'shape',
  gather: 'shape',
  lag: 'shape',
  'step-mixing': 'synapse',
  table: 'norm',
  'whole-input': 'neuron',
};

export const groupNames: Readonly<Record<Group, string>> = {
  border: 'input, encoder, read-out',
  synapse: 'synapses',
  norm: 'normalisation, quantiser',
  neuron: 'neurons, activations',
  join: 'add, multiply, concatenate',
  shape: 'pooling, shape, time',
};

export function groupOf(op: Op): Group {
  return groups[roleOf(op)];
}

/** `neuron LIF` or the kind. */
export function kindName(op: Op): string {
  return op.kind === 'neuron' ? `neuron ${op.attrs.neuron}` : op.kind;
}
