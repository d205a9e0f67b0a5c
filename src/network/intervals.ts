import { foldBack } from '../base/fold-back.js';
import { present } from '../base/invariant.js';
import { opsById } from './graph.js';
import { type Interval, type IntervalSource, resultBounds } from './ops/bounds.js';
import { roleOf } from './ops/index.js';
import type { Network, Op } from './types.js';

export { type Interval, type IntervalSource, productOfIntervals, resultBounds, rowBounds } from './ops/bounds.js';

/** The values and parameters of a network. */
export function intervalSource(network: Pick<Network, 'ops' | 'params'>): IntervalSource {
  const byId = opsById(network);
  return {
    opOf: (id) => present(byId.get(id), `intervals: no op ${id}`),
    paramOf: (name) => present(network.params.get(name), `intervals: no parameter ${name}`),
  };
}

/** Whether an op gives values of a grid with ends. */
export function hasGrid(op: Pick<Op, 'kind'>): boolean {
  return ['quantiser', 'table'].includes(roleOf(op));
}

/**
 * What the numbers of a value can be, whatever the input, by interval arithmetic from the quantisers on; undefined
 * without bounds. `known` keeps what was found.
 */
export function intervalOf(
  source: IntervalSource,
  id: string,
  known = new Map<string, Interval | undefined>(),
): Interval | undefined {
  // codes have the bounds of their grid, whatever is in front of them
  const readBy = (one: string): readonly string[] => (hasGrid(source.opOf(one)) ? [] : source.opOf(one).inputs);
  const fold = (one: string, inputs: readonly (Interval | undefined)[]): Interval | undefined =>
    resultBounds(source.opOf(one), inputs, source);
  return foldBack(id, readBy, fold, known);
}
