import {
  type Code,
  type KindsOf,
  type Network,
  type Op,
  type Rewriter,
  attrsOf,
  hasRole,
  isMaximum,
  opDef,
  opsById,
  planesFor,
  realParam,
  rewrite,
  roleOf,
  traitsOf,
  unaryTrains,
} from '../../../network/index.js';
import { type PassContext, definePass } from '../../pass.js';
import { isSplit } from './split.js';

/** How a train is split: so many planes, which count 2^b, or alike. */
interface Split {
  readonly bits: number;
  readonly unary: boolean;
}

/**
 * A train of B-bit codes becomes binary planes in B virtual time steps a step, S = Σ_b 2^b·S_b; the synapse at
 * plane b counts 2^b·W, and the planes of a step are gathered before anything else sees them (MBM §3.1, IBRA
 * eq. 6–15 with b = 0 … B−1). T steps become T·B. Planes of signed codes are
 * ternary, the bits of their size with their sign: B for −2^(B−1) … 2^(B−1) − 1; {−1, 0, 1} is one already.
 * Neurons that declare `planes unary` send the code d as d spikes in D planes, D the greatest code, each of which counts W
 * (IBRA eq. 5: T×D steps). A network that has planes stays as it is.
 */
export const bitPlanes = definePass({
  name: 'bit-planes',
  doc: 'Splits trains of B-bit codes into binary planes, B virtual time steps a step; synapses count 2^b·W at plane b and are gathered. Planes of signed codes are ternary. Trains of neurons that declare `planes unary` are split into one plane a level, which count alike.',
  options: {},
  run: (network, _options, context) => {
    if (isSplit(network)) return network;
    const warned = new Set<string>();
    const isUnary = unaryTrains(network);
    const onCodes = actingOnCodes(network, isUnary);
    const byId = opsById(network);
    const splits = new Map<string, Split>();
    const planes = new Map<string, string>();
    /** the planes of a train, made once */
    const planesOf = (id: string, { bits, unary }: Split, to: Rewriter): string => {
      const known = planes.get(id);
      if (known !== undefined) return known;
      const attrs = { bits, ...(unary ? { unary } : {}) };
      const made = to.builder.add({ id: `${id}.planes`, kind: 'planes', inputs: [id], attrs });
      planes.set(id, made);
      return made;
    };
    /** id of a planed value → how it was split */
    const planed = new Map<string, Split>();
    const asPlanes = (id: string, to: Rewriter): string => {
      const split = splits.get(id);
      if (split === undefined) return id;
      const made = planesOf(id, split, to);
      planed.set(made, split);
      return made;
    };
    return rewrite(network, (op, inputs, to) => {
      const read = inputs.map((id) => asPlanes(id, to));
      const split = commonSplit(read.map((id) => planed.get(id)));
      if (hasRole(op, 'product')) {
        const codes = op.inputs.map((id) => byId.get(id)!.type.code);
        const made = productInPlanes(op, codes, inputs, read, planed, onCodes.has(op.id), to);
        if (made !== undefined) {
          const own = splitOf(op, to.builder.typeOf(made).code, isUnary(op.id), context, warned);
          if (own.bits > 1 && onCodes.has(op.id)) splits.set(made, own);
          return made;
        }
      }
      const isCodes = onCodes.has(op.id);
      if (op.kind === 'neuron' || isCodes) {
        const codes = isCodes ? inputs : inputs.map((id, n) => gathered(op, id, read[n]!, planed, to));
        const made = to.copy(op, codes, hasOwnCodes(op) ? { attrs: { ...op.attrs, codes: true } } : {});
        const split = splitOf(op, to.builder.typeOf(made).code, isUnary(op.id), context, warned);
        if (split.bits > 1) splits.set(made, split);
        return made;
      }
      if (split !== undefined) {
        if (traitsOf(op).planewise) {
          const made = to.copy(op, read);
          planed.set(made, split);
          return made;
        }
        if ('planes' in opDef(op.kind).attrs) {
          const made = to.copy(op, read, { attrs: { ...op.attrs, ...onPlanes(split) } });
          return to.builder.add({ id: `${op.id}.gather`, kind: 'gather', inputs: [made], attrs: { bits: split.bits } });
        }
      }
      return to.copy(
        op,
        read.map((id, n) => gathered(op, inputs[n]!, id, planed, to)),
      );
    });
  },
});

/**
 * The ops that act on whole codes, whose results are split: maxima, squeezes, sums of trains, concatenations of trains that are
 * split in different ways, and what moves trains in front of them. Sums and concatenations that only neurons read aren't
 * among them: their parts are gathered.
 */
function actingOnCodes(network: Network, isUnary: (id: string) => boolean): ReadonlySet<string> {
  const byId = opsById(network);
  const found = new Set<string>();
  /** what is read as a train, and what has to be one of codes */
  const [trains, codes] = [new Set<string>(), new Set<string>()];
  for (const op of [...network.ops].reverse()) {
    const { join, planewise } = traitsOf(op);
    const isTrain = op.type.code.kind === 'spike';
    const inputs = op.inputs.map((id) => byId.get(id)!);
    // the parts of a joint are sent as their neurons say; a sum is a train of its own
    const mixed = planewise && new Set(op.inputs.map(isUnary)).size > 1;
    const joins = join && isTrain && !mixed && trains.has(op.id);
    const alike = planewise && new Set(inputs.map((from) => formOf(from, byId, isUnary))).size === 1;
    const squeezes = traitsOf(op).fires === 'means';
    const acts = isMaximum(op) || squeezes || (joins && !alike) || (planewise && codes.has(op.id));
    if (acts) found.add(op.id);
    const passes = joins || (planewise && trains.has(op.id));
    const reads = acts || passes || traitsOf(op).weights !== 'none';
    for (const { id } of inputs) {
      if (reads) trains.add(id);
      // of a product one operand comes in planes, and values of the other are added
      if (acts || (hasRole(op, 'product') && !inputs.some((from) => isSpike(from.type.code)))) codes.add(id);
    }
  }
  return found;
}

/** Whether its train, where it is sent in planes, is one that it makes itself, after one addition a spike. */
function hasOwnCodes(op: Op): boolean {
  return roleOf(op) === 'sum' || roleOf(op) === 'product';
}

/** −1, 0 and 1: a product with it adds, leaves out or takes away. */
function isSpike(code: Code): boolean {
  return code.kind === 'spike' && code.step === 1 && code.min >= -1 && code.max <= 1;
}

/** In how many planes of which kind a train is sent; what moves it doesn't change that. */
function formOf(op: Op, byId: ReadonlyMap<string, Op>, isUnary: (id: string) => boolean): string {
  const { code } = op.type;
  if (code.kind !== 'spike') return 'none';
  const from = op.inputs.map((id) => byId.get(id)!);
  if (!traitsOf(op).planewise) return `${planesFor(code, isUnary(op.id))} ${isUnary(op.id)}`;
  return formOf(from[0]!, byId, isUnary);
}

/** How all of them are split, where it is the same. */
function commonSplit([first, ...rest]: readonly (Split | undefined)[]): Split | undefined {
  return rest.every((one) => one?.bits === first?.bits && one?.unary === first?.unary) ? first : undefined;
}

/** Attributes of a synapse on planes. */
function onPlanes({ bits, unary }: Split): { readonly planes: number; readonly unary?: true } {
  return { planes: bits, ...(unary ? { unary } : {}) };
}

/** Where planes meet something that isn't a synapse: one synapse of weight 1 a neuron, gathered. */
function gathered(op: Op, name: string, id: string, planed: ReadonlyMap<string, Split>, to: Rewriter): string {
  const split = planed.get(id);
  if (split === undefined) return id;
  let synapse = `${name}.to.${op.id}`;
  for (let n = 2; to.builder.has(synapse); n++) synapse = `${name}.to.${op.id}.${n}`;
  const scale = to.param(`${synapse}.scale`, realParam([1], [1]));
  to.builder.add({ id: synapse, kind: 'affine', inputs: [id], attrs: onPlanes(split), params: { scale } });
  return to.builder.add({ id: `${synapse}.gather`, kind: 'gather', inputs: [synapse], attrs: { bits: split.bits } });
}

/**
 * A product of two trains of several bits adds where one of them comes in planes, the one with fewer: Σ_b 2^b·(A_b·B). Nothing
 * where spikes of either are −1, 0 and 1 alone, or neither is a train.
 */
function productInPlanes(
  op: Op<KindsOf<'product'>>,
  codes: readonly Code[],
  inputs: readonly string[],
  read: readonly string[],
  planed: ReadonlyMap<string, Split>,
  sent: boolean,
  to: Rewriter,
): string | undefined {
  const found = read.flatMap((id, n) => {
    const [split, code] = [planed.get(id), codes[n]!];
    return split === undefined || code.kind !== 'spike' ? [] : [{ ...split, code, n }];
  });
  const adds = codes.some((code, n) => isSpike(code) && !planed.has(read[n]!));
  const [first, second] = found;
  if (first === undefined || adds) return undefined;
  const { n, bits, unary, code } = second !== undefined && second.bits < first.bits ? second : first;
  const other = inputs[1 - n]!;
  const whole = planed.has(other) ? gathered(op, other, other, planed, to) : other;
  const levels = [code.min, code.max];
  const attrs = {
    ...op.attrs,
    planes: bits,
    ...(unary ? { unary } : {}),
    on: n,
    levels,
    ...(sent ? { codes: true } : {}),
  };
  return to.copy(op, n === 0 ? [read[0]!, whole] : [whole, read[1]!], { attrs });
}

/** The planes of a train's codes; none for anything else. */
function splitOf(op: Op, code: Op['type']['code'], unary: boolean, context: PassContext, warned: Set<string>): Split {
  if (code.kind !== 'spike' || code.step !== 1) return { bits: 0, unary };
  const bits = planesFor(code, unary);
  if (op.kind !== 'neuron') return { bits, unary };
  const { neuron } = op.attrs;
  const full = unary || code.min < 0 || code.max === 0 || 2 ** bits - 1 === code.max;
  if (!full && !warned.has(neuron)) {
    warned.add(neuron);
    context.report('convert/planes-not-full', { neuron, levels: code.max + 1, bits }, op);
  }
  return { bits, unary };
}

/** Puts planes back into one synapse on codes: the same sums in fewer operations, for evaluation. A product still says whose spikes it adds for. */
export const fusePlanes = definePass({
  name: 'fuse-planes',
  doc: 'Puts binary planes back into one synapse on integer codes: the same result in fewer operations, for evaluation.',
  options: {},
  run: (network) =>
    rewrite(network, (op, inputs, to) => {
      if (roleOf(op) === 'planes' || roleOf(op) === 'gather') return inputs[0]!;
      const { planes, unary: _unary, levels: _levels, ...attrs } = attrsOf(op);
      return planes === undefined || op.kind === 'neuron' ? to.copy(op, inputs) : to.copy(op, inputs, { attrs });
    }),
});
