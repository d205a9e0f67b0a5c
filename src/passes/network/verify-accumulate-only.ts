import { elementCount } from '../../base/dtype.js';
import {
  type Network,
  type Op,
  hasRole,
  macsOf,
  opsById,
  optionalParam,
  paramOf,
  roleOf,
  traitsOf,
} from '../../network/index.js';
import { definePass } from '../pass.js';
import { channelAttentions } from './channel-attention.js';

/** Whether each of its outputs sums its inputs under weights. */
function sums(op: Op): boolean {
  const { weights } = traitsOf(op);
  return weights === 'matrix' || weights === 'kernel';
}

/** A real input current, moved or averaged: the layer that weighs it belongs to the encoder. */
export function frontOf(network: Network): ReadonlySet<string> {
  const front = new Set<string>();
  for (const op of network.ops) {
    const real = op.kind === 'encode' && op.type.code.kind === 'real';
    const follows = traitsOf(op).linear && !sums(op) && op.inputs.every((id) => front.has(id));
    if (real || follows) front.add(op.id);
  }
  return front;
}

/** A product with spikes −1, 0 and 1: each adds, leaves out or takes away a value of the other operand. */
function choosesBySpikes(op: Op, byId: ReadonlyMap<string, Op>): boolean {
  if (roleOf(op) !== 'product') return false;
  return op.inputs.some((id) => {
    const { code } = byId.get(id)!.type;
    return code.kind === 'spike' && code.step === 1 && code.min >= -1 && code.max <= 1;
  });
}

function problemOf(op: Op, byId: ReadonlyMap<string, Op>, front: ReadonlySet<string>): string | undefined {
  const input = op.inputs.map((id) => byId.get(id)!).find((from) => from.type.time !== undefined);
  if (input === undefined) return undefined;
  // the greatest of some spikes is one of them
  if (traitsOf(op).fires === 'chosen' && input.type.code.kind === 'spike') return undefined;
  if (choosesBySpikes(op, byId)) return undefined;
  if (!traitsOf(op).accumulates && op.type.time !== undefined) return input.type.code.kind;
  if (sums(op) && input.type.code.kind !== 'spike' && !front.has(input.id)) return input.type.code.kind;
  return undefined;
}

/** The ops that multiply something other than spikes after the encoder, channel attentions apart. */
export function multiplyingOps(network: Network): readonly { readonly op: Op; readonly code: string }[] {
  const byId = opsById(network);
  const front = frontOf(network);
  const declared = new Set(channelAttentions(network).flatMap(({ ops }) => ops.map(({ id }) => id)));
  return network.ops.flatMap((op) => {
    const code = declared.has(op.id) ? undefined : problemOf(op, byId, front);
    return code === undefined ? [] : [{ op, code }];
  });
}

/** Whether a value is made of spikes alone, which nothing weighs but the step of their levels: a sum of trains. */
function isSumOfTrains(network: Network, op: Op, byId: ReadonlyMap<string, Op>): boolean {
  const pending = op.inputs.map((id) => byId.get(id)!);
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    if (from.type.code.kind === 'spike') continue;
    if (!traitsOf(from).relays && !hasRole(from, 'gather') && !isStep(network, from)) return false;
    pending.push(...from.inputs.map((id) => byId.get(id)!));
  }
  return op.inputs.length > 0;
}

/** One number that weighs all of a train, as codes count steps. */
function isStep(network: Network, op: Op): boolean {
  if (op.kind !== 'affine' || optionalParam(network, op, 'shift') !== undefined) return false;
  return elementCount(paramOf(network, op, 'scale').tensor.shape) === 1;
}

/** Ops that a reported one reaches by values that aren't spikes: what stands in their way is said already. */
function consequences(network: Network, problems: readonly Op[]): ReadonlySet<string> {
  const causes = new Set(problems.map(({ id }) => id));
  const reached = new Set<string>();
  for (const op of network.ops) {
    const isReached = op.inputs.some((id) => causes.has(id) || reached.has(id));
    if (isReached && op.type.code.kind !== 'spike') reached.add(op.id);
  }
  return reached;
}

function remedyOf(network: Network, op: Op, byId: ReadonlyMap<string, Op>): keyof typeof help {
  if (roleOf(op) === 'product') return 'product';
  if (!isSumOfTrains(network, op, byId)) return 'weighted';
  return traitsOf(op).fires === 'chosen' ? 'greatest' : 'sum';
}

/** Multiplications of two codes in an image. */
function productsOf(op: Op, byId: ReadonlyMap<string, Op>): number {
  return macsOf(op, byId.get(op.inputs[0]!)!.type.shape);
}

const inWords: Readonly<Record<string, string>> = { psp: 'membrane current (psp)', quant: 'quantised' };
const help = {
  weighted: 'put an activation (a relu, or a layer of neurons) between this layer and the weighted layer before it',
  product:
    'a product is a sum where one of its operands has spikes −1, 0 and 1 alone: put neurons of one bit in front of one of them',
  sum: 'it reads a sum of trains whose levels have different steps, which is no train itself: weigh each by itself and add what that gives, or put neurons behind the sum; with `--planes`, the network compiles without',
  greatest:
    'a sum of trains whose levels have different steps is no train itself, nor is a train times a negative number: give the neurons in front levels of one step, or put neurons between, or pool first',
};

/**
 * Checks that the network only accumulates: beyond the encoder no synapse multiplies a real value. The
 * exceptions are channel attention, whose gate weighs membrane currents by its definition, and neurons that multiply
 * two whole codes; notes say where they are and how many products they take.
 */
export const verifyAccumulateOnly = definePass({
  name: 'verify-accumulate-only',
  doc: 'Checks that beyond the encoder every weighted synapse reads spikes: additions only, no multiplication of real values. Exceptions, said in notes, are the gate of a channel attention and the products of two whole codes.',
  options: {},
  run: (network, _options, context) => {
    const byId = opsById(network);
    const problems = multiplyingOps(network);
    const consequent = consequences(
      network,
      problems.map(({ op }) => op),
    );
    for (const { op, code } of problems.filter((problem) => !consequent.has(problem.op.id))) {
      const does = traitsOf(op).fires === 'chosen' ? 'takes the greatest of' : 'multiplies';
      const args = { op: op.id, kind: op.kind, does, code: inWords[code] ?? code };
      context.report('convert/mac-on-real', args, op, { help: help[remedyOf(network, op, byId)] });
    }
    const attentions = channelAttentions(network);
    const [first] = attentions;
    if (first !== undefined) {
      const products = attentions.reduce((sum, attention) => sum + attention.products, 0);
      const where = attentions.map(({ mul }) => `%${mul.id}`).join(', ');
      context.report('convert/attention-gate', { gates: attentions.length, products }, first.mul, { help: where });
    }
    const products = network.ops.filter((op) => roleOf(op) === 'whole-input' && traitsOf(op).macs !== 'none');
    if (products.length > 0) {
      const count = products.reduce((sum, op) => sum + productsOf(op, byId), 0);
      const where = products.map(({ id }) => `%${id}`).join(', ');
      context.report('convert/code-products', { layers: products.length, products: count }, products[0], {
        help: where,
      });
    }
    const groups = network.ops.filter((op) => op.kind === 'group_neuron');
    if (groups.length > 0) {
      const values = groups.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
      const names = [...new Set(groups.map(({ attrs }) => attrs.function))].sort().join(', ');
      const where = groups.map(({ id }) => `%${id}`).join(', ');
      const args = { layers: groups.length, names, values };
      context.report('convert/group-functions', args, groups[0], { help: where });
    }
    return network;
  },
});
