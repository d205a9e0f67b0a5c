import type { Residuals } from './residuals.js';
import type { ConversionCoding } from '../workspace/types.js';

/** A coding with its steps and, of SWS, its silent period: a point of a comparison. */
export interface CodingPoint {
  readonly coding: ConversionCoding;
  readonly steps: number;
  readonly silent?: number;
  /** Of SWS: the threshold θ/2 (where missing), or θ. */
  readonly threshold?: 'half' | 'full';
  /** Of SWS: silent steps of single layers, in the place of `silent`. */
  readonly layers?: readonly { readonly id: string; readonly silent: number }[];
}

/** A network in a coding, on data; figures an image. */
export interface ComparedPoint extends CodingPoint {
  readonly name: string;
  readonly accuracy: number;
  /** How often it predicts what the ANN does. */
  readonly agreement: number;
  /** Of spikes in binary planes T·B, as IBRA counts them. */
  readonly latency_steps: number;
  /** Where every layer waits for all planes of the spikes it reads; else the latency. */
  readonly critical_path_steps: number;
  /** Spikes times fan-out, and of SWS the amplifications of its membranes, (Tc + Ts)·N (SWS eq. 10). */
  readonly operations: number;
  /** Spikes times fan-out. */
  readonly synaptic_operations: number;
  /** Steps times neurons, silent ones included: what `eval` counts with the operations of every coding. */
  readonly membrane_updates: number;
  /** Multiplications of a real input. */
  readonly macs: number;
  readonly spikes_per_neuron: number;
  /** E_AC·operations + E_MAC·macs. */
  readonly energy_pj: number;
  /** Of SWS where it is asked for (SWS Fig. 5a). */
  readonly residuals?: Residuals;
}

/** A point that the network doesn't convert to, and why. */
export interface RefusedPoint extends CodingPoint {
  readonly name: string;
  readonly reason: string;
  /** What would do. */
  readonly help?: string;
}

/** The least of a coding with which it is as good as the ANN. */
export interface BestOfCoding {
  readonly coding: string;
  readonly accuracy: number;
  /** Missing where no point reaches the ANN. */
  readonly latency_steps?: number;
  readonly critical_path_steps?: number;
  readonly operations?: number;
}

export interface CodingComparison {
  readonly network: string;
  readonly data: string;
  readonly samples: number;
  /** Of the imported network, without spikes. */
  readonly ann: { readonly accuracy: number; readonly macs: number; readonly energy_pj: number };
  readonly within: number;
  readonly points: readonly ComparedPoint[];
  readonly refused: readonly RefusedPoint[];
  readonly best: readonly BestOfCoding[];
}
