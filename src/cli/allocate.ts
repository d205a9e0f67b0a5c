import { count, percent } from '../base/figures.js';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type ShapeFlags,
  dataHelp,
  defined,
  inputShapeOption,
  listOf,
  parseTarget,
  realNumber,
  shapesFor,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withOutsideFlag,
  withVerifyFlag,
} from './options.js';
import { type Host, runCommand } from './session.js';
import { table } from './table.js';
import { type CodingFlags, allocateCoding, codingGoal } from './allocate-coding.js';
import type { AllocateResult, BitBudget, SilentGoal } from '../commands/index.js';
import { type CommonOptions, type Target, conversionCodings } from '../workspace/types.js';

interface AllocateFlags extends CodingFlags, ShapeFlags {
  readonly bytes?: number;
  readonly weightBits?: number;
  readonly sAce?: number;
  readonly silent?: boolean;
  readonly latency?: number;
  readonly agreement?: number;
  readonly loss?: number;
  readonly least?: number;
  readonly most?: number;
  readonly allowOutside?: boolean;
}

/** `spikec allocate FILE[#CONFIG] --data DATA --bytes N|--weight-bits B|--s-ace N` or `--silent --latency N|…` */
export function addAllocate(program: Command, host: Host): void {
  const command = program
    .command('allocate')
    .summary('choose bits of weights, or silent periods, layer by layer')
    .description(
      'Choose the bits of each layer’s weights for a budget, or with --silent the silent period of each layer for a latency or an error bound, by their measured effect on the output; or with --codings a coding and its parameters for bounds on latency, operations and accuracy. Writes a model file with the allocation and the compiled network.',
    )
    .argument('<target>', 'FILE, FILE#CONFIG or NET.onnx, or a run folder', parseTarget)
    .requiredOption('--data <data>', `images to measure on (calibration): ${dataHelp}`)
    .option('--bytes <n>', 'budget: size of all weights and biases', positive)
    .option('--weight-bits <b>', 'budget: the size of this many bits everywhere', positive)
    .option('--s-ace <n>', 'budget: S-ACE (spikec cost)', positive)
    .option('--silent', 'choose silent periods of `coding sws(…)` instead of bits')
    .option('--latency <steps>', 'with --silent: latency at most', wholeNumber(1))
    .option('--agreement <fraction>', 'with --silent: predictions equal to the quantised network’s, at least', fraction)
    .option('--loss <fraction>', 'with --silent: accuracy lost on the calibration images, at most', fraction)
    .option(
      '--codings <list>',
      'choose among these codings of an ONNX file instead (default: all)',
      listOf(conversionCodings),
    )
    .option('--max-latency <steps>', 'a coding: latency at most', wholeNumber(1))
    .option('--max-operations <n>', 'a coding: operations an image at most (spikec compare-codings)', positive)
    .option('--min-accuracy <fraction>', 'a coding: accuracy at least; takes the fewest steps', fraction)
    .option('--calibrate <data>', 'a coding: data to measure ranges on, of activations without a quantiser')
    .addOption(range('--least <n>', 'fewest bits of a layer (default: 2); with --silent fewest silent steps (0)'))
    .addOption(range('--most <n>', 'most bits of a layer (default: 8); with --silent most silent steps (3), up to Tc'))
    .option('--limit <n>', 'measure on the first N images (default: 512; with --silent 256)', wholeNumber(1))
    .option('--batch <n>', 'images per batch', wholeNumber(1))
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option('--threads <n>', 'threads inside one operation', wholeNumber(1))
    .option('-o, --out <dir>', 'folder to write; without it nothing is written')
    .option(...inputShapeOption)
    .action((target: Target, given: AllocateFlags) => {
      const flags = { ...given, ...shapesFor(command, given, [target]) };
      const wish = codingGoal(flags, goalOf(flags) !== noGoal || flags.least !== undefined || flags.most !== undefined);
      if (typeof wish === 'string') return command.error(`error: ${wish}`);
      if (wish !== undefined && (target.config !== undefined || !/\.onnx$/i.test(target.path)))
        return command.error('error: a coding is chosen for an ONNX file');
      if (wish !== undefined) return allocateCoding(host, target, wish, flags);
      const goal = goalOf(flags);
      if (typeof goal === 'string') return command.error(`error: ${goal}`);
      const problem = rangeProblem(flags);
      if (problem !== undefined) return command.error(`error: ${problem}`);
      return allocate(host, target, goal, flags);
    });
  withCommonFlags(withVerifyFlag(withOutsideFlag(withDataFlags(command))), [
    'spikec allocate resnet20.onnx --data cifar10:train --weight-bits 4 -o resnet20-4bit',
    'spikec allocate net.onnx --data cifar10:train --codings sws,rate,ttfs --max-latency 40 -o net-40',
    'spikec allocate lenet5.spike#fast --data mnist:train --silent --agreement 0.995 -o lenet5-fast',
  ]);
}

function range(flags: string, description: string): Option {
  return new Option(flags, description).argParser(wholeNumber(0));
}

function positive(text: string): number {
  const value = realNumber(text);
  if (value <= 0) throw new InvalidArgumentError('A number above 0 is expected.');
  return value;
}

function fraction(text: string): number {
  const value = realNumber(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('A fraction between 0 and 1 is expected.');
  return value;
}

const noGoal = 'one budget is needed: --bytes, --weight-bits or --s-ace';

/** The one goal that the flags name, or what is wrong with them. */
function goalOf({ silent, bytes, weightBits, sAce, latency, agreement, loss }: AllocateFlags): Goal | string {
  const budgets = ofUnits<BitBudget['unit']>({ bytes, weight_bits: weightBits, s_ace: sAce });
  const goals = ofUnits<SilentGoal['unit']>({ latency, agreement, loss });
  if (silent === true) {
    if (budgets.length > 0)
      return '--bytes, --weight-bits and --s-ace are budgets of bits: leave them out with --silent';
    return goals.length === 1 ? goals[0]! : '--silent needs one of --latency, --agreement and --loss';
  }
  if (goals.length > 0) return '--latency, --agreement and --loss belong to --silent';
  return budgets.length === 1 ? budgets[0]! : noGoal;
}

type Goal = BitBudget | SilentGoal;

function ofUnits<U extends string>(values: Record<U, number | undefined>): { unit: U; value: number }[] {
  return (Object.entries(values) as [U, number | undefined][]).flatMap(([unit, value]) =>
    value === undefined ? [] : [{ unit, value }],
  );
}

const mostBits = 16;
const mostSilent = 24;

function rangeProblem({ silent, least, most }: AllocateFlags): string | undefined {
  const [low, high] = silent === true ? [0, mostSilent] : [1, mostBits];
  const bad = [least, most].find((n) => n !== undefined && (n < low || n > high));
  if (bad === undefined) return undefined;
  return `${silent === true ? 'silent steps of a layer' : 'bits of a weight'} are ${low} to ${high}, not ${bad}`;
}

function allocate(
  host: Host,
  target: Target,
  goal: Goal,
  flags: AllocateFlags & Pick<CommonOptions, 'inputShapes'>,
): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const { dataset, normalisation } = await data(flags.data, flags);
    const result = take(
      await driver.allocateTarget(target, {
        goal,
        dataset,
        normalisation,
        allowOutside: flags.allowOutside === true,
        onProgress: progress,
        ...defined({
          least: flags.least,
          most: flags.most,
          limit: flags.limit,
          batch: flags.batch,
          engine: flags.engine,
          threads: flags.threads,
          verify: flags.verify,
          outDir: flags.out,
          inputShapes: flags.inputShapes,
        }),
      }),
    );
    return { text: describe(result), json: result };
  });
}

function describe(result: AllocateResult): string {
  const { total, calibration, exact } = result;
  const silent = total.latency_steps !== undefined;
  const rows = result.layers.map((layer) =>
    silent
      ? [layer.id, String(layer.silent), small(layer.error)]
      : [layer.id, count(layer.params ?? 0), String(layer.weight_bits), small(layer.error)],
  );
  const head = silent ? ['layer', 'silent', 'error'] : ['layer', 'params', 'bits', 'error'];
  const layers = table([head, ...rows], ['left', ...head.slice(1).map(() => 'right' as const)]);
  const sums: [string, string][] = silent
    ? [['latency', `${total.latency_steps} steps`]]
    : [
        ['size', `${count(total.size_bytes ?? 0)} bytes`],
        ['bits a weight', (total.weight_bits ?? 0).toFixed(3)],
        ['S-ACE', count(total.s_ace ?? 0)],
      ];
  const measured: [string, string][] = [
    ['sum of errors', `${small(total.error)}, ${exact ? 'the least there is' : 'not proven least'}`],
    ['error together', `${small(calibration.error)} on ${count(calibration.samples)} images`],
    ['accuracy there', `${percent(calibration.accuracy)}, before ${percent(calibration.source.accuracy)}`],
    ['agreement there', percent(calibration.source.agreement)],
  ];
  return `${layers}\n${table([...sums, ...measured], ['left', 'left'])}${next(result)}`;
}

function small(error: number): string {
  return error === 0 ? '0' : error.toPrecision(3);
}

function next({ files, outDir, target }: AllocateResult): string {
  if (outDir === undefined) return '';
  const list = files.map((file) => `  ${outDir}/${file}\n`).join('');
  return `\nwritten:\n${list}\nNext: spikec eval ${target ?? outDir} --data DATA\n`;
}
