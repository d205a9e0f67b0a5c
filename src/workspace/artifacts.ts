import { createHash } from 'node:crypto';
import { diagnostic } from '../base/diagnostics/index.js';
import { emitOnnx } from '../backends/onnx/index.js';
import type { NeuronDef } from '../equations/index.js';
import type { Normalisation } from '../data/index.js';
import { lower, mostUnrolledSteps, unrolledSteps } from '../lower/program/index.js';
import { type Network, encodeWeights, printNetwork } from '../network/index.js';
import { type Program, printProgram, simplify } from '../tensor/index.js';
import type { Findings } from './findings.js';
import type { Artifact } from './types.js';

/** Commands that write compiled folders. */
export type Maker = 'compile' | 'convert' | 'train' | 'allocate' | 'opt';

/** What a compiled folder records of where it came from. */
export interface Origin {
  readonly maker: Maker;
  readonly config: string;
  /** Source file name → its bytes. */
  readonly sources: ReadonlyMap<string, Uint8Array>;
  /** What images are normalised by, where something says it. */
  readonly normalisation?: Normalisation;
  /** Files from earlier that stay beside these, by hash. */
  readonly earlier?: Readonly<Record<string, string>>;
}

/** The inference program of a network. */
export function inferenceProgram(network: Network): Program {
  return simplify(lower(network).program);
}

/** The network as JSON for tools: the IR's own data, parameters by type and shape. */
export function networkJson(network: Network): string {
  const ops = network.ops.map(({ id, kind, inputs, attrs, params, type, origin }) => ({
    id,
    kind,
    inputs,
    attrs,
    params,
    type,
    ...(origin === undefined ? {} : { origin }),
  }));
  const params = Object.fromEntries(
    [...network.params].map(([name, { tensor, quant }]) => [
      name,
      { dtype: tensor.dtype, shape: tensor.shape, ...(quant === undefined ? {} : { quant: { axis: quant.axis } }) },
    ]),
  );
  const { name, coding, outputs, notes } = network;
  const neurons = Object.fromEntries([...network.neurons].map(([id, def]) => [id, neuronJson(def)]));
  return `${JSON.stringify({ name, ...(coding === undefined ? {} : { coding }), ops, outputs, params, neurons, notes }, undefined, 1)}\n`;
}

/** A neuron as network.json has it: a key for the assignments of each phase. */
function neuronJson(def: NeuronDef): object {
  const entries = Object.entries(def).flatMap(([key, value]): [string, unknown][] =>
    key === 'phases' ? def.phases.map(({ name, assignments }) => [name, assignments]) : [[key, value]],
  );
  return Object.fromEntries(entries);
}

/** What is emitted unasked: without the programs of a network that would unroll too many steps, which a note says. */
export function affordable(emit: readonly Artifact[], network: Network, findings: Findings): readonly Artifact[] {
  const steps = unrolledSteps(network);
  const programs = emit.filter((one) => one === 'onnx' || one === 'tensor');
  if (steps <= mostUnrolledSteps || programs.length === 0) return emit;
  const names = programs.map((one) => (one === 'onnx' ? '`infer.onnx`' : '`network.tensor`'));
  const what = `${names.join(' and ')} left out`;
  findings.all.push(diagnostic('convert/too-long', { what, steps, most: mostUnrolledSteps }));
  return emit.filter((one) => one !== 'onnx' && one !== 'tensor');
}

/** The files of a compiled folder; the same input gives the same bytes. */
export function artifactFiles(
  network: Network,
  emit: readonly Artifact[],
  origin: Origin,
  version: string,
  more: ReadonlyMap<string, string | Uint8Array> = new Map(),
): Map<string, string | Uint8Array> {
  const files = new Map(more);
  files.set('weights.safetensors', encodeWeights(network));
  if (emit.includes('ir')) files.set('network.ir', printNetwork(network));
  if (emit.includes('json')) files.set('network.json', networkJson(network));
  if (emit.includes('tensor') || emit.includes('onnx')) {
    const program = inferenceProgram(network);
    if (emit.includes('tensor')) files.set('network.tensor', printProgram(program));
    if (emit.includes('onnx')) files.set('infer.onnx', emitOnnx(program));
  }
  files.set('manifest.json', manifest(files, origin, version));
  return files;
}

/** The same files, recorded with another origin. */
export function recordedAs(
  files: ReadonlyMap<string, string | Uint8Array>,
  origin: Origin,
  version: string,
): Map<string, string | Uint8Array> {
  const all = new Map(files);
  all.delete('manifest.json');
  return all.set('manifest.json', manifest(all, origin, version));
}

/** The files of a compiled folder and, behind them, others that its manifest also records. */
export function artifactsWith(
  copies: ReadonlyMap<string, string | Uint8Array>,
  network: Network,
  emit: readonly Artifact[],
  origin: Origin,
  version: string,
): Map<string, string | Uint8Array> {
  const files = artifactFiles(network, emit, origin, version, copies);
  return new Map([...[...files].filter(([name]) => !copies.has(name)), ...copies]);
}

function manifest(files: ReadonlyMap<string, string | Uint8Array>, origin: Origin, version: string): string {
  const hash = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
  const sources = Object.fromEntries([...origin.sources].map(([name, bytes]) => [name, hash(bytes)]));
  const written = Object.fromEntries([...files].map(([name, bytes]) => [name, hash(bytes)]));
  const { maker, config, normalisation = {}, earlier = {} } = origin;
  const scaled = Object.keys(normalisation).length === 0 ? {} : { normalisation };
  const stays = Object.keys(earlier).length === 0 ? {} : { earlier };
  const record = { spikec: version, format: 1, made_by: maker, config, ...scaled, sources, files: written, ...stays };
  return `${JSON.stringify(record, undefined, 1)}\n`;
}
