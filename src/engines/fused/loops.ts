import { unrolled } from '../../tensor/unroll.js';
import { type Program, type ValueInfo, attrsOf } from '../../tensor/types.js';
import { elementSpace } from './region.js';

/** Steps times operations: longer kernels take longer to make than they save. */
const largestLoop = 6_000;

/**
 * The program whose element-wise loops are unrolled: a kernel then takes all their steps at once, states in registers.
 * Loops with products in them, or over too many steps, stay loops of onnxruntime.
 */
export function withKernelLoops(program: Program): Program {
  return unrolled(program, (scan) => {
    const { body, steps } = attrsOf(scan, 'scan');
    if (body.ops.length * steps > largestLoop) return false;
    const types = new Map<string, ValueInfo>([...body.inputs, ...body.ops].map((value) => [value.id, value]));
    const infoOf = (id: string): ValueInfo => types.get(id)!;
    return body.ops.every((op) => op.kind === 'const' || elementSpace(op, infoOf) !== undefined);
  });
}
