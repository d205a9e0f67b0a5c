import type { Command } from 'commander';
import { fail } from '../base/diagnostics/index.js';
import { type SpikeEntropy, spikeEntropy } from '../cost/index.js';
import { realNumber, wholeNumber, withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';

interface EntropyFlags extends CommonFlags {
  readonly integer: number;
  readonly fraction: number;
  readonly theta: number;
}

/** `spikec entropy --integer M --fraction N [--theta θ]` */
export function addEntropy(program: Command, host: Host): void {
  const command = program
    .command('entropy')
    .summary('entropy and information loss of a multi-bit spike')
    .description(
      'Entropy of a spike with M integer and N fraction bits, and what of a standard normal membrane it loses (MBM eq. 1–9).',
    )
    .requiredOption('--integer <m>', 'integer bits', wholeNumber(0))
    .requiredOption('--fraction <n>', 'fraction bits', wholeNumber(0))
    .option('--theta <θ>', 'firing threshold', realNumber, 0.6)
    .action((flags: EntropyFlags) =>
      runCommand(host, flags, () => {
        const { integer, fraction, theta } = flags;
        const bits = integer + fraction;
        if (bits < 1 || bits > 16) fail('cli/spike-bits', { integer, fraction });
        if (!(theta > 0)) fail('cli/threshold', { theta });
        const result = spikeEntropy(integer, fraction, theta);
        return { text: describe(result), json: result };
      }),
    );
  withCommonFlags(command, [
    'spikec entropy --integer 2 --fraction 1',
    'spikec entropy --integer 1 --fraction 0 --theta 1',
  ]);
}

function describe({ entropy, information_loss, levels }: SpikeEntropy): string {
  const shown = levels.slice(0, 32).map(({ value, probability }) => [String(value), probability.toFixed(4)]);
  const more = levels.length > 32 ? `and ${levels.length - 32} more levels (--json lists all)\n` : '';
  const figures = `entropy           ${entropy.toFixed(3)} bits\ninformation loss  ${information_loss.toFixed(3)} bits\n\n`;
  return `${figures}${table([['level', 'probability'], ...shown], ['right', 'right'])}${more}`;
}
