import type { Command } from 'commander';
import { suggest } from '../base/did-you-mean.js';
import { type Code, diagnosticTable, fail, textOfHelp } from '../base/diagnostics/index.js';
import { withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';

/** `spikec explain [CODE]` */
export function addExplain(program: Command, host: Host): void {
  const command = program
    .command('explain')
    .summary('say what a diagnostic means')
    .description('Say what a diagnostic means and what to do. Without a code: list all codes.')
    .argument('[code]', 'as printed in brackets: model/unknown-name')
    .action((code: string | undefined, flags: CommonFlags) =>
      runCommand(host, flags, () => (code === undefined ? listCodes() : explain(code))),
    );
  withCommonFlags(command, ['spikec explain data/set-not-found', 'spikec explain']);
}

function isCode(code: string): code is Code {
  return Object.hasOwn(diagnosticTable, code);
}

export function allCodes(): readonly Code[] {
  return Object.keys(diagnosticTable).filter(isCode).sort();
}

function explain(code: string): { text: string; json: object } {
  if (!isCode(code)) return fail('cli/unknown-code', { code }, undefined, { help: suggestCode(code) });
  const { severity, explain: text } = diagnosticTable[code];
  return { text: `${pageOf(code)}\n`, json: { code, severity, explain: text } };
}

/** The nearest code, where the area may be missing: `set-not-found`. */
function suggestCode(code: string): string {
  const whole = allCodes().find((known) => known.split('/')[1] === code);
  if (whole !== undefined) return `did you mean "${whole}"?`;
  return textOfHelp(suggest(code, allCodes()) ?? '`spikec explain` lists all codes');
}

function listCodes(): { text: string; json: object } {
  const codes = allCodes().map((code) => ({ code, severity: diagnosticTable[code].severity }));
  return {
    text: table(
      codes.map(({ code, severity }) => [code, severity]),
      ['left', 'left'],
    ),
    json: { codes },
  };
}

/** A diagnostic's page in Markdown. */
function pageOf(code: Code): string {
  const { severity, explain: text } = diagnosticTable[code];
  return `## ${code}\n\n*${severity}*\n\n${text.trim()}\n`;
}

/** `docs/diagnostics.md`: every diagnostic's page. */
export function diagnosticsDocument(): string {
  const head = `# Diagnostics

Everything the compiler can say, by code. \`spikec explain CODE\` prints one of these pages. This file is generated from the
tables in \`src/base/diagnostics/\` by \`npm run docs\`.
`;
  return [head, ...allCodes().map(pageOf)].join('\n');
}
