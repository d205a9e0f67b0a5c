import { present } from '../base/invariant.js';
import { type Network, type Op, isFiringLayer, opsById, roleOf, traitsOf } from '../network/index.js';
import type { Cost, LayerCost } from './cost.js';
import { reaches } from './fan-out.js';
import { firingOps, spikeSources } from './sources.js';

/** Energies of one operation, pJ. */
export interface Hardware {
  readonly e_mac: number;
  readonly e_ac: number;
}

/** 45 nm, 32-bit floating point (SPEC §5). */
export const defaultHardware: Hardware = { e_mac: 4.6, e_ac: 0.9 };

/** What a train was seen to do, over all images. */
export interface TrainCounts {
  /** Bit-plane spikes of each neuron: the ones among the bits of its spikes. */
  readonly ones: Float64Array;
  /** Outputs that aren't 0. */
  readonly fired: number;
  /** Neurons times steps times images. */
  readonly outputs: number;
}

/** What running the network on data says of a layer, per image. */
export interface MeasuredLayer {
  /** Share of the outputs it reads that aren't 0. */
  readonly firing_rate?: number;
  /** Additions: bit-plane spikes times fan-out. */
  readonly sops: number;
  /** E_MAC·real_macs + E_AC·sops, pJ. */
  readonly energy_pj: number;
  /** s_ace weighted by the firing rate; s_ace for a layer that reads real values. */
  readonly ns_ace: number;
}

export interface MeasuredTotal {
  /** Of all neurons. */
  readonly firing_rate: number;
  /** All additions of spikes, those at joins with them. */
  readonly sops: number;
  /** Spikes added to a potential without a weighted layer between: identity shortcuts, folded pools. */
  readonly join_sops: number;
  readonly energy_pj: number;
  readonly ns_ace: number;
}

/** What an ANN of the same shape costs, an image. */
export interface AnnCost {
  readonly macs: number;
  /** E_MAC for each of them, pJ. */
  readonly energy_pj: number;
  /** Bits of activations that carry what the widest of the network's trains carries; 0 without spikes. */
  readonly bits: number;
  /** The same ANN quantised to each train's bits, on the same adders: at most one addition a bit, pJ. */
  readonly quantised_energy_pj: number;
}

/** The fair comparison: an ANN with the network's layers, in floating point and with as many bits as its trains carry. */
export function annCost({ layers, total }: Cost, { e_mac, e_ac }: Hardware): AnnCost {
  const each = (layer: LayerCost): number =>
    layer.macs * (layer.input === 'real' ? e_mac : Math.min(e_mac, e_ac * layer.ann_bits));
  return {
    macs: total.macs,
    energy_pj: e_mac * total.macs,
    bits: Math.max(0, ...layers.map((layer) => (layer.input === 'spikes' ? layer.ann_bits : 0))),
    quantised_energy_pj: layers.reduce((sum, layer) => sum + each(layer), 0),
  };
}

/**
 * Figures per layer id and in total, from the trains of the ops of `network` that {@link firingOps} names. Where what was
 * counted is another form of the network that ran, with binary planes, `counted` is that form.
 */
export function measuredCost(
  network: Network,
  { layers, total }: Cost,
  countsOf: (id: string) => TrainCounts,
  images: number,
  hardware: Hardware,
  counted: Network = network,
): { readonly layers: ReadonlyMap<string, MeasuredLayer>; readonly total: MeasuredTotal } {
  const additions = additionsOf(network, countsOf);
  const rateOf = firingRates(counted, countsOf);
  const byId = opsById(counted);
  const trainsOf = spikeSources(counted);
  const measured = new Map<string, MeasuredLayer>();
  for (const layer of layers) {
    const op = present(byId.get(layer.id), `cost: no layer ${layer.id}`);
    const sops = (additions.get(layer.id) ?? 0) / images;
    const energy_pj = hardware.e_mac * layer.real_macs + hardware.e_ac * sops;
    const train = op.inputs.find((id) => trainsOf(id) !== undefined) ?? op.inputs[0]!;
    const rate = layer.input === 'spikes' ? rateOf(train) : undefined;
    const ns_ace = layer.s_ace * (rate ?? 1);
    measured.set(layer.id, { ...(rate === undefined ? {} : { firing_rate: rate }), sops, energy_pj, ns_ace });
  }
  const sum = (of: (id: string) => boolean): number =>
    [...additions].reduce((all, [id, n]) => (of(id) ? all + n : all), 0) / images;
  const sops = sum(() => true);
  return {
    layers: measured,
    total: {
      firing_rate: overallRate(network, countsOf),
      sops,
      join_sops: sum((id) => !measured.has(id)),
      energy_pj: hardware.e_mac * total.real_macs + hardware.e_ac * sops,
      ns_ace: [...measured.values()].reduce((all, layer) => all + layer.ns_ace, 0),
    },
  };
}

/** Synapse id → additions over all images. */
function additionsOf(network: Network, countsOf: (id: string) => TrainCounts): ReadonlyMap<string, number> {
  const reachOf = reaches(network);
  const additions = new Map<string, number>();
  for (const op of firingOps(network)) {
    const { ones } = countsOf(op.id);
    for (const [to, fanOut] of reachOf(op.id)) {
      let sum = additions.get(to) ?? 0;
      for (let i = 0; i < ones.length; i++) sum += ones[i]! * fanOut[i]!;
      additions.set(to, sum);
    }
  }
  return additions;
}

/**
 * Share of a value's spikes that aren't 0: a concatenation has the mean of its parts, a sum of trains the sum (an
 * input may then get more than one spike a step), a squeezed train the rate of the neurons in front of it. Of binary planes: ones a neuron, step and plane.
 */
function firingRates(network: Network, countsOf: (id: string) => TrainCounts): (id: string) => number {
  const byId = opsById(network);
  const sourcesOf = spikeSources(network);
  const measured = new Set(firingOps(network).flatMap(({ id, ...op }) => (traitsOf(op).fires === 'means' ? [] : [id])));
  const rateOf = (id: string, share = rate): number => {
    const op: Op = present(byId.get(id), `cost: no op ${id}`);
    if (op.kind === 'planes') return rateOf(op.inputs[0]!, planeRate(op.attrs.bits));
    if (measured.has(id)) return share(countsOf(id));
    const rates = op.inputs.map((input) => rateOf(input, share));
    if (roleOf(op) === 'sum') return rates.reduce((sum, one) => sum + one, 0);
    const sizes = op.inputs.map((input) => (sourcesOf(input) ?? []).reduce((sum, { elements }) => sum + elements, 0));
    const all = sizes.reduce((sum, one) => sum + one, 0);
    return rates.reduce((sum, one, n) => sum + one * sizes[n]!, 0) / Math.max(1, all);
  };
  return rateOf;
}

const rate = ({ fired, outputs }: TrainCounts): number => (outputs === 0 ? 0 : fired / outputs);

/** Ones of a bit, as the binary planes of codes of so many bits fire them. */
function planeRate(bits: number): (counts: TrainCounts) => number {
  return ({ ones, outputs }) => (outputs === 0 ? 0 : ones.reduce((sum, one) => sum + one, 0) / (outputs * bits));
}

function overallRate(network: Network, countsOf: (id: string) => TrainCounts): number {
  const neurons = network.ops.filter(isFiringLayer).map(({ id }) => countsOf(id));
  const sum = (value: (counts: TrainCounts) => number): number =>
    neurons.reduce((total, counts) => total + value(counts), 0);
  return rate({
    ones: new Float64Array(),
    fired: sum(({ fired }) => fired),
    outputs: sum(({ outputs }) => outputs),
  });
}
