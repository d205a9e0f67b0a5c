import { bitsFor } from '../../../base/quantiser.js';
import {
  type Op,
  type Rewriter,
  realParam,
  attrsOf,
  isMaximum,
  rewrite,
  opDef,
  traitsOf,
} from '../../../network/index.js';
import { type PassContext, definePass } from '../../pass.js';
import { isSplit } from './split.js';

/**
 * A train of B-bit codes becomes binary planes in B virtual time steps a step, S = Σ_b 2^b·S_b; the synapse at
 * plane b counts 2^b·W, and the planes of a step are gathered before anything else sees them (MBM §3.1, IBRA
 * eq. 6–15 with b = 0 … B−1). T steps become T·B. Planes of signed codes are
 * ternary, the bits of their size with their sign: B for −2^(B−1) … 2^(B−1) − 1; {−1, 0, 1} is one already.
 * A network that has planes stays as it is.
 */
export const bitPlanes = definePass({
  name: 'bit-planes',
  doc: 'Splits trains of B-bit codes into binary planes, B virtual time steps a step; synapses count 2^b·W at plane b and are gathered. Planes of signed codes are ternary.',
  options: {},
  run: (network, _options, context) => {
    if (isSplit(network)) return network;
    const warned = new Set<string>();
    const bits = new Map<string, number>();
    const planes = new Map<string, string>();
    /** the planes of a train, made once */
    const planesOf = (id: string, to: Rewriter): string => {
      const known = planes.get(id);
      if (known !== undefined) return known;
      const count = bits.get(id)!;
      const made = to.builder.add({ id: `${id}.planes`, kind: 'planes', inputs: [id], attrs: { bits: count } });
      planes.set(id, made);
      return made;
    };
    /** id of a planed value → its bits */
    const planed = new Map<string, number>();
    const asPlanes = (id: string, to: Rewriter): string => {
      if (!bits.has(id)) return id;
      const made = planesOf(id, to);
      planed.set(made, bits.get(id)!);
      return made;
    };
    return rewrite(network, (op, inputs, to) => {
      if (op.kind === 'neuron' || isMaximum(op)) {
        const read = inputs.map((id) => (isMaximum(op) ? id : gathered(op, id, asPlanes(id, to), planed, to)));
        const made = to.copy(op, read);
        const count = bitsOf(op, to.builder.typeOf(made).code, context, warned);
        if (count > 1) bits.set(made, count);
        return made;
      }
      const read = inputs.map((id) => asPlanes(id, to));
      const counts = new Set(read.map((id) => planed.get(id)));
      const [count] = counts;
      if (counts.size === 1 && count !== undefined) {
        if (traitsOf(op).planewise) {
          const made = to.copy(op, read);
          planed.set(made, count);
          return made;
        }
        if ('planes' in opDef(op.kind).attrs) {
          const made = to.copy(op, read, { attrs: { ...op.attrs, planes: count } });
          return to.builder.add({ id: `${op.id}.gather`, kind: 'gather', inputs: [made], attrs: { bits: count } });
        }
      }
      return to.copy(
        op,
        read.map((id, n) => gathered(op, inputs[n]!, id, planed, to)),
      );
    });
  },
});

/** Where planes meet something that isn't a synapse: one synapse of weight 1 a neuron, gathered. */
function gathered(op: Op, name: string, id: string, planed: ReadonlyMap<string, number>, to: Rewriter): string {
  const count = planed.get(id);
  if (count === undefined) return id;
  let synapse = `${name}.to.${op.id}`;
  for (let n = 2; to.builder.has(synapse); n++) synapse = `${name}.to.${op.id}.${n}`;
  const scale = to.param(`${synapse}.scale`, realParam([1], [1]));
  to.builder.add({ id: synapse, kind: 'affine', inputs: [id], attrs: { planes: count }, params: { scale } });
  return to.builder.add({ id: `${synapse}.gather`, kind: 'gather', inputs: [synapse], attrs: { bits: count } });
}

/** Bits of the size of a train's codes; 0 for anything else. */
function bitsOf(op: Op, code: Op['type']['code'], context: PassContext, warned: Set<string>): number {
  if (code.kind !== 'spike' || code.step !== 1) return 0;
  const bits = bitsFor(Math.max(code.max, -code.min) + 1);
  if (op.kind !== 'neuron') return bits;
  const { neuron } = op.attrs;
  if (code.min === 0 && code.max > 0 && 2 ** bits - 1 !== code.max && !warned.has(neuron)) {
    warned.add(neuron);
    context.report('convert/planes-not-full', { neuron, levels: code.max + 1, bits }, op);
  }
  return bits;
}

/** Puts planes back into one synapse on codes: the same sums in fewer operations, for evaluation. */
export const fusePlanes = definePass({
  name: 'fuse-planes',
  doc: 'Puts binary planes back into one synapse on integer codes: the same result in fewer operations, for evaluation.',
  options: {},
  run: (network) =>
    rewrite(network, (op, inputs, to) => {
      if (op.kind === 'planes' || op.kind === 'gather') return inputs[0]!;
      const { planes, ...attrs } = attrsOf(op);
      return planes === undefined || op.kind === 'neuron' ? to.copy(op, inputs) : to.copy(op, inputs, { attrs });
    }),
});
