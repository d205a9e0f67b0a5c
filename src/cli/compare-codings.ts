import { count, percent } from '../base/figures.js';
import { type Command, InvalidArgumentError } from 'commander';
import type { CompareCodingsResult } from '../commands/compare-codings.js';
import type { VerifyLevel } from '../workspace/types.js';
import {
  type DataFlags,
  type ShapeFlags,
  dataHelp,
  defined,
  inputShapeOption,
  realNumber,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withVerifyFlag,
} from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';

interface CompareFlags extends CommonFlags, DataFlags, ShapeFlags {
  readonly data: string;
  readonly codings?: string;
  readonly calibrate?: string;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly within: number;
  readonly residuals?: boolean;
  readonly out?: string;
  readonly verify?: boolean | VerifyLevel;
}

/** `spikec compare-codings NET.onnx --data DATA [--codings sws,rate:16] [-o codings.html]` */
export function addCompareCodings(program: Command, host: Host): void {
  const command = program
    .command('compare-codings')
    .summary('a network in several codings: accuracy over latency, operations and energy')
    .description(
      'Convert an ONNX network to several codings, measure each on the same data, and say which takes the fewest steps and operations: a table, JSON, or one page with plots of accuracy over latency, operations and energy.',
    )
    .argument('<network>', 'ONNX file')
    .requiredOption('--data <data>', dataHelp)
    .option(
      '--codings <list>',
      'codings as NAME, NAME:STEPS, sws:STEPS/SILENT or sws:STEPS/SILENT/full (threshold θ), with commas (default: all)',
    )
    .option(
      '--residuals',
      'also what SWS neurons keep behind their trains (default codings: sws with θ or θ/2, and Ts 0 or 2)',
    )
    .option('--calibrate <data>', 'data to measure ranges on, of activations without a quantiser')
    .option('--within <points>', 'how far below the ANN counts as equal, in points of per cent', points, 0.5)
    .option('--limit <n>', 'only the first N images', wholeNumber(1))
    .option('--batch <n>', 'images per batch', wholeNumber(1))
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option('--threads <n>', 'threads inside one operation', wholeNumber(1))
    .option('-o, --out <file>', 'also write a page with plots')
    .option(...inputShapeOption)
    .action((network: string, flags: CompareFlags) => compare(host, network, flags));
  withCommonFlags(withVerifyFlag(withDataFlags(command)), [
    'spikec compare-codings lenet5.onnx --data mnist:test --limit 500 -o codings.html',
    'spikec compare-codings net.onnx --data cifar10:test --codings sws,rate:16,ttfs:64',
    'spikec compare-codings net.onnx --data cifar10:test --residuals -o residuals.html',
  ]);
}

function points(text: string): number {
  const value = realNumber(text);
  if (value < 0 || value > 100) throw new InvalidArgumentError('A number from 0 to 100 is expected.');
  return value;
}

function compare(host: Host, network: string, flags: CompareFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const { dataset, normalisation } = await data(flags.data, flags);
    const calibrate = flags.calibrate === undefined ? undefined : await data(flags.calibrate, flags, false);
    const result = take(
      await driver.compareCodings(network, {
        dataset,
        normalisation,
        within: flags.within,
        onProgress: progress,
        ...(calibrate === undefined ? {} : { calibrate: calibrate.dataset }),
        ...defined({
          codings: flags.codings,
          residuals: flags.residuals,
          limit: flags.limit,
          batch: flags.batch,
          engine: flags.engine,
          threads: flags.threads,
          outFile: flags.out,
          verify: flags.verify,
          inputShapes: flags.inputShape,
        }),
      }),
    );
    return { text: describe(result), json: result };
  });
}

/** The share of residuals up to a multiple of the bins' width. */
function shareUpTo(
  { density, width }: NonNullable<CompareCodingsResult['points'][number]['residuals']>,
  most: number,
): number {
  return density.slice(0, Math.round(most / width)).reduce((sum, one) => sum + one * width, 0);
}

const whole = (n: number | undefined): string => (n === undefined ? '–' : count(n));

function describe({
  network,
  samples,
  data,
  ann,
  within,
  points: all,
  refused,
  best,
  file,
}: CompareCodingsResult): string {
  const rows = all.map((one) => [
    one.name,
    percent(one.accuracy),
    percent(one.agreement),
    whole(one.latency_steps),
    whole(one.critical_path_steps),
    whole(one.operations),
    one.spikes_per_neuron.toFixed(2),
    (one.energy_pj * 1e-6).toFixed(2),
  ]);
  const kept = all.flatMap(({ name, residuals: one }) =>
    one === undefined ? [] : [[name, one.mean.toFixed(3), percent(shareUpTo(one, 0.5)), percent(shareUpTo(one, 1))]],
  );
  const head = [
    'coding',
    'accuracy',
    'agreement',
    'latency',
    'critical path',
    'operations',
    'spikes/neuron',
    'energy, µJ',
  ];
  const right = (n: number): ('left' | 'right')[] => ['left', ...new Array<'right'>(n).fill('right')];
  const least = best.map((one) => [
    one.coding,
    percent(one.accuracy),
    whole(one.latency_steps),
    whole(one.critical_path_steps),
    whole(one.operations),
  ]);
  return [
    `${network}, ${whole(samples)} samples of ${data}: ANN ${percent(ann.accuracy)}\n\n`,
    table([head, ...rows], right(7)),
    `\nthe least with at most ${within} points below the ANN\n`,
    table([['coding', 'best accuracy', 'steps', 'critical path', 'operations'], ...least], right(4)),
    ...(kept.length === 0
      ? []
      : ['\nresiduals |u|/β^Ts, in θ\n', table([['coding', 'mean', 'up to 0.5', 'up to 1'], ...kept], right(3))]),
    ...refused.map(
      ({ name, reason, help }) => `\n${name}: ${reason}\n${help === undefined ? '' : `  = help: ${help}\n`}`,
    ),
    ...(file === undefined ? [] : [`\n${file}\n`]),
  ].join('');
}
