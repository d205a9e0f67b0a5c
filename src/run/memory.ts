import { elementCount } from '../base/dtype.js';
import { carrierOf } from '../lower/program/index.js';
import { type Network, type Op, opsById } from '../network/index.js';

/** Bytes that checks nobody asked for may take: four times the file and 300 MB (docs/fuzzing.md), with something left over. */
export function allowedBytes(fileBytes: number): number {
  return 4 * fileBytes + 280e6;
}

/** What an import's comparison holds for each value: both results as arrays, in onnxruntime and here, and their comparison. */
export const comparedBytes = 20;

/** Values of one sample that may be compared at a time. */
export function comparableValues(fileBytes: number): number {
  return allowedBytes(fileBytes) / comparedBytes;
}

/** Values of an op and of what it reads, of one sample, at all its steps. */
export function valuesAround(op: Op, byId: ReadonlyMap<string, Op>): number {
  const steps = op.type.time?.steps ?? 1;
  const read = op.inputs.map((id) => byId.get(id)).flatMap((input) => (input === undefined ? [] : [input]));
  return steps * [op, ...read].reduce((sum, { type }) => sum + elementCount(type.shape), 0);
}

/** The most values that one op of a network has around it. */
export function mostAround(network: Network): number {
  const byId = opsById(network);
  return network.ops.reduce((most, op) => Math.max(most, valuesAround(op, byId)), 0);
}

/** Running one sample of a network takes about so many bytes (measured): the largest op, and what is kept of layers of neurons. */
export function runBytes(network: Network): number {
  const kept = network.ops.filter(({ kind }) => kind === 'neuron' || kind === 'encode');
  const each = carrierOf(network).trains === 'weighted' ? 12 : 17;
  return each * mostAround(network) + 16 * kept.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
}
