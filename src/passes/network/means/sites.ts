import { type Network, type Op, boundsOf, opsById, roleOf, traitsOf } from '../../../network/index.js';
import { isRearranged } from '../front.js';
import { readOutTail } from '../read-out.js';

/** A nonlinearity max(0, min(x, bound)) that a layer of neurons will stand for. */
export interface ActivationSite {
  readonly op: Op;
  /** What the network itself says of the range: a quantiser's largest value, a clip's upper end. */
  readonly bound: number | undefined;
  /** Whether `bound` is the range (a quantiser's), so that no data are needed. */
  readonly known: boolean;
}

/**
 * Where neurons will stand: relus, clips from 0 on, and quantisers that cut off at 0. A quantiser that cuts
 * nothing off (a signed one, one of the input, one of a mean of activations) is only a rounding, and no site.
 */
export function activationSites(network: Network): readonly ActivationSite[] {
  const byId = opsById(network);
  const tail = readOutTail(network);
  const sites = new Map<string, ActivationSite>();
  /** values that come out of sites, possibly averaged */
  const carried = (id: string): boolean => {
    const op = byId.get(id)!;
    if (sites.has(id)) return true;
    return (traitsOf(op).keepsRange || op.kind === 'quantize') && op.inputs.every(carried);
  };
  for (const op of network.ops) {
    if (tail.has(op.id)) continue;
    const bounds = boundsOf(op);
    if (bounds !== undefined) {
      sites.set(op.id, { op, bound: bounds[1] === Infinity ? undefined : bounds[1], known: false });
    } else if (op.kind === 'quantize' && cutsAtZero(op) && !isFront(op, byId) && !carried(op.inputs[0]!)) {
      const { scale, zero, max } = op.attrs;
      sites.set(op.id, { op, bound: (max - zero) * scale, known: true });
    }
  }
  return [...sites.values()];
}

function cutsAtZero({ attrs }: Op<'quantize'>): boolean {
  return attrs.min === attrs.zero;
}

/** Whether an op reads the input, with nothing weighted in between. */
function isFront(op: Op, byId: ReadonlyMap<string, Op>): boolean {
  let from = byId.get(op.inputs[0]!)!;
  while (isRearranged(from) || roleOf(from) === 'quantiser') from = byId.get(from.inputs[0]!)!;
  return from.kind === 'input';
}
