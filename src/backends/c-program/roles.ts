import { elementCount } from '../../base/dtype.js';
import { type TensorOp, type ValueInfo, attrsOf, isBatch } from '../../tensor/index.js';
import { pointwiseText } from './pointwise.js';

/** Elements of a sum that is written out. */
const unrolledSum = 16;

/** Whether an op is computed element by element, where it is read. */
export function isSoft(op: TensorOp, operand: ValueInfo): boolean {
  switch (op.kind) {
    case 'reshape':
    case 'transpose':
    case 'slice':
    case 'pad':
    case 'concat':
    case 'broadcast':
    case 'lookup':
      return true;
    case 'const':
      return elementCount(attrsOf(op, 'const').value.shape) === 1;
    case 'sum':
      return isShortSum(op, operand);
    case 'avgpool':
      return isTiling(op);
    default:
      return pointwiseText(op, operand.dtype) !== undefined;
  }
}

/** Whether an op is a reduction that loops compute. */
export function isReduction(op: TensorOp, operand: ValueInfo): boolean {
  return (op.kind === 'sum' && !isShortSum(op, operand)) || op.kind === 'reduce_max' || isGlobalMean(op, operand);
}

/** Whether an op is the mean of whole images, too large to be written out. */
export function isGlobalMean(op: TensorOp, { shape }: ValueInfo): boolean {
  if (op.kind !== 'avgpool' || isTiling(op)) return false;
  const { kernel, pads } = attrsOf(op, 'avgpool');
  return pads.every((p) => p === 0) && shape[2] === kernel[0] && shape[3] === kernel[1];
}

function isShortSum(op: TensorOp, { shape }: ValueInfo): boolean {
  let count = 1;
  for (const axis of attrsOf(op, 'sum').axes) {
    const dim = shape[axis]!;
    if (isBatch(dim)) return false;
    count *= dim;
  }
  return count <= unrolledSum;
}

function isTiling(op: TensorOp): boolean {
  const { kernel, pads } = attrsOf(op, 'avgpool');
  return pads.every((p) => p === 0) && kernel[0]! * kernel[1]! <= unrolledSum;
}
