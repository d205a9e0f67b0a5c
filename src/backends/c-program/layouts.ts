import { type Dim, type TensorOp, isBatch } from '../../tensor/index.js';
import type { Layout } from './shapes.js';

/** Which layout images have in memory, unless a program's input or output says otherwise. */
export function preferredLayout(shape: readonly Dim[]): Layout {
  return canonical(shape, shape.length === 4 && isBatch(shape[0]!) ? 'channels' : 'rows');
}

/** Where both layouts are the same it is `rows`. */
export function canonical(shape: readonly Dim[], layout: Layout): Layout {
  if (shape.length !== 4 || shape[1] === 1 || (shape[2] === 1 && shape[3] === 1)) return 'rows';
  return layout;
}

/** How the operands of an op that is a call lie. */
export function operandLayouts(op: TensorOp): readonly Layout[] {
  switch (op.kind) {
    case 'conv2d':
      return ['channels', 'rows'];
    case 'conv2d_input_grad':
      return ['rows', 'channels'];
    case 'conv2d_weight_grad':
    case 'maxpool_grad':
      return ['channels', 'channels'];
    case 'maxpool':
    case 'avgpool':
      return ['channels'];
    default:
      return op.inputs.map(() => 'rows');
  }
}

export function resultLayout(op: TensorOp): Layout {
  if (op.kind === 'scan_output') return preferredLayout(op.shape);
  const images = ['conv2d', 'conv2d_input_grad', 'maxpool', 'maxpool_grad', 'avgpool'].includes(op.kind);
  return canonical(op.shape, images ? 'channels' : 'rows');
}
