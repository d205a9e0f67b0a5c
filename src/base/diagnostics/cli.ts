import { define } from './define.js';

export const cliDiagnostics = {
  'cli/unknown-code': define<{ code: string }>(
    'error',
    ({ code }) => `there is no diagnostic "${code}"`,
    `\`spikec explain CODE\` prints what a diagnostic means. Codes stand in brackets behind the severity, as in
\`error[model/unknown-name]\`. \`spikec explain\` without a code lists them all.`,
  ),
} as const;
