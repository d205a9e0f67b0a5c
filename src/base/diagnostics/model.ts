import { define } from './define.js';
import { modelConfigDiagnostics } from './model-config.js';
import { modelGraphDiagnostics } from './model-graph.js';
import { modelNeuronDiagnostics } from './model-neuron.js';

export const modelDiagnostics = {
  'model/unknown-name': define<{ kind: string; name: string }>(
    'error',
    ({ kind, name }) => `there is no ${kind} called \`${name}\` here`,
    `A name must be declared in the file, imported with \`use\`, or be a word the language brings along. In a network or
block, a value can be used only below the line that binds it; in a neuron's equations, a parameter, a state, \`x\`, \`t\`,
\`T\`, or a value assigned earlier in the step.`,
  ),
  'model/duplicate-name': define<{ name: string }>(
    'error',
    ({ name }) => `\`${name}\` is already declared`,
    `Two declarations of one scope have the same name. The message points at both; rename one, or import it under
another name: \`use "./blocks.spike" { Block as OtherBlock }\`.`,
  ),
  'model/shadowed-import': define<{ name: string }>(
    'warning',
    ({ name }) => `this declaration of \`${name}\` hides the imported one`,
    `The file imports a name and declares the same name itself. Its own declaration is used everywhere in the file. Remove
the import or rename one of the two.`,
  ),
  'model/wrong-kind': define<{ name: string; expected: string; found: string }>(
    'error',
    ({ name, expected, found }) => `\`${name}\` is ${found}, but ${expected} is needed here`,
    `The name is known but stands for another kind of thing: a config's \`network\` needs a network, \`neuron\` and
\`spike(…)\` need a neuron, a stage behind \`|\` needs a layer or a block.`,
  ),
  'model/file-not-found': define<{ path: string }>(
    'error',
    ({ path }) => `there is no model file ${path}`,
    `The path of a \`use\` is relative to the folder of the file that contains it, and starts with \`./\`. The standard
library has \`spikec/neurons\`, \`spikec/blocks\`, \`spikec/attention\` and \`spikec/detection\`.`,
  ),
  'model/outside-folder': define<{ path: string; folder: string }>(
    'error',
    ({ path, folder }) => `"${path}" lies outside the model's folder ${folder}`,
    `A model file can read only what lies in its own folder (and below) and the standard library, so that checking
somebody's model never reads anything else on your disk. Copy the file into the folder, or allow it explicitly
(\`--allow-outside\`).`,
  ),
  'model/not-exported': define<{ name: string; path: string }>(
    'error',
    ({ name, path }) => `"${path}" declares no \`${name}\``,
    `\`use "path" { Name }\` takes a block, network, neuron or config that the other file itself declares.`,
  ),
  'model/argument-unknown': define<{ callee: string; name: string }>(
    'error',
    ({ callee, name }) => `\`${callee}\` has no parameter \`${name}\``,
    `The argument's name is none of the parameters. docs/language.md lists the parameters of every layer and coding; those
of blocks, networks and neurons are in their declarations.`,
  ),
  'model/argument-twice': define<{ callee: string; name: string }>(
    'error',
    ({ callee, name }) => `\`${name}\` of \`${callee}\` is given twice`,
    `An argument is given either by position or by name, and once.`,
  ),
  'model/argument-missing': define<{ callee: string; name: string; type: string }>(
    'error',
    ({ callee, name, type }) => `\`${callee}\` needs \`${name}\`, ${type}`,
    `The parameter has no default, so every use has to give it.`,
  ),
  'model/argument-extra': define<{ callee: string; count: number }>(
    'error',
    ({ callee, count }) => `\`${callee}\` takes ${count === 0 ? 'no arguments' : `at most ${count}`}`,
    `More arguments by position than there are parameters, or one by position behind one by name.`,
  ),
  'model/argument-type': define<{ what: string; expected: string; found: string }>(
    'error',
    ({ what, expected, found }) => `${what} must be ${expected}, not ${found}`,
    `The value has the wrong type or is out of range for this parameter.`,
  ),
  'model/arithmetic': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `A constant expression could not be computed: it divides by zero, overflows, or mixes kinds of values (numbers,
truth values, strings, lists).`,
  ),
  'model/too-many': define<{ limit: number }>(
    'note',
    ({ limit }) => `there is more from here on; at most ${limit} errors and warnings each are shown`,
    `One slip, such as a wrong import, can make every line wrong. Correct the first errors and check again.`,
  ),
  ...modelNeuronDiagnostics,
  ...modelGraphDiagnostics,
  ...modelConfigDiagnostics,
} as const;
