import type { CostSides, LayerCostSides } from './present.js';
import type { NetworkDiff } from './types.js';

type Figures = Readonly<Record<string, unknown>>;

/** Every number of two records, side by side; 0 where one lacks it. */
export function sideBySide(from: Figures, to: Figures): CostSides {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const numeric = names.filter((name) => typeof (from[name] ?? to[name]) === 'number');
  return Object.fromEntries(numeric.map((name) => [name, { from: number(from[name]), to: number(to[name]) }]));
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

type Layer = Figures & { readonly id: string };

/** Weighted layers whose costs differ, with the figures that do. */
export function layersSideBySide(
  from: readonly Layer[],
  to: readonly Layer[],
  diff: Pick<NetworkDiff, 'renamed' | 'removed'>,
): LayerCostSides[] {
  const counterpart = counterpartsOf(diff);
  const others = new Map(to.map((layer) => [layer.id, layer]));
  const pairs = from.map((layer): readonly [string, Figures, Figures] => {
    const id = counterpart(layer.id);
    const other = id === undefined ? undefined : others.get(id);
    if (other !== undefined) others.delete(other.id);
    return [layer.id, layer, other ?? {}];
  });
  for (const layer of others.values()) pairs.push([layer.id, {}, layer]);
  return pairs.flatMap(([id, a, b]) => {
    const differing = Object.entries(sideBySide(a, b)).filter(([, sides]) => sides.from !== sides.to);
    return differing.length === 0 ? [] : [{ id, fields: Object.fromEntries(differing) }];
  });
}

/** The id in the second network of an op of the first. */
export function counterpartsOf({
  renamed,
  removed,
}: Pick<NetworkDiff, 'renamed' | 'removed'>): (id: string) => string | undefined {
  const names = new Map(renamed.map(({ from, to }) => [from, to]));
  const gone = new Set(removed.map(({ id }) => id));
  return (id) => (gone.has(id) ? undefined : (names.get(id) ?? id));
}
