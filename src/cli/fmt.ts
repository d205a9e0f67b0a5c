import type { Command } from 'commander';
import { hasErrors } from '../base/diagnostics/index.js';
import { writeFile } from '../data/writing.js';
import { exitCode } from './exit.js';
import { withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';

interface FmtFlags extends CommonFlags {
  readonly check?: boolean;
}

/** `spikec fmt FILE… [--check]` */
export function addFmt(program: Command, host: Host): void {
  const command = program
    .command('fmt')
    .summary('format model files')
    .description('Format model files in place. Files with syntax errors stay as they are.')
    .argument('<file...>', 'model files (.spike)')
    .option('--check', 'change nothing; list the files that are not formatted and exit with 1')
    .action((files: string[], flags: FmtFlags) => fmt(host, files, flags));
  withCommonFlags(command, ['spikec fmt lenet5.spike', 'spikec fmt --check models/*.spike']);
}

function fmt(host: Host, files: readonly string[], flags: FmtFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, note }) => {
    const results: { file: string; changed: boolean }[] = [];
    for (const file of files) {
      const { value, diagnostics } = await driver.formatFile(file);
      note(diagnostics);
      if (value === undefined || hasErrors(diagnostics)) continue;
      if (value.changed && flags.check !== true) writeFile(file, value.text);
      results.push({ file, changed: value.changed });
    }
    const changed = results.filter((r) => r.changed);
    const listed = changed.map((r) => `${r.file}\n`).join('');
    return {
      text: flags.quiet === true && flags.check !== true ? '' : listed,
      json: { files: results },
      code: flags.check === true && changed.length > 0 ? exitCode.wrongInput : exitCode.ok,
    };
  });
}
