import { define } from './define.js';

export const cliDiagnostics = {
  'cli/unknown-code': define<{ code: string }>(
    'error',
    ({ code }) => `there is no diagnostic "${code}"`,
    `\`spikec explain CODE\` prints what a diagnostic means. Codes stand in brackets behind the severity, as in
\`error[model/unknown-name]\`. \`spikec explain\` without a code lists them all.`,
  ),
  'cli/usage': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `The command line can't be understood: a flag that the command doesn't have, a value it can't have, or a missing argument.
\`spikec COMMAND --help\` lists what there is. With \`--json\` it is said as a document on stdout, too.`,
  ),
  'cli/bug': define<{ problem: string }>(
    'error',
    ({ problem }) => `spikec has a bug: ${problem}`,
    `Something happened that spikec takes for impossible; the input isn't to blame. Please report it with the command and its
input. With the variable \`SPIKEC_DEBUG=1\` the place in the program is printed, too.`,
  ),
  'cli/no-config': define<{ file: string }>(
    'error',
    ({ file }) => `"${file}" has no configuration, so there is nothing to compile`,
    `Networks and neurons are brought together by a \`config\`: it names the network, the neuron and the coding. Add one:

\`\`\`spike
config base {
  network MyNetwork
  neuron  LIF(tau: 4, theta: 0.6)
  coding  direct(steps: 4)
}
\`\`\``,
  ),
  'cli/which-config': define<{ file: string }>(
    'error',
    ({ file }) => `"${file}" has several configurations, and none is named`,
    `Write \`FILE#CONFIG\` to say which configuration is meant: \`spikec compile net.spike#fast\`. Only a file with a single
configuration needs no name. (Most shells take an unquoted \`#\` inside a word as it is.)`,
  ),
  'cli/unknown-config': define<{ file: string; config: string }>(
    'error',
    ({ file, config }) => `"${file}" has no configuration "${config}"`,
    `What stands behind the \`#\` is the name of a \`config\` in the file. \`spikec check FILE --json\` lists them.`,
  ),
  'cli/not-lowered': define<{ construct: string }>(
    'error',
    ({ construct }) => `${construct} is understood and checked, but not compiled yet`,
    `The language can say more than this version compiles. The file is right as far as it was checked; what it asks for
here has no lowering yet, and spikec doesn't leave it out silently.`,
  ),
  'cli/unknown-pass': define<{ pass: string }>(
    'error',
    ({ pass }) => `there is no pass "${pass}" in this pipeline`,
    `\`--print-after\` and \`--stop-after\` take the name of a pass that runs for this configuration, or \`all\` for
\`--print-after\`. \`spikec compile --passes\` lists them.`,
  ),
  'cli/spike-bits': define<{ integer: number; fraction: number }>(
    'error',
    ({ integer, fraction }) => `a spike has 1 to 16 bits in all, not ${integer}+${fraction}`,
    `A multi-bit spike has m integer and n fraction bits, so 2^(m+n) levels in steps of 2^−n. With no bits there is nothing
to fire; beyond 16 no coding carries it.`,
  ),
  'cli/threshold': define<{ theta: number }>(
    'error',
    ({ theta }) => `a threshold must be positive, not ${theta}`,
    `Levels are counted in units of the firing threshold, so it has to be greater than 0. The papers use 0.6.`,
  ),
} as const;
