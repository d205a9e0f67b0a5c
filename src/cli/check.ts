import type { Command } from 'commander';
import { hasErrors } from '../base/diagnostics/index.js';
import { parseTarget, withCommonFlags, withOutsideFlag } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import type { CheckResult } from '../commands/check.js';
import type { Target } from '../workspace/types.js';

interface CheckFlags extends CommonFlags {
  readonly allowOutside?: boolean;
}

/** `spikec check FILE[#CONFIG]…` */
export function addCheck(program: Command, host: Host): void {
  const command = program
    .command('check')
    .summary('parse and check model files')
    .description('Parse and check model files: names, types, shapes. Exit code 1 if there are errors.')
    .argument('<target...>', 'model files (.spike), or FILE#CONFIG', parseTargets)
    .action((targets: Target[], flags: CheckFlags) => check(host, targets, flags));
  withCommonFlags(withOutsideFlag(command), [
    'spikec check lenet5.spike',
    'spikec check lenet5.spike#fast',
    'spikec check models/*.spike --json',
  ]);
}

function parseTargets(text: string, before: readonly Target[] = []): readonly Target[] {
  return [...before, parseTarget(text)];
}

function check(host: Host, targets: readonly Target[], flags: CheckFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, note }) => {
    const results: ({ file: string; ok: boolean } & Partial<CheckResult>)[] = [];
    for (const target of targets) {
      const file = target.config === undefined ? target.path : `${target.path}#${target.config}`;
      const { value, diagnostics } = await driver.checkFile(target, { allowOutside: flags.allowOutside === true });
      note(diagnostics);
      results.push({ file, ok: !hasErrors(diagnostics), ...value });
    }
    const good = results.filter((r) => r.ok);
    const text = flags.quiet === true ? '' : good.map((r) => `${r.file}: ${declarations(r)}\n`).join('');
    return { text, json: { ok: good.length === results.length, files: results } };
  });
}

/** `ok, 1 network, 3 configs` */
function declarations({ networks = [], neurons = [], configs = [] }: Partial<CheckResult>): string {
  const counts: [number, string][] = [
    [networks.length, 'network'],
    [neurons.length, 'neuron'],
    [configs.length, 'config'],
  ];
  const said = counts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}${n === 1 ? '' : 's'}`);
  return ['ok', ...said].join(', ');
}
