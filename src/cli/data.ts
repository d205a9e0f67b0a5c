import type { Command } from 'commander';
import {
  type DataFlags,
  dataHelp,
  defined,
  openData,
  parseTarget,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withOutsideFlag,
} from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';
import type { DataResult } from '../commands/index.js';
import type { Target } from '../workspace/types.js';

interface Flags extends CommonFlags, DataFlags {
  readonly for?: Target;
  readonly limit?: number;
  readonly allowOutside?: boolean;
}

/** `spikec data DATA [--for FILE[#CONFIG]] [--limit N]` */
export function addData(program: Command, host: Host): void {
  const command = program
    .command('data')
    .summary('say what a data set holds')
    .description('Say what a data set holds: samples, shapes, classes, ranges; and what a network would read of it.')
    .argument('<data>', `${dataHelp}; FILE.npz for short`)
    .option('--for <target>', 'FILE or FILE#CONFIG that would read it', parseTarget)
    .option('--limit <n>', 'look at the first N samples only', wholeNumber(1))
    .action((data: string, flags: Flags) => describe(host, data, flags));
  withCommonFlags(withOutsideFlag(withDataFlags(command)), [
    'spikec data mnist:test',
    'spikec data frames.npz --for gesture.spike#events --json',
  ]);
}

function describe(host: Host, data: string, flags: Flags): Promise<void> {
  return runCommand(host, flags, async ({ driver, take }) => {
    const spec = /\.npz$/i.test(data) && !data.startsWith('npz:') && !data.startsWith('idx:') ? `npz:${data}` : data;
    const { dataset, normalisation } = openData(spec, flags, false);
    try {
      if (flags.quiet !== true) for (const note of dataset.notes) host.terminal.err(`note: ${note}\n`);
      const result = take(
        await driver.describeData({
          dataset,
          normalisation,
          allowOutside: flags.allowOutside === true,
          ...defined({ limit: flags.limit, target: flags.for }),
        }),
      );
      return { text: textOf(result), json: result };
    } finally {
      dataset.close();
    }
  });
}

/** Classes that are listed one by one at most. */
const shownClasses = 20;

function textOf(r: DataResult): string {
  const count = (n: number): string => n.toLocaleString('en');
  const number = (n: number): string => String(Number(n.toPrecision(5)));
  const spread = ({ min, max, mean }: DataResult['values']): string =>
    `${number(min)} to ${number(max)}, ${number(mean)} on average`;
  const list = (axes: readonly number[]): string => `[${axes.join(', ')}]`;
  const rows: [string, string][] = [
    ['data', r.name],
    ['samples', r.looked_at < r.samples ? `${count(r.samples)}, ${count(r.looked_at)} looked at` : count(r.samples)],
    [
      'sample',
      `${list(r.shape)}${r.type === undefined ? '' : ` of ${r.type}`}${r.layout === undefined ? '' : `, ${r.layout}`}`,
    ],
    ['in the file', `${spread(r.raw)}, ${(100 * r.raw.zeros).toFixed(1)} % zeros`],
    ['as read', spread(r.values)],
    ['labels', labelsOf(r, count, spread)],
    [
      'first',
      r.first
        .map(({ label, numbers, mean }) => `${numbers?.map(number).join(' ') ?? label ?? '–'} (mean ${number(mean)})`)
        .join('  '),
    ],
  ];
  if (r.network !== undefined) {
    const { input, frames, outputs } = r.network;
    rows.push([
      'network',
      `reads ${list(input)}${frames ? ', a frame a step' : ''}, has ${outputs} output${outputs === 1 ? '' : 's'}: fits`,
    ]);
  }
  return table(rows, ['left', 'left']);
}

function labelsOf(
  { labels, classes = [], numbers = [] }: DataResult,
  count: (n: number) => string,
  spread: (one: DataResult['values']) => string,
): string {
  if (labels === 'none') return 'none';
  if (labels === 'numbers') return numbers.map((one) => `number ${spread(one)}`).join('; ');
  if (classes.length > shownClasses) return `${classes.length} classes`;
  const each = classes.map((one) => `${one.class}: ${count(one.samples)}`).join('  ');
  return `${classes.length} class${classes.length === 1 ? '' : 'es'}; ${each}`;
}
