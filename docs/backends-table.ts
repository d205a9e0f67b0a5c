import { emitC } from '../src/backends/c/index.js';
import { exportNir } from '../src/backends/nir/index.js';
import { unsupportedByTfjs } from '../src/backends/tfjs/index.js';
import { Unsupported, layeredModel } from '../src/backends/torch/index.js';
import { costOf } from '../src/cost/index.js';
import { lower } from '../src/lower/program/index.js';
import { type Network, type OpKind, opKinds } from '../src/network/index.js';
import { simplify } from '../src/tensor/index.js';
import { onnxCases } from '../src/testing/onnx-cases.js';
import { type LayerNetworks, allLayerNetworks } from './layer-networks.js';
import { wordsOfKinds } from './layer-words.js';

/** What each backend makes of a kind of layer; a sentence in brackets says why it isn't more. */
export interface BackendRow {
  readonly kind: OpKind;
  readonly words: readonly string[];
  readonly onnxFile: string;
  /** The reference evaluator, `fused`, `native`, `onnxruntime` and `--emit onnx`: all take whatever lowers. */
  readonly engines: '✓';
  readonly tfjs: string;
  readonly torch: 'module' | 'op by op';
  readonly c: string;
  readonly nir: string;
  readonly cost: string;
}

/** The networks of a kind in which the layer itself still stands. */
function standing(kind: OpKind, networks: LayerNetworks): readonly Network[] {
  return Object.values(networks).filter((network) => network.ops.some((op) => op.kind === kind));
}

function torchOf(networks: readonly Network[]): BackendRow['torch'] {
  const isModule = networks.some((network) => {
    try {
      layeredModel(network);
      return true;
    } catch (error) {
      if (error instanceof Unsupported) return false;
      throw error;
    }
  });
  return isModule ? 'module' : 'op by op';
}

/** Without the layer that it is said of. */
const bare = (reason: string): string => reason.replace(/^C in floating point: /, '').replace(/^%[\w.]+: /, '');

function cOf({ values, trained, compiled, converted }: LayerNetworks): string {
  const whys = [compiled, converted].flatMap((network) =>
    network === undefined ? [] : [emitC({ network, program: simplify(lower(network).program) }).notes],
  );
  if (whys.length === 0) {
    if (trained !== undefined) return 'folded into others, or nothing';
    return values === undefined ? '–' : 'floating point (its values have no time)';
  }
  const floats = whys.find((notes) => notes.length > 0);
  if (floats === undefined) return 'integers';
  const why = bare(floats[0]!);
  if (whys.every((notes) => notes.length > 0)) return `floating point (${why})`;
  const where = whys[0]!.length === 0 ? 'converted' : 'trained';
  return `integers; ${where}: floating point (${why})`;
}

function nirOf(kind: OpKind, networks: readonly Network[]): string {
  const answers = networks.map((network): { readonly node?: string; readonly why?: string } => {
    const of = new Set(network.ops.filter((op) => op.kind === kind).map(({ id }) => id));
    const nodes = exportNir(network, 'nir', true).nodes.filter(({ layer }) => of.has(layer));
    const refused = nodes.find(({ rating }) => rating === 'extended');
    if (refused !== undefined) return { why: refused.why! };
    return { node: nodes[0]?.type ?? 'nothing of its own' };
  });
  const node = answers.find((answer) => answer.node !== undefined)?.node;
  const why = answers.find((answer) => answer.why !== undefined)?.why;
  const extension = why === undefined ? undefined : `extension (${why})`;
  return [node, extension].filter((said) => said !== undefined).join('; ');
}

function costKind(kind: OpKind, networks: readonly Network[]): string {
  const found = networks.flatMap((network) => {
    const { layers, functions = [] } = costOf(network);
    const of = new Set(network.ops.filter((op) => op.kind === kind).map(({ id }) => id));
    return [
      ...(layers.some(({ id }) => of.has(id)) ? ['synapse'] : []),
      ...(functions.some(({ id }) => of.has(id)) ? ['function'] : []),
    ];
  });
  return found[0] ?? '–';
}

function tfjsOf(networks: readonly Network[]): string {
  const runs = networks.map((network) => unsupportedByTfjs(simplify(lower(network).program)).length === 0);
  if (runs.every(Boolean)) return '✓';
  return runs.some(Boolean) ? '✓; converted: – (float64)' : '– (float64)';
}

/** A row for every kind of layer, each found out by trying. */
export function backendRows(all: ReadonlyMap<OpKind, LayerNetworks> = allLayerNetworks()): readonly BackendRow[] {
  const words = wordsOfKinds();
  return opKinds.map((kind) => {
    const networks = all.get(kind)!;
    const found = standing(kind, networks);
    const onnx = onnxCases[kind];
    return {
      kind,
      words: words.get(kind) ?? [],
      onnxFile: typeof onnx === 'string' ? `– (${onnx})` : onnx.operator,
      engines: '✓',
      tfjs: tfjsOf(found),
      torch: torchOf(found),
      c: cOf(networks),
      nir: nirOf(kind, found),
      cost: costKind(kind, found),
    };
  });
}

const cell = (text: string): string => (text === '' ? '–' : text);

/** `docs/backends.md`: every kind of layer on every backend. */
export function backendsPage(all: ReadonlyMap<OpKind, LayerNetworks> = allLayerNetworks()): string {
  const rows = backendRows(all).map(({ kind, words, onnxFile, engines, tfjs, torch, c, nir, cost }) =>
    [`\`${kind}\``, words.map((word) => `\`${word}\``).join(', '), onnxFile, engines, tfjs, torch, c, nir, cost].map(
      cell,
    ),
  );
  return `# Layers on every backend

Every kind of layer of the [Network IR](network-ir.md), and what each part of spikec makes of it. This page is generated by trying
(\`npm run docs\`): a small network with the layer is written in the language, imported, trained, compiled, converted to stepwise weighted
spikes and emitted. A test runs the same networks on every backend and compares what they give with the reference evaluator, to 1e-5 of
the greatest value, and reads back what was emitted.

| column | what it says |
| --- | --- |
| model file | words of [the language](language.md) that become it |
| ONNX file | an [operator](onnx-import.md) that becomes it |
| engines, ONNX | the reference evaluator, the engines \`fused\`, \`native\`, \`onnxruntime\` and \`torch\`, and \`--emit onnx\`: all take every program, so each layer |
| TensorFlow.js | the engines \`tfjs-tensorflow\`, \`tfjs-wasm\`, \`tfjs-cpu\`, and \`--emit tfjs\`. There is no float64, which stepwise weighted trains compute in: \`engine/no-kernel\` says so |
| PyTorch | \`--emit torch\`: a module of its own that trains, or only in a network that is written op by op, as it is lowered, to infer |
| C | [\`--emit c\`](c.md) of a compiled network, weights in 8 bits: in integers over bits of spikes, or the whole network in floating point, and why |
| NIR | [\`--emit nir\`](nir.md): the node that it is, which is read back, too; or only with \`--nir-extensions\`, and why |
| cost | its row in [\`cost\`](cost.md): a synapse (MACs, bits, additions), a function of neurons, or none |

\`diff\` and \`report\` know all of them by their attributes and weights, the text of the IR too.

| layer | model file | ONNX file | engines, ONNX | TensorFlow.js | PyTorch | C | NIR | cost |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;
}
