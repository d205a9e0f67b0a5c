import { tensor } from '../../src/base/dtype.js';
import { type NirArray, type NirGraph, type NirNode, importNir } from '../../src/frontends/nir/index.js';
import { lower } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { concreteShape, evaluate, simplify } from '../../src/tensor/index.js';

export const file = { name: 'graph', path: 'graph.nir' };

export function array(data: readonly number[], shape: readonly number[] = [data.length]): NirArray {
  return { shape, data: Float64Array.from(data) };
}

export function nirNode(
  type: string,
  fields: Readonly<Record<string, NirArray | string>> = {},
  graph?: NirGraph,
): NirNode {
  return { type, fields: new Map(Object.entries(fields)), ...(graph === undefined ? {} : { graph }) };
}

export function nirGraph(
  nodes: Readonly<Record<string, NirNode>>,
  edges: readonly (readonly [string, string])[],
): NirGraph {
  return { nodes: new Map(Object.entries(nodes)), edges };
}

/** What reaches the read-out of a network at every step, [T][values], of frames [T][values]. */
export function stepsOf(network: Network, frames: readonly (readonly number[])[]): number[][] {
  const readOut = network.ops.find(({ id }) => network.outputs.includes(id))!;
  const from = (id: string): string => {
    const op = network.ops.find((one) => one.id === id)!;
    return op.kind === 'identity' ? from(op.inputs[0]!) : id;
  };
  const last = from(readOut.inputs[0]!);
  const { program, outputs } = lower(network, { probes: { trains: (id) => id === last } });
  const ready = simplify(program);
  const [input] = ready.inputs;
  const shape = concreteShape(input!.shape, 1);
  const fed = shape[0] === 1 && frames.length > 1 ? frames.slice(0, 1) : frames;
  const made = evaluate(ready, { [input!.id]: tensor('f32', shape, fed.flat()) });
  const values = [...made[outputs.probes.train.get(last)!]!.data];
  const each = values.length / frames.length;
  return frames.map((_, t) => values.slice(t * each, (t + 1) * each));
}

export function imported(graph: NirGraph, steps: number, dt = 1e-4): Network {
  return importNir(graph, { steps, dt }, file).network;
}
