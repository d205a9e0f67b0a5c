import type { FlatGraph, NirNode } from './graph.js';

/** Node → those that read it. */
function readersOf({ inputs }: FlatGraph): ReadonlyMap<string, readonly string[]> {
  const readers = new Map<string, string[]>();
  for (const [name, from] of inputs)
    for (const one of from) {
      const known = readers.get(one);
      if (known === undefined) readers.set(one, [name]);
      else known.push(name);
    }
  return readers;
}

const known = new WeakMap<FlatGraph, ReadonlyMap<string, readonly string[]>>();

/** The nodes that read a node. */
export function readersIn(flat: FlatGraph, name: string): readonly string[] {
  const readers = known.get(flat) ?? readersOf(flat);
  known.set(flat, readers);
  return readers.get(name) ?? [];
}

/** How many values the weights that read a node take, if all that read it are weights and take as many. */
export function featuresRead(flat: FlatGraph, name: string): number | undefined {
  const readers = readersIn(flat, name).map((one) => flat.nodes.get(one)!);
  const features = readers.map(({ type, fields }) => {
    const weight = fields.get('weight');
    return (type === 'Affine' || type === 'Linear') && typeof weight === 'object' ? weight.shape[1] : undefined;
  });
  return features.every((n) => n === features[0]) ? features[0] : undefined;
}

/** Some writers put the sample's batch axis into the shape: features [N, F] that a weight of F reads are F. */
export function withoutBatch(flat: FlatGraph, name: string, shape: readonly number[]): readonly number[] {
  const features = featuresRead(flat, name);
  const isBatched = features !== undefined && shape.length === 3 && shape[1] === 1 && shape[2] === features;
  return isBatched ? [features] : shape;
}

/** A shape as the IR has it: sequences [C, L] are images [C, 1, L]; a batch axis of 1 in front is none. */
export function irShape(shape: readonly number[]): readonly number[] {
  if (shape.length === 2) return [shape[0]!, 1, shape[1]!];
  return shape.length === 4 && shape[0] === 1 ? shape.slice(1) : [...shape];
}

/** The padding that a word says, as top, left, bottom, right; of `same` the extra zero is behind. */
export function namedPadding(
  { fields }: NirNode,
  kernel: readonly [number, number],
  dilation: readonly [number, number],
): readonly number[] | undefined {
  const text = fields.get('padding');
  if (text === 'valid') return [0, 0, 0, 0];
  if (text !== 'same') return undefined;
  const whole = kernel.map((k, i) => (k - 1) * dilation[i]!);
  const before = whole.map((n) => Math.floor(n / 2));
  return [...before, ...whole.map((n, i) => n - before[i]!)];
}
