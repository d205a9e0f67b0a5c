import { define } from './define.js';

export const torchDiagnostics = {
  'torch/unsupported': define<{ layer: string; construct: string }>(
    'error',
    ({ layer, construct }) => `${layer}: ${construct} has no form in PyTorch here`,
    `A network for PyTorch (\`--emit torch\`) is written layer by layer, or op by op as it is lowered for inference. This one
has a layer that the first can't say, and too many time steps to be written op by op.

Fewer time steps make the second possible.`,
  ),
  'torch/lowered': define<{ layer: string; construct: string }>(
    'warning',
    ({ layer, construct }) =>
      `${layer}: ${construct} has no module in PyTorch, so the network is written op by op, to infer and not to train`,
    `A network for PyTorch is written layer by layer where each of its layers has such a form: modules named as in the model
file, which train. One has none: it belongs to a coding of converted networks, or it was read from a text. What is written
then is the program of inference, with the same results.`,
  ),
  'torch/setting': define<{ setting: string }>(
    'error',
    ({ setting }) => `the training program for PyTorch doesn't know ${setting}`,
    `\`train --engine torch\` runs a program that knows all settings but several inputs or outputs, the loss \`distill\`, \`memory low\`,
\`average\` beside learned bits, and \`augment\` of what labels lie in (boxes beyond \`flip\` and \`crop\`, numbers). What a config asks for
isn't left out silently.

Another engine trains it.`,
  ),
  'torch/left-out': define<{ setting: string }>(
    'warning',
    ({ setting }) => `\`train.py\` is left out: the training program for PyTorch doesn't know ${setting}`,
    `The network itself is written. \`train.py\` would leave out what the config asks for, so it isn't. It knows all settings but several
inputs or outputs, the loss \`distill\`, \`memory low\`, \`normalize measured\`, \`average\` beside learned bits, and \`augment\` of what labels lie in
(boxes beyond \`flip\` and \`crop\`, numbers).`,
  ),
  'torch/no-python': define<{ python: string; problem: string }>(
    'error',
    ({ python, problem }) => `the engine torch can't run ${python}: ${problem}`,
    `\`train --engine torch\` runs a program in your Python, which needs PyTorch 2.4 or newer and safetensors
(\`pip install torch safetensors\`). It is \`python3\`, unless \`--python\` or the variable \`SPIKEC_PYTHON\` names another,
that of a virtual environment for example.`,
  ),
  'torch/failed': define<{ python: string; problem: string }>(
    'error',
    ({ python, problem }) => `the training in ${python} ended: ${problem}`,
    `The program that trains in PyTorch ended before it was done. What it said last stands in the message; the run folder
holds the last epoch that was done, and \`--resume\` goes on from there. \`--emit torch\` writes the same program to a folder of
yours, where it can be looked at.`,
  ),
} as const;
