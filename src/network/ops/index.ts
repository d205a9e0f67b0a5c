import { elementCount } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import type { Attrs, Op, ValueType } from '../types.js';
import type { AttrSchema, AttrsOf } from './attributes.js';
import type { OpDef } from './define.js';
import { type Link, asImage } from './geometry.js';
import type { OpLowering } from './lowering.js';
import { networkOps } from './registry.js';
import type { KindsOf, OpKind, PaddedKind, TimeKind, WeightedKind } from './kinds.js';
import type { OpRole, OpTraits } from './traits.js';

export type { KindsOf, OpAttrs, OpKind, PaddedKind, TimeKind, WeightedKind } from './kinds.js';

/** Every kind of layer, as the reference lists them. */
export const opKinds = Object.keys(networkOps) as readonly OpKind[];

export function isOpKind(text: string): text is OpKind {
  return Object.hasOwn(networkOps, text);
}

/** The row of a kind. */
export function opDef(kind: OpKind): OpDef {
  return networkOps[kind];
}

/** What is to be known of a kind of layer, besides its name. */
export function traitsOf(op: { readonly kind: OpKind }): OpTraits {
  return opDef(op.kind).traits;
}

/** Whether it may read an op that stands later: it holds values of earlier time steps. */
export function readsAhead(op: { readonly kind: OpKind }): boolean {
  return opDef(op.kind).readsAhead === true;
}

/** Multiply-accumulates of one step of a layer that reads `input` and has a `weight` of such a shape; 0 of layers without. */
export function macsOf(op: TypedOp, input: readonly number[], weight: readonly number[] = []): number {
  const { macs } = traitsOf(op);
  return macs === 'none' ? 0 : macs({ input, output: op.type.shape, weight });
}

/** How many products each number of a product of two values is the sum of. */
export function productTerms(op: TypedOp, first: readonly number[]): number {
  return macsOf(op, first) / elementCount(op.type.shape);
}

type TypedOp = { readonly kind: OpKind; readonly attrs: unknown; readonly type: ValueType };

/** Whether an op fires spikes of its own: as its kind does; what joins trains to one that is sent by itself does too. */
export function firesOf(op: TypedOp): OpTraits['fires'] {
  return isJoinedTrain(op) ? 'own' : traitsOf(op).fires;
}

/** Whether it is a sum or a product of trains that is sent by itself: in planes of its own, or spikes times spikes. */
export function isJoinedTrain(op: TypedOp): boolean {
  const { code } = op.type;
  if (code.kind !== 'spike' || !traitsOf(op).join) return false;
  if ((op.attrs as AttrsOf<AttrSchema>)['codes'] === true) return true;
  return roleOf(op) === 'product' && code.min >= -1 && code.max <= 1;
}

/** What a layer does to values. */
export function roleOf(op: { readonly kind: OpKind }): OpRole {
  return traitsOf(op).role;
}

/** Which inputs are under which taps of which outputs of a layer, along an axis (0: H, 1: W); it must have windows. */
export function linksOf(
  op: { readonly id: string; readonly kind: OpKind; readonly attrs: unknown; readonly type: ValueType },
  shape: readonly number[],
  axis: number,
): readonly Link[] {
  const [[, ...input], output] = [asImage(shape), asImage(op.type.shape)] as [number[], readonly number[]];
  const { links } = opDef(op.kind);
  const find = present(links, `network: ${op.kind} %${op.id} has no windows`);
  return find(op.attrs as AttrsOf<AttrSchema>, axis, input[axis]!, output[axis + 1]!);
}

/** What people call a layer: its kind, of a function its own name. */
export function nameOf(op: Op): string {
  return op.kind === 'function' ? op.attrs.name : op.kind;
}

/** Where in an input of `shape` the value at a position of an op's result was; the op must move values. */
export function sourceOf(
  op: { readonly id: string; readonly kind: OpKind; readonly attrs: unknown },
  shape: readonly number[],
  at: readonly number[],
): readonly number[] {
  const source = present(opDef(op.kind).source, `network: ${op.kind} %${op.id} moves nothing`);
  return source(op.attrs as AttrsOf<AttrSchema>, shape, at);
}

/** Whether its result is its input's values in their order, in one row: those of a channel after those of the one before. */
export function isFlattening(op: { readonly kind: OpKind; readonly type: ValueType }): boolean {
  return roleOf(op) === 'reshape' && op.type.shape.length === 1 && opDef(op.kind).source === undefined;
}

/** Along which axis of its result (0: the channels) a layer's parameters have one number each. */
export function channelAxisOf(op: {
  readonly kind: OpKind;
  readonly attrs: unknown;
  readonly type: ValueType;
}): number {
  return opDef(op.kind).channelAxis?.(op.attrs as AttrsOf<AttrSchema>, op.type.shape) ?? 0;
}

/** Roles of an op's parameters that training doesn't change by gradient. */
export function fixedParamsOf(op: { readonly kind: OpKind; readonly attrs: unknown }): readonly string[] {
  return opDef(op.kind).fixedParams?.(op.attrs as AttrsOf<AttrSchema>) ?? [];
}

/** How an op acts on tensors. */
export function loweringOf(op: { readonly kind: OpKind }): OpLowering {
  return opDef(op.kind).lowering;
}

/** Whether an encoder gives the same at every step; undefined for other layers. */
export function isSteady(op: { readonly kind: OpKind; readonly attrs: unknown }): boolean | undefined {
  return opDef(op.kind).steady?.(op.attrs as AttrsOf<AttrSchema>);
}

/** Between what a layer of the role `bound` holds values; undefined for any other. */
export function boundsOf(op: {
  readonly kind: OpKind;
  readonly attrs: unknown;
}): readonly [number, number] | undefined {
  return opDef(op.kind).bounds?.(op.attrs as AttrsOf<AttrSchema>);
}

/** Whether it gives the greatest of some values: it needs levels, not their bits. */
export function isMaximum(op: { readonly kind: OpKind }): boolean {
  const role = roleOf(op);
  return role === 'maximum' || role === 'running-maximum';
}

/** Whether its weights may have bits, step sizes and codes. */
export function hasWeightMatrix(op: Op): op is Op<WeightedKind> {
  return traitsOf(op).weights === 'matrix';
}

/** Whether a carrier lowers it. */
export function isTimed(op: Op): op is Op<TimeKind> {
  return loweringOf(op).role === 'time';
}

/** Whether it pads its input by itself. */
export function pads(op: Op): op is Op<PaddedKind> {
  return traitsOf(op).padding !== 'none';
}

/** Whether a layer is of one of the kinds of a role. */
export function hasRole<R extends OpRole>(op: Op, role: R): op is Op<KindsOf<R>> {
  return roleOf(op) === role;
}

/** The attributes of an op of any kind by name: what is printed, compared and copied. */
export function attrsOf(op: Pick<Op, 'attrs'>): Attrs {
  return op.attrs;
}

export { type Attr, type AttrSchema, attrProblems, numberAttr } from './attributes.js';
export { type OpDef, defineOp } from './define.js';
export { networkOps } from './registry.js';
export { joinProblem, productRange, sameShape, shapeText } from './type-rules.js';
export { type Quantiser, codesOf } from './codes.js';
export { alongAxis, layerNormOf, softmaxOf } from './group.js';
export type { GroupFunction } from './group-neuron.js';
export { type SoftmaxForm, integerNormOf, integerSoftmaxOf } from './integer-group.js';
export { lookedUp } from './table.js';
export { digitOf, digitOfNumber } from './digit.js';
export { algebraOf } from './function.js';
export { windowOf } from './window-lowering.js';
export type { Acting, LoweredOp, LoweringContext, OpLowering, Precision, RandomInput } from './lowering.js';
export { type Link, asImage } from './geometry.js';
export type { LayerShapes, Macs, OpRole, OpTraits } from './traits.js';
