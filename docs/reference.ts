import { type Tensor, elementCount, tensor } from '../src/base/dtype.js';
import { present } from '../src/base/invariant.js';
import { NetworkBuilder, type Network, opDef, opKinds, printNetwork, traitsOf } from '../src/network/index.js';
import { spikeLevels } from '../src/equations/index.js';
import {
  type BitChoice,
  type ConfiguredPass,
  type NeuronChoice,
  type Pass,
  byLayer,
  configure,
  everyLayer,
  optionsOf,
  pipelines,
  runPipeline,
} from '../src/passes/index.js';
import { libraryNeurons } from '../src/workspace/files.js';

function traitRows(): readonly string[] {
  return opKinds.map((kind) => {
    const { role, weights, fires, reach, padding, macs, ...flags } = traitsOf({ kind });
    const held = Object.entries(flags).flatMap(([name, holds]) => (holds ? [`\`${name}\``] : []));
    const cells = [weights, fires, reach, padding, macs === 'none' ? 'none' : 'yes'].map((answer) =>
      answer === 'none' ? '–' : answer,
    );
    return `| \`${kind}\` | ${role} | ${cells.join(' | ')} | ${held.join(' ') || '–'} |`;
  });
}

/** `docs/network-ir.md`: the form of the text and every layer kind, from the table of layers. */
export function networkReference(): string {
  const rows = opKinds.map((kind) => {
    const { doc, attrs, otherAttrs, params, arity } = opDef(kind);
    const names = Object.entries(attrs).map(([name, { optional }]) => (optional ? `${name}?` : name));
    if (otherAttrs !== undefined) names.push('*');
    const most = arity[1] === Infinity ? 'n' : String(arity[1]);
    const inputs = arity[0] === arity[1] ? String(arity[0]) : `${arity[0]}…${most}`;
    const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ') || '–';
    return `| \`${kind}\` | ${inputs} | ${list(names)} | ${list(params)} | ${doc} |`;
  });
  return `# Network IR

A network is a list of layers in topological order. Each has an id from its place in the source, a kind, inputs,
attributes, parameters and a type; it has one result, named by its id. Passes take a network and give a new one, and the
verifier runs after each. This page is generated (\`npm run docs\`).

## Types

| type | what the numbers are |
| --- | --- |
| \`real[3,32,32]\` | real activations |
| \`psp[16,32,32] @1..8\` | postsynaptic potentials: what a synapse delivers at each of the steps 1…8 |
| \`spike{-1..1}[16,32,32] @3..10\` | spikes with levels −1, 0, 1, times \`step\` where it isn't 1; present at steps 3…10 |
| \`quant{0..255, scale=0.02, zero=114}[3,32,32]\` | integer codes Q that stand for (Q − zero)·scale |

Shapes have no batch axis: [C,H,W] or [features]. \`@a..b\` are global time steps, from 1.

## Text form

\`spikec compile FILE --emit ir\` writes \`network.ir\`; \`--print-after PASS\` prints it. It reads back without loss: the values
of the parameters lie beside it in \`weights.safetensors\` (scales and zero points of quantised weights as \`NAME.scale\`,
\`NAME.zero\`, \`NAME.axis\`). Integer weights of n bits (\`weight_bits\`) that would leave bits of their bytes empty are packed, the
lowest bit first, a code q as q + 2^(n−1); of one bit the codes are −1 and 1, stored as 0 and 1. \`packed:NAME\` in the
file's metadata holds their bits, type and shape. \`cost\`, \`eval\`, \`diff\` and \`compile\` take such a file. Names that aren't plain words are quoted; \`;\` begins a comment;
behind a parameter that is one number stands its value, to read only.

\`\`\`
network "NAME" [coding SCHEME(args)] [latency STEPS]
  note "what a pass wants you to know"
  neuron NAME(parameters) { state … charge … fire … reset … surrogate … }
  param NAME : DTYPE[shape] [quant(axis=N)]
  %ID = KIND %INPUT… {attributes} (role=PARAM, …) : TYPE [from "tensor of the source file"]
  output %ID
\`\`\`

## Layers

A \`?\` marks what may be missing; \`*\` stands for any further name (a neuron's own parameters).

| kind | inputs | attributes | parameters | what it computes |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## Traits

What passes, costs and lowerings ask of a kind of layer, instead of its name (\`src/network/ops/traits.ts\` says what each
means); a kind without an answer doesn't compile. Flags that hold are named.

| kind | role | weights | fires | a spike reaches | padding | counts MACs | flags |
| --- | --- | --- | --- | --- | --- | --- | --- |
${traitRows().join('\n')}
`;
}

/** A small quantised network that every SWS pass has something to do on. */
function example(): Network {
  const b = new NetworkBuilder('example');
  const random = (count: number): number[] => Array.from({ length: count }, (_, i) => ((i * 37) % 19) - 9);
  b.add({ id: 'image', kind: 'input', attrs: { shape: [1, 4, 4] } });
  b.add({
    id: 'image.quant',
    kind: 'quantize',
    inputs: ['image'],
    attrs: { scale: 0.02, zero: 114, min: 0, max: 255 },
  });
  b.add({ id: 'pad', kind: 'pad', inputs: ['image.quant'], attrs: { pads: [1, 1, 1, 1], value: 0 } });
  b.param('conv.weight', {
    tensor: tensor('i8', [2, 1, 3, 3], random(18)),
    quant: { scale: [0.01], zero: [0], axis: 0 },
  });
  const window = { kernel: [3, 3], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  b.add({ id: 'conv', kind: 'conv', inputs: ['pad'], attrs: window, params: { weight: 'conv.weight' } });
  const norm = Object.fromEntries(
    ['gamma', 'beta', 'mean', 'variance'].map((role) => [
      role,
      b.param(`bn.${role}`, { tensor: tensor('f32', [2], [1, 2]) }),
    ]),
  );
  b.add({ id: 'bn', kind: 'batchnorm', inputs: ['conv'], attrs: { epsilon: 1e-5 }, params: norm });
  b.add({ id: 'relu', kind: 'relu', inputs: ['bn'] });
  const pool = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
  b.add({ id: 'pool', kind: 'maxpool', inputs: ['relu'], attrs: pool });
  b.add({ id: 'pool.quant', kind: 'quantize', inputs: ['pool'], attrs: { scale: 0.05, zero: 0, min: 0, max: 255 } });
  b.add({ id: 'flatten', kind: 'flatten', inputs: ['pool.quant'] });
  b.param('fc.weight', { tensor: tensor('i8', [3, 8], random(24)), quant: { scale: [0.02], zero: [0], axis: 0 } });
  b.add({ id: 'fc', kind: 'linear', inputs: ['flatten'], params: { weight: 'fc.weight' } });
  return b.finish(['fc']);
}

/** A small network of multi-bit neurons with a connection across layers, ready for inference. */
function multiBitExample({ name, args: given }: NeuronChoice): Network {
  const b = new NetworkBuilder('multi-bit');
  const def = present(libraryNeurons().get(name), `docs: the standard library has no ${name}`);
  const args = { ...Object.fromEntries(def.params.map((param) => [param.name, param.default ?? 0])), ...given };
  const levels = present(spikeLevels(def, args), `docs: ${name} has no levels`);
  b.neuron(def);
  const filled = (shape: readonly number[]): Tensor =>
    tensor('f32', shape, new Float32Array(elementCount(shape)).fill(0.5));
  const conv = (id: string, input: string, [out, from, kernel]: readonly [number, number, number]): string => {
    const shape = [out, from, kernel, kernel];
    const weight = b.param(`${id}.weight`, { tensor: filled(shape) });
    const half = (kernel - 1) / 2;
    const window = { kernel: [kernel, kernel], stride: [1, 1], pads: [half, half, half, half], dilation: [1, 1] };
    return b.add({ id, kind: 'conv', inputs: [input], attrs: { ...window, groups: 1 }, params: { weight } });
  };
  const spike = (id: string, input: string): string => {
    const attrs = { neuron: def.name, levels: [levels.min, levels.max], amplitude: levels.step, ...args };
    return b.add({ id, kind: 'neuron', inputs: [input], attrs });
  };
  b.add({ id: 'image', kind: 'input', attrs: { shape: [1, 4, 4] } });
  b.add({ id: 'encode', kind: 'encode', inputs: ['image'], attrs: { coding: 'direct', steps: 2 } });
  const stem = spike('stem.spike', conv('stem', 'encode', [2, 1, 3]));
  const pre = conv('pre', stem, [2, 2, 3]);
  const post = conv('post', spike('pre.spike', pre), [2, 2, 3]);
  b.add({ id: 'both', kind: 'concat', inputs: [pre, post] });
  const joined = spike('joined.spike', conv('re', 'both', [2, 4, 1]));
  b.add({ id: 'flatten', kind: 'flatten', inputs: [joined] });
  b.param('fc.weight', { tensor: filled([3, 32]) });
  b.add({ id: 'fc', kind: 'linear', inputs: ['flatten'], params: { weight: 'fc.weight' } });
  b.add({ id: 'decode', kind: 'decode', inputs: ['fc'], attrs: { coding: 'direct' } });
  return b.finish(['decode'], { name: 'direct', args: { steps: 2 } });
}

/** The layers of a network as text, without weights and neuron types. */
function layerLines(network: Network): string {
  return printNetwork(network)
    .split('\n')
    .filter((line) => /^(network| {2}(%|output|note))/.test(line))
    .map((line) => line.replaceAll(/ {2,}(?=[=:])/g, ' '))
    .join('\n');
}

interface PassSection {
  readonly name: string;
  readonly text: string;
}

/** Each pass of a pipeline with what it leaves of a network. */
function passSections(network: Network, pipeline: readonly ConfiguredPass[]): readonly PassSection[] {
  const { runs } = runPipeline(network, pipeline, { neurons: libraryNeurons() });
  let before = layerLines(network);
  return pipeline.map(({ pass }, n) => {
    const { name, doc } = pass;
    const after = layerLines(runs[n]!.network);
    const changed = after === before ? 'Nothing to do on the example.' : `\`\`\`\n${after}\n\`\`\``;
    before = after;
    return { name, text: `## ${name}\n\n${doc}\n\n${optionTable(pass)}${changed}\n` };
  });
}

function optionTable(pass: Pass): string {
  const options = optionsOf(pass);
  if (options.length === 0) return '';
  const rows = options.map(({ name, doc, values, required, ...more }) => {
    const otherwise = required ? 'must be given' : more.default === undefined ? '–' : `\`${more.default}\``;
    return `| \`${name}\` | ${doc} | ${values} | ${otherwise} |`;
  });
  return `| option | what it says | values | without it |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n\n`;
}

/** Measured errors and a budget that doesn't reach for 4 bits everywhere. */
function exampleAllocation(): { choices: ReadonlyMap<string, readonly BitChoice[]>; budget: number } {
  const choices = (params: number, two: number, four: number): BitChoice[] => [
    { bits: 2, cost: 2 * params, error: two },
    { bits: 4, cost: 4 * params, error: four },
  ];
  return {
    choices: new Map([
      ['conv', choices(18, 0.1, 0.01)],
      ['fc', choices(24, 0.2, 0.05)],
    ]),
    budget: 140,
  };
}

/** Multi-bit neurons MBIF(1+3). */
const exampleNeuron: NeuronChoice = { name: 'MBIF', args: { start: 0.0625 } };

/** `docs/passes.md`: each pass with what it does to a small network. */
export function passReference(): string {
  const network = example();
  const weights = { bits: byLayer((id) => (id === 'conv' ? 4 : undefined)) };
  const sections = passSections(
    network,
    configure(pipelines['convert.sws'], {
      'quantise-weights': weights,
      'to-spikes': { beta: 2, steps: 8 },
      'schedule-time': { silent: everyLayer(2) },
    }),
  );
  const known = new Set<string>(pipelines['convert.sws'].map(({ name }) => name));
  const means = passSections(
    network,
    configure(pipelines['convert.means'], {
      'quantise-weights': weights,
      'insert-neurons': { neuron: exampleNeuron, steps: 8 },
    }),
  );
  const others = means.filter(({ name }) => !known.has(name));
  const multiBit = multiBitExample(exampleNeuron);
  const planes = passSections(multiBit, configure(pipelines.planes, {})).filter(({ name }) => !known.has(name));
  const allocated = passSections(network, configure(pipelines.allocate, { 'allocate-bits': exampleAllocation() }));
  const lists = Object.entries(pipelines).map(
    ([name, list]) => `- \`${name}\`: ${list.map((pass) => pass.name).join(' → ')}`,
  );
  return `# Passes

A pass takes a valid network and leaves a valid network; the verifier checks it after each. \`spikec compile --passes\`
lists them, \`--print-after NAME\` (or \`all\`) prints the network behind one, \`--stop-after NAME\` stops there,
\`--time-passes\` tells how long each took; \`spikec opt\` runs any of them, with their options, on a network in text form. This page is generated (\`npm run docs\`); it follows one small network through
\`convert.sws\`.

Pipelines:

${lists.join('\n')}

The example, as imported:

\`\`\`
${layerLines(network)}
\`\`\`

${sections.map(({ text }) => text).join('\n')}
The passes that only \`convert.means\` has, on the same network:

${others.map(({ text }) => text).join('\n')}
The passes of \`planes\`, on a network of multi-bit neurons:

\`\`\`
${layerLines(multiBit)}
\`\`\`

${planes.map(({ text }) => text).join('\n')}
The pass that chooses bits, with an error of 0.1 for 2 bits and 0.01 for 4 measured at \`conv\`, 0.2 and 0.05 at \`fc\`, and a
budget of 140 bits:

${allocated.find(({ name }) => name === 'allocate-bits')!.text}`;
}
