import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { bitsFor } from '../base/quantiser.js';
import {
  type KindsOf,
  type Network,
  type Op,
  hasRole,
  isSteady,
  latencyOf,
  macsOf,
  numberAttr,
  opsById,
  optionalParam,
  productTerms,
  roleOf,
  traitsOf,
  wholeOf,
} from '../network/index.js';
import { type FunctionCost, functionCosts } from './functions.js';
import { otherParameters } from './other-parameters.js';
import { type SpikeSource, spikeSources } from './sources.js';

/** A weighted layer's cost (docs/cost.md). */
export interface LayerCost {
  readonly id: string;
  readonly kind: string;
  /** Whether it adds weights where spikes arrive, or multiplies real values. */
  readonly input: 'spikes' | 'real';
  /** Multiply-accumulates (for spikes: accumulates if every input fired) per time step. */
  readonly macs: number;
  /** Weights and biases, without what batch norm leaves behind. */
  readonly params: number;
  readonly weight_bits: number;
  /** Bits of one input value per step. */
  readonly spike_bits: number;
  readonly steps: number;
  /** weight_bits · spike_bits · steps */
  readonly bit_budget: number;
  /** macs · bit_budget */
  readonly s_ace: number;
  /** The same with one step where the layer reads a squeezed train. */
  readonly s_ace_squeezed: number;
  /** params · weight_bits / 8 */
  readonly size_bytes: number;
  /** Multiplications of an image: 0 on spikes; once where the real input is the same at every step, else each step. */
  readonly real_macs: number;
  /** Bits of a quantised ANN's activation that tells as many values apart as the whole train: ⌈log₂(T·levels + 1)⌉. */
  readonly ann_bits: number;
}

export interface TotalCost {
  readonly macs: number;
  readonly params: number;
  /** Learned values outside of synapses (positions, normalisations, embedded rows); missing where there are none. */
  readonly other_params?: number;
  /** W·S·T of the averages below; without spikes s_ace / macs. */
  readonly bit_budget: number;
  readonly s_ace: number;
  readonly s_ace_squeezed: number;
  /** Of the layers that read spikes. */
  readonly s_ace_spikes: number;
  readonly size_bytes: number;
  readonly latency_steps: number;
  readonly real_macs: number;
  /** Average over the parameters. */
  readonly weight_bits: number;
  /** Averages over the neurons whose spikes a weighted layer reads; 0 without such. */
  readonly spike_bits: number;
  readonly steps: number;
  /** The largest spike's value: D of T×D. */
  readonly largest_spike: number;
}

export interface Cost {
  readonly layers: readonly LayerCost[];
  /** Of neurons that apply a function to whole codes; missing where there are none. */
  readonly functions?: readonly FunctionCost[];
  readonly total: TotalCost;
}

export interface CostSettings {
  /** A real input that is the same at every step is multiplied at every step all the same. */
  readonly everyStep?: boolean;
}

/** Costs of every weighted layer and in total. */
export function costOf(network: Network, settings: CostSettings = {}): Cost {
  const sourcesOf = spikeSources(network);
  const constant = constantValues(network);
  const trains = new Map<string, SpikeSource>();
  const layers = network.ops
    .filter((op) => traitsOf(op).macs !== 'none')
    .map((op) => {
      if (hasRole(op, 'product')) {
        for (const source of op.inputs.flatMap((id) => sourcesOf(id) ?? [])) trains.set(source.op.id, source);
        return productCost(network, op, sourcesOf);
      }
      const sources = traitsOf(op).weights === 'none' ? undefined : sourcesOf(op.inputs[0]!);
      for (const source of sources ?? []) trains.set(source.op.id, source);
      if (roleOf(op) === 'whole-input') return wholeProductCost(network, op);
      const once = settings.everyStep !== true && op.inputs.every((id) => constant.has(id));
      return layerCost(network, op, sources, once);
    });
  const total = totalCost(network, layers, [...trains.values()]);
  const functions = functionCosts(network);
  return functions.length === 0 ? { layers, total } : { layers, functions, total };
}

/** Ids of values that are the same at every step: those that follow from a constant current before any neuron. */
function constantValues(network: Network): ReadonlySet<string> {
  const constant = new Set<string>();
  for (const op of network.ops) {
    const follows = roleOf(op) !== 'neurons' && op.inputs.length > 0 && op.inputs.every((id) => constant.has(id));
    if (isSteady(op) ?? follows) constant.add(op.id);
  }
  return constant;
}

function layerCost(network: Network, op: Op, sources: readonly SpikeSource[] | undefined, once: boolean): LayerCost {
  const { macs, weights } = operations(network, op);
  const folded = 'folded_bias' in op.attrs && op.attrs.folded_bias === true;
  const bias = folded ? undefined : optionalParam(network, op, 'bias')?.tensor.shape[0];
  const params = weights + (bias ?? 0);
  const weight_bits = weightBits(network, op);
  const most = (value: (source: SpikeSource) => number): number => Math.max(...(sources ?? []).map(value));
  const spike_bits = sources === undefined ? realBits(network, op.inputs[0]!) : most((source) => source.bits);
  const squeezed = sources?.every((source) => source.squeezed) === true;
  const own = op.type.time?.steps ?? 1;
  const steps = squeezed ? most((source) => source.steps) : own;
  const bit_budget = weight_bits * spike_bits * steps;
  return {
    id: op.id,
    kind: op.kind,
    input: sources === undefined ? 'real' : 'spikes',
    macs,
    params,
    weight_bits,
    spike_bits,
    steps,
    bit_budget,
    s_ace: macs * bit_budget,
    s_ace_squeezed: squeezed ? macs * weight_bits * spike_bits : macs * bit_budget,
    size_bytes: (params * weight_bits) / 8,
    real_macs: sources === undefined ? macs * (once ? 1 : own) : 0,
    ann_bits: sources === undefined ? spike_bits : bitsFor(most((source) => source.values)),
  };
}

/** Neurons that multiply two whole codes: once an image, each as many bits as its train has steps. */
function wholeProductCost(network: Network, op: Op): LayerCost {
  const { macs } = operations(network, op);
  const steps = numberAttr(op.attrs, 'steps');
  const s_ace = macs * steps * steps;
  return {
    id: op.id,
    kind: op.kind,
    input: 'real',
    macs,
    params: 0,
    weight_bits: steps,
    spike_bits: steps,
    steps: 1,
    bit_budget: steps * steps,
    s_ace,
    s_ace_squeezed: s_ace,
    size_bytes: 0,
    real_macs: macs,
    ann_bits: steps,
  };
}

/**
 * A product of two values. Of trains its products are of B_S·B_S bits; where one operand is a train, the other's
 * values are what is added, of as many bits as tell its counts apart (32 of reals).
 */
function productCost(
  network: Network,
  op: Op<KindsOf<'product'>>,
  sourcesOf: ReturnType<typeof spikeSources>,
): LayerCost {
  const { macs } = operations(network, op);
  const operands = op.inputs.map(sourcesOf);
  const trains = operands.flatMap((sources) => sources ?? []);
  const bits = op.inputs.map((id, n) => {
    const sources = operands[n];
    if (sources !== undefined) return Math.max(...sources.map((source) => source.bits));
    const most = greatestCount(network, id, sourcesOf);
    return most === undefined ? realBits(network, id) : bitsFor(most + 1);
  });
  const { planes = 1, on } = op.attrs;
  const train = on ?? operands.findIndex((sources) => sources !== undefined);
  // a product of planes is one in each of their virtual steps
  const own = (op.type.time?.steps ?? 1) * planes;
  const squeezed = op.attrs.planes === undefined && trains.length > 0 && trains.every((source) => source.squeezed);
  const steps = squeezed ? Math.max(...trains.map((source) => source.steps)) : own;
  const [weight_bits, spike_bits] = train === 1 ? [bits[0]!, bits[1]!] : [bits[1]!, bits[0]!];
  const bit_budget = weight_bits * spike_bits * steps;
  return {
    id: op.id,
    kind: op.kind,
    input: train < 0 ? 'real' : 'spikes',
    macs,
    params: 0,
    weight_bits,
    spike_bits,
    steps,
    bit_budget,
    s_ace: macs * bit_budget,
    s_ace_squeezed: macs * weight_bits * spike_bits * (squeezed ? 1 : steps),
    size_bytes: 0,
    real_macs: train < 0 ? macs * own : 0,
    ann_bits: train < 0 ? 32 : bitsFor(Math.max(...(operands[train] ?? []).map((source) => source.values))),
  };
}

/** The greatest of the counts (levels from 0, or their range) of a value that products of trains make; undefined of any other. */
function greatestCount(network: Network, id: string, sourcesOf: ReturnType<typeof spikeSources>): number | undefined {
  const sources = sourcesOf(id);
  if (sources !== undefined) return Math.max(...sources.map((source) => source.range));
  const byId = opsById(network);
  const op = present(byId.get(id), `cost: no op ${id}`);
  const role = roleOf(op);
  // a constant factor changes no count
  const scales = role === 'scaling' && op.params['shift'] === undefined;
  if (scales || role === 'reshape') return greatestCount(network, op.inputs[0]!, sourcesOf);
  if (!hasRole(op, 'product')) return undefined;
  const { on, levels } = op.attrs;
  const [a, b] = op.inputs.map((input, n) =>
    n === on && levels !== undefined ? levels[1] - levels[0] : greatestCount(network, input, sourcesOf),
  );
  return a === undefined || b === undefined ? undefined : productTerms(op, byId.get(op.inputs[0]!)!.type.shape) * a * b;
}

/** Multiply-accumulates of one step, and weights. */
function operations(network: Network, op: Op): { macs: number; weights: number } {
  const weight = optionalParam(network, op, 'weight')?.tensor.shape;
  const weights = weight === undefined ? 0 : elementCount(weight);
  const input = present(opsById(network).get(op.inputs[0]!), `cost: ${op.id} reads nothing`).type.shape;
  return { macs: macsOf(op, input, weight), weights };
}

function weightBits(network: Network, op: Op): number {
  const said = wholeOf(network, op, 'weight_bits');
  if (said !== undefined) return said;
  const dtype = optionalParam(network, op, 'weight')?.tensor.dtype;
  return dtype === 'i8' || dtype === 'u8' ? 8 : 32;
}

/** Bits of a value that isn't spikes: those of its quantiser, 32 for a real number. */
function realBits(network: Network, id: string): number {
  const { code } = opsById(network).get(id)!.type;
  return code.kind === 'quant' ? bitsFor(code.max - code.min + 1) : 32;
}

function totalCost(network: Network, layers: readonly LayerCost[], trains: readonly SpikeSource[]): TotalCost {
  const sum = (value: (layer: LayerCost) => number): number => layers.reduce((total, layer) => total + value(layer), 0);
  const macs = sum((layer) => layer.macs);
  const s_ace = sum((layer) => layer.s_ace);
  const params = sum((layer) => layer.params);
  const neurons = trains.reduce((total, { elements }) => total + elements, 0);
  const mean = (value: (source: SpikeSource) => number): number =>
    neurons === 0 ? 0 : trains.reduce((total, one) => total + value(one) * one.elements, 0) / neurons;
  const weight_bits = params === 0 ? 0 : sum((layer) => layer.params * layer.weight_bits) / params;
  const spike_bits = mean((train) => train.bits);
  const steps = mean((train) => train.steps);
  const means = weight_bits * spike_bits * steps;
  const other_params = otherParameters(network);
  return {
    macs,
    params,
    ...(other_params > 0 ? { other_params } : {}),
    bit_budget: neurons > 0 ? means : macs === 0 ? 0 : s_ace / macs,
    s_ace,
    s_ace_squeezed: sum((layer) => layer.s_ace_squeezed),
    s_ace_spikes: sum((layer) => (layer.input === 'spikes' ? layer.s_ace : 0)),
    size_bytes: sum((layer) => layer.size_bytes),
    latency_steps: latencyOf(network),
    real_macs: sum((layer) => layer.real_macs),
    weight_bits,
    spike_bits,
    steps,
    largest_spike: Math.max(0, ...trains.map(({ largest }) => largest)),
  };
}
