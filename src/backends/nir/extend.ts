import { present } from '../../base/invariant.js';
import { type NirArray, type NirNode, withMetadata, writeExtension } from '../../frontends/nir/index.js';
import { type Network, type Op, type Param } from '../../network/index.js';
import { nearestNeuron } from './neurons.js';
import { type RowCall, integers, node } from './row.js';

type Fields = Map<string, NirArray | string>;

/** A node with its layer in full in its metadata. */
export function inFull(network: Network, op: Op, name: string, made: NirNode, reads?: readonly string[]): NirNode {
  const params = Object.entries(op.params).map(([role, param]): [string, Param] => [
    role,
    present(network.params.get(param), `nir: no parameter ${param}`),
  ]);
  const equations =
    op.kind === 'neuron' ? present(network.neurons.get(op.attrs.neuron), 'nir: neurons without equations') : undefined;
  const metadata = writeExtension(
    {
      kind: op.kind,
      attrs: op.attrs,
      params: new Map(params),
      ...(equations === undefined ? {} : { equations }),
      ...(name === op.id ? {} : { layer: op.id }),
      ...(reads === undefined ? {} : { reads }),
    },
    made,
  );
  return withMetadata(made, metadata);
}

/** The node of NIR nearest to a layer that it can't say, with what differs in words that other tools can read; undefined where none is near. */
export function standIn(call: RowCall): { readonly node: NirNode; readonly words: Fields } | undefined {
  const { op } = call;
  if (op.kind === 'neuron') return nearestNeuron(call);
  if (op.kind !== 'maxpool') return undefined;
  const { kernel, stride, pads } = op.attrs;
  // NIR's own inference of shapes takes one side for both
  if (pads[0] !== pads[2] || pads[1] !== pads[3] || op.type.shape.length !== 3) return undefined;
  const pool = { kernel_size: integers(kernel), stride: integers(stride), padding: integers([pads[0], pads[1]]) };
  return { node: node('SumPool2d', pool), words: new Map([['pool', 'max']]) };
}
