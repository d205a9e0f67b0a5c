import { type Op, boundsOf, consumersOf, opsById, rewrite, roleOf } from '../../../network/index.js';
import { type PerLayer, optional, perLayer, real } from '../../options/index.js';
import { type PassContext, definePass } from '../../pass.js';
import { reportUnmatched } from '../../report-unmatched.js';
import { readOutTail } from '../read-out.js';
import { type ActivationSite, activationSites } from './sites.js';

/** The range λ of a site: what was set, else the quantiser's, else the clip's; undefined after a report. */
function rangeOf(
  { op, bound, known }: ActivationSite,
  ranges: PerLayer<number> | undefined,
  context: PassContext,
): number | undefined {
  const least = boundsOf(op)?.[0] ?? 0;
  if (least !== 0) {
    context.report('convert/no-spiking-form', { op: op.id, kind: `${op.kind} from ${least}`, coding: 'direct' }, op, {
      help: 'neurons fire from 0 up: use a relu, or a clip that begins at 0, and train the network with it',
    });
    return undefined;
  }
  const set = ranges?.of(op.id);
  const range = set === undefined ? bound : Math.min(set, known ? Infinity : (bound ?? Infinity));
  if (range === undefined || !(range < Number.MAX_VALUE)) {
    context.report('convert/no-range', { op: op.id, kind: op.kind }, op, {
      help: `convert with --calibrate DATA, or write: layer "${op.id}" { range … }`,
    });
    return undefined;
  }
  return range;
}

/**
 * Every activation becomes clip(x, 0, λ), λ the range its neurons will carry (docs/conversion.md): from `layer` settings,
 * where calibration writes them, or from the quantiser. A maximum before a relu moves behind it (both are
 * monotone). Quantisers that cut nothing off go: their rounding is not carried.
 */
export const activationRanges = definePass({
  name: 'activation-ranges',
  doc: 'Turns every activation into clip(x, 0, λ) with the range λ of its quantiser or of the calibration; quantisers that cut nothing off go.',
  options: {
    range: optional(
      perLayer(real(0)),
      'The greatest activation λ that a layer shall carry, by the id of its neurons; a quantiser has its own.',
    ),
  },
  run: (network, { range: given }, context) => {
    const tail = readOutTail(network);
    const byId = opsById(network);
    const consumers = consumersOf(network);
    const sites = activationSites(network);
    const ids = sites.map(({ op }) => op.id);
    if (given !== undefined) reportUnmatched(given, ids, context);
    const ranges = new Map(sites.map((site) => [site.op.id, rangeOf(site, given, context)] as const));
    const poolBefore = (op: Op): Op | undefined => {
      const before = byId.get(op.inputs[0]!)!;
      const alone = consumers.get(before.id)!.length === 1 && !network.outputs.includes(before.id);
      return roleOf(before) === 'maximum' && alone && before.type.code.kind === 'real' ? before : undefined;
    };
    const swapped = new Set([...ranges.keys()].map((id) => poolBefore(byId.get(id)!)?.id));
    let dropped = 0;
    const result = rewrite(network, (op, inputs, to) => {
      if (swapped.has(op.id)) return inputs[0]!;
      if (op.kind === 'quantize' && !ranges.has(op.id) && !tail.has(op.id)) {
        dropped++;
        return inputs[0]!;
      }
      const range = ranges.get(op.id);
      if (range === undefined) return to.copy(op, inputs);
      const clipped = to.copy(op, inputs, { kind: 'clip', attrs: { min: 0, max: range } });
      const pool = poolBefore(op);
      return pool === undefined ? clipped : to.copy(pool, [clipped]);
    });
    if (dropped === 0) return result;
    const [which, whose] = dropped === 1 ? ['1 quantiser', 'its'] : [`${dropped} quantisers`, 'their'];
    const note = `left out ${which} that cut nothing off: ${whose} rounding is not carried`;
    return { ...result, notes: [...result.notes, note] };
  },
});
