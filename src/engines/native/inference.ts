import { type CProgram, type CTarget, emitC } from '../../backends/c-program/index.js';
import { type Tensor, elementCount } from '../../base/dtype.js';
import type { Program, TensorOp } from '../../tensor/index.js';
import { findIntegerSynapses } from '../bytes/synapses.js';
import { prepare } from '../fused/stages.js';

/** A program without states as C: what depends on constants alone is computed now, products of small integers in bytes. */
export function emitInference(program: Program, target: CTarget): CProgram {
  const { ops, constants } = prepare(program);
  const known = new Map(program.params.map((param) => [param.id, param]));
  const used = new Set([...ops.flatMap(({ inputs }) => inputs), ...Object.values(program.outputs)]);
  const values = [...constants].filter(([id]) => used.has(id));
  const isNumber = ({ shape }: Tensor): boolean => elementCount(shape) === 1;
  const folded: Program = {
    ...program,
    params: values
      .filter(([id, value]) => known.has(id) || !isNumber(value))
      .map(([id, data]) => known.get(id) ?? { id, dtype: data.dtype, shape: data.shape, data }),
    ops: [
      ...values
        .filter(([id, value]) => !known.has(id) && isNumber(value))
        .map(([id, value]): TensorOp => {
          const { dtype, shape } = value;
          return { id, kind: 'const', inputs: [], attrs: { value }, dtype, shape };
        }),
      ...ops,
    ],
  };
  const chosen = findIntegerSynapses(folded, constants, true);
  return emitC(folded, target, new Map([...chosen].map(([id, { zero }]) => [id, zero])));
}
