import type { PrimAttrs, PrimKind } from '../types.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from './conv.js';
import type { OpDef } from './def.js';
import { cast, detach, elementwise, select } from './elementwise.js';
import { lookup } from './lookup.js';
import { matmul } from './matmul.js';
import { broadcast, concat, constant, pad, reshape, slice, transpose } from './movement.js';
import { avgpool, maxpool, maxpoolGrad } from './pool.js';
import { argmax, reduceMax, sum } from './reduce.js';
import { scan, scanOutput } from './scan.js';

/** Every primitive: shape rule, reference evaluator and gradient together. */
export const ops: { readonly [K in PrimKind]: OpDef<PrimAttrs[K]> } = {
  const: constant,
  cast,
  detach,
  ...elementwise,
  select,
  sum,
  reduce_max: reduceMax,
  argmax,
  reshape,
  transpose,
  slice,
  pad,
  concat,
  broadcast,
  lookup,
  matmul,
  conv2d,
  conv2d_input_grad: conv2dInputGrad,
  conv2d_weight_grad: conv2dWeightGrad,
  maxpool,
  maxpool_grad: maxpoolGrad,
  avgpool,
  scan,
  scan_output: scanOutput,
};

/** The definition of `kind`, for callers that hold an op of any kind with matching attributes. */
export function opDef(kind: PrimKind): OpDef<unknown> {
  return ops[kind] as OpDef<unknown>;
}

export const primKinds = Object.keys(ops) as readonly PrimKind[];
