import {
  type Network,
  type Op,
  consumersOf,
  listAttr,
  numberAttr,
  opsById,
  rewrite,
  roleOf,
  traitsOf,
} from '../../network/index.js';
import { definePass } from '../pass.js';

type Pads = readonly [number, number, number, number];

function addPads(a: readonly number[], b: readonly number[]): Pads {
  return [a[0]! + b[0]!, a[1]! + b[1]!, a[2]! + b[2]!, a[3]! + b[3]!];
}

/** Whether a zero border can be taken over by the op's own padding. */
function absorbsPad(pad: Op, consumer: Op, network: Network): boolean {
  if (numberAttr(pad.attrs, 'value') !== 0) return false;
  switch (traitsOf(consumer).padding) {
    case 'zeros':
      return true;
    case 'averaged': {
      // the window op must count the border: it does with include_pad, or without padding of its own
      const counts = consumer.attrs['include_pad'] === true || listAttr(consumer.attrs, 'pads').every((n) => n === 0);
      return counts && padsFit(pad, consumer);
    }
    case 'absent': {
      if (!padsFit(pad, consumer)) return false;
      // a border of zeros never wins where no value is negative
      const { code } = opsById(network).get(pad.inputs[0]!)!.type;
      return code.kind === 'quant' && code.min >= code.zero;
    }
    case 'none':
      return false;
  }
}

/** A pool's own padding is smaller than its window: none may see the border alone. */
function padsFit(pad: Op, { attrs }: Op): boolean {
  const kernel = listAttr(attrs, 'kernel');
  return addPads(listAttr(attrs, 'pads'), listAttr(pad.attrs, 'pads')).every((n, i) => n < kernel[i % 2]!);
}

/** Drops what computes nothing and lets window ops do their own padding. */
export const canonicalise = definePass({
  name: 'canonicalise',
  doc: 'Removes identities and dropout, merges zero pads into the convolutions and pools that read them, turns clip(0, ∞) into relu.',
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
      if (op.kind === 'clip' && op.attrs['min'] === 0 && Number(op.attrs['max']) >= Number.MAX_VALUE) {
        return to.copy(op, inputs, { kind: 'relu', attrs: {} });
      }
      const before = byId.get(op.inputs[0] ?? '');
      if (before !== undefined && absorbed.has(before.id)) {
        const pads = addPads(listAttr(op.attrs, 'pads'), listAttr(before.attrs, 'pads'));
        const counted = traitsOf(op).padding === 'averaged' ? { include_pad: true } : {};
        return to.copy(op, inputs, { attrs: { ...op.attrs, pads, ...counted } });
      }
      return to.copy(op, inputs);
    });
  },
});
