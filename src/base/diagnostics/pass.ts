import { define } from './define.js';

export const passDiagnostics = {
  'pass/syntax': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `A list of passes is written \`PASS{OPTION=VALUE, …},PASS,…\`: names of passes with commas between them, and behind a name its
options in braces. A value is a number, a word, \`true\` or \`false\`, a neuron \`IF(start=0.5)\`, a list \`[2, 4]\`, or a value by
layer: \`silent{"stage1.*": 2, "fc": 4}\`, patterns in quotes. In a shell the list stands in single quotes.`,
  ),
  'pass/unknown': define<{ pass: string }>(
    'error',
    ({ pass }) => `there is no pass "${pass}"`,
    `\`spikec opt --list\` prints the passes, what they do and their options.`,
  ),
  'pass/unknown-option': define<{ pass: string; option: string }>(
    'error',
    ({ pass, option }) => `the pass ${pass} has no option "${option}"`,
    `\`spikec opt --list\` prints the options of each pass.`,
  ),
  'pass/option': define<{ pass: string; option: string; expected: string; found: string }>(
    'error',
    ({ pass, option, expected, found }) => `${option} of ${pass} must be ${expected}, not ${found}`,
    `An option of a pass has another type, or a value out of range. \`spikec opt --list\` prints what each takes.`,
  ),
  'pass/option-missing': define<{ pass: string; option: string; expected: string }>(
    'error',
    ({ pass, option, expected }) => `the pass ${pass} needs ${option}: ${expected}`,
    `This option has no value of its own. \`spikec opt --list\` prints what each pass needs.`,
  ),
  'pass/unfit': define<{ pass: string; problem: string }>(
    'error',
    ({ pass, problem }) => `the pass ${pass} can’t work on this network: ${problem}`,
    `Passes count on what those before them in their pipelines leave (\`docs/passes.md\` lists the pipelines). On other networks
what a pass makes may be no valid network: run those before it first, or leave it out.`,
  ),
  'pass/neuron': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `The neuron that a pass is to put into a network is a type of the standard library (\`docs/neurons.md\`) or of the network,
with numbers for its parameters. Where neurons stand for activations, they need outputs from 0 up in finitely many levels.`,
  ),
} as const;
