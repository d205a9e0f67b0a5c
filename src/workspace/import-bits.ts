import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { BitPlan } from '../lower/model-to-network/bits.js';
import { type Config, layerHelp, meansSome } from '../model/index.js';
import type { Network } from '../network/index.js';
import { isWeighted } from '../passes/index.js';

/** Bits of the weights of an imported network by layer, as its config says them; undefined where it has no `bits`. */
export function importedBits({ bits }: Config): ((id: string) => number | undefined) | undefined {
  if (bits === undefined) return undefined;
  const plan = new BitPlan(bits, undefined);
  return (id) => plan.of('weights', id) as number | undefined;
}

/** Patterns in `bits` have to mean layers of the imported network that have weights. */
export function bitPatternProblems({ bits }: Config, imported: Network): readonly Diagnostic[] {
  const ids = imported.ops.filter(isWeighted).map(({ id }) => id);
  const means = meansSome(ids);
  return (bits?.layers ?? [])
    .filter(({ pattern }) => !means(pattern))
    .map(({ pattern, place }) => {
      return diagnostic('model/pattern', { pattern }, place, { help: layerHelp(pattern, ids) });
    });
}
