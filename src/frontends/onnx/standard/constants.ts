import type { OnnxModel, OnnxTensor } from '../wire.js';

/** A constant of the file, stored or written by a Constant node; undefined where it is neither. */
export function constantOf({ graph }: OnnxModel, name: string): OnnxTensor | undefined {
  const made = graph?.nodes.find(({ opType, outputs }) => opType === 'Constant' && outputs[0] === name);
  return graph?.initializers.find((tensor) => tensor.name === name) ?? made?.attributes.get('value')?.t;
}

/** The shape of a constant; none where it isn't one. */
export function dimsOf(model: OnnxModel, name: string): readonly number[] {
  return constantOf(model, name)?.dims ?? [];
}
