import { byteWidth } from '../base/dtype.js';
import { units } from './dims.js';
import { lastUses } from './last-use.js';
import { type Program, type TensorOp, type ValueInfo, attrsOf } from './types.js';

/**
 * The least memory, in bytes, that running a program op by op takes for a batch of `n`: inputs and params, and the most
 * bytes of results that are alive at once. Infinity where a size can't be counted.
 */
export function peakBytes(program: Program, n: number): number {
  const dead = lastUses(program);
  const sizes = new Map([...program.inputs, ...program.params, ...program.ops].map((one) => [one.id, bytesOf(one, n)]));
  const held = [...program.inputs, ...program.params].reduce((sum, { id }) => sum + sizes.get(id)!, 0);
  let [alive, peak] = [held, held];
  program.ops.forEach((op, i) => {
    alive += sizes.get(op.id)!;
    // a scan's results count from its start on; its values read them right after
    peak = Math.max(peak, alive + (op.kind === 'scan' ? resultBytes(op, n) + bodyBytes(op, n) : 0));
    for (const gone of dead[i]!) alive -= sizes.get(gone) ?? 0;
  });
  return peak;
}

function resultBytes({ parts = [] }: TensorOp, n: number): number {
  return parts.reduce((sum, part) => sum + bytesOf(part, n), 0);
}

/** What one step takes, without what is the same at every step. */
function bodyBytes(op: TensorOp, n: number): number {
  const { body, states, scanned } = attrsOf(op, 'scan');
  return peakBytes({ ...body, inputs: body.inputs.slice(0, states + scanned) }, n);
}

/** Bytes of a value for a batch of `n`; Infinity where they can't be counted. */
export function bytesOf({ dtype, shape }: ValueInfo, n: number): number {
  return shape.reduce<number>(
    (product, dim) => product * (typeof dim === 'number' ? dim : units(dim) * n),
    byteWidth[dtype],
  );
}
