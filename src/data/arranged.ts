import type { Dataset } from './dataset.js';
import { channelsFirst, channelsLast, reshaped, withChannelsFirst, withChannelsLast } from './layout.js';

/** A data set in the shape that a network takes. */
export interface Arranged {
  readonly dataset: Dataset;
  /** Where the channels went, when only the network's input says so. */
  readonly moved?: 'first' | 'last';
}

/** The same numbers in another shape, or with their channels at the other end; undefined where the shapes have nothing to do with each other. */
export function arranged(dataset: Dataset, wanted: readonly number[]): Arranged | undefined {
  const { shape, layout } = dataset;
  if (same(shape, wanted)) return { dataset };
  if (same(squeezed(shape), squeezed(wanted))) return { dataset: reshaped(dataset, wanted) };
  const flat = flattened(dataset, wanted);
  if (flat !== undefined) return { dataset: flat };
  if (shape.length !== wanted.length || shape.length < 3) return undefined;
  const said = layout !== undefined;
  if (same(channelsLast(shape), wanted))
    return { dataset: withChannelsLast(dataset), ...(said ? {} : { moved: 'last' }) };
  if (!said && same(channelsFirst(shape), wanted)) return { dataset: withChannelsFirst(dataset), moved: 'first' };
  return undefined;
}

/** Rows of numbers for images and the other way round: of one channel, or where the order of channels is known. */
function flattened(dataset: Dataset, wanted: readonly number[]): Dataset | undefined {
  const { shape, layout } = dataset;
  if (count(shape) !== count(wanted)) return undefined;
  const [from, to] = [squeezed(shape), squeezed(wanted)];
  if (to.length <= 1 && (from.length <= 2 || (from.length === 3 && layout !== undefined)))
    return reshaped(dataset, wanted);
  if (from.length > 1) return undefined;
  if (to.length <= 2) return reshaped(dataset, wanted);
  if (to.length !== 3 || layout === undefined) return undefined;
  if (layout === 'nhwc') return withChannelsFirst(dataset, wanted);
  const inner = wanted.at(-2)! * wanted.at(-1)!;
  return { ...dataset, shape: wanted, channels: { count: wanted.at(-3)!, inner } };
}

export const count = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);
const squeezed = (shape: readonly number[]): readonly number[] => shape.filter((n) => n !== 1);
export const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
