import type { OnnxModel } from '../wire.js';
import { dimsOf } from './constants.js';
import type { StandardNodes } from './nodes.js';

/**
 * What RequantShift multiplies and adds, in shapes that broadcast: one number a channel is also written as [C], or as [C, 1, 1] of lines
 * [N, C, L], where broadcasting would take other axes. x is then [N, C, …] with the axes behind the channels as one; where its second
 * axis isn't C, [C] belongs to the last axis, which stays the last.
 */
export function besideChannels(
  to: StandardNodes,
  model: OnnxModel,
  [x, ...factors]: readonly string[],
): { readonly x: string; readonly factors: readonly string[] } {
  const dims = factors.map((factor) => dimsOf(model, factor));
  const byChannel = dims.filter(([channels = 1, ...rest]) => channels > 1 && rest.length !== 1 && rest.every(isOne));
  const [given] = byChannel;
  if (given === undefined || dims.some((d) => !byChannel.includes(d) && !d.every(isOne))) return { x: x!, factors };
  const channels = given[0]!;
  const choose = (ifSecond: readonly number[], ifLast: readonly number[]): string => {
    if (given.length > 1) return to.ints(ifSecond);
    const second = to.node('Gather', [to.node('Shape', [x!]), to.ints([1])]);
    return to.node('Where', [to.node('Equal', [second, to.ints([channels])]), to.ints(ifSecond), to.ints(ifLast)]);
  };
  const shape = choose([channels, 1], [1, channels]);
  return {
    x: to.node('Reshape', [x!, choose([0, 0, -1], [0, -1, channels])]),
    factors: factors.map((factor, i) => (byChannel.includes(dims[i]!) ? to.node('Reshape', [factor, shape]) : factor)),
  };
}

function isOne(n: number): boolean {
  return n === 1;
}
