import { type Diagnostic, type Outcome, diagnostic, fail, hasErrors } from '../../base/diagnostics/index.js';
import type { CodeRange } from '../../base/code-range.js';
import type { InputShape } from '../../base/input-shape.js';
import { nearest, suggest } from '../../base/did-you-mean.js';
import { otherFormat } from '../../base/other-formats.js';
import { withoutDeadOps } from '../../network/graph.js';
import type { Network } from '../../network/types.js';
import { settledConstant } from './constant.js';
import { NodeContext } from './context.js';
import { GraphContext, collecting } from './graph-context.js';
import { finnInputs, withoutDialects, wrongAttribute } from './dialects/index.js';
import { mostDiagnostics, orderGraph } from './graph.js';
import { firstSize, withShapes } from './input-shapes.js';
import { type SourceInput, addInputs, rowOf, sourceInput } from './inputs.js';
import { fullOpType, sanitise } from './names.js';
import { onnxOp, refusals, supportedOps } from './ops/index.js';
import { type ReadExternal, tensorConstant } from './tensor-data.js';
import { withoutUnread } from './unread-inputs.js';
import { type RealValue, type Value, inOrder, withBatchFirst } from './values.js';
import { type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxValueInfo, decodeModel } from './wire.js';

/** The oldest and newest version of ONNX's own operators that are understood. */
export const opsetRange = { least: 7, most: 25 } as const;

export interface OnnxFile {
  /** What people are shown: usually a path. Its last part names the network. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ImportOptions {
  /** Gives the bytes of a file beside the model. The location has been checked to stay inside the folder as text; links are the reader's care. */
  readonly readExternal?: ReadExternal;
  /** The graph output to take, of several, and of the graph what it needs. All of them where missing. */
  readonly output?: string;
  /** The integers that inputs hold where their types don't say it; where missing, an integer network is taken to read those of a byte. */
  readonly inputCodes?: CodeRange;
  /** The sizes of inputs that the file leaves free. */
  readonly inputShapes?: readonly InputShape[];
}

export interface ImportedNetwork {
  readonly network: Network;
  /** What the file is fed with. */
  readonly sourceInputs: readonly SourceInput[];
  /** What the file must be fed with, too, though its outputs don't depend on it. */
  readonly unread: readonly SourceInput[];
  /** What the network is fed with: the file's input, or of several all their numbers in a row, under a name of its own. */
  readonly row: SourceInput;
  readonly sourceOutput: {
    /** The file's own output. */
    readonly name: string;
    /** The tensor the network's output equals: the same, or the input of a dropped Softmax. */
    readonly logits: string;
    /** The op left out at the end. */
    readonly dropped?: string;
  };
  /** Tensors that the file quantises by each input's own range; the network has them as reals. */
  readonly dynamicQuantisers: readonly string[];
  /** The integers that inputs hold where their types don't say it, as they were said or taken. */
  readonly inputCodes?: CodeRange;
  /** All outputs that were taken, the network's in their order; the first is `sourceOutput`. */
  readonly outputs: readonly string[];
  readonly opset: number;
  readonly producer: string;
}

/**
 * Reads an ONNX model, float or quantised, as a Network of ANN layers. Never throws for bad input. The first axis of inputs is the batch; of a file
 * that isn't to be read so, and fixes that axis above 1, all of an input is one sample.
 */
export function importOnnx(file: OnnxFile, options: ImportOptions = {}): Outcome<ImportedNetwork> {
  const diagnostics: Diagnostic[] = [];
  const model = decode(file, diagnostics);
  if (model === undefined) return { diagnostics };
  const batched = importModel(file, model, options, false);
  if (batched.value !== undefined || !mayBeOneSample(model, options)) return batched;
  const whole = importModel(file, model, options, true);
  if (whole.value === undefined) return batched;
  const inputs = whole.value.sourceInputs.map(({ name, shape }) => ({ name, shape }));
  return {
    ...whole,
    diagnostics: [...whole.diagnostics, diagnostic('onnx/one-sample', { inputs }, { file: file.name })],
  };
}

/** Whether the file, or who reads it, fixes the first axis of each input above 1. */
function mayBeOneSample({ graph }: OnnxModel, { inputShapes = [] }: ImportOptions): boolean {
  const stored = new Set(graph?.initializers.map(({ name }) => name));
  const inputs = graph?.inputs.filter(({ name }) => !stored.has(name)) ?? [];
  return inputs.length > 0 && inputs.every((info) => Number(firstSize(info, inputs.length, inputShapes)) > 1);
}

function importModel(
  file: OnnxFile,
  model: OnnxModel,
  options: ImportOptions,
  oneSample: boolean,
): Outcome<ImportedNetwork> {
  const diagnostics: Diagnostic[] = [];
  if (model.graph === undefined) return { diagnostics };
  const opset = checkedOpset(model, file.name, diagnostics);
  const part =
    options.output === undefined ? model.graph : partFor(model.graph, options.output, file.name, diagnostics);
  if (part === undefined) return { diagnostics };
  const chosen = withShapes(
    withoutDialects(part, opset ?? opsetRange.most),
    options.inputShapes,
    file.name,
    diagnostics,
    oneSample,
  );
  const ordered = orderGraph(chosen, file.name, diagnostics);
  const io = graphInterface(chosen, file.name, diagnostics, oneSample);
  if (opset === undefined || ordered === undefined || io === undefined) return { diagnostics };
  const name = sanitise(
    file.name
      .split(/[/\\]/)
      .at(-1)!
      .replace(/\.onnx$/i, ''),
  );
  const graph = new GraphContext(file.name, opset, name, ordered.readers, options.readExternal, model.opsets);
  readInitializers(graph, chosen, diagnostics);
  const row = rowOf(io.inputs, ordered.readers);
  graph.fixedBatch = row.batch;
  const added = collecting(diagnostics, () => addInputs(graph, io.inputs, row, chosen, options.inputCodes));
  if (added === undefined) return { diagnostics };
  for (const node of ordered.nodes) {
    importNode(graph, node, diagnostics);
    if (diagnostics.length < mostDiagnostics) continue;
    diagnostics.splice(0, Infinity, ...grouped(diagnostics));
    if (diagnostics.length >= mostDiagnostics) return { diagnostics };
  }
  const { dynamicQuantisers } = graph;
  if (dynamicQuantisers.length > 0) {
    const args = { count: dynamicQuantisers.length, first: dynamicQuantisers[0]! };
    graph.notices.push(diagnostic('onnx/dynamic-quantisers', args, { file: file.name }));
  }
  const results = io.outputs.map((name) => outputOf(graph, name, diagnostics));
  if (results.includes(undefined) || hasErrors(diagnostics)) {
    return { diagnostics: grouped([...diagnostics, ...graph.notices]) };
  }
  const ops = [...new Set(results.map((result) => result!.op))];
  const [first, ...others] = io.outputs as [string, ...string[]];
  if (others.length > 0) {
    const help = 'where one is wanted, name it: --output NAME, or in a model file onnx("…", output: "NAME")';
    graph.notices.push(diagnostic('onnx/several-outputs', { names: io.outputs }, { file: file.name }, { help }));
  }
  const logits = (output: string): string => graph.dropped.get(output)?.logits ?? output;
  const origins = new Map(io.outputs.map((output, n) => [results[n]!.op, logits(output)]));
  const dropped = graph.dropped.get(first)?.opType;
  const [inputCodes] = graph.inputCodes.values();
  const network = withOutputOrigins(withoutDeadOps(graph.builder.finish(ops)), origins);
  const found = withoutUnread(network, row, io.inputs);
  const value = {
    network: found.network,
    unread: found.unread,
    sourceInputs: found.read.map((input) => ({
      ...input,
      batch: graph.fixedBatch,
      ...(graph.inputCodes.has(input.name) ? { codes: graph.inputCodes.get(input.name)! } : {}),
    })),
    row: { ...found.row, batch: graph.fixedBatch },
    sourceOutput: { name: first, logits: logits(first), ...(dropped === undefined ? {} : { dropped }) },
    outputs: io.outputs,
    ...(inputCodes === undefined ? {} : { inputCodes }),
    dynamicQuantisers,
    opset,
    producer: model.producer,
  };
  return { value, diagnostics: [...diagnostics, ...graph.notices] };
}

/** Each problem once, with how often it was met: a file of one kind is refused in one line. */
function grouped(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const groups = new Map<string, { first: Diagnostic; count: number }>();
  for (const one of diagnostics) {
    const counted = /^(\d+) × /.exec(one.message);
    const message = counted === null ? one.message : one.message.slice(counted[0].length);
    const count = Number(counted?.[1] ?? 1);
    const group = groups.get(`${one.code} ${message}`);
    if (group === undefined) groups.set(`${one.code} ${message}`, { first: { ...one, message }, count });
    else group.count += count;
  }
  return [...groups.values()].map(({ first, count }) =>
    count === 1 ? first : { ...first, message: `${count} × ${first.message}` },
  );
}

/** The nodes, and the inputs, that one output needs. */
function partFor(graph: OnnxGraph, output: string, file: string, diagnostics: Diagnostic[]): OnnxGraph | undefined {
  const outputs = graph.outputs.filter(({ name }) => name === output);
  if (outputs.length === 0) {
    const names = graph.outputs.map(({ name }) => name);
    const help = nearest(output, names);
    diagnostics.push(diagnostic('onnx/unknown-output', { output, names }, { file }, { help }));
    return undefined;
  }
  const writers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const needed = new Set<OnnxNode>();
  const wanted = [output];
  const read = new Set<string>();
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (read.has(name)) continue;
    read.add(name);
    const node = writers.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    wanted.push(...node.inputs);
  }
  const inputs = graph.inputs.filter(({ name }) => read.has(name));
  return { ...graph, outputs: outputs.slice(0, 1), inputs, nodes: graph.nodes.filter((node) => needed.has(node)) };
}

/** What people give in place of an ONNX file, by its name. */
const otherFormats: readonly (readonly [RegExp, string])[] = [
  [/\.spike$/i, 'this is a model file, which `spikec compile`, `eval` and `cost` take as it is; name the ONNX file'],
  [/\.(nir|ir)$/i, 'this is a network that `spikec compile`, `eval` and `cost` take as it is; name the ONNX file'],
  [/\.(pth?|ckpt)$/i, 'this looks like a PyTorch checkpoint: write an ONNX file with torch.onnx.export'],
  [/\.(h5|keras|pb|tflite)$/i, 'this looks like a TensorFlow file: write an ONNX file with tf2onnx'],
];

function decode(file: OnnxFile, diagnostics: Diagnostic[]): OnnxModel | undefined {
  // a plain view: Node's Buffer has its own ideas about slices
  const bytes = new Uint8Array(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength);
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    const reason = otherFormat(bytes) ?? (error instanceof Error ? error.message : String(error));
    const help = otherFormats.find(([name]) => name.test(file.name))?.[1];
    diagnostics.push(diagnostic('onnx/malformed-file', { size: bytes.length, reason }, { file: file.name }, { help }));
    return undefined;
  }
  if (model.graph === undefined || (model.graph.nodes.length === 0 && model.graph.outputs.length === 0)) {
    diagnostics.push(diagnostic('onnx/empty-graph', { size: bytes.length }, { file: file.name }));
    return undefined;
  }
  return model;
}

function checkedOpset(model: OnnxModel, file: string, diagnostics: Diagnostic[]): number | undefined {
  // a repeated entry replaces the one before it
  const version = model.opsets.findLast((opset) => opset.domain === '')?.version ?? 1;
  if (version >= opsetRange.least && version <= opsetRange.most) return version;
  diagnostics.push(diagnostic('onnx/opset', { version, ...opsetRange }, { file }));
  return undefined;
}

/** The inputs and the outputs, or what is wrong with them. */
function graphInterface(
  graph: OnnxGraph,
  file: string,
  diagnostics: Diagnostic[],
  oneSample: boolean,
): { inputs: readonly SourceInput[]; outputs: readonly string[] } | undefined {
  const initial = new Set(graph.initializers.map((tensor) => tensor.name));
  const inputs = graph.inputs.filter((input) => !initial.has(input.name));
  const names = (list: readonly OnnxValueInfo[]): string[] => list.map((info) => info.name);
  if (graph.nodes.length === 0) diagnostics.push(diagnostic('onnx/empty-graph', { size: 0 }, { file }));
  if (inputs.length === 0) {
    const help = 'the network must read a value that it is fed with';
    diagnostics.push(diagnostic('onnx/no-input', {}, { file }, { help }));
  }
  if (graph.outputs.length === 0) diagnostics.push(diagnostic('onnx/no-output', {}, { file }));
  const besideOne = inputs.some(({ dims }) => dims !== undefined && dims.length > 1 && dims[0] === 1);
  const hasBatch = ({ dims }: OnnxValueInfo): boolean => !oneSample && !(besideOne && dims?.length === 1);
  const read = inputs.map((input) => collecting(diagnostics, () => sourceInput(input, file, hasBatch(input))));
  const outputs = [...new Set(names(graph.outputs))];
  if (inputs.length === 0 || read.includes(undefined) || outputs.length === 0 || hasErrors(diagnostics))
    return undefined;
  const all = read as readonly SourceInput[];
  const [first, other] = [...new Set(all.flatMap(({ batch }) => batch ?? []))];
  if (other !== undefined) {
    const info = inputs[all.findIndex(({ batch }) => batch === other)]!;
    const problem = `axis 0, the batch, is ${other}, of another input ${first}`;
    diagnostics.push(diagnostic('onnx/input-shape', { name: info.name, dims: info.dims ?? [], problem }, { file }));
    return undefined;
  }
  return { inputs: all, outputs };
}

function readInitializers(graph: GraphContext, onnx: OnnxGraph, diagnostics: Diagnostic[]): void {
  if (onnx.hasSparseInitializers) {
    diagnostics.push(
      diagnostic(
        'onnx/unsupported-form',
        { op: 'sparse_initializer', what: 'the file has sparse initialisers' },
        { file: graph.file },
      ),
    );
  }
  for (const tensor of onnx.initializers) {
    // what nobody reads may be of any type
    if (!graph.readers.has(tensor.name)) continue;
    const place = { file: graph.file, detail: `initializer "${tensor.name}"` };
    const constant = collecting(diagnostics, () => tensorConstant(tensor, place, graph.readExternal));
    graph.values.set(tensor.name, constant ?? { kind: 'failed' });
  }
}

function importNode(graph: GraphContext, node: OnnxNode, diagnostics: Diagnostic[]): void {
  const outputs = collecting(diagnostics, () => runNode(graph, node).map((value) => settled(graph, node, value))) ?? [];
  for (const [i, name] of node.outputs.entries()) {
    if (name !== '') graph.values.set(name, outputs[i] ?? { kind: 'failed' });
  }
}

/** So many constants may be computed anew when one that is made of them is read. */
const mostRecomputed = 16;

/** What a node made; a constant that many others are computed for is computed here, once: chains may be long, and double. */
function settled(graph: GraphContext, node: OnnxNode, value: Value): Value {
  if (value.kind !== 'constant') return value;
  const before = node.inputs.reduce((sum, name) => sum + (graph.recomputed.get(name) ?? 0), 0);
  const isLong = before >= mostRecomputed;
  for (const name of node.outputs) graph.recomputed.set(name, isLong ? 1 : before + 1);
  return isLong ? settledConstant(value) : value;
}

function runNode(graph: GraphContext, node: OnnxNode): readonly Value[] {
  const context = new NodeContext(node, graph);
  const def = onnxOp(node.domain, node.opType);
  if (def === undefined) return unsupported(context);
  const failed = node.inputs.some((name) => name !== '' && graph.value(name).kind === 'failed');
  if (failed) return [];
  checkArity(context, def.inputs);
  if (graph.passed.has(node.inputs[0] ?? '')) return [context.input(0)];
  return def.run(context);
}

function checkArity({ node, place }: NodeContext, [least, most]: readonly [number, number]): void {
  const { opType: op, inputs, outputs } = node;
  if (inputs.length >= least && inputs.length <= most && outputs.length > 0) return;
  const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  fail('onnx/arity', { op, wanted, got: inputs.length, outputs: outputs.length }, place);
}

/** Of what tools write in terms of their own, the reason why it wasn't read. */
function checkSignature(context: NodeContext): void {
  const { node } = context;
  const inputs = finnInputs(node);
  if (inputs === undefined) return;
  checkArity(context, inputs);
  for (const [i, name] of node.inputs.entries()) if (name === '') context.badForm(`input ${i} is missing`);
  if (node.outputs[0] === '') context.badForm('its output has no name');
  const wrong = wrongAttribute(node);
  if (wrong !== undefined) context.badType(wrong);
}

function unsupported(context: NodeContext): never {
  checkSignature(context);
  const op = fullOpType(context.node);
  const hint =
    refusals.get(context.node.opType) ?? suggest(op, supportedOps()) ?? 'docs/onnx-import.md lists what is supported';
  fail('onnx/unsupported-op', { op, supported: supportedOps() }, context.place, { help: hint });
}

function outputOf(graph: GraphContext, name: string, diagnostics: Diagnostic[]): RealValue | undefined {
  const place = { file: graph.file, detail: `output "${name}"` };
  return collecting(diagnostics, () => {
    const value = graph.values.get(name)!;
    if (value.kind === 'failed') return undefined;
    if (value.kind === 'constant')
      fail('onnx/unsupported-form', { op: 'output', what: 'the output does not depend on the input' }, place);
    const real =
      value.kind === 'codes'
        ? graph.materialise(value, name, place)
        : value.kind === 'pending'
          ? finished(value, name, place)
          : value.kind === 'rounded'
            ? value.finish(value, name)
            : value;
    if (real.kind === 'dynamic')
      fail('onnx/unsupported-form', { op: 'output', what: `the output is a dynamic ${real.what}` }, place);
    if (real.perm === undefined || inOrder(real.perm, graph.builder.typeOf(real.op).shape)) return real;
    if (graph.fixedBatch === 1 && inOrder(withBatchFirst(real).perm!, graph.builder.typeOf(real.op).shape)) return real;
    const node = { name: '', opType: 'output', domain: '', inputs: [name], outputs: [name], attributes: new Map() };
    return new NodeContext(node, graph).inOwnLayout(graph.fixedBatch === 1 ? withBatchFirst(real) : real);
  });
}

/** An output behind transposes that cancel has got its order back. */
function withOutputOrigins(network: Network, origins: ReadonlyMap<string, string>): Network {
  const ops = network.ops.map((op) => {
    const origin = origins.get(op.id);
    return origin === undefined || op.origin !== undefined ? op : { ...op, origin };
  });
  return { ...network, ops };
}

function finished(value: Extract<Value, { kind: 'pending' }>, name: string, place: { file: string }): RealValue {
  if (value.integer)
    fail('onnx/unsupported-form', { op: 'output', what: 'the output holds integer products without a scale' }, place);
  return value.finish({ origin: name });
}
