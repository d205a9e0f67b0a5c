import type { OnnxModel, OnnxNode } from '../wire.js';
import type { StandardNodes } from './nodes.js';

/** Writes what a node computes in ONNX's own operators; the last of them has the node's output. */
export type StandardForm = (node: OnnxNode, to: StandardNodes, model: OnnxModel) => void;

/** By operator. */
export type StandardForms = Readonly<Record<string, StandardForm | undefined>>;
