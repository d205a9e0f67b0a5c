import { InvariantError } from '../../../base/invariant.js';
import { type Network } from '../../../network/index.js';
import { stepsOfNetwork } from '../context.js';
import type { Carrier } from './carrier.js';
import type { Conversion } from './conversion.js';
import { carriers } from './registry.js';

export type { Carried, Carrier } from './carrier.js';
export { alongName, exactCodes, exactCodesAlong } from './codes.js';
export type { CodingNumbers, Conversion, Levels } from './conversion.js';
export { type MeansCoding, means } from './means.js';
export { RealNetwork } from './real.js';
export { carriers } from './registry.js';

/** The carrier of a network's coding; undefined where none has a row. */
export function findCarrier(network: Network, known: readonly Carrier[] = carriers): Carrier | undefined {
  const coding = codingOf(network);
  return known.find((carrier) => carrier.coding === coding);
}

/** The carrier of a network's coding. */
export function carrierOf(network: Network, known: readonly Carrier[] = carriers): Carrier {
  const carrier = findCarrier(network, known);
  if (carrier === undefined) throw new InvariantError(`lower: no carrier for coding ${codingOf(network)}`);
  return carrier;
}

/** How activations become layers of neurons of a coding; undefined where the neuron is chosen, or there is no such coding. */
export function conversionOf(coding: string): Conversion | undefined {
  return carriers.find((carrier) => carrier.coding === coding)?.conversion;
}

/** The shape of a sample that a network is fed: [C,H,W], or [T,C,H,W] where it takes a frame a step. */
export function sampleShape(network: Network): readonly number[] {
  const input = network.ops.find(({ kind }) => kind === 'input');
  if (input === undefined) throw new InvariantError(`lower: ${network.name} has no input`);
  const { shape } = input.type;
  return findCarrier(network)?.frames === true ? [stepsOfNetwork(network), ...shape] : shape;
}

/** Of the network, else of its encoder: networks that are built by hand may not name it. */
function codingOf({ coding, ops }: Network): string | undefined {
  if (coding !== undefined) return coding.name;
  return ops.find((op) => op.kind === 'encode')?.attrs.coding;
}
