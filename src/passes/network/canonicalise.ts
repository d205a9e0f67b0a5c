import {
  type Network,
  type Op,
  consumersOf,
  listAttr,
  numberAttr,
  opsById,
  paramOf,
  realValues,
  rewrite,
} from '../../network/index.js';
import { quantizeValue } from './quantiser-regions.js';
import { definePass } from '../pass.js';

type Pads = readonly [number, number, number, number];

function addPads(a: readonly number[], b: readonly number[]): Pads {
  return [a[0]! + b[0]!, a[1]! + b[1]!, a[2]! + b[2]!, a[3]! + b[3]!];
}

/** Whether a zero border can be taken over by the op's own padding. */
function absorbsPad(pad: Op, consumer: Op, network: Network): boolean {
  if (numberAttr(pad.attrs, 'value') !== 0) return false;
  if (consumer.kind === 'conv') return true;
  if (consumer.kind === 'avgpool') {
    // the window op must count the border: it does with include_pad, or without padding of its own
    const counts = consumer.attrs.include_pad || consumer.attrs.pads.every((n) => n === 0);
    return counts && padsFit(pad, consumer.attrs);
  }
  if (consumer.kind !== 'maxpool' || !padsFit(pad, consumer.attrs)) return false;
  // a border of zeros never wins where no value is negative
  const code = opsById(network).get(pad.inputs[0]!)!.type.code;
  return code.kind === 'quant' && code.min >= code.zero;
}

/** A pool's own padding is smaller than its window: none may see the border alone. */
function padsFit(
  pad: Op,
  { pads, kernel }: { readonly pads: readonly number[]; readonly kernel: readonly number[] },
): boolean {
  return addPads(pads, listAttr(pad.attrs, 'pads')).every((n, i) => n < kernel[i % 2]!);
}

/**
 * Whether an op multiplies the result of a relu by positive factors, so that it may as well multiply what the relu reads. So does
 * a clip from 0 where every reader's quantiser cuts off below the clip's bound.
 */
function scalesActivation(op: Op, before: Op | undefined, readers: readonly Op[], network: Network): boolean {
  if (op.kind !== 'affine' || op.params['shift'] !== undefined || before === undefined) return false;
  const scales = realValues(paramOf(network, op, 'scale'));
  if (network.outputs.includes(op.id) || scales.some((scale) => !(scale > 0))) return false;
  if (before.kind === 'relu') return true;
  if (before.kind !== 'clip' || before.attrs.min !== 0) return false;
  const bound = before.attrs.max;
  return readers.every((reader) => {
    if (reader.kind !== 'quantize') return false;
    const { scale, zero, min, max } = reader.attrs;
    return scales.every((factor) => quantizeValue(bound * factor, scale, zero, min, max) === max);
  });
}

/** Drops what computes nothing and lets window ops do their own padding. */
export const canonicalise = definePass({
  name: 'canonicalise',
  doc: 'Removes identities and dropout, merges zero pads into the convolutions and pools that read them, turns clip(0, ∞) into relu, puts positive factors behind a relu in front of it.',
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
      if (op.kind === 'identity' || op.kind === 'dropout' || absorbed.has(op.id)) return inputs[0]!;
      if (op.kind === 'clip' && op.attrs['min'] === 0 && Number(op.attrs['max']) >= Number.MAX_VALUE) {
        return to.copy(op, inputs, { kind: 'relu', attrs: {} });
      }
      const before = byId.get(op.inputs[0] ?? '');
      if (scalesActivation(op, before, consumers.get(op.id)!, network)) {
        const scaled = to.copy(op, [to.renamed(before!.inputs[0]!)], { origin: undefined });
        return to.builder.add({ id: `${op.id}.relu`, kind: 'relu', inputs: [scaled] });
      }
      if (before !== undefined && absorbed.has(before.id)) {
        const pads = addPads(listAttr(op.attrs, 'pads'), listAttr(before.attrs, 'pads'));
        const counted = op.kind === 'avgpool' ? { include_pad: true } : {};
        return to.copy(op, inputs, { attrs: { ...op.attrs, pads, ...counted } });
      }
      return to.copy(op, inputs);
    });
  },
});
