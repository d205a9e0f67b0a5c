import {
  type Network,
  type Op,
  type Rewriter,
  attrsOf,
  channelAxisOf,
  isFlattening,
  opsById,
  optionalParam,
  paramOf,
  planesFor,
  realValues,
  rewrite,
  roleOf,
  traitsOf,
  unaryTrains,
} from '../../../network/index.js';
import { definePass } from '../../pass.js';
import { addedUp } from './added-up.js';
import { type Factor, flattenedFactor, productOf, weightFor } from '../factors.js';
import { frontOf } from '../verify-accumulate-only.js';
import { isSplit } from './split.js';

/**
 * A synapse on a sum or a concatenation of trains is the sum of one synapse a train: W∗(α·a + β·b) = (α·W)∗a + (β·W)∗b,
 * W∗[a; b] = W_a∗a + W_b∗b. So it reads trains, whatever their steps are. Trains of one step have a sum and a
 * concatenation that are trains themselves; these stay whole where their planes cost no more: bits times channels, of
 * {0, 1} + {0, 1} two against one and one.
 */
export const distributeSynapses = definePass({
  name: 'distribute-synapses',
  doc: 'Splits a synapse on a sum or concatenation of trains into one synapse a train, W∗(α·a + β·b) = (α·W)∗a + (β·W)∗b, where the sum is no train of one step itself or its planes cost more.',
  options: {},
  run: (network) => {
    if (isSplit(network)) return network;
    const partsOf = decompositions(network);
    const moved = new Map<string, string>();
    return rewrite(network, (op, inputs, to) => {
      const parts = isPlainSynapse(op) ? partsOf(op.inputs[0]!)?.parts : undefined;
      if (parts === undefined || isWhole(parts, op) || !parts.every((part) => fits(part, op))) {
        return to.copy(op, inputs);
      }
      return build(network, op, parts, to, moved);
    });
  },
});

/** A train that a value consists of, among others. */
interface Part {
  readonly train: string;
  /** What it goes through before the synapse: pools and reshapes, the first one first. */
  readonly through: readonly { readonly op: Op; readonly channels: number }[];
  /** Which channels of the value it is a term of; all where `whole`. */
  readonly from: number;
  readonly count: number;
  readonly whole: boolean;
  readonly factor: Factor;
}

interface Decomposition {
  readonly parts: readonly Part[];
  /** Bits of planes times channels. */
  readonly cost: number;
}

/** Bits that a real value is counted with, as `cost` does. */
const realBits = 32;

/** By value, the trains that it consists of in the cheapest way; undefined where something else is in it. */
function decompositions(network: Network): (id: string) => Decomposition | undefined {
  const byId = opsById(network);
  const front = frontOf(network);
  const isUnary = unaryTrains(network);
  const known = new Map<string, Decomposition | undefined>();
  const find = (id: string): Decomposition | undefined => {
    if (!known.has(id)) known.set(id, cheapest(byId.get(id)!));
    return known.get(id);
  };
  /** Bits of the planes of a train; of what moves and averages trains, those of the trains. */
  const bitsOf = (op: Op): number => {
    const { code } = op.type;
    if (code.kind !== 'spike') return realBits;
    const relays = traitsOf(op).relays && op.inputs.length === 1;
    return relays ? bitsOf(byId.get(op.inputs[0]!)!) : planesFor(code, isUnary(op.id));
  };
  const isTrain = (op: Op): boolean => {
    if (front.has(op.id)) return true;
    const role = roleOf(op);
    if (op.type.code.kind !== 'spike' || (role !== 'sum' && role !== 'concatenation'))
      return op.type.code.kind === 'spike';
    const from = op.inputs.map((id) => byId.get(id)!);
    // a concatenation of trains that are sent alike is sent as they are
    const forms = new Set(from.map((one) => `${bitsOf(one)} ${isUnary(one.id)}`));
    if (role === 'concatenation' && forms.size === 1) return true;
    return from.every(hasCodes) && (role === 'sum' || new Set(from.map(({ id }) => isUnary(id))).size === 1);
  };
  /** Whether its values are codes: means of them are fractions. */
  const hasCodes = (op: Op): boolean =>
    roleOf(op) !== 'average' && (!traitsOf(op).relays || op.inputs.every((id) => hasCodes(byId.get(id)!)));
  const cheapest = (op: Op): Decomposition | undefined => {
    const [channels] = op.type.shape as [number];
    const self: Part = { train: op.id, through: [], from: 0, count: channels, whole: true, factor: 1 };
    const whole = isTrain(op) ? { parts: [self], cost: bitsOf(op) * channels } : undefined;
    const split = terms(op);
    return split !== undefined && (whole === undefined || split.cost < whole.cost) ? split : whole;
  };
  const terms = (op: Op): Decomposition | undefined => {
    const { relays, linear } = traitsOf(op);
    switch (roleOf(op)) {
      case 'sum':
        return joined(op.inputs.map(find));
      case 'concatenation': {
        let at = 0;
        return joined(
          op.inputs.map((id) => {
            const [channels] = byId.get(id)!.type.shape as [number];
            at += channels;
            return shifted(find(id), at - channels);
          }),
        );
      }
      case 'scaling':
        return op.params['shift'] === undefined ? scaled(network, op, find(op.inputs[0]!)) : undefined;
      case 'average':
      case 'reshape':
      case 'same': {
        if (!relays || !linear || op.params['bias'] !== undefined) return undefined;
        const moved = through(op, byId.get(op.inputs[0]!)!.type.shape, find(op.inputs[0]!));
        return op.params['gain'] === undefined ? moved : scaled(network, op, moved, 'gain');
      }
      default:
        return undefined;
    }
  };
  return find;
}

function joined(all: readonly (Decomposition | undefined)[]): Decomposition | undefined {
  const parts: Part[] = [];
  let cost = 0;
  for (const one of all) {
    if (one === undefined) return undefined;
    parts.push(...one.parts);
    cost += one.cost;
  }
  return { parts, cost };
}

function shifted(of: Decomposition | undefined, by: number): Decomposition | undefined {
  if (of === undefined) return undefined;
  return { cost: of.cost, parts: of.parts.map((part) => ({ ...part, from: part.from + by, whole: false })) };
}

/** Times the factors of a scaling: one, or one a channel; undefined for one a value. */
function scaled(
  network: Network,
  op: Op,
  of: Decomposition | undefined,
  role: 'scale' | 'gain' = 'scale',
): Decomposition | undefined {
  const values = realValues(paramOf(network, op, role));
  const [channels] = op.type.shape as [number];
  if (of === undefined || (values.length !== 1 && values.length !== channels)) return undefined;
  const parts = of.parts.map((part): Part => {
    const own = values.length === 1 ? values[0]! : values.slice(part.from, part.from + part.count);
    return { ...part, factor: productOf(part.factor, own) };
  });
  return { ...of, parts };
}

/** The parts behind an op that pools or moves values. */
function through(op: Op, shape: readonly number[], of: Decomposition | undefined): Decomposition | undefined {
  if (of === undefined) return undefined;
  const [before] = shape as [number];
  const [after] = op.type.shape as [number];
  const perChannel = roleOf(op) === 'average' || roleOf(op) === 'same';
  const inner = perChannel ? 1 : isFlattening(op) ? after / before : undefined;
  const parts: Part[] = [];
  for (const part of of.parts) {
    if (inner !== undefined) {
      const factor = flattenedFactor(part.factor, inner);
      parts.push({ ...passed(part, op, part.count * inner), from: part.from * inner, factor });
    } else if (part.whole && typeof part.factor === 'number') parts.push(passed(part, op, after));
    else return undefined;
  }
  return { parts, cost: (of.cost / before) * after };
}

function passed(part: Part, op: Op, channels: number): Part {
  return { ...part, count: channels, through: [...part.through, { op, channels }] };
}

/** Weights for its outputs, of all its inputs or of groups of them, behind nothing that is split already. */
function isPlainSynapse(op: Op): boolean {
  return roleOf(op) === 'weighted' && op.type.time !== undefined && op.params['weight_step'] === undefined;
}

/** Nothing to do: it reads the one train as it is. */
function isWhole([first, ...rest]: readonly Part[], op: Op): boolean {
  return rest.length === 0 && first?.train === op.inputs[0];
}

/** Whether there are weights for the part alone: those of groups belong to all channels, those of tokens to each token. */
function fits(part: Part, op: Op): boolean {
  if (channelAxisOf(op) !== 0) return part.whole && typeof part.factor === 'number';
  return part.whole || Number(attrsOf(op)['groups'] ?? 1) === 1;
}

/** One synapse a part, added up under the id of the op they stand for. */
function build(network: Network, op: Op, parts: readonly Part[], to: Rewriter, moved: Map<string, string>): string {
  const weight = paramOf(network, op, 'weight');
  const made = parts.map((part, n) => {
    const id = parts.length === 1 ? op.id : `${op.id}.part${n + 1}`;
    const { bias, ...params } = op.params;
    const own = weightFor(weight, part);
    return to.copy(op, [movedTrain(part, to, moved)], {
      id,
      params: {
        ...params,
        ...(own === weight ? {} : { weight: to.param(`${id}.weight.distributed`, own) }),
        ...(n === 0 && optionalParam(network, op, 'bias') !== undefined ? { bias: bias! } : {}),
      },
    });
  });
  return addedUp(op, made, to);
}

/** The train behind the pools and reshapes that it goes through, made once. */
function movedTrain({ train, through: moves }: Part, to: Rewriter, moved: Map<string, string>): string {
  let id = to.renamed(train);
  for (const { op, channels } of moves) {
    const key = `${id} ${op.id}`;
    let made = moved.get(key);
    if (made === undefined) {
      const { gain: _gain, ...params } = op.params;
      // what makes a row says how long it is
      const attrs = op.kind === 'reshape' && op.type.shape.length === 1 ? { shape: [channels] } : op.attrs;
      made = to.copy(op, [id], { id: `${op.id}.of.${train}`, params, attrs });
      moved.set(key, made);
    }
    id = made;
  }
  return id;
}
