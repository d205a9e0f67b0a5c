import type { Command } from 'commander';
import type { CostResult, LayerCost, Target } from '../driver/types.js';
import { parseTarget, withCommonFlags, withOutsideFlag } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';

interface CostFlags extends CommonFlags {
  readonly allowOutside?: boolean;
  readonly planes?: boolean;
}

/** `spikec cost FILE[#CONFIG]` */
export function addCost(program: Command, host: Host): void {
  const command = program
    .command('cost')
    .summary('count operations, parameters and bits')
    .description('Per layer and in total: operations, parameters, bits, S-ACE, size, latency.')
    .argument('<target>', 'FILE or FILE#CONFIG', parseTarget)
    .option('--planes', 'count multi-bit spikes as binary planes in virtual time steps')
    .action((target: Target, flags: CostFlags) =>
      runCommand(host, flags, async ({ driver, progress, take }) => {
        const options = {
          allowOutside: flags.allowOutside === true,
          planes: flags.planes === true,
          onProgress: progress,
        };
        const result = take(await driver.costOf(target, options));
        return { text: describeCost(result), json: result };
      }),
    );
  withCommonFlags(withOutsideFlag(command), ['spikec cost resnet20.spike#base', 'spikec cost lenet5.spike --json']);
}

const head = ['layer', 'kind', 'MACs', 'params', 'W', 'S', 'T', 'budget', 'S-ACE', 'bytes'];

function describeCost({ layers, total }: CostResult): string {
  const rows = layers.map(layerRow);
  const sum = ['total', '', count(total.macs), count(total.params), '', '', ''];
  sum.push(real(total.bit_budget), count(total.s_ace), count(total.size_bytes));
  const alignment = head.map((_, i) => (i < 2 ? 'left' : 'right'));
  return `${table([head, ...rows, sum], alignment)}\nlatency  ${total.latency_steps} steps\n`;
}

function layerRow(l: LayerCost): string[] {
  return [
    l.id,
    l.kind,
    count(l.macs),
    count(l.params),
    real(l.weight_bits),
    real(l.spike_bits),
    real(l.steps),
    real(l.bit_budget),
    count(l.s_ace),
    count(l.size_bytes),
  ];
}

function count(n: number): string {
  return Math.round(n).toLocaleString('en');
}

/** At most two decimals. */
function real(n: number): string {
  return String(Math.round(n * 100) / 100);
}
