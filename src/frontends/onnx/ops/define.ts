import type { NodeContext } from '../context.js';
import type { Value } from '../values.js';

/** How one ONNX operator is imported. */
export interface OnnxOpDef {
  /** Fewest and most inputs the operator has. */
  readonly inputs: readonly [number, number];
  /** Adds ops to the network and gives the values of the node's outputs, in order. */
  readonly run: (context: NodeContext) => readonly Value[];
}

export type OnnxOpTable = Readonly<Record<string, OnnxOpDef>>;
