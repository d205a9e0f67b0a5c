import type { AttrsOf } from './attributes.js';
import type { OpDef } from './define.js';
import { networkOps } from './registry.js';

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

export { type Attr, type AttrSchema, attrProblems, listAttr, numberAttr, stringAttr } from './attributes.js';
export { type OpDef, defineOp } from './define.js';
export { networkOps } from './registry.js';
export { joinProblem, sameShape, shapeText } from './type-rules.js';
