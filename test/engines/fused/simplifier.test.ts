import { expect, it } from 'vitest';
import { Graph } from '../../../src/engines/fused/graph.js';

/** The operations in numbers, said a second time. */
const operations = {
  add: (x: number, y: number) => x + y,
  sub: (x: number, y: number) => x - y,
  mul: (x: number, y: number) => x * y,
  div: (x: number, y: number) => x / y,
  min: Math.min,
  max: Math.max,
} as const;

/** What a node is where the loaded element is `loaded`. */
function valueOf(graph: Graph, id: number, loaded: number): number {
  const node = graph.at(id);
  if (node.kind === 'constant') return node.value;
  if (node.kind === 'load') return loaded;
  if (!('args' in node)) throw new Error(`a ${node.kind} isn't expected here`);
  const [x, y] = node.args.map((arg) => valueOf(graph, arg, loaded));
  if (node.kind === 'neg') return -x!;
  return operations[node.kind as keyof typeof operations](x!, y!);
}

it.each(Object.keys(operations) as (keyof typeof operations)[])(
  '%s with a constant on either side stays what it is in numbers, whatever rule simplifies it',
  (kind) => {
    for (const constant of [0, 1, -1, 0.5, 2, 3]) {
      for (const loaded of [-2.5, -1, 0.75, 1, 4]) {
        const graph = new Graph();
        const [c, x] = [graph.constant('f64', constant), graph.load('f64', 0, 0)];
        const [left, right] = [graph.apply(kind, 'f64', [c, x]), graph.apply(kind, 'f64', [x, c])];
        const of = operations[kind];
        expect(valueOf(graph, left, loaded) + 0, `${kind}(${constant}, ${loaded})`).toBe(of(constant, loaded) + 0);
        expect(valueOf(graph, right, loaded) + 0, `${kind}(${loaded}, ${constant})`).toBe(of(loaded, constant) + 0);
      }
    }
  },
);
