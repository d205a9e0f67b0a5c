import { fail } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { type CFiles, emitC } from '../backends/c/index.js';
import { emitOnnxPieces } from '../backends/onnx/index.js';
import { type NirNodeReport, type NirReader, exportNir } from '../backends/nir/index.js';
import type { NeuronDef } from '../equations/index.js';
import { encodeNir } from '../data/nir.js';
import { type Network, printNetwork } from '../network/index.js';
import { outputNames, sampleShape } from '../lower/program/index.js';
import { type Program, printProgram, simplify, withBoxes } from '../tensor/index.js';
import type { Artifact } from './types.js';

type Files = Iterable<readonly [name: string, content: FileContent]>;

/** A network of which artifacts are made. */
export interface Emission {
  readonly network: Network;
  /** Its program of inference, lowered when it is first asked for. */
  readonly program: () => Program;
  /** It is a detector (`loss yolo`), with so many bins a side. */
  readonly detector?: { readonly bins: number } | undefined;
  /** Of a target that trains: its files for TensorFlow.js, made by who has the settings. */
  readonly tfjs: () => Files;
  /** The same for PyTorch. */
  readonly torch: () => Files;
  /** Whose reading of NIR a file is written for. */
  readonly nirFor?: NirReader | undefined;
  /** What NIR can't say goes into the metadata of a NIR file. */
  readonly nirExtensions?: boolean | undefined;
  /** Takes what there is to say of files beside their text. */
  readonly said: (facts: EmittedFacts) => void;
}

/** What an emitter knows of its files. */
export interface EmittedFacts {
  readonly memory?: CFiles['memory'];
  readonly notes?: readonly string[];
  /** Of a NIR file: what became of each layer. */
  readonly nir?: readonly NirNodeReport[];
}

/** How an artifact is made. */
export interface Emitter {
  /** It needs the program of inference, so the network must lower and run. */
  readonly lowers: boolean;
  readonly files: (emission: Emission) => Files;
}

/** Converted networks don't train, so there is no module of them. */
export function refuseModules(emit: readonly Artifact[]): void {
  if (!emit.includes('tfjs')) return;
  fail('cli/not-lowered', { construct: 'the emission of tfjs modules (`--emit tfjs`) for converted networks' });
}

/** What `--emit` can name: a line each, and a name in `artifacts`; one without an answer doesn't compile. */
export const emitters: Readonly<Record<Artifact, Emitter>> = {
  ir: { lowers: false, files: ({ network }) => [['network.ir', printNetwork(network)]] },
  json: { lowers: false, files: ({ network }) => [['network.json', networkJson(network)]] },
  tensor: { lowers: true, files: ({ program }) => [['network.tensor', printProgram(program())]] },
  tfjs: { lowers: false, files: ({ tfjs }) => tfjs() },
  onnx: { lowers: true, files: (emission) => [['infer.onnx', emitOnnxPieces(programWithBoxes(emission))]] },
  c: { lowers: true, files: cFiles },
  nir: { lowers: false, files: nirFiles },
  torch: { lowers: false, files: ({ torch }) => torch() },
};

/** The program of inference; a detector's gives boxes and scores, too. */
function programWithBoxes({ network, program, detector }: Emission): Program {
  if (detector === undefined) return program();
  const [rows = 0, columns = 0] = sampleShape(network).slice(-2);
  return simplify(withBoxes(program(), outputNames.output(0), { image: [rows, columns], bins: detector.bins }));
}

function nirFiles({ network, nirFor, nirExtensions, said }: Emission): Files {
  const { graph, nodes, faithful, approximate } = exportNir(network, nirFor, nirExtensions);
  const extended = nodes.filter(({ rating }) => rating === 'extended');
  const counts = [
    ...(approximate.length === 0 ? [] : [`${approximate.length} approximate`]),
    ...(extended.length === 0
      ? []
      : [`${extended.length} extended, which tools that don't know the extensions read otherwise`]),
  ];
  const count =
    counts.length === 0 ? `${faithful} nodes, all faithful` : [`${faithful} nodes faithful`, ...counts].join(', ');
  said({ notes: [`NIR: ${count}`, ...approximate.map(({ message }) => `NIR: ${message}`)], nir: nodes });
  return [['network.nir', encodeNir(graph)]];
}

function cFiles({ network, program, said }: Emission): Files {
  const { files, memory, notes } = emitC({ network, program: program() });
  said({ memory, notes });
  return files;
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
