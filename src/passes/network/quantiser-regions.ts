import { type Rounding, roundBy, withZeroPoint } from '../../base/rounding.js';
import {
  type Network,
  type Op,
  boundsOf,
  consumersOf,
  opsById,
  rewrite,
  roleOf,
  traitsOf,
} from '../../network/index.js';
import { definePass } from '../pass.js';

/** x quantised: clip(round(x/scale) + zero, min, max); a fraction of the zero point is added before rounding. */
export function quantizeValue(
  x: number,
  scale: number,
  zero: number,
  min: number,
  max: number,
  rounding: Rounding = 'half_even',
): number {
  if (x === Infinity) return max;
  if (x === -Infinity) return min;
  const by = withZeroPoint(rounding, zero);
  return Math.min(max, Math.max(min, roundBy(by.rounding, x / scale + by.fraction) + by.whole));
}

/** Monotone ops between a quantiser and the synapse before it, nearest the quantiser first. */
function chainBefore(quantize: Op, byId: ReadonlyMap<string, Op>): Op[] {
  const chain: Op[] = [];
  for (let op = byId.get(quantize.inputs[0]!)!; traitsOf(op).monotone; op = byId.get(op.inputs[0]!)!) {
    if (op.type.code.kind === 'quant') break;
    chain.push(op);
  }
  // only a chain with a nonlinearity needs moving; reshapes alone are linear
  while (chain.length > 0 && roleOf(chain.at(-1)!) === 'reshape') chain.pop();
  return chain;
}

/** The code range that is left of [min, max] once the chain's relu and clips are applied. */
function narrowed(quantize: Op<'quantize'>, chain: readonly Op[]): { min: number; max: number } {
  let low = -Infinity;
  let high = Infinity;
  for (const op of [...chain].reverse()) {
    const bounds = boundsOf(op);
    if (bounds === undefined) continue;
    const [min, max] = bounds;
    low = Math.min(max, Math.max(min, low));
    high = Math.min(max, Math.max(min, high));
  }
  const { scale, zero, min, max, rounding } = quantize.attrs;
  const code = (x: number): number => quantizeValue(x, scale, zero, min, max, rounding);
  return { min: code(low), max: code(high) };
}

/** Ops whose every reader is moved behind a quantiser with them. */
function movedOps(network: Network, chains: ReadonlyMap<string, readonly Op[]>): Set<string> {
  const consumers = consumersOf(network);
  const moved = new Set<string>();
  for (const [quantize, chain] of chains) {
    for (const op of chain) {
      if (network.outputs.includes(op.id)) break;
      if (!consumers.get(op.id)!.every((reader) => moved.has(reader.id) || reader.id === quantize)) break;
      moved.add(op.id);
    }
  }
  return moved;
}

/**
 * Rounding, clipping and the maximum are monotone, so they commute: Q(max(relu(x))) is the maximum of
 * Q(x) with its lower bound raised to the code of 0. Afterwards every quantiser reads a linear value.
 */
export const quantiserRegions = definePass({
  name: 'quantiser-regions',
  doc: 'Moves relu and clip into the code range of the quantiser that follows, and max pooling behind it (all monotone, so exact).',
  options: {},
  run: (network) => {
    const byId = opsById(network);
    const chains = new Map(
      network.ops.filter((op) => op.kind === 'quantize').map((op) => [op.id, chainBefore(op, byId)] as const),
    );
    const moved = movedOps(network, chains);
    return rewrite(network, (op, inputs, to) => {
      if (moved.has(op.id)) return inputs[0]!;
      const chain = chains.get(op.id) ?? [];
      if (chain.length === 0 || op.kind !== 'quantize') return to.copy(op, inputs);
      const source = to.renamed(chain.at(-1)!.inputs[0]!);
      const after = chain.filter((link) => roleOf(link) !== 'bound').reverse();
      let value = to.copy(op, [source], {
        attrs: { ...op.attrs, ...narrowed(op, chain) },
        origin: after.length === 0 ? op.origin : undefined,
      });
      for (const link of after) {
        const id = moved.has(link.id) ? link.id : `${op.id}.${link.kind}`;
        value = to.copy(link, [value], { id, origin: link === after.at(-1) ? op.origin : undefined });
      }
      return value;
    });
  },
});
