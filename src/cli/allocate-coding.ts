import { count, percent } from '../base/figures.js';
import type { AllocateCodingResult, CodingGoal } from '../commands/index.js';
import { type CommonOptions, type ConversionCoding, conversionCodings } from '../workspace/types.js';
import { type DataFlags, defined } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { table } from './table.js';
import type { Target, VerifyLevel } from '../workspace/types.js';

export interface CodingFlags extends CommonFlags, DataFlags {
  readonly data: string;
  readonly codings?: readonly ConversionCoding[];
  readonly calibrate?: string;
  readonly maxLatency?: number;
  readonly maxOperations?: number;
  readonly minAccuracy?: number;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly out?: string;
  readonly verify?: boolean | VerifyLevel;
}

/** Whether the flags ask for a coding; or what is wrong with them. */
export function codingGoal(flags: CodingFlags, others: boolean): CodingGoal | string | undefined {
  const { maxLatency, maxOperations, minAccuracy, codings, calibrate } = flags;
  const goal: CodingGoal = defined({
    max_latency: maxLatency,
    max_operations: maxOperations,
    min_accuracy: minAccuracy,
  });
  const bounds = Object.keys(goal).length;
  if (bounds === 0 && codings === undefined && calibrate === undefined) return undefined;
  if (others)
    return '--codings and its bounds choose a coding: leave out the budgets of bits, --silent, --least and --most';
  if (bounds === 0) return '--codings needs a bound: --max-latency, --max-operations or --min-accuracy';
  return goal;
}

/** `spikec allocate NET.onnx --data DATA --codings sws,rate --max-latency 40` */
export function allocateCoding(
  host: Host,
  { path }: Target,
  goal: CodingGoal,
  flags: CodingFlags & Pick<CommonOptions, 'inputShapes'>,
): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const { dataset, normalisation } = await data(flags.data, flags);
    const calibrate = flags.calibrate === undefined ? undefined : await data(flags.calibrate, flags, false);
    const result = take(
      await driver.allocateCoding(path, {
        codings: flags.codings ?? conversionCodings,
        goal,
        dataset,
        normalisation,
        onProgress: progress,
        ...(calibrate === undefined ? {} : { calibrate: calibrate.dataset }),
        ...defined({
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

/** Why nothing of a coding was measured, a line a coding. */
function unmeasured({ points, refused }: AllocateCodingResult): readonly string[] {
  const measured = new Set<string>(points.map(({ coding }) => coding));
  const first = refused.filter(({ coding }, i) => i === refused.findIndex((one) => one.coding === coding));
  return first.flatMap(({ name, coding, reason, help }) =>
    measured.has(coding) ? [] : [`${name}: ${reason}${help === undefined ? '' : `; ${help}`}\n`],
  );
}

/** How to see the same figures again: `eval` counts steps of membranes with the operations, and planes where there are some. */
function next({ chosen }: AllocateCodingResult, model: string): readonly string[] {
  const { coding, synaptic_operations: synaptic, membrane_updates: updates } = chosen;
  const isSent = coding === 'mbif' || coding === 'ibra';
  const compile = `spikec compile ${model} --planes -o DIR, whose latency and operations these are, and `;
  return [
    `\nNext: ${isSent ? compile : ''}spikec eval ${isSent ? 'DIR' : model} --data DATA\n`,
    `eval says ${count(synaptic + updates)} operations: it counts ${count(updates)} steps of membranes, too\n`,
  ];
}

function describe(result: AllocateCodingResult): string {
  const { chosen, points, samples, data, ann, model } = result;
  const rows = points.map((one) => [
    one === chosen ? `${one.name}  ←` : one.name,
    percent(one.accuracy),
    count(one.latency_steps),
    count(one.operations),
  ]);
  const silent =
    chosen.layers === undefined ? [] : [`silent steps: ${chosen.layers.map((one) => one.silent).join(' ')}\n`];
  return [
    table([['coding', 'accuracy', 'latency', 'operations'], ...rows], ['left', 'right', 'right', 'right']),
    ...unmeasured(result).map((line, i) => (i === 0 ? `\n${line}` : line)),
    `\nchosen: ${chosen.name}, ${percent(chosen.accuracy)} on ${count(samples)} samples of ${data} (ANN ${percent(ann.accuracy)})\n`,
    ...silent,
    ...(model === undefined ? [] : next(result, model)),
  ].join('');
}
