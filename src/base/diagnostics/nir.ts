import { define } from './define.js';

export const nirDiagnostics = {
  'nir/unreadable': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is no NIR file: ${reason}`,
    `A NIR file is an HDF5 file with a graph in \`/node\`, as \`nir.write\` makes it: groups \`node/nodes/NAME\`, each with a dataset \`type\` and
one a parameter, and the edges as pairs of names. Links that lead elsewhere, arrays that are too large and text that
isn't UTF-8 are refused.`,
  ),
  'nir/unknown-type': define<{ node: string; type: string }>(
    'error',
    ({ node, type }) => `node "${node}" has the type "${type}", which NIR doesn't have`,
    `The types are those of NIR 1.0: Input, Output, Affine, Linear, Scale, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, Delay, I, IF, LI, LIF,
CubaLI, CubaLIF, Threshold and NIRGraph.`,
  ),
  'nir/bad-node': define<{ node: string; problem: string }>(
    'error',
    ({ node, problem }) => `node "${node}" ${problem}`,
    `A parameter is missing, has a shape that doesn't fit what the node reads, or a value that it can't have. Shapes are
computed from the Input node on; what a file says of them isn't trusted.`,
  ),
  'nir/unknown-node': define<{ from: string; to: string; missing: string }>(
    'error',
    ({ from, to, missing }) => `an edge leads from "${from}" to "${to}", but there is no node "${missing}"`,
    `Files written by tools that open or rename nested graphs have such edges. The file has to be written again.`,
  ),
  'nir/cycle': define<{ node: string }>(
    'error',
    ({ node }) => `node "${node}" depends on itself at the same time step`,
    `A cycle must pass a layer of neurons or a Delay of at least one time step: what goes around arrives a step later.`,
  ),
  'nir/assumed': define<{ what: string; why: string }>(
    'note',
    ({ what, why }) => `${what}: ${why}`,
    `NIR describes continuous time and says neither the length of a time step nor how many there are. Both can be said behind the file's
name: \`net.nir#steps=100,dt=1e-3\`.`,
  ),
  'nir/bad-option': define<{ text: string }>(
    'error',
    ({ text }) => `"${text}" says nothing about a NIR file`,
    `Behind the name of a NIR file stand \`steps=N\`, the time steps of the input, \`dt=SECONDS\`, the length of one, and
\`coding=direct\` where the input is one image, the same at every step: \`net.nir#steps=100,dt=1e-3\`.`,
  ),
  'nir/bad-metadata': define<{ name: 'dt' | 'steps'; value: number; most: number }>(
    'error',
    ({ name, value, most }) =>
      `the file's metadata say ${name} = ${value}, which is no ${name === 'dt' ? 'length of a time step' : `number of time steps from 1 to ${most}`}`,
    `\`steps\` and \`dt\` of a file's metadata are held to what they may be behind its name, where they can be said in their place:
\`net.nir#steps=100,dt=1e-3\`.`,
  ),
  'nir/extension-version': define<{ version: number }>(
    'error',
    ({ version }) => `the file's metadata are of version ${version} of the extensions, and 1 is read`,
    `Files written with \`--nir-extensions\` say in their metadata what NIR can't (docs/nir.md). They have to be written again by the spikec that
reads them, or without extensions.`,
  ),
  'nir/unsupported': define<{ layer: string; what: string }>(
    'error',
    ({ layer, what }) => `%${layer}: NIR can't say ${what}`,
    `NIR has linear layers, convolutions, sums and averages over windows, delays, and neurons that integrate, leak and are reset to a value.
It has no soft reset, no spikes of several levels or signs, no max pooling, no products. \`docs/nir.md\` lists what is exported and how
faithfully. With \`--nir-extensions\` such layers stand in the metadata of nodes, which spikec reads and other tools may.`,
  ),
  'nir/approximate': define<{ layer: string; why: string }>(
    'note',
    ({ layer, why }) => `%${layer} is approximate in NIR: ${why}`,
    `What the file says isn't exactly what the network does. The note says where they differ.`,
  ),
} as const;
