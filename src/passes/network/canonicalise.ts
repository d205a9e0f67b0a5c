import {
  type Network,
  type Op,
  type PaddedKind,
  consumersOf,
  intervalOf,
  intervalSource,
  opsById,
  pads,
  paramOf,
  realValues,
  rewrite,
  roleOf,
  traitsOf,
} from '../../network/index.js';
import { definePass } from '../pass.js';
import { quantizeValue } from './quantiser-regions.js';

type Pads = readonly [number, number, number, number];

function addPads(a: readonly number[], b: readonly number[]): Pads {
  return [a[0]! + b[0]!, a[1]! + b[1]!, a[2]! + b[2]!, a[3]! + b[3]!];
}

/** Whether a zero border can be taken over by the op's own padding. */
function absorbsPad(pad: Op<'pad'>, consumer: Op, network: Network): boolean {
  if (pad.attrs.value !== 0 || !pads(consumer)) return false;
  switch (traitsOf(consumer).padding) {
    case 'zeros':
      return true;
    case 'averaged':
      // the window op must count the border: it does with include_pad, or without padding of its own
      return (countsPad(consumer) || consumer.attrs.pads.every((n) => n === 0)) && padsFit(pad, consumer);
    case 'absent': {
      if (!padsFit(pad, consumer)) return false;
      // a border of zeros never wins where no value is negative
      const values = intervalOf(intervalSource(network), pad.inputs[0]!);
      return values !== undefined && values.min >= 0;
    }
    case 'none':
      return false;
  }
}

function countsPad({ attrs }: Op<PaddedKind>): boolean {
  return 'include_pad' in attrs && attrs.include_pad;
}

/** A pool's own padding is smaller than its window: none may see the border alone. */
function padsFit(pad: Op<'pad'>, { attrs }: Op<PaddedKind>): boolean {
  return addPads(attrs.pads, pad.attrs.pads).every((n, i) => n < attrs.kernel[i % 2]!);
}

/**
 * Whether an op multiplies the result of a relu by positive factors, so that it may as well multiply what the relu reads. So does
 * a clip from 0 where every reader's quantiser cuts off below the clip's bound.
 */
function scalesActivation(op: Op, before: Op | undefined, readers: readonly Op[], network: Network): boolean {
  if (roleOf(op) !== 'scaling' || op.params['shift'] !== undefined || before === undefined) return false;
  const scales = realValues(paramOf(network, op, 'scale'));
  if (network.outputs.includes(op.id) || scales.some((scale) => !(scale > 0))) return false;
  if (before.kind === 'relu') return true;
  if (before.kind !== 'clip' || before.attrs.min !== 0) return false;
  const bound = before.attrs.max;
  return readers.every((reader) => {
    if (reader.kind !== 'quantize') return false;
    const { scale, zero, min, max, rounding } = reader.attrs;
    return scales.every((factor) => quantizeValue(bound * factor, scale, zero, min, max, rounding) === max);
  });
}

/** Whether an op takes maxima over windows of a concatenation of channels, alone: they are those of its parts. */
function isMaximumOfParts(op: Op, before: Op, readers: readonly Op[], network: Network): boolean {
  if (roleOf(op) !== 'maximum' || roleOf(before) !== 'concatenation') return false;
  return readers.length === 1 && !network.outputs.includes(before.id);
}

/** The op before a row of transpositions that ends with `op`, and their order of axes together. */
function transposedOf(op: Op<'transpose'>, byId: ReadonlyMap<string, Op>): { from: string; perm: readonly number[] } {
  let { perm } = op.attrs;
  let [from] = op.inputs as [string];
  for (let before = byId.get(from)!; before.kind === 'transpose'; before = byId.get(from)!) {
    const inner = before.attrs.perm;
    perm = perm.map((axis) => inner[axis]!);
    [from] = before.inputs as [string];
  }
  return { from, perm };
}

/** Drops what computes nothing and lets window ops do their own padding. */
export const canonicalise = definePass({
  name: 'canonicalise',
  doc: 'Removes identities and dropout, makes transpositions in a row one, merges zero pads into the convolutions and pools that read them, turns clip(0, ∞) into relu, puts positive factors behind a relu in front of it, and max pooling of a concatenation in front of that.',
  options: {},
  run: (network) => {
    const consumers = consumersOf(network);
    const byId = opsById(network);
    const absorbed = new Set(
      network.ops
        .filter((op) => op.kind === 'pad')
        .filter((pad) => {
          const readers = consumers.get(pad.id)!;
          return !network.outputs.includes(pad.id) && readers.every((reader) => absorbsPad(pad, reader, network));
        })
        .map((op) => op.id),
    );
    return rewrite(network, (op, inputs, to) => {
      if (roleOf(op) === 'same' || absorbed.has(op.id)) return inputs[0]!;
      if (op.kind === 'transpose') {
        const { from, perm } = transposedOf(op, byId);
        if (perm.every((axis, i) => axis === i)) return to.renamed(from);
        return to.copy(op, [to.renamed(from)], { attrs: { perm } });
      }
      if (op.kind === 'clip' && op.attrs.min === 0 && op.attrs.max >= Number.MAX_VALUE) {
        return to.copy(op, inputs, { kind: 'relu', attrs: {} });
      }
      const before = byId.get(op.inputs[0] ?? '');
      if (scalesActivation(op, before, consumers.get(op.id)!, network)) {
        const scaled = to.copy(op, [to.renamed(before!.inputs[0]!)], { origin: undefined });
        return to.builder.add({ id: `${op.id}.relu`, kind: 'relu', inputs: [scaled] });
      }
      if (before !== undefined && isMaximumOfParts(op, before, consumers.get(before.id)!, network)) {
        const parts = before.inputs.map((id, n) => {
          const part = { id: `${op.id}.part${n + 1}`, origin: undefined };
          return to.copy(op, [to.renamed(id)], part);
        });
        return to.copy(before, parts, { id: op.id, place: op.place, origin: op.origin });
      }
      if (before?.kind === 'pad' && absorbed.has(before.id) && pads(op)) {
        const sum = addPads(op.attrs.pads, before.attrs.pads);
        const counted = traitsOf(op).padding === 'averaged' ? { include_pad: true } : {};
        return to.copy(op, inputs, { attrs: { ...op.attrs, pads: sum, ...counted } });
      }
      return to.copy(op, inputs);
    });
  },
});
