import type { NetworkOpDef } from './define.js';
import type { OpKind } from './kinds.js';
import { shapeOps } from './shape.js';
import { spikingOps } from './spiking.js';
import { synapseOps } from './synapse.js';

/** The table of layers: a new kind doesn't compile until it has a row here. */
export const networkOps: Readonly<Record<OpKind, NetworkOpDef>> = { ...spikingOps, ...synapseOps, ...shapeOps };

export { type AttrKind, type NetworkOpDef, listAttr, numberAttr, sameShape, shapeText, stringAttr } from './define.js';
export { type OpKind, isOpKind, opKinds } from './kinds.js';
export { joinProblem } from './synapse.js';
