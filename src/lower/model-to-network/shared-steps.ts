import type { Layer } from '../../model/index.js';
import { isOpKind, roleOf } from '../../network/index.js';

/** Whether it gives values on, or scales them all alike: a train behind it is the one in front. */
function passes({ kind }: Layer): boolean {
  if (kind === 'scale' || kind === 'matmul') return true;
  return isOpKind(kind) && (roleOf({ kind }) === 'reshape' || roleOf({ kind }) === 'same');
}

/**
 * Layers of neurons whose trains meet in a matrix product (q, k and v of an attention) have their steps in common (ABA §4.1):
 * each of them → the first of its group. Others are missing.
 */
export function sharedSteps(layers: readonly Layer[]): ReadonlyMap<string, string> {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const shared = new Map<string, string>();
  const known = new Map<string, readonly string[]>();
  const firing = (id: string): readonly string[] => {
    const found = known.get(id) ?? firingBehind(id);
    known.set(id, found);
    return found;
  };
  const firingBehind = (id: string): readonly string[] => {
    const layer = byId.get(id);
    if (layer === undefined || (layer.kind !== 'spike' && !passes(layer))) return [];
    // neurons that read a product themselves belong to it, too
    const before = [...new Set(layer.inputs.flatMap(firing))];
    return layer.kind === 'spike' ? [id, ...before] : before;
  };
  for (const { kind, inputs } of layers) {
    if (kind !== 'matmul') continue;
    const met: readonly string[] = [...new Set(inputs.flatMap(firing))];
    const groups = new Set(met.map((id) => shared.get(id) ?? id));
    const first = layers.find(({ id }) => groups.has(id))?.id;
    if (first === undefined || met.length < 2) continue;
    for (const { id } of layers) if (groups.has(shared.get(id) ?? id)) shared.set(id, first);
  }
  return shared;
}
