import { count, percent } from '../base/figures.js';
import type { Command } from 'commander';
import {
  type DataFlags,
  dataHelp,
  defined,
  parseTarget,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withOutsideFlag,
  withVerifyFlag,
} from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';
import type { EvalResult } from '../commands/index.js';
import type { Target, VerifyLevel } from '../workspace/types.js';

interface EvalFlags extends CommonFlags, DataFlags {
  readonly data: string;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly stages?: boolean;
  readonly activity?: boolean;
  readonly confusion?: boolean;
  readonly boxes?: string;
  readonly allowOutside?: boolean;
  readonly verify?: boolean | VerifyLevel;
}

/** `spikec eval FILE[#CONFIG] --data DATA [--limit N] [--batch N]` */
export function addEval(program: Command, host: Host): void {
  const command = program
    .command('eval')
    .summary('measure accuracy on data')
    .description(
      'Measure the accuracy of a spiking network on data; for a conversion also that of its source network, and how often both agree.',
    )
    .argument('<target>', 'FILE or FILE#CONFIG', parseTarget)
    .requiredOption('--data <data>', dataHelp)
    .option('--limit <n>', 'only the first N images', wholeNumber(1))
    .option('--batch <n>', 'images per batch', wholeNumber(1))
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option('--threads <n>', 'threads inside one operation', wholeNumber(1))
    .option('--stages', 'also accuracy at each stage of a conversion, and differences per layer')
    .option('--activity', 'also entropy, firing rate and level histogram of each layer of neurons')
    .option('--boxes <file>', 'write the boxes that a detector finds, as COCO’s results (JSON)')
    .option('--confusion', 'also accuracy by class, and which classes are taken for which')
    .action((target: Target, flags: EvalFlags) => evaluate(host, target, flags));
  withCommonFlags(withVerifyFlag(withOutsideFlag(withDataFlags(command))), [
    'spikec eval lenet5.spike --data mnist:test',
    'spikec eval resnet20.spike#fast --data cifar10:test --data-dir ../data --limit 500 --stages',
  ]);
}

function evaluate(host: Host, target: Target, flags: EvalFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const { dataset, normalisation } = await data(flags.data, flags);
    const result = take(
      await driver.evaluateTarget(target, {
        dataset,
        normalisation,
        stages: flags.stages === true,
        activity: flags.activity === true,
        confusion: flags.confusion === true,
        allowOutside: flags.allowOutside === true,
        onProgress: progress,
        ...defined({
          limit: flags.limit,
          batch: flags.batch,
          engine: flags.engine,
          threads: flags.threads,
          verify: flags.verify,
          boxFile: flags.boxes,
        }),
      }),
    );
    return { text: describeResult(result), json: result };
  });
}

function describeResult(r: EvalResult): string {
  const rows: [string, string][] = [
    ['samples', count(r.samples)],
    ...[...accuracyRows(r), ...distanceRows(r)].map(([name, value]): [string, string] => [
      r.outputs === undefined ? name : `${r.outputs[0]!.name}: ${name}`,
      value,
    ]),
    ...firstSpikeRows(r.first_spike),
    ...outputRows(r),
    ...precisionRows(r),
    ['spikes per neuron', r.spikes_per_neuron.toFixed(3)],
    ['operations per frame', count(r.opf)],
    ['latency', `${r.latency_steps} steps`],
    ['time', `${r.seconds.toFixed(1)} s (${(r.samples / Math.max(r.seconds, 1e-9)).toFixed(0)} images/s)`],
    ['engine', r.engine],
  ];
  return (
    table(rows, ['left', 'left']) +
    stepsTable(r) +
    stagesTable(r) +
    layersTable(r) +
    activityTable(r) +
    (r.outputs === undefined
      ? confusionTable(r)
      : r.outputs.map((one) => named(one.name, confusionTable({ ...r, ...one }))).join('')) +
    precisionTable(r)
  );
}

function accuracyRows({ accuracy, source }: EvalResult): [string, string][] {
  if (accuracy === undefined) return [];
  const rows: [string, string][] = [['accuracy', percent(accuracy)]];
  if (source?.accuracy !== undefined) rows.push(['source accuracy', percent(source.accuracy)]);
  if (source?.agreement !== undefined) rows.push(['agreement', percent(source.agreement)]);
  return rows;
}

/** When the first spike of an output comes, of one that is read out by it. */
function firstSpikeRows(first: EvalResult['first_spike'], name = ''): [string, string][] {
  if (first === undefined) return [];
  const when =
    first.step === undefined
      ? 'in no sample'
      : `step ${first.step.toFixed(2)}, in ${percent(first.share)} of the samples`;
  return [[`${name}first spike`, when]];
}

/** The figures of each output behind the first. */
function outputRows({ outputs = [] }: EvalResult): [string, string][] {
  return outputs.slice(1).flatMap(({ name, accuracy, regression, first_spike }): [string, string][] => {
    if (accuracy !== undefined)
      return [[`${name}: accuracy`, percent(accuracy)], ...firstSpikeRows(first_spike, `${name}: `)];
    if (regression === undefined) return [[name, 'no labels of this name']];
    return regressionRows(`${name}: `, regression);
  });
}

function named(name: string, text: string): string {
  return text === '' ? '' : `\n${name}${text}`;
}

/** Outputs against labels that are numbers. */
function distanceRows({ regression, source }: EvalResult): [string, string][] {
  const apart = source?.difference;
  return [
    ...regressionRows('', regression),
    ...regressionRows('source ', source?.regression),
    ...(apart === undefined ? [] : ([['mean difference from the source', digits(apart.mae)]] as [string, string][])),
  ];
}

type Masks = NonNullable<NonNullable<EvalResult['regression']>['masks']>;

function maskRows(name: string, { accuracy, iou }: Masks): [string, string][] {
  const overlap: [string, string][] = iou === undefined ? [] : [[`${name}intersection over union`, iou.toFixed(4)]];
  return [[`${name}outputs on the right side`, percent(accuracy)], ...overlap];
}

function regressionRows(name: string, found: EvalResult['regression']): [string, string][] {
  if (found === undefined) return [];
  const none = found.outputs === undefined ? 'labels are all the same' : 'none: an output has one number only';
  return [
    ...(found.masks === undefined ? [] : maskRows(name, found.masks)),
    [`${name}mean absolute error`, digits(found.mae)],
    [`${name}root mean square error`, digits(found.rmse)],
    ...(found.psnr === undefined ? [] : ([[`${name}PSNR`, `${found.psnr.toFixed(2)} dB`]] as [string, string][])),
    [`${name}R²`, found.r2 === undefined ? none : found.r2.toFixed(4)],
  ];
}

/** Boxes against those that are there. */
function precisionRows({ map50, map }: EvalResult): [string, string][] {
  if (map50 === undefined || map === undefined) return [];
  return [
    ['mAP@50', percent(map50)],
    ['mAP@50:95', percent(map)],
  ];
}

function precisionTable({ class_precision: classes }: EvalResult): string {
  if (classes === undefined) return '';
  const shown = (value: number | undefined): string => (value === undefined ? '–' : percent(value));
  const rows = classes.map(({ class: label, name, objects, map50, map }) => [
    name ?? String(label),
    objects.toLocaleString('en'),
    shown(map50),
    shown(map),
  ]);
  return `\n${table([['class', 'objects', 'AP@50', 'AP@50:95'], ...rows], ['left', 'right', 'right', 'right'])}`;
}

const digits = (value: number): string => String(Number(value.toPrecision(5)));

function stepsTable({ by_steps: bySteps }: EvalResult): string {
  if (bySteps === undefined || bySteps.length < 2) return '';
  const rows = bySteps.map((s) => [String(s.steps), percent(s.accuracy)]);
  return `\n${table([['steps', 'accuracy'], ...rows], ['right', 'right'])}`;
}

/** The most levels whose shares are shown one by one; more are drawn as a histogram. `--json` has all. */
const shownLevels = 8;

function activityTable({ activity }: EvalResult): string {
  if (activity === undefined) return '';
  const rows = activity.map((l) => {
    const shares = l.levels.map(({ probability }) => probability);
    const shown =
      shares.length <= shownLevels ? shares.map((share) => (100 * share).toFixed(1)).join(' ') : histogram(shares);
    const carried = `${l.entropy.toFixed(3)} of ${Math.log2(shares.length).toFixed(2)}`;
    return [l.id, carried, percent(l.firing_rate), levelsText(l.levels), shown];
  });
  const head = ['layer', 'entropy, bits', 'firing rate', 'levels', 'share of each level, %'];
  return `\n${table([head, ...rows], ['left', 'right', 'right', 'left', 'left'])}`;
}

/** `0, 0.5 … 3.5` */
function levelsText(levels: readonly { readonly value: number }[]): string {
  const values = levels.map(({ value }) => String(Number(value.toPrecision(6))));
  return values.length <= 3 ? values.join(', ') : `${values[0]}, ${values[1]} … ${values.at(-1)}`;
}

const bars = '▁▂▃▄▅▆▇█';

/** Shares of up to 16 ranges of levels as bars, the height by the logarithm: a step is a factor of 2. */
function histogram(shares: readonly number[]): string {
  const ranges = new Array<number>(Math.min(16, shares.length)).fill(0);
  shares.forEach((share, i) => (ranges[Math.floor((i * ranges.length) / shares.length)]! += share));
  const height = (share: number): number => Math.max(0, Math.min(7, Math.ceil(7 + Math.log2(share))));
  return ranges.map((share) => (share === 0 ? ' ' : bars[height(share)]!)).join('');
}

/** Classes that a matrix is drawn of at most; of more, accuracies alone. */
const shownClasses = 40;

/** A row for each class: its samples, its accuracy, and how many of them are predicted as which class. */
function confusionTable({ classes, confusion }: EvalResult): string {
  if (classes === undefined || confusion === undefined) return '';
  const drawn = classes.length <= shownClasses;
  const rows = classes.map(({ class: label, samples, accuracy }, i) => [
    String(label),
    samples.toLocaleString('en'),
    accuracy === undefined ? '' : percent(accuracy),
    ...(drawn ? confusion[i]!.map((n) => (n === 0 ? '·' : String(n))) : []),
  ]);
  const head = ['class', 'samples', 'accuracy', ...(drawn ? classes.map((one) => `as ${one.class}`) : [])];
  return `\n${table(
    [head, ...rows],
    head.map(() => 'right'),
  )}`;
}

function stagesTable({ stages }: EvalResult): string {
  if (stages === undefined) return '';
  const count = (n: number | undefined): string => (n === undefined ? '' : n.toLocaleString('en'));
  const rows = stages.map(({ stage, accuracy, agreement, before }) => [
    stage,
    percent(accuracy),
    percent(agreement),
    before === undefined ? '' : percent(before.agreement),
    count(before?.differing),
    count(before?.ties),
    before?.first ?? '',
  ]);
  const head = ['stage', 'accuracy', 'agreement', 'with the last', 'codes differing', 'of them ties', 'from'];
  return `\n${table([head, ...rows], ['left', 'right', 'right', 'right', 'right', 'right', 'left'])}`;
}

function layersTable({ layers }: EvalResult): string {
  if (layers === undefined) return '';
  const rows = layers.map((l) => [
    l.id,
    l.codes.toLocaleString('en'),
    l.differing.toLocaleString('en'),
    String(l.max_difference),
    l.mean_residual.toFixed(3),
    l.max_residual.toFixed(3),
  ]);
  const head = ['layer', 'codes', 'differing', 'by at most', 'residual mean', 'max'];
  return `\n${table([head, ...rows], ['left', 'right', 'right', 'right', 'right', 'right'])}`;
}
