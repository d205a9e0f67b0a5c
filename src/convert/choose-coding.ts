import { percent } from '../base/figures.js';
import { basename, dirname, join } from 'node:path';
import { chooseSilence } from '../allocate/silence.js';
import type { AllocationTarget } from '../allocate/target.js';
import type { SilentGoal } from '../allocate/types.js';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { chooseEngine } from '../run/engine.js';
import { fitToNetwork } from '../run/fit.js';
import type { CodingComparison, CodingPoint, ComparedPoint } from '../run/compared-codings.js';
import { Findings } from '../workspace/findings.js';
import type { Source } from '../workspace/target.js';
import type { ConversionCoding } from '../workspace/types.js';
import { triedPoints } from './coding-points.js';
import { type CompareOptions, compareCodings } from './compare-codings.js';
import { measuredFor } from './measured-text.js';
import { modelText } from './model-text.js';
import { unwritten } from './unwritten.js';

/** What a coding is chosen for: bounds, one at least, all of which it has to hold. */
export interface CodingGoal {
  readonly max_latency?: number;
  /** An image. */
  readonly max_operations?: number;
  /** A fraction. */
  readonly min_accuracy?: number;
}

export interface ChosenCoding extends CodingComparison {
  readonly goal: CodingGoal;
  readonly chosen: ComparedPoint;
}

/**
 * The coding of those named, with its steps, silent periods and threshold, that does best within the bounds on the images:
 * with `min_accuracy` the fewest steps, then operations; without it the highest accuracy, then the fewest steps. For a latency
 * or an accuracy the silent periods of SWS are also chosen layer by layer (`allocate --silent`).
 */
export async function chooseCoding(
  source: Source,
  codings: readonly ConversionCoding[],
  goal: CodingGoal,
  options: Omit<CompareOptions, 'points' | 'within'>,
  findings: Findings,
): Promise<ChosenCoding> {
  const most = goal.max_latency === undefined ? {} : { mostLatency: goal.max_latency };
  const compare = (wanted: readonly CodingPoint[], own: Findings): Promise<CodingComparison> =>
    compareCodings(source, { ...options, ...most, within: 0, points: wanted }, own);
  const found = await compare(
    codings.flatMap((coding) => triedPoints[coding]),
    findings,
  );
  const layered = await byLayer(source, found, goal, options);
  const more = layered === undefined ? [] : (await compare([layered], new Findings())).points;
  const all = [...found.points, ...more];
  const good = all.filter((point) => holds(point, goal));
  if (good.length === 0) refuse(all, goal);
  const chosen = [...good].sort(better(goal))[0]!;
  return { ...found, points: all, goal, chosen };
}

function holds({ latency_steps: latency, operations, accuracy }: ComparedPoint, goal: CodingGoal): boolean {
  return (
    latency <= (goal.max_latency ?? Infinity) &&
    operations <= (goal.max_operations ?? Infinity) &&
    // of 1,000 images an accuracy is a multiple of 0.001, not that of a float
    accuracy >= (goal.min_accuracy ?? 0) - 1e-9
  );
}

function better({ min_accuracy: bound }: CodingGoal): (a: ComparedPoint, b: ComparedPoint) => number {
  return (a, b) =>
    (bound === undefined ? b.accuracy - a.accuracy : 0) ||
    a.latency_steps - b.latency_steps ||
    a.operations - b.operations;
}

/** No point holds all bounds: says how near they come. */
function refuse(all: readonly ComparedPoint[], goal: CodingGoal): never {
  const { max_latency: latency, max_operations: operations, min_accuracy: accuracy } = goal;
  const bound = [
    ...(latency === undefined ? [] : [`a latency of ${latency}`]),
    ...(operations === undefined ? [] : [`${operations} operations`]),
    ...(accuracy === undefined ? [] : [`an accuracy of ${percent(accuracy)}`]),
  ].join(' with ');
  const { min_accuracy: _, ...others } = goal;
  const inside = all.filter((point) => holds(point, others));
  const near = [...(inside.length > 0 ? inside : all)].sort(
    inside.length > 0 ? (a, b) => b.accuracy - a.accuracy : (a, b) => a.operations - b.operations,
  )[0];
  const best =
    near === undefined
      ? 'none: no coding that was named is so short'
      : `${near.name} with ${percent(near.accuracy)}, ${near.latency_steps} steps and ${Math.round(near.operations)} operations`;
  return fail('allocate/bound', { bound, best }, undefined, { help: 'ask for less, or name more codings' });
}

/** SWS with a silent period for each layer, with the coding steps that do best with one for all; undefined where none fit. */
async function byLayer(
  source: Source,
  { points: known, ann }: CodingComparison,
  goal: CodingGoal,
  options: Omit<CompareOptions, 'points' | 'within'>,
): Promise<CodingPoint | undefined> {
  const { max_latency: latency, min_accuracy: accuracy } = goal;
  const own = known.filter(({ coding, threshold }) => coding === 'sws' && threshold === undefined);
  if (own.length === 0 || (latency === undefined && accuracy === undefined)) return undefined;
  const good = own.filter((point) => holds(point, goal));
  const base = good.length > 0 ? good.sort(better(goal))[0]! : own.sort((a, b) => b.accuracy - a.accuracy)[0]!;
  const { steps } = base;
  const { network } = source.imported;
  const { dataset, normalisation, limit } = options;
  const findings = new Findings();
  const shared = { coding: 'sws', steps, silent: Math.min(2, steps), outDir: '', normalisation } as const;
  try {
    const found = await measuredFor(source, { ...shared, ...only(options) }, findings);
    const text = modelText(basename(source.path), shared, found);
    const path = join(dirname(source.path), 'allocated.spike');
    const target: AllocationTarget = {
      network,
      normalisation,
      from: { kind: 'import', source, model: { path, text, ...unwritten(path, text, findings), allowOutside: false } },
    };
    const fit = fitToNetwork(network, dataset, findings, { normalisation });
    const images = { dataset: fit, normalisation, count: Math.min(fit.length, limit ?? fit.length), batch: 32 };
    const engine = chooseEngine(options.engine, 'infer');
    const silentGoal: SilentGoal =
      accuracy === undefined
        ? { unit: 'latency', value: latency! }
        : { unit: 'loss', value: Math.min(1, Math.max(0, ann.accuracy - accuracy)) };
    const measuring = { images, engine, threads: options.threads, onProgress: options.onProgress };
    const { layers } = await chooseSilence(target, silentGoal, { measuring, most: Math.min(3, steps) }, findings);
    return { coding: 'sws', steps, silent: 0, layers: layers.map(({ id, silent = 0 }) => ({ id, silent })) };
  } catch (error) {
    // the bound can't be met layer by layer: what was measured stands
    if (error instanceof DiagnosticError) return undefined;
    throw error;
  }
}

function only({ calibrate, onProgress }: Pick<CompareOptions, 'calibrate' | 'onProgress'>) {
  return { ...(calibrate && { calibrate }), ...(onProgress && { onProgress }) };
}
