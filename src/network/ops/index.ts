import type { AttrsOf } from './attributes.js';
import type { OpDef } from './define.js';
import { networkOps } from './registry.js';
import type { OpTraits } from './traits.js';

/** A kind of layer; each has a row in the table of registry.ts. */
export type OpKind = keyof typeof networkOps;

/** The attributes of each kind of layer. */
export type OpAttrs = { readonly [K in OpKind]: AttrsOf<(typeof networkOps)[K]['attrs']> };

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

/** Whether its weights may have bits, step sizes and codes. */
export function hasWeightMatrix(op: { readonly kind: OpKind }): boolean {
  return traitsOf(op).weights === 'matrix';
}

export {
  type Attr,
  type AttrSchema,
  attrProblems,
  listAttr,
  numberAttr,
  roundingOf,
  stringAttr,
} from './attributes.js';
export { type OpDef, defineOp } from './define.js';
export { networkOps } from './registry.js';
export { joinProblem, sameShape, shapeText } from './type-rules.js';
export type { Macs, OpTraits } from './traits.js';
