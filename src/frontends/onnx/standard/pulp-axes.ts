import type { OnnxNode } from '../wire.js';

/** Axes that a node reduces, written as a list or as one number, and whether they stay. */
export function reducedAxes({ attributes }: OnnxNode): { readonly axes: readonly number[]; readonly keepdims: number } {
  const given = attributes.get('axes');
  const axes = given?.ints.length ? given.ints : given?.i === undefined ? [] : [given.i];
  return { axes, keepdims: attributes.get('keepdims')?.i ?? 1 };
}
