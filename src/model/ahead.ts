import type { Span } from '../base/source.js';
import type { CallExpression, Expression, GraphDeclaration, NameExpression } from '../syntax/index.js';
import { calleeOf } from './arguments.js';
import { type LayerDef, layerNamed } from './layers/index.js';
import type { Value } from './values.js';

/** A value that is read before it is bound. */
export interface Ahead {
  /** Stands for its op among the inputs of layers until it is bound. */
  readonly token: string;
  /** Undefined: it can't be found out. */
  readonly shape: readonly number[] | undefined;
  readonly place: Span;
  /** How many errors there were when the statement began that reads it. */
  readonly errors: number;
}

/**
 * The name of a value that a statement of the graph binds, this one or one below: what stands in front of a `delay` (`LayerDef.readsAhead`).
 * Undefined: the expression is no such name.
 */
export function aheadName(
  expression: Expression,
  { body }: GraphDeclaration,
  bound: { has(name: string): boolean },
): string | undefined {
  if (expression.kind !== 'name' || bound.has(expression.name)) return undefined;
  const { name: wanted } = expression;
  return body.some(({ kind, name }) => kind === 'assignment' && name?.text === wanted) ? wanted : undefined;
}

/** Whether a call is of a layer that may read what is bound on its own line or below. */
export function readsAhead(written: CallExpression | NameExpression): boolean {
  return layerNamed(calleeOf(written).name)?.readsAhead === true;
}

/**
 * What is known of a sum or product of two values while shapes are found out: that of the first whose shape is known
 * (whether they fit is checked afterwards); undefined where it isn't of two values of the network.
 */
export function withoutShapes(left: Value, right: Value): Value | undefined {
  const sides = [left, right];
  const flowing = sides.filter(({ kind }) => kind === 'tensor' || kind === 'hole');
  if (flowing.length < 2 && !flowing.some(({ kind }) => kind === 'hole')) return undefined;
  return flowing.find(({ kind }) => kind === 'tensor') ?? { kind: 'hole' };
}

/** What a layer gives of values of which one has no shape yet. */
export function shapeAround(
  layer: LayerDef,
  inputs: readonly Value[],
  args: ReadonlyMap<string, Value> | undefined,
  place: Span,
): Value {
  const known = inputs.filter((input) => input.kind === 'tensor');
  const shape = layer.shapeWithout?.(known, args ?? new Map());
  return shape === undefined ? { kind: 'hole' } : { kind: 'tensor', op: '', shape, place };
}
