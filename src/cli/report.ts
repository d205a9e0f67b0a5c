import { percent } from '../base/figures.js';
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
import type { ReportResult } from '../commands/report.js';
import type { CommonOptions, Target } from '../workspace/types.js';

interface ReportFlags extends CommonFlags, DataFlags, ShapeFlags {
  readonly data?: string;
  readonly limit?: number;
  readonly batch?: number;
  readonly sample?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly out: string;
  readonly snippet?: boolean;
  readonly allowOutside?: boolean;
}

/** `spikec report FILE[#CONFIG]… | RUN -o report.html [--data DATA --limit N]` */
export function addReport(program: Command, host: Host): void {
  const command = program
    .command('report')
    .summary('a page about networks: graph, bits, cost, spikes, training')
    .description(
      'Write one HTML page about some networks: the graph, bits and cost by layer, the training curves of a run; with data also accuracy, firing rates, levels, and the spikes and membranes of an image. It needs nothing else to be read.',
    )
    .argument('<targets...>', 'FILE, FILE#CONFIG, run or compiled folders, ONNX files', parseTargets)
    .option('--data <data>', `measure on data: ${dataHelp}`)
    .option('--limit <n>', 'only the first N images', wholeNumber(1))
    .option('--batch <n>', 'images per batch', wholeNumber(1))
    .option('--sample <n>', 'the image whose spikes are shown, from 0', wholeNumber(0))
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option('--threads <n>', 'threads inside one operation', wholeNumber(1))
    .option(...inputShapeOption)
    .option('-o, --out <file>', 'the page', 'report.html')
    .option('--snippet', 'a piece of HTML that a notebook displays, in place of a page')
    .action((targets: readonly Target[], flags: ReportFlags) =>
      report(host, targets, { ...flags, ...shapesFor(command, flags, targets) }),
    );
  withCommonFlags(withOutsideFlag(withDataFlags(command)), [
    'spikec report runs/mnist --data mnist:test -o report.html',
    'spikec report resnet20.spike#base resnet20.spike#mb21',
  ]);
}

function parseTargets(text: string, before: readonly Target[] | undefined): readonly Target[] {
  return [...(before ?? []), parseTarget(text)];
}

function report(
  host: Host,
  targets: readonly Target[],
  flags: ReportFlags & Pick<CommonOptions, 'inputShapes'>,
): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const opened = flags.data === undefined ? undefined : await data(flags.data, flags);
    const { limit, batch, sample, engine, threads, inputShapes } = flags;
    const result = take(
      await driver.reportTargets(targets, {
        outFile: flags.out,
        snippet: flags.snippet === true,
        normalisation: opened?.normalisation ?? {},
        allowOutside: flags.allowOutside === true,
        onProgress: progress,
        ...defined({ dataset: opened?.dataset, limit, batch, sample, engine, threads, inputShapes }),
      }),
    );
    return { text: describe(result), json: result };
  });
}

function describe({ file, bytes, targets }: ReportResult): string {
  const lines = targets.map(({ name, accuracy }) =>
    accuracy === undefined ? name : `${name}  accuracy ${percent(accuracy)}`,
  );
  return `${lines.map((line) => `${line}\n`).join('')}${file}: ${Math.ceil(bytes / 1000).toLocaleString('en')} kB\n`;
}
