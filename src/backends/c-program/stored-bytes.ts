import { type Program, type TensorOp, type ValueInfo, attrsOf, byteCodes } from '../../tensor/index.js';
import { isConvolution } from './calls.js';
import { isSoft } from './roles.js';

/**
 * Values of a program that lie in memory as bytes, each with what a byte counts: spikes, and means of them, which kernels write and
 * kernels and convolutions read. Other calls read floats.
 */
export function storedBytes(program: Program): Map<string, number> {
  const types = new Map<string, ValueInfo>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) types.set(value.id, value);
  const operand = (op: TensorOp): ValueInfo => types.get(op.inputs[0] ?? op.id)!;
  const codes = byteCodes(program);
  for (const op of program.ops) {
    if (!isSoft(op, operand(op))) {
      codes.delete(op.id);
      op.inputs.forEach((id, i) => {
        if (!readsBytes(op, i)) codes.delete(id);
      });
    }
  }
  return new Map([...codes].map(([id, { unit }]) => [id, unit]));
}

/** Whether a call takes an operand as bytes: the image of a convolution without groups. */
function readsBytes(op: TensorOp, operand: number): boolean {
  if (!isConvolution(op) || op.kind === 'conv2d_input_grad') return false;
  return operand === 0 && op.dtype === 'f32' && attrsOf(op, 'conv2d').groups === 1;
}
