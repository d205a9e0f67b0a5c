import { type Command, InvalidArgumentError } from 'commander';
import { type CodeRange, codeRangeOf } from '../base/code-range.js';
import type { InputShape } from '../base/input-shape.js';
import { parseNormalisation } from '../data/index.js';
import { summary } from './compile.js';
import { checkConvertFlags } from './convert-options.js';
import {
  inputShapeOption,
  type DataFlags,
  choice,
  dataHelp,
  defined,
  listOf,
  realNumber,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withVerifyFlag,
} from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import {
  type Artifact,
  type Balancing,
  type ConversionCoding,
  type Encoder,
  artifacts,
  balancings,
  conversionCodings,
  encoders,
} from '../workspace/types.js';
import type { ConvertResult } from '../commands/index.js';
import type { VerifyLevel } from '../workspace/types.js';

interface ConvertFlags extends CommonFlags, DataFlags {
  readonly coding: ConversionCoding;
  readonly steps?: number;
  readonly silent?: number | 'auto' | 'proven';
  readonly keep?: 'codes' | 'predictions';
  readonly margin?: number;
  readonly beta?: number;
  readonly encoder?: Encoder;
  readonly seed?: number;
  readonly look?: number;
  readonly period?: number;
  readonly theta?: number;
  readonly longest?: number;
  readonly tau?: number;
  readonly calibrate?: string;
  readonly percentile?: number;
  readonly balance?: Balancing | true;
  readonly limit?: number;
  readonly integer?: number;
  readonly fraction?: number;
  readonly largest?: number;
  readonly perUnit?: number;
  readonly output?: string;
  readonly inputCodes?: CodeRange;
  readonly inputShape?: readonly InputShape[];
  readonly emit?: readonly Artifact[];
  readonly out?: string;
  readonly verify?: boolean | VerifyLevel;
  readonly strict?: boolean;
}

const verifies = 'compare the import with onnxruntime layer by layer, and the SNN with its source on a few inputs';

/** `spikec convert NET.onnx [--coding sws|rate|signed|offset|mbif|ibra|binary|phase|burst|ttfs|ttfs_dynamic|tsc|pattern] [--steps N] [--silent N] [--calibrate DATA] [-o DIR]` */
export function addConvert(program: Command, host: Host): void {
  const command = program
    .command('convert')
    .summary('convert an ONNX network to a spiking network')
    .description(
      'Convert an ONNX network to a spiking network. Writes DIR/NAME.spike, a copy of the ONNX file, and the compiled artifacts.',
    )
    .argument('<network>', 'ONNX file')
    .addOption(choice('--coding <name>', 'coding of the spiking network', conversionCodings).default('sws'))
    .option(
      '--steps <n>',
      'coding steps (default: sws, pattern and binary 8, mbif 16, ibra 1, signed 2^b − 1 of codes of b bits, else 15, others 64)',
      wholeNumber(1),
    )
    .option(
      '--silent <n>',
      'sws: silent steps of each layer; auto: by layer, the least with which no code differs on a few inputs; proven: right for all inputs (default: auto)',
      silentPeriod,
    )
    .addOption(
      choice('--keep <what>', 'with --silent auto: what must not differ (default: codes)', ['codes', 'predictions']),
    )
    .option(
      '--margin <x>',
      'with --silent auto: as if x times as much came in late, from 1 on (default: 1.5; 2 on fewer than 4 inputs)',
      fromOne,
    )
    .option(
      '--beta <β>',
      'sws: weight ratio of successive steps, in (1, 3]; burst: growth of a burst, above 1 (default: 2)',
      amplification,
    )
    .addOption(
      choice(
        '--encoder <name>',
        'how the input comes in; sws: exact or drive (default: exact); rate and signed: real, a constant current, or bernoulli or regular spikes (default: real); phase and others: spikes or real (default: spikes)',
        encoders,
      ),
    )
    .option('--seed <n>', 'with --encoder bernoulli: seed of the spikes (default: 0)', wholeNumber(0))
    .option(
      '--look <n>',
      'offset: steps of its input that a layer looks at before it fires (default: 4)',
      wholeNumber(1),
    )
    .option('--period <n>', 'phase: steps of a period (default: 8)', wholeNumber(1))
    .option('--theta <x>', 'burst: what the first spike counts, as a share of the range (default: 0.125)', positive)
    .option('--longest <n>', 'burst: how often the spikes of a burst grow (default: 5)', wholeNumber(0))
    .option('--tau <x>', 'ttfs: time constant of the falling threshold, in steps (default: it falls evenly)', positive)
    .option(
      '--calibrate <data>',
      `data to measure ranges on, of activations without a quantiser, and to check the network with: ${dataHelp}`,
    )
    .option('--percentile <p>', 'range of a layer: this percentile of its positive activations (default: 99.9)', share)
    .addOption(
      choice(
        '--balance [how]',
        'rate, signed, offset: a range for each channel, measured on the calibration data; search: with which these steps say its activations best; local: local threshold balancing (default: search)',
        balancings,
      ),
    )
    .option(
      '--limit <n>',
      'calibrate on the first N images (default: 1000; thresholds of --balance 200)',
      wholeNumber(1),
    )
    .option('--integer <m>', 'mbif: integer bits (default: 1)', wholeNumber(0))
    .option('--fraction <n>', 'mbif: fraction bits (default: 3)', wholeNumber(0))
    .option('--largest <d>', 'ibra: largest output D (default: 5.11)', positive)
    .option('--per-unit <n>', 'ibra: levels per unit N (default: 100)', wholeNumber(1))
    .option('--strict', 'an SNN that differs from its source beyond the bound is an error, and nothing is written')
    .option('--emit <list>', `what to write: ${artifacts.join(', ')} (default: ir,json,onnx)`, listOf(artifacts))
    .option('--input-codes <range>', 'the integers that the input holds, as 0..255 or -8..7', codeRange)
    .option(...inputShapeOption)
    .option('--output <name>', 'of several outputs of the file take this one (default: all)')
    .option('-o, --out <dir>', 'folder to write (default: the name of the network)');
  command.action((network: string, flags: ConvertFlags) => {
    checkConvertFlags(command, flags);
    return convert(host, network, flags);
  });
  withCommonFlags(withVerifyFlag(withDataFlags(command), verifies), [
    'spikec convert lenet5.onnx --coding sws --steps 8 --silent 2 -o lenet5',
    'spikec convert lenet5.onnx --coding mbif --steps 16 --calibrate mnist:train --mean 0.5 --std 0.5 -o lenet5',
  ]);
}

/** `0..255` */
function codeRange(text: string): CodeRange {
  const range = codeRangeOf(text);
  if (range === undefined) throw new InvalidArgumentError('A range of up to 65,536 integers is expected, as 0..255.');
  return range;
}

function amplification(text: string): number {
  const value = realNumber(text);
  if (value <= 1 || value > 3) throw new InvalidArgumentError('A number above 1 and up to 3 is expected.');
  return value;
}

function silentPeriod(text: string): number | 'auto' | 'proven' {
  if (text === 'auto' || text === 'proven') return text;
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('A whole number from 0 on, auto or proven is expected.');
  return wholeNumber(0)(text);
}

function fromOne(text: string): number {
  const value = realNumber(text);
  if (value < 1) throw new InvalidArgumentError('A number from 1 on is expected.');
  return value;
}

function share(text: string): number {
  const value = realNumber(text);
  if (value <= 0 || value > 100) throw new InvalidArgumentError('A number above 0 and up to 100 is expected.');
  return value;
}

function positive(text: string): number {
  const value = realNumber(text);
  if (value <= 0) throw new InvalidArgumentError('A number above 0 is expected.');
  return value;
}

function convert(host: Host, network: string, flags: ConvertFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const calibrate = flags.calibrate === undefined ? undefined : await data(flags.calibrate, flags, false);
    const result = take(
      await driver.convertOnnx(network, {
        coding: flags.coding,
        outDir: flags.out ?? (network.split(/[/\\]/).at(-1) ?? network).replace(/\.onnx$/i, ''),
        onProgress: progress,
        ...defined({
          output: flags.output,
          inputCodes: flags.inputCodes,
          inputShapes: flags.inputShape,
          emit: flags.emit,
          steps: flags.steps,
          silent: flags.silent,
          keep: flags.keep,
          margin: flags.margin,
          beta: flags.beta,
          encoder: flags.encoder,
          seed: flags.seed,
          look: flags.look,
          period: flags.period,
          theta: flags.theta,
          longest: flags.longest,
          tau: flags.tau,
          verify: flags.verify,
          strict: flags.strict,
          percentile: flags.percentile,
          balance: flags.balance === true ? 'search' : flags.balance,
          calibrationLimit: flags.limit,
          integer: flags.integer,
          fraction: flags.fraction,
          largest: flags.largest,
          perUnit: flags.perUnit,
        }),
        ...(calibrate === undefined ? {} : { calibrate: calibrate.dataset }),
        normalisation: calibrate?.normalisation ?? parseNormalisation(flags.mean, flags.std),
      }),
    );
    const next = `\nNext: spikec eval ${result.model} --data DATA\n`;
    return { text: flags.quiet === true ? '' : summary(result) + checksText(result) + next, json: result };
  });
}

/** Two lines: what was verified of the import, and what the finished network does on a few inputs. */
function checksText({ verified, check, silence }: ConvertResult): string {
  const count = (n: number): string => n.toLocaleString('en');
  const lines: string[] = [];
  if (verified !== undefined) {
    const { compared, layers } = verified;
    lines.push(`import: ${count(compared)} of ${count(layers)} layers give what onnxruntime gives`);
  }
  if (silence !== undefined && silence.layers.length > 0) lines.push(silenceText(silence));
  if (check !== undefined) {
    const { samples, agreement, codes = 0, differing = 0, ties = 0, first } = check;
    const inputs = check.inputs === 'drawn' ? `inputs drawn with seed ${check.seed}` : `images of ${check.data}`;
    const equal = `${Math.round(agreement * samples)} of ${samples} predictions equal on ${inputs}`;
    const from = first === undefined ? '' : ` from %${first} on`;
    const differ =
      codes === 0
        ? ''
        : `; ${count(differing)} of ${count(codes)} codes differ${ties === 0 ? '' : `, ${count(ties)} at ties`}${from}`;
    lines.push(`SNN: ${equal}${differ}`);
  }
  return lines.length === 0 ? '' : `\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** `silent periods: 1 … 3 steps by layer, latency 56; proven for all inputs: latency 124; chosen on …` */
function silenceText(silence: NonNullable<ConvertResult['silence']>): string {
  const periods = silence.layers.map(({ silent }) => silent);
  const [least, most] = [periods.reduce((a, b) => Math.min(a, b)), periods.reduce((a, b) => Math.max(a, b))];
  const range = least === most ? `${least}` : `${least} … ${most}`;
  const found = `silent periods: ${range} steps by layer, latency ${silence.latency_steps}`;
  if (silence.inputs === 'none') return `${found}, proven for all inputs`;
  const inputs = silence.inputs === 'drawn' ? `inputs drawn with seed ${silence.seed}` : `images of ${silence.data}`;
  return `${found} (proven for all inputs: ${silence.proven_latency_steps}); no ${silence.kept === 'codes' ? 'code' : 'prediction'} differs on ${silence.samples} ${inputs}`;
}
