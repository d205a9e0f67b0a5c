import { LayerPatterns, meansSome } from '../../base/layer-patterns.js';
import type { Place } from '../../base/source.js';

/** A value that layers have by their ids. */
export interface PerLayer<T> {
  /** Of the layer with this id; undefined where nothing is said of it. */
  readonly of: (id: string) => T | undefined;
  /** The patterns that mean none of these layers. */
  readonly unmatched: (ids: readonly string[]) => readonly LayerPattern[];
}

/** Where a pattern stands. */
export interface LayerPattern {
  readonly pattern: string;
  readonly place?: Place | undefined;
}

/** Layers that a pattern means (`stage1.*`, an id, or the start of one up to a dot), and their value where one is said. */
export interface LayerValue<T> extends LayerPattern {
  readonly value: T | undefined;
}

/** One value for every layer. */
export function everyLayer<T>(value: T): PerLayer<T> {
  return { of: () => value, unmatched: () => [] };
}

/** A value that a function knows. */
export function byLayer<T>(of: (id: string) => T | undefined): PerLayer<T> {
  return { of, unmatched: () => [] };
}

/** Values by patterns, of which the last that means a layer and has a value counts. */
export function byPattern<T>(values: readonly LayerValue<T>[]): PerLayer<T> {
  const known = new LayerPatterns(values);
  return {
    of: (id) => known.of(id).findLast(({ value }) => value !== undefined)?.value,
    unmatched: (ids) => {
      const means = meansSome(ids);
      return values.filter(({ pattern }) => !means(pattern));
    },
  };
}
