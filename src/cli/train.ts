import { percent } from '../base/figures.js';
import type { Command } from 'commander';
import {
  choice,
  dataHelp,
  defined,
  numberAboveZero,
  parseTarget,
  wholeNumber,
  withCommonFlags,
  withOutsideFlag,
} from './options.js';
import { type Layout, layouts } from '../data/index.js';
import { type CommonFlags, type Host, placeIn, runCommand } from './session.js';
import { exitCode } from './exit.js';
import { quoted } from './shell.js';
import type { EpochRecord } from '../commands/index.js';
import type { Target } from '../workspace/types.js';
import type { TrainResult } from '../commands/train.js';

interface TrainFlags extends CommonFlags {
  readonly data?: string;
  readonly dataDir?: string;
  readonly layout?: Layout;
  readonly epochs?: number;
  readonly limit?: number;
  readonly engine?: string;
  readonly python?: string;
  readonly threads?: number;
  readonly seed?: number;
  readonly memory?: number;
  readonly lowMemory?: boolean;
  readonly batch?: number;
  readonly lr?: number;
  readonly from?: string;
  readonly resume?: boolean;
  readonly checkpointEvery?: number;
  readonly out?: string;
  readonly allowOutside?: boolean;
}

/** `spikec train FILE[#CONFIG] [--data DATA] [--epochs N] [--limit N] [--engine E] [--seed N] [--resume] [-o RUN]` */
export function addTrain(program: Command, host: Host): void {
  const command = program
    .command('train')
    .summary('train a network on data')
    .description(
      'Train the network of a configuration. The run folder holds the network, its weights, the log and a checkpoint of the last epoch; Ctrl-C ends a training behind the step that is under way and keeps it (a second one ends it at once), --resume goes on with it.',
    )
    .argument('<target>', 'FILE or FILE#CONFIG', parseTarget)
    .option('--data <data>', `in place of the config's: ${dataHelp}`)
    .option('--data-dir <dir>', 'where named data sets lie (or the variable SPIKEC_DATA)')
    .addOption(choice('--layout <layout>', "how channels lie in an NPZ or IDX file, in place of the config's", layouts))
    .option('--epochs <n>', "in place of the config's", wholeNumber(1))
    .option('--limit <n>', 'only the first N images', wholeNumber(2))
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option(
      '--python <path>',
      'the Python that the engine torch runs (default: python3, or the variable SPIKEC_PYTHON)',
    )
    .option('--threads <n>', 'threads inside one operation', wholeNumber(1))
    .option('--seed <n>', 'of weights, order, augmentation and masks', wholeNumber(0))
    .option('--batch <n>', "images a step, in place of the config's", wholeNumber(1))
    .option('--lr <rate>', "the learning rate, in place of the optimiser's", numberAboveZero)
    .option('--from <run>', 'begin with the weights of another run or a NIR file, where names and shapes are the same')
    .option('--memory <mb>', 'keep samples in at most so many MB, and read the others in each epoch', wholeNumber(0))
    .option(
      '--low-memory',
      'compute values again instead of keeping them: the same numbers, in less memory and more time (native, tfjs)',
    )
    .option(
      '--checkpoint-every <steps>',
      'also write the checkpoint every so many steps within an epoch',
      wholeNumber(1),
    )
    .option('--resume', 'go on from the last checkpoint')
    .option('-o, --out <run>', 'run folder (default: runs/NAME-CONFIG)')
    .action((target: Target, flags: TrainFlags) => train(host, target, flags));
  withCommonFlags(withOutsideFlag(command), [
    'spikec train mnist.spike#lif',
    'spikec train mnist.spike#lif --data fashion:train --epochs 5 -o runs/fashion',
    'spikec train mnist.spike#lif --epochs 10 --resume',
  ]);
}

function train(host: Host, target: Target, flags: TrainFlags): Promise<void> {
  const { terminal, interrupt } = host;
  let kept: { readonly run: string; epochs: number } | undefined;
  let running = '';
  // steps of the running epoch that are kept
  let within: number | undefined;
  let stopping = false;
  interrupt.say = () => interrupted(target, flags, kept, { running, within });
  interrupt.ask = () => {
    // between steps it ends by itself; what else takes time has nothing to keep
    if (kept === undefined || !running.startsWith('epoch ')) return false;
    stopping = true;
    terminal.err('\nstopping behind this step (Ctrl-C again: at once)\n');
    return true;
  };
  return runCommand(
    host,
    flags,
    async ({ driver, progress, clear, take, warn }) => {
      const result = take(
        await driver.trainTarget(target, {
          allowOutside: flags.allowOutside === true,
          resume: flags.resume === true,
          ...(flags.lowMemory === true ? { lowMemory: true } : {}),
          onProgress: (one) => {
            running = placeIn(one);
            progress(one);
          },
          onEngine: (name) => {
            clear();
            if (flags.quiet !== true) terminal.err(`engine ${name}\n`);
          },
          onRun: (run, epochs, steps) => {
            kept = { run, epochs };
            within = steps;
          },
          stopping: () => stopping,
          onCheckpoint: ({ step }) => (within = step),
          onWarning: warn,
          onEpoch: (record) => {
            clear();
            if (kept !== undefined) kept.epochs = record.epoch;
            within = undefined;
            if (flags.json === true) terminal.out(`${JSON.stringify(record)}\n`);
            else if (flags.quiet !== true) terminal.out(epochLine(record, terminal.outColumns) + bitLines(record));
          },
          ...defined({
            data: flags.data,
            dataDir: flags.dataDir,
            layout: flags.layout,
            epochs: flags.epochs,
            limit: flags.limit,
            engine: flags.engine,
            python: flags.python,
            threads: flags.threads,
            seed: flags.seed,
            memory: flags.memory,
            batch: flags.batch,
            rate: flags.lr,
            from: flags.from,
            checkpointEvery: flags.checkpointEvery,
            run: flags.out,
          }),
        }),
      );
      if (result.stopped === 'asked') {
        terminal.err(interrupted(target, flags, kept, { running, within }));
        return { text: '', json: result, code: exitCode.interrupted };
      }
      delete interrupt.say;
      return { text: summary(result, flags), json: result };
    },
    { jsonLines: true },
  );
}

/** What is lost and what is kept, and the command that goes on. */
function interrupted(
  target: Target,
  flags: TrainFlags,
  kept: { readonly run: string; readonly epochs: number } | undefined,
  { running, within }: { readonly running: string; readonly within: number | undefined },
): string {
  if (kept === undefined) return 'interrupted before anything was written\n';
  const where = running === '' ? '' : ` in ${running}`;
  const { run, epochs } = kept;
  const what =
    epochs === 0 ? 'no epoch was done yet' : `${epochs} epoch${epochs === 1 ? ' is' : 's are'} kept in ${run}`;
  const lost =
    within === undefined
      ? 'what the running epoch did is lost'
      : `the first ${within.toLocaleString('en')} step${within === 1 ? '' : 's'} of the running epoch are kept`;
  return `interrupted${where}: ${lost}, ${what}\nTo go on: ${resumeCommand(target, flags, run)}\n`;
}

function resumeCommand({ path, config }: Target, flags: TrainFlags, run: string): string {
  const options = [
    ['--data', flags.data],
    ['--data-dir', flags.dataDir],
    ['--layout', flags.layout],
    ['--epochs', flags.epochs],
    ['--batch', flags.batch],
    ['--lr', flags.lr],
    ['--from', flags.from],
    ['--memory', flags.memory],
    ['--limit', flags.limit],
    ['--engine', flags.engine],
    ['--python', flags.python],
    ['--threads', flags.threads],
    ['--seed', flags.seed],
    ['--checkpoint-every', flags.checkpointEvery],
    ['-o', run],
  ].flatMap(([name, value]) => (value === undefined ? [] : [String(name), quoted(String(value))]));
  const file = quoted(config === undefined ? path : `${path}#${config}`);
  const outside = flags.allowOutside === true ? ['--allow-outside'] : [];
  const low = flags.lowMemory === true ? ['--low-memory'] : [];
  return ['spikec train', file, ...options, ...low, ...outside, '--resume'].join(' ');
}

/** `accuracy 93.41 %`, or of labels that are numbers `error 0.0312`, the mean absolute one. */
function figureOf({
  accuracy,
  mae,
  map50,
  map,
}: {
  readonly accuracy?: number | undefined;
  readonly mae?: number | undefined;
  readonly map50?: number | undefined;
  readonly map?: number | undefined;
}): string {
  if (map50 !== undefined) return `mAP@50 ${percent(map50)}, mAP@50:95 ${percent(map ?? 0)}`;
  return mae === undefined ? `accuracy ${percent(accuracy ?? 0)}` : `error ${Number(mae.toPrecision(4))}`;
}

/**
 * `epoch 1  loss 0.2134  training accuracy 93.41 %  validation 97.12 %  firing 0.120–0.310  94.2 s`; on a screen that
 * is too narrow for it what has no room stands in the next line.
 */
function epochLine(record: EpochRecord, columns = Infinity): string {
  const { epoch, loss, firing, seconds } = record;
  const held = { accuracy: record.val_accuracy, mae: record.val_mae, map50: record.val_map50, map: record.val_map };
  const own = record.accuracy ?? record.mae ?? record.map50;
  const rates = Object.values(firing);
  const parts = [
    `epoch ${epoch}`,
    `loss ${loss.toFixed(4)}`,
    ...(own === undefined ? [] : [`training ${figureOf(record)}`]),
    ...(held.accuracy === undefined && held.mae === undefined && held.map50 === undefined
      ? []
      : [`validation ${figureOf(held).replace('accuracy ', '')}`]),
    ...(rates.length === 0 ? [] : [`firing ${Math.min(...rates).toFixed(3)}–${Math.max(...rates).toFixed(3)}`]),
    `${seconds.toFixed(1)} s`,
  ];
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)!}  ${part}`;
    if (lines.length === 0 || longer.length >= columns) lines.push(lines.length === 0 ? part : `  ${part}`);
    else lines[lines.length - 1] = longer;
  }
  return `${lines.join('\n')}\n${outputLines(record)}`;
}

/** Of several outputs a line each: `  digit    training accuracy 93.41 %  validation 97.12 %`. */
function outputLines({ outputs = {} }: EpochRecord): string {
  const width = Math.max(0, ...Object.keys(outputs).map((name) => name.length));
  return Object.entries(outputs)
    .map(([name, one]) => {
      const held = { accuracy: one.val_accuracy, mae: one.val_mae };
      const validated =
        held.accuracy === undefined && held.mae === undefined
          ? ''
          : `  validation ${figureOf(held).replace('accuracy ', '')}`;
      return `  ${name.padEnd(width)}  training ${figureOf(one)}${validated}\n`;
    })
    .join('');
}

/**
 *     best epoch 7: validation 98.20 %, in runs/x/best
 *     last epoch 12: validation 97.90 %, in runs/x; stopped early, as no epoch was better for a while
 */
function summary({ best, last, run, stopped, data }: TrainResult, flags: TrainFlags): string {
  const figure = (of: TrainResult['last']): string =>
    best.validated ? `validation ${figureOf(of).replace('accuracy ', '')}` : `training ${figureOf(of)}`;
  const why = stopped === 'patience' ? '; stopped early, as no epoch was better for a while' : '';
  const same = best.epoch === last.epoch;
  const lines = [
    `best epoch ${best.epoch}: ${figure(best)}, in ${same ? run : best.folder}${same ? why : ''}`,
    ...(same ? [] : [`last epoch ${last.epoch}: ${figure(last)}, in ${run}${why}`]),
    `run folder ${run}`,
  ];
  const test = /^\w+:train$/.test(data) ? data.replace(/train$/, 'test') : 'DATA';
  const folder = flags.dataDir === undefined || test === 'DATA' ? '' : ` --data-dir ${quoted(flags.dataDir)}`;
  return `${lines.join('\n')}\nNext: spikec eval ${quoted(same ? run : best.folder)} --data ${test}${folder}\n`;
}

/**
 * With learned bits: the loss's terms, the mean and each layer's bits, and how many step sizes were renewed.
 *
 *     weights 2.31: 4 3 3 2
 */
function bitLines({ bits, terms, renewals, settled = [] }: EpochRecord): string {
  if (bits === undefined) return '';
  const lines: string[] = [];
  if (terms !== undefined) {
    lines.push(
      `  loss  ${Object.entries(terms)
        .map(([name, value]) => `${name} ${value.toFixed(4)}`)
        .join('  ')}`,
    );
  }
  for (const kind of ['weights', 'spikes', 'steps'] as const) {
    const mean = bits[kind];
    if (mean === undefined) continue;
    const each = Object.values(bits.layers).flatMap((layer) => (layer[kind] === undefined ? [] : [layer[kind]]));
    lines.push(`  ${kind.padEnd(7)} ${mean.toFixed(2)}: ${each.join(' ')}`);
  }
  if (renewals !== undefined) lines.push(`  ${renewals.length} step sizes renewed`);
  for (const { kind, mean, target, step } of settled) {
    lines.push(`  ${kind} settled at ${mean.toFixed(2)} (target ${target}) before step ${step}`);
  }
  return `${lines.join('\n')}\n`;
}
