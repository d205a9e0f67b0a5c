import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { type Network, intervalOf, intervalSource } from '../network/index.js';
import type { Images } from './metrics/index.js';

/** Share of the input's range that lies below 0 from which on pixels, which don't, look as if they weren't normalised. */
const share = 0.2;

/** Pixels between 0 and 1 that go into a network whose quantised input reaches well below 0. */
export function normalisationRemarks(network: Network, { dataset, normalisation }: Images): readonly Diagnostic[] {
  const isNormalised = normalisation?.mean !== undefined || normalisation?.std !== undefined;
  const range = isNormalised || dataset.scale !== 255 ? undefined : inputRange(network);
  if (range === undefined || -range.min < share * (range.max - range.min)) return [];
  return [diagnostic('data/not-normalised', { name: dataset.name, ...range })];
}

/** What the numbers of an encoded or quantised input can be. */
function inputRange(network: Network): { readonly min: number; readonly max: number } | undefined {
  const inputs = new Set(network.ops.filter(({ kind }) => kind === 'input').map(({ id }) => id));
  const first = network.ops.find((op) => op.inputs.some((id) => inputs.has(id)));
  if (first?.kind === 'quantize') return intervalOf(intervalSource(network), first.id);
  if (first?.kind !== 'encode') return undefined;
  const { scale, zero, min, max } = first.attrs;
  if (scale === undefined || zero === undefined || min === undefined || max === undefined) return undefined;
  return { min: (min - zero) * scale, max: (max - zero) * scale };
}
