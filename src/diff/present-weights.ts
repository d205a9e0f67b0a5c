import type { Item } from './document.js';
import { grouped } from './grouped.js';
import { counted, shortNumber, someOf } from './show.js';
import type { WeightChange } from './types.js';

/** Parameters that differ; those that differ in one way that fits in a line share it. */
export function weightItems(weights: readonly WeightChange[], shown: number): readonly Item[] {
  const differing = weights.filter(({ equal }) => !equal);
  // what had to change stands last
  const ordered = [...differing.filter((w) => w.follows !== true), ...differing.filter((w) => w.follows === true)];
  const items = [...grouped(ordered, describe)].map(([text, alike]): Item => {
    const ids = alike.map(({ id }) => id);
    const one = ids.length === 1;
    return {
      mark: 'changed',
      text: one ? `%${ids[0]}` : counted(ids.length, 'parameter'),
      detail: one ? text : `${text}: ${someOf(ids, shown)}`,
      rows: [],
    };
  });
  const equal = weights.length - differing.length;
  const rest: Item = { mark: 'equal', text: `${counted(equal, 'other parameter')} equal`, rows: [] };
  return items.length === 0 || equal === 0 ? items : [...items, rest];
}

function describe(weight: WeightChange): string {
  const parts: string[] = [];
  const { shape, stored, scale, channel_scales: scales, max_abs, largest = 0, value, follows } = weight;
  if (shape !== undefined) parts.push(`shape [${shape.from.join(',')}] → [${shape.to.join(',')}]`);
  if (stored !== undefined) parts.push(`stored as ${stored.from} → ${stored.to}`);
  if (value !== undefined) parts.push(`${shortNumber(value.from)} → ${shortNumber(value.to)}`);
  else if (scale !== undefined) parts.push(`× ${shortNumber(scale)}`);
  else if (scales !== undefined) {
    const [low, high] = [scales.reduce((a, b) => Math.min(a, b)), scales.reduce((a, b) => Math.max(a, b))];
    parts.push(`a multiple per channel, × ${shortNumber(low)} … ${shortNumber(high)}`);
  } else if (max_abs !== null) {
    const far = `differs by at most ${brief(max_abs)}, largest ${brief(largest)}`;
    parts.push(max_abs === 0 ? 'same values' : max_abs <= rounding * largest ? 'the same but for rounding' : far);
  }
  if (follows === true) parts.push('to fit its input');
  return parts.join(', ');
}

/** Of a few operations in float32, as a part of the largest value. */
const rounding = 1e-6;

function brief(value: number): string {
  return String(Number(value.toPrecision(3)));
}
