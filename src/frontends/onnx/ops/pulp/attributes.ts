import type { NodeContext } from '../../context.js';
import { tensorConstant } from '../../tensor-data.js';

/** A number that is written as a tensor of one element, or as a plain attribute. */
export function numberOf(context: NodeContext, name: string, fallback?: number): number {
  const given = context.node.attributes.get(name);
  const tensor = given?.t;
  const value =
    tensor === undefined ? (given?.i ?? given?.f) : tensorConstant(tensor, context.place, undefined).data()[0];
  if (given !== undefined && value === undefined) context.badType(name);
  return value ?? fallback ?? context.badAttribute(name, 'missing');
}

/** A whole number from `least` up to 2³¹. */
export function wholeNumberOf(context: NodeContext, name: string, least: number): number {
  const value = numberOf(context, name);
  if (!Number.isInteger(value) || value < least || value > 2 ** 31) context.badAttribute(name, value);
  return value;
}
