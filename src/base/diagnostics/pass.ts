import { define } from './define.js';

export const passDiagnostics = {
  'pass/neuron': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `The neuron that a pass is to put into a network is a type of the standard library (\`docs/neurons.md\`) or of the network,
with numbers for its parameters. Where neurons stand for activations, they need outputs from 0 up in finitely many levels.`,
  ),
} as const;
