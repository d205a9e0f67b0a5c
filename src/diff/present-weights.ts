import type { Item } from './document.js';
import { counted, shortNumber, someOf } from './show.js';
import type { WeightChange } from './types.js';

/** Parameters that differ; those that differ in one way that fits in a line share it. */
export function weightItems(weights: readonly WeightChange[], shown: number): readonly Item[] {
  const groups = new Map<string, { readonly ids: string[]; readonly quiet: boolean }>();
  for (const weight of weights) {
    if (weight.equal) continue;
    const text = describe(weight);
    const known = groups.get(text);
    if (known === undefined) groups.set(text, { ids: [weight.id], quiet: weight.follows === true });
    else known.ids.push(weight.id);
  }
  const items = [...groups].map(([text, { ids, quiet }]): Item & { quiet: boolean } => ({
    mark: 'changed',
    text: ids.length === 1 ? `%${ids[0]}` : counted(ids.length, 'parameter'),
    detail: ids.length === 1 ? text : `${text}: ${someOf(ids, shown)}`,
    rows: [],
    quiet,
  }));
  const equal = weights.filter((weight) => weight.equal).length;
  const ordered = [...items.filter((item) => !item.quiet), ...items.filter((item) => item.quiet)];
  const rest: Item[] = [{ mark: 'equal', text: `${counted(equal, 'other parameter')} equal`, rows: [] }];
  return [...ordered.map(({ quiet: _, ...item }) => item), ...(items.length === 0 || equal === 0 ? [] : rest)];
}

function describe(weight: WeightChange): string {
  const parts: string[] = [];
  const { shape, stored, scale, channel_scales: scales, max_abs, largest, follows } = weight;
  if (shape !== undefined) parts.push(`shape [${shape.from.join(',')}] → [${shape.to.join(',')}]`);
  if (stored !== undefined) parts.push(`stored as ${stored.from} → ${stored.to}`);
  if (scale !== undefined) parts.push(`× ${shortNumber(scale)}`);
  else if (scales !== undefined) {
    const [low, high] = [scales.reduce((a, b) => Math.min(a, b)), scales.reduce((a, b) => Math.max(a, b))];
    parts.push(`a multiple per channel, × ${shortNumber(low)} … ${shortNumber(high)}`);
  } else if (max_abs !== null) {
    parts.push(max_abs === 0 ? 'same values' : `differs by at most ${brief(max_abs)}, largest ${brief(largest)}`);
  }
  if (follows === true) parts.push('to fit its input');
  return parts.join(', ');
}

function brief(value: number): string {
  return String(Number(value.toPrecision(3)));
}
