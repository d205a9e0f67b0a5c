import { type Command, Option } from 'commander';
import { costCsv } from './cost-csv.js';
import { describeCost } from './cost-table.js';
import {
  type DataFlags,
  dataHelp,
  defined,
  parseTarget,
  numberFromZero,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withOutsideFlag,
} from './options.js';
import { type CommonFlags, type Host, type Report, type Work, runCommand } from './session.js';
import type { CostData, CostOptions } from '../commands/cost.js';
import { refuseOutput, writeOutput } from '../workspace/output.js';
import type { Target } from '../workspace/types.js';

interface CostFlags extends CommonFlags, DataFlags {
  readonly allowOutside?: boolean;
  readonly planes?: boolean;
  readonly everyStep?: boolean;
  readonly data?: string;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly eMac?: number;
  readonly eAc?: number;
  readonly csv?: boolean;
  readonly out?: string;
}

/** Flags of a run on data, where their names are words of the command line. */
const onlyWithData = ['limit', 'batch', 'engine', 'threads', 'mean', 'std'] as const;

/** `spikec cost FILE[#CONFIG] [--data DATA --limit N]` */
export function addCost(program: Command, host: Host): void {
  const command = program
    .command('cost')
    .summary('count operations, parameters, bits, and with data spikes and energy')
    .description(
      'Per layer and in total: operations, parameters, bits, S-ACE, size, latency; with --data also spikes, energy and NS-ACE, measured.',
    )
    .argument('<target>', 'FILE or FILE#CONFIG, or a run folder', parseTarget)
    .option('--data <data>', `run the network on data and count its spikes: ${dataHelp}`)
    .option('--limit <n>', 'only the first N images', wholeNumber(1))
    .option('--batch <n>', 'images per batch', wholeNumber(1))
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option('--threads <n>', 'threads inside one operation', wholeNumber(1))
    .option('--planes', 'count multi-bit spikes as binary planes in virtual time steps')
    .option('--every-step', 'count a layer with a constant real input at every step, not once')
    .option('--e-mac <pJ>', "energy of a multiply-accumulate (default: the config's, or 4.6)", numberFromZero)
    .option('--e-ac <pJ>', "energy of an accumulate (default: the config's, or 0.9)", numberFromZero)
    .addOption(new Option('--csv', 'print the layers as CSV').conflicts('json'))
    .option('-o, --out <file>', 'also write the layers to a CSV file')
    .action((target: Target, flags: CostFlags) => {
      const idle = flags.data === undefined ? onlyWithData.find((name) => flags[name] !== undefined) : undefined;
      if (idle !== undefined) command.error(`error: option '--${idle}' says nothing without '--data'`);
      return cost(host, target, flags);
    });
  withCommonFlags(withOutsideFlag(withDataFlags(command)), [
    'spikec cost resnet20.spike#base',
    'spikec cost lenet5.spike --data mnist:test --limit 1000 --json',
    'spikec cost runs/narrow --data cifar10:test -o cost.csv',
  ]);
}

function cost(host: Host, target: Target, flags: CostFlags): Promise<void> {
  return runCommand(host, flags, async (work) => {
    if (flags.out !== undefined) refuseOutput(flags.out, 'cost');
    if (flags.data === undefined) return report(work, target, flags);
    const { dataset, normalisation } = await work.data(flags.data, flags);
    const { limit, batch, engine, threads } = flags;
    return await report(work, target, flags, {
      dataset,
      normalisation,
      ...defined({ limit, batch, engine, threads }),
    });
  });
}

async function report(
  { driver, progress, take }: Work,
  target: Target,
  flags: CostFlags,
  data?: CostData,
): Promise<Report> {
  const options: CostOptions = {
    allowOutside: flags.allowOutside === true,
    planes: flags.planes === true,
    everyStep: flags.everyStep === true,
    hardware: defined({ e_mac: flags.eMac, e_ac: flags.eAc }),
    onProgress: progress,
    ...defined({ data }),
  };
  const result = take(await driver.costOf(target, options));
  const csv = costCsv(result);
  if (flags.out !== undefined) writeOutput(flags.out, csv, 'cost');
  return { text: flags.csv === true ? csv : describeCost(result), json: result };
}
