import { elementCount } from '../base/dtype.js';
import type { Config } from '../model/index.js';
import { type Network, opsById } from '../network/index.js';

/** What a training asks of its network's ends; what nobody knows yet (an ONNX file that wasn't read) is undefined. */
export interface Sizes {
  /** The shape of the input; several lie in one row. */
  readonly input?: readonly number[];
  /** How many numbers each output gives. */
  readonly outputs: readonly (number | undefined)[];
}

/** The sizes that a config's own words give. */
export function sizesOf({ network }: Config): Sizes {
  if (network.kind !== 'network') return { outputs: [] };
  const shapeOf = (layer: string): readonly number[] | undefined =>
    network.layers.find(({ id }) => id === layer)?.shape;
  const inputs = network.layers.filter(({ kind }) => kind === 'input').map(({ shape }) => shape);
  return {
    input: inRow(inputs),
    outputs: network.outputs.map(({ layer }) => {
      const shape = shapeOf(layer);
      return shape === undefined ? undefined : elementCount(shape);
    }),
  };
}

/** The sizes of a network that is there. */
export function sizesOfNetwork(network: Network): Sizes {
  const byId = opsById(network);
  const inputs = network.ops.filter(({ kind }) => kind === 'input').map(({ type }) => type.shape);
  return { input: inRow(inputs), outputs: network.outputs.map((id) => elementCount(byId.get(id)!.type.shape)) };
}

function inRow(shapes: readonly (readonly number[])[]): readonly number[] {
  const [only] = shapes;
  return shapes.length === 1 ? only! : [shapes.reduce((sum, shape) => sum + elementCount(shape), 0)];
}
