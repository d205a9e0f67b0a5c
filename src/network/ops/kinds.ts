import type { Attrs } from '../value-types.js';
import type { AttrsOf } from './attributes.js';
import type { networkOps } from './registry.js';
import type { OpRole, TimeRole } from './traits.js';

/** A kind of layer; each has a row in the table of registry.ts. */
export type OpKind = keyof typeof networkOps;

/** The kinds of layers of a role. */
export type KindsOf<R extends OpRole> = {
  [K in OpKind]: (typeof networkOps)[K]['traits']['role'] extends R ? K : never;
}[OpKind];

/** The kinds of layers whose weights may have bits, step sizes and codes. */
export type WeightedKind = {
  [K in OpKind]: (typeof networkOps)[K]['traits']['weights'] extends 'matrix' ? K : never;
}[OpKind];

/** The kinds of layers that pad their input by themselves. */
export type PaddedKind = {
  [K in OpKind]: (typeof networkOps)[K]['traits']['padding'] extends 'none' ? never : K;
}[OpKind];

/** The attributes of each kind of layer; those of neurons are beside the row's the parameters of their equations. */
export type OpAttrs = {
  readonly [K in OpKind]: AttrsOf<(typeof networkOps)[K]['attrs']> & (K extends KindsOf<'neurons'> ? Attrs : unknown);
};

/** The kinds of layers that a carrier lowers, since what they do depends on how it represents a train. */
export type TimeKind = KindsOf<TimeRole>;
