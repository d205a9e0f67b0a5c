import { elementCount } from '../base/dtype.js';
import { type Network, type Op, latencyOf, opsById, optionalParam, paramOf } from '../network/index.js';

/** A weighted layer's cost (docs/cli.md, cost). */
export interface LayerCost {
  readonly id: string;
  readonly kind: string;
  /** Multiply-accumulates (for spikes: accumulates if every input fired) per time step. */
  readonly macs: number;
  /** Weights and biases. */
  readonly params: number;
  readonly weight_bits: number;
  /** Bits of one input value per step. */
  readonly spike_bits: number;
  readonly steps: number;
  /** weight_bits · spike_bits · steps */
  readonly bit_budget: number;
  /** macs · bit_budget */
  readonly s_ace: number;
  /** params · weight_bits / 8 */
  readonly size_bytes: number;
}

export interface Cost {
  readonly layers: readonly LayerCost[];
  readonly total: {
    readonly macs: number;
    readonly params: number;
    readonly bit_budget: number;
    readonly s_ace: number;
    readonly size_bytes: number;
    readonly latency_steps: number;
  };
}

/** Costs of every weighted layer and in total. The total bit budget is that of the averages (MACs-weighted). */
export function costOf(network: Network): Cost {
  const byId = opsById(network);
  const layers = network.ops
    .filter((op) => op.kind === 'conv' || op.kind === 'linear')
    .map((op) => layerCost(network, op, firedBy(op, byId)));
  const sum = (value: (layer: LayerCost) => number): number => layers.reduce((total, layer) => total + value(layer), 0);
  const macs = sum((layer) => layer.macs);
  const s_ace = sum((layer) => layer.s_ace);
  return {
    layers,
    total: {
      macs,
      params: sum((layer) => layer.params),
      bit_budget: macs === 0 ? 0 : s_ace / macs,
      s_ace,
      size_bytes: sum((layer) => layer.size_bytes),
      latency_steps: latencyOf(network),
    },
  };
}

function layerCost(network: Network, op: Op, from: Op): LayerCost {
  const weight = paramOf(network, op, 'weight').tensor;
  const perOutput = elementCount(weight.shape.slice(1));
  const macs = elementCount(op.type.shape) * perOutput;
  const hasBias = optionalParam(network, op, 'bias') !== undefined;
  const params = elementCount(weight.shape) + (hasBias ? weight.shape[0]! : 0);
  const weight_bits = weight.dtype === 'i8' || weight.dtype === 'u8' ? 8 : 32;
  const spike_bits = bitsOf(from);
  const steps = op.type.time?.steps ?? 1;
  const bit_budget = weight_bits * spike_bits * steps;
  return {
    id: op.id,
    kind: op.kind,
    macs,
    params,
    weight_bits,
    spike_bits,
    steps,
    bit_budget,
    s_ace: macs * bit_budget,
    size_bytes: (params * weight_bits) / 8,
  };
}

const passing = new Set(['avgpool', 'globalavgpool', 'flatten', 'reshape', 'delay', 'concat']);

/** What fires the spikes a synapse reads: pools and reshapes between them are part of the synapse. */
function firedBy(op: Op, byId: ReadonlyMap<string, Op>): Op {
  let from = byId.get(op.inputs[0]!)!;
  while (from.type.code.kind === 'spike' && passing.has(from.kind)) from = byId.get(from.inputs[0]!)!;
  return from;
}

/** Bits that tell a value's levels apart: 1 for {0,1}, 2 for {−1,0,1}, 8 for 0…255, 32 for reals. */
function bitsOf(op: Op): number {
  const { code } = op.type;
  if (code.kind !== 'spike' && code.kind !== 'quant') return 32;
  return Math.max(1, Math.ceil(Math.log2(code.max - code.min + 1)));
}
