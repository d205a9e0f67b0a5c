import { elementCount } from '../base/dtype.js';
import { threadsHere } from '../engines/index.js';
import { carrierOf } from '../lower/program/index.js';
import { type Network, type Op, opsById, roleOf } from '../network/index.js';

/**
 * Bytes that checks nobody asked for may take. A small file that declares large values gets hardly more than 300 MB, whoever
 * made it (docs/fuzzing.md); the weights of a real network earn it what its conversion may take, three times the file and 1 GB.
 */
export function allowedBytes(fileBytes: number): number {
  return Math.min(280e6 + 40 * fileBytes, 3 * fileBytes + 950e6);
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
  const kept = network.ops.filter((op) => ['neurons', 'encoder'].includes(roleOf(op)));
  const each = carrierOf(network).trains === 'weighted' ? 12 : 17;
  return each * mostAround(network) + 16 * kept.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
}

/** Values around one layer that onnxruntime holds for a batch, at most, unless one sample has more. */
const batchValues = 1e7;

/** Samples that a network of real values runs on at once: of large ones fewer than the batch asked for. */
export function realBatch(network: Network, batch: number): number {
  return Math.max(1, Math.min(batch, Math.floor(batchValues / Math.max(1, mostAround(network)))));
}

/** Values that are given out of a network for a batch, at most, unless one sample has more. */
const givenValues = 2e7;

/** Samples that a network runs on at once where it gives out each of some layers. */
export function givenBatch(network: Network, layers: readonly string[], batch: number): number {
  const byId = opsById(network);
  const values = layers.reduce((sum, id) => sum + elementCount(byId.get(id)?.type.shape ?? []), 1);
  return Math.min(realBatch(network, batch), Math.max(1, Math.floor(givenValues / values)));
}

/** Threads that run a network side by side, each with values of its own, within what a file's conversion may take. */
export function threadsWithin(network: Network, fileBytes: number): number {
  const fit = Math.floor(allowedBytes(fileBytes) / Math.max(1, runBytes(network)));
  return Math.max(1, Math.min(threadsHere(), fit));
}
