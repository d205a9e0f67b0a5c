import type { Command } from 'commander';
import {
  type DataFlags,
  type ShapeFlags,
  dataHelp,
  defined,
  inputShapeOption,
  parseTarget,
  shapesFor,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withOutsideFlag,
} from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { isFolder, sampleForm } from '../data/index.js';
import { table } from './table.js';
import type { DataResult } from '../commands/index.js';
import type { CommonOptions, Target } from '../workspace/types.js';

interface Flags extends CommonFlags, DataFlags, ShapeFlags {
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
    .argument('<data>', `${dataHelp}; FILE.npz or a file or folder of recordings for short`)
    .option('--for <target>', 'FILE or FILE#CONFIG that would read it', parseTarget)
    .option('--limit <n>', 'look at the first N samples only', wholeNumber(1))
    .option(...inputShapeOption)
    .action((data: string, flags: Flags) =>
      describe(host, data, { ...flags, ...shapesFor(command, flags, [flags.for]) }),
    );
  withCommonFlags(withOutsideFlag(withDataFlags(command)), [
    'spikec data mnist:test',
    'spikec data frames.npz --for gesture.spike#events --json',
  ]);
}

function describe(host: Host, data: string, flags: Flags & Pick<CommonOptions, 'inputShapes'>): Promise<void> {
  return runCommand(host, flags, async ({ driver, take, data: open }) => {
    const spec = specOf(data);
    const { dataset, normalisation } = await open(spec, flags, false);
    const result = take(
      await driver.describeData({
        dataset,
        normalisation,
        allowOutside: flags.allowOutside === true,
        ...defined({ limit: flags.limit, target: flags.for, inputShapes: flags.inputShapes }),
      }),
    );
    return { text: textOf(result), json: result };
  });
}

/** What a path names: an archive or files of samples, or recordings of events; anything else is the name of a set. */
function specOf(data: string): string {
  if (/^\w[\w-]+:/.test(data)) return data;
  if (/\.npz$/i.test(data)) return `npz:${data}`;
  const form = sampleForm(data);
  if (form !== undefined) return `${form}:${data}`;
  return /\.(bin|aedat4?|h5|hdf5)$/i.test(data) || isFolder(data) ? `events:${data}` : data;
}

/** Classes that are listed one by one at most. */
const shownClasses = 20;

function textOf(r: DataResult): string {
  const count = (n: number): string => n.toLocaleString('en');
  const number = (n: number): string => String(Number.isInteger(n) ? n : Number(n.toPrecision(5)));
  const spread = ({ min, max, mean }: NonNullable<DataResult['values']>): string =>
    `${number(min)} to ${number(max)}, ${number(mean)} on average`;
  const list = (axes: readonly number[]): string => `[${axes.join(', ')}]`;
  const rows: (readonly [string, string])[] = [
    ['data', r.name],
    ['samples', r.looked_at < r.samples ? `${count(r.samples)}, ${count(r.looked_at)} looked at` : count(r.samples)],
    [
      'sample',
      r.recordings === undefined
        ? `${list(r.shape)}${r.type === undefined ? '' : ` of ${r.type}`}${r.layout === undefined ? '' : `, ${r.layout}`}`
        : 'a recording of events',
    ],
    ...(r.raw === undefined
      ? []
      : [['in the file', `${spread(r.raw)}, ${(100 * r.raw.zeros).toFixed(1)} % zeros`] as const]),
    ...(r.values === undefined ? [] : [['as read', spread(r.values)] as const]),
    ...recordingRows(r, spread),
    ['labels', labelsOf(r, count, spread)],
    [
      'first',
      r.first
        .map(({ label, numbers, objects, mean, events }) => {
          const what = mean === undefined ? `${count(events ?? 0)} events` : `mean ${number(mean)}`;
          return `${objects === undefined ? (numbers?.map(number).join(' ') ?? label ?? '–') : counted(objects.length)} (${what})`;
        })
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

/** What recordings hold, and how a network would read them. */
function recordingRows(
  { recordings, shape }: DataResult,
  spread: (one: NonNullable<DataResult['values']>) => string,
): readonly (readonly [string, string])[] {
  if (recordings === undefined) return [];
  const { events, milliseconds, on, seen } = recordings;
  const places =
    seen.rows === undefined ? `channels below ${seen.columns}` : `x below ${seen.columns}, y below ${seen.rows}`;
  const least = seen.rows === undefined ? `[${seen.columns}]` : `[2, ${seen.rows}, ${seen.columns}]`;
  const input = shape.length === 0 ? `${least} or larger` : `[${shape.join(', ')}]`;
  return [
    ['events', `${spread(events)}${on === undefined ? '' : `; ${(100 * on).toFixed(1)} % ON`}`],
    ['length', `${spread(milliseconds)} ms`],
    ['places', places],
    ['to read', `a network with the input ${input} and \`coding events(steps: 10, by: number)\`, or time, or duration`],
  ];
}

const counted = (objects: number): string => `${objects} object${objects === 1 ? '' : 's'}`;

function labelsOf(
  { labels, classes = [], numbers = [], boxes }: DataResult,
  count: (n: number) => string,
  spread: (one: NonNullable<DataResult['values']>) => string,
): string {
  if (labels === 'none') return 'none';
  if (labels === 'numbers') return numbers.map((one) => `number ${spread(one)}`).join('; ');
  if (boxes !== undefined) {
    const each = classes.slice(0, shownClasses).map((one) => `${one.name ?? one.class}: ${count(one.samples)}`);
    const more = classes.length > shownClasses ? ' …' : '';
    return `boxes, ${spread(boxes.objects)} an image, sides ${spread(boxes.sides)} pixels; ${each.join('  ')}${more}`;
  }
  if (classes.length > shownClasses) return `${classes.length} classes`;
  const each = classes.map((one) => `${one.class}: ${count(one.samples)}`).join('  ');
  return `${classes.length} class${classes.length === 1 ? '' : 'es'}; ${each}`;
}
