import { define } from './define.js';

export const modelConfigDiagnostics = {
  'model/setting-twice': define<{ name: string }>(
    'error',
    ({ name }) => `\`${name}\` is set twice`,
    `A setting may stand once in a config (a \`layer "…"\` once per pattern). To change what another config says, extend
it: \`config mine extends base { … }\`.`,
  ),
  'model/setting-form': define<{ name: string; form: string }>(
    'error',
    ({ name, form }) => `\`${name}\` is written ${form}`,
    `Some settings take a value (\`batch 64\`), some a block (\`train { … }\`), some both (\`layer "stem" { … }\`).`,
  ),
  'model/setting-missing': define<{ config: string; name: string }>(
    'error',
    ({ config, name }) => `the config \`${config}\` has no \`${name}\``,
    `A config needs at least a \`network\`, its own or through \`extends\`; one whose network contains \`spike\` needs a
\`neuron\` too.`,
  ),
  'model/config-cycle': define<{ path: string }>(
    'error',
    ({ path }) => `configs extend each other in a circle: ${path}`,
    `A config takes everything from the one it extends, so the chain must end.`,
  ),
  'model/pattern': define<{ pattern: string }>(
    'error',
    ({ pattern }) => `no layer of the network has an id like "${pattern}"`,
    `The pattern of \`layer "…"\` is a layer's id, the start of ids (\`stage3\` means everything in \`stage3\`), or has
\`*\` for any characters (\`stage*.0.*\`). \`spikec compile --print-after build\` shows the ids.`,
  ),
  'model/idle-setting': define<{ setting: string; pattern: string; holder: string }>(
    'warning',
    ({ setting, pattern, holder }) =>
      `\`${setting}\` of "${pattern}" has no effect: ${holder} have them, and it means none`,
    `In \`bits\`, \`weights\` belong to convolutions and linear layers, \`spikes\` and \`steps\` to neurons. A pattern with one of
them has to mean a layer that has it: \`layer "stem"\` means all of \`stem.conv\`, \`stem.batchnorm\` and \`stem.spike\`.`,
  ),
  'model/too-large': define<{ what: string; elements: number; limit: number; unit?: 'elements' | 'steps' }>(
    'error',
    ({ what, elements, limit, unit = 'elements' }) =>
      `${what} ${elements.toLocaleString('en')} ${unit}, more than ${limit.toLocaleString('en')}`,
    `A value of the network, counted over all its time steps and with its padding, may have 2²⁸ elements, and so may all
weights of the network together: 1 GiB as float32. Make it smaller: fewer channels or features, a smaller kernel or pad, a
stride or a pooling layer before, fewer steps. A network ends at step 2²⁰ at the latest. Converted networks are held to
the same bounds, so that every folder that is written can be read.`,
  ),
  'model/conflict': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `Two settings of a config contradict each other.`,
  ),
} as const;
