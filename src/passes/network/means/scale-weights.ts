import {
  type Network,
  type Op,
  type Rewriter,
  channelAxisOf,
  consumersOf,
  opsById,
  opDef,
  optionalParam,
  paramOf,
  realParam,
  realValues,
  readsAhead,
  rewrite,
  roleOf,
} from '../../../network/index.js';
import { definePass } from '../../pass.js';
import { type Factor, productOf } from '../factors.js';
import { timesInputs, timesScalar } from '../scale-inputs.js';

/**
 * Scalar factors in front of neurons go into the synapses before them, factors behind neurons into the
 * synapses that follow: W ← W·λ_in/λ_out. What remains is one weight a spike, and where a train meets an add
 * a synapse of one weight.
 */
export const scaleWeights = definePass({
  name: 'scale-weights',
  doc: 'Folds the factors λ around neurons into the weights of the synapses before and behind them.',
  options: {},
  run: (network) => foldTrainFactors(upwards(network)),
});

function isScaling(op: Op): boolean {
  return roleOf(op) === 'scaling' && op.params['shift'] === undefined;
}

function scalarOf(network: Network, op: Op): number | undefined {
  const values = realValues(paramOf(network, op, 'scale'));
  return values.length === 1 ? values[0]! : undefined;
}

/** The roles of an op's parameters that are linear in its result: what multiplies its input, and what is added. */
function linearRoles(op: Op): readonly [string, string] | undefined {
  const role = roleOf(op);
  if (role === 'weighted') return ['weight', 'bias'];
  return role === 'scaling' ? ['scale', 'shift'] : undefined;
}

/** Whether a factor of its result may be one of each of its inputs. */
function passesBack(op: Op): boolean {
  const role = roleOf(op);
  return role === 'sum' || role === 'average' || role === 'reshape';
}

/** The factor that each op's result takes over from the scalings behind it, from the last op to the first. */
function takenFactors(network: Network): { factors: Map<string, number>; gone: Set<string> } {
  const byId = opsById(network);
  const consumers = consumersOf(network);
  const factors = new Map<string, number>();
  const gone = new Set<string>();
  const takes = (id: string): boolean => {
    const op = byId.get(id)!;
    if (consumers.get(id)!.length !== 1 || network.outputs.includes(id)) return false;
    return linearRoles(op) !== undefined || (passesBack(op) && op.inputs.every(takes));
  };
  for (const op of [...network.ops].reverse()) {
    const own = factors.get(op.id) ?? 1;
    if (isScaling(op) && op.type.code.kind === 'psp' && takes(op.inputs[0]!)) {
      const scalar = scalarOf(network, op);
      const input = byId.get(op.inputs[0]!)!;
      if (scalar !== undefined && input.type.code.kind === 'psp') {
        gone.add(op.id);
        factors.set(input.id, own * scalar);
      }
    } else if (own !== 1 && linearRoles(op) === undefined) {
      for (const id of op.inputs) factors.set(id, own);
    }
  }
  return { factors, gone };
}

function upwards(network: Network): Network {
  const { factors, gone } = takenFactors(network);
  return rewrite(network, (op, inputs, to) => {
    if (gone.has(op.id)) return inputs[0]!;
    const factor = factors.get(op.id) ?? 1;
    if (factor === 1) return to.copy(op, inputs);
    const scaled = (role: string): Record<string, string> => {
      const param = optionalParam(network, op, role);
      return param === undefined ? {} : { [role]: to.param(`${op.id}.${role}.scaled`, timesScalar(param, factor)) };
    };
    // of a pool that passes it on, what it adds
    const [first, second] = linearRoles(op) ?? ['bias', 'bias'];
    return to.copy(op, inputs, {
      params: { ...op.params, ...scaled(first), ...(first === second ? {} : scaled(second)) },
    });
  });
}

/**
 * Factors behind trains go into the synapses that follow. `emitted` may add an op in its own way and say which
 * factor its train still needs.
 */
export function foldTrainFactors(
  network: Network,
  emitted: (op: Op, inputs: readonly string[], to: Rewriter) => { id: string; scale: number } | undefined = () =>
    undefined,
): Network {
  /** new id → the factor that its train still needs */
  const pending = new Map<string, Factor>();
  const readers = consumersOf(network);
  return rewrite(network, (op, inputs, to) => {
    const from = inputs[0] === undefined ? undefined : pending.get(inputs[0]);
    // what closes a cycle reads a train that isn't there yet, and takes no factor
    const isTrain = !readsAhead(op) && inputs[0] !== undefined && to.builder.typeOf(inputs[0]).code.kind === 'spike';
    // only where everything that reads the train reads it through this factor
    const alone = inputs[0] !== undefined && readers.get(op.inputs[0]!)!.length === 1;
    if (
      isScaling(op) &&
      isTrain &&
      typeof (from ?? 1) === 'number' &&
      alone &&
      !network.outputs.includes(op.inputs[0]!)
    ) {
      const own = realValues(paramOf(network, op, 'scale'));
      // one for all channels, or for each
      if (own.length === 1 || (own.length === op.type.shape[0] && channelAxisOf(op) === 0)) {
        pending.set(inputs[0]!, productOf(from ?? 1, own.length === 1 ? own[0]! : Float64Array.from(own)));
        return inputs[0]!;
      }
    }
    if (roleOf(op) === 'squeeze') {
      const made = emitted(op, inputs, to) ?? { id: to.copy(op, inputs), scale: 1 };
      const scale = from === undefined ? made.scale : productOf(from, made.scale);
      if (scale !== 1) pending.set(made.id, scale);
      return made.id;
    }
    const made = follow(op, inputs, to, network, pending);
    if (made !== undefined) return made;
    const values = inputs.map((id, n) => materialised(op, id, n, to, pending));
    const own = emitted(op, values, to);
    if (own === undefined) return to.copy(op, values);
    pending.set(own.id, own.scale);
    return own.id;
  });
}

/** Ops that let the factor through or take it; undefined for those that need the value itself. */
function follow(
  op: Op,
  inputs: readonly string[],
  to: Rewriter,
  network: Network,
  pending: Map<string, Factor>,
): string | undefined {
  const scale = inputs[0] === undefined ? undefined : pending.get(inputs[0]);
  const passed = (id: string, next: Factor): string => {
    pending.set(id, next);
    return id;
  };
  switch (roleOf(op)) {
    case 'running-maximum':
    case 'maximum':
      // the greatest of −s is minus the least of s
      return scale === undefined || !isPositive(scale) ? undefined : passed(to.copy(op, inputs), scale);
    case 'average':
      return scale === undefined ? undefined : passed(to.copy(op, inputs), scale);
    case 'reshape': {
      if (scale === undefined) return undefined;
      if (typeof scale === 'number') return passed(to.copy(op, inputs), scale);
      const [channels] = op.type.shape as [number];
      const inner = channels / scale.length;
      const reordered = opDef(op.kind).source !== undefined;
      if (!Number.isInteger(inner) || op.type.shape.length !== 1 || reordered) return undefined;
      return passed(
        to.copy(op, inputs),
        Float64Array.from({ length: channels }, (_, i) => scale[Math.floor(i / inner)]!),
      );
    }
    case 'concatenation': {
      const types = inputs.map((id) => to.builder.typeOf(id));
      if (types.some((type) => type.code.kind !== 'spike')) return undefined;
      const parts = inputs.map((id, n) => {
        const own = pending.get(id) ?? 1;
        return typeof own === 'number' ? new Float64Array(types[n]!.shape[0]!).fill(own) : own;
      });
      return passed(to.copy(op, inputs), Float64Array.from(parts.flatMap((part) => [...part])));
    }
    case 'product': {
      const factors = inputs.map((id) => pending.get(id) ?? 1);
      const scalars = factors.filter((one) => typeof one === 'number');
      if (scalars.length < factors.length || scalars.every((one) => one === 1)) return undefined;
      return passed(
        to.copy(op, inputs),
        scalars.reduce((all, one) => all * one, 1),
      );
    }
    case 'scaling': {
      const own = paramOf(network, op, 'scale');
      if (typeof scale !== 'number') return undefined;
      const name = to.param(`${op.id}.scale.scaled`, timesScalar(own, scale));
      return to.copy(op, inputs, { params: { ...op.params, scale: name } });
    }
    case 'weighted': {
      // factors of tokens aren't factors of what their features are weighed with
      if (scale === undefined || (typeof scale !== 'number' && channelAxisOf(op) !== 0)) return undefined;
      const name = to.param(
        `${op.id}.weight.scaled`,
        typeof scale === 'number'
          ? timesScalar(paramOf(network, op, 'weight'), scale)
          : timesInputs(paramOf(network, op, 'weight'), scale),
      );
      return to.copy(op, inputs, { params: { ...op.params, weight: name } });
    }
    default:
      return undefined;
  }
}

function isPositive(scale: Factor): boolean {
  return typeof scale === 'number' ? scale > 0 : scale.every((one) => one > 0);
}

/** The value itself: where a factor is left, a synapse of one weight a neuron. */
function materialised(op: Op, id: string, index: number, to: Rewriter, pending: ReadonlyMap<string, Factor>): string {
  const scale = pending.get(id);
  if (scale === undefined) return id;
  const values = typeof scale === 'number' ? [scale] : [...scale];
  const wish = op.inputs.length === 1 ? `${op.id}.synapse` : `${op.id}.synapse${index + 1}`;
  const param = to.param(`${wish}.scale`, realParam([values.length], values));
  return to.builder.add({ id: wish, kind: 'affine', inputs: [id], params: { scale: param }, place: op.place });
}
