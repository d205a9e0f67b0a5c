import { byteWidth } from '../base/dtype.js';
import { units } from './dims.js';
import { lastUses } from './last-use.js';
import type { Program, ValueInfo } from './types.js';

/**
 * The least memory, in bytes, that running a program op by op takes for a batch of `n`: inputs and params, and the most
 * bytes of results that are alive at once. Infinity where a size can't be counted.
 */
export function peakBytes(program: Program, n: number): number {
  const dead = lastUses(program);
  const sizes = new Map([...program.inputs, ...program.params, ...program.ops].map((one) => [one.id, bytesOf(one, n)]));
  const held = [...program.inputs, ...program.params].reduce((sum, { id }) => sum + sizes.get(id)!, 0);
  let [alive, peak] = [held, held];
  program.ops.forEach(({ id }, i) => {
    alive += sizes.get(id)!;
    peak = Math.max(peak, alive);
    for (const gone of dead[i]!) alive -= sizes.get(gone)!;
  });
  return peak;
}

function bytesOf({ dtype, shape }: ValueInfo, n: number): number {
  return shape.reduce<number>(
    (product, dim) => product * (typeof dim === 'number' ? dim : units(dim) * n),
    byteWidth[dtype],
  );
}
