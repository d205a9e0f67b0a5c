import { basename } from 'node:path';
import { type Diagnostic, type Outcome, fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import { describePlace } from '../base/source.js';
import {
  type Cost,
  type Hardware,
  measuredCost,
  costOf as networkCost,
  takesEvents,
  withEventSpikes,
} from '../cost/index.js';
import type { Network } from '../network/index.js';
import { isFolder, type Dataset, type Normalisation } from '../data/index.js';
import { type LayerActivity, SpikeCounter } from '../run/metrics/index.js';
import { type Measured, type ReportTarget, renderReport } from '../report/index.js';
import { refuseOutput, writeOutput } from '../workspace/output.js';
import { type Compiled, compiledTarget } from '../workspace/compiled.js';
import { costOf } from './cost.js';
import { chooseEngine } from '../run/engine.js';
import { evaluateTarget } from '../run/evaluate.js';
import { eventRange } from '../run/event-range.js';
import { findCarrier } from '../lower/program/index.js';
import { chosenNormalisation } from '../run/fit.js';
import { readLog } from '../workspace/run-log.js';
import { checkRuns } from '../run/runnable.js';
import { Findings } from '../workspace/findings.js';
import { measureLevels, neuronLayers, spreadOver, traceSample } from '../run/traces.js';
import { packageVersion } from '../workspace/version.js';
import type { EvalResult } from '../run/types.js';
import type { OnProgress, Target, CommonOptions } from '../workspace/types.js';

export interface ReportOptions extends CommonOptions {
  readonly dataset?: Dataset | undefined;
  readonly normalisation: Normalisation;
  /** Images that accuracy and levels are measured on; all where missing. */
  readonly limit?: number;
  readonly batch?: number;
  /** The image whose spikes and membranes are shown, from 0. */
  readonly sample?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly outFile: string;
}

export interface ReportResult {
  readonly file: string;
  readonly bytes: number;
  readonly targets: readonly { readonly name: string; readonly accuracy?: number }[];
}

/** Layers whose spikes and membranes are shown. */
const tracedLayers = 4;
/** Levels of stepwise weighted trains are counted on so many images at most: every step is kept. */
const mostStepwise = 100;

/** One page about some networks: compiled, costed, measured where there are data, drawn, written. */
export async function reportTargets(
  targets: readonly Target[],
  options: ReportOptions,
): Promise<Outcome<ReportResult>> {
  refuseOutput(options.outFile, 'report');
  const findings = new Findings();
  const compiled = targets.map((target) => compiledTarget(target, options, findings));
  const names = distinctNames(targets, compiled);
  const described: ReportTarget[] = [];
  for (const [n, target] of targets.entries()) {
    const { path, config } = target;
    const { network } = compiled[n]!;
    const cost = await costFigures(target, compiled[n]!, options, findings);
    const training = isFolder(path) ? readLog(path) : undefined;
    described.push({
      name: names[n]!,
      source: config === undefined ? path : `${path}#${config}`,
      network,
      cost,
      ...(training === undefined ? {} : { training }),
      ...(await onData({ target, compiled: compiled[n]!, name: names[n]!, cost }, options, findings)),
    });
  }
  const title = names.length === 1 ? `${described[0]!.network.name}: ${names[0]}` : names.join(', ');
  const page = await renderReport({ title, version: packageVersion(), targets: described });
  writeOutput(options.outFile, page, 'report');
  const value: ReportResult = {
    file: options.outFile,
    bytes: Buffer.byteLength(page),
    targets: described.map(({ name, measured }) => ({
      name,
      ...(measured === undefined ? {} : { accuracy: measured.accuracy }),
    })),
  };
  return { value, diagnostics: saidOnce(findings.all) };
}

/** A target is compiled, costed and evaluated; each says the same of it. */
function saidOnce(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ code, message, place }: Diagnostic): string =>
    `${code} ${message} ${place === undefined ? '' : describePlace(place)}`;
  return [...new Map(diagnostics.map((d) => [key(d), d])).values()];
}

/** Names of the configs; those that are alike with their files, and where that doesn't help with their place in the list. */
function distinctNames(targets: readonly Target[], compiled: readonly Compiled[]): readonly string[] {
  const short = compiled.map(({ name }) => name);
  const alike = (names: readonly string[], n: number): boolean => names.some((name, m) => m !== n && name === names[n]);
  const long = short.map((name, n) => {
    if (!alike(short, n)) return name;
    const { path } = targets[n]!;
    return basename(path) === name ? path : `${basename(path)}#${name}`;
  });
  return long.map((name, n) => (alike(long, n) ? `${name} (${n + 1})` : name));
}

/** A network's cost with the energies of its hardware; of an ONNX file itself without them. */
async function costFigures(
  target: Target,
  { network, imported }: Compiled,
  { allowOutside = false }: ReportOptions,
  findings: Findings,
): Promise<Cost & { readonly hardware?: Hardware }> {
  if (imported) return networkCost(network);
  return findings.take(await costOf(target, { allowOutside }));
}

interface Subject {
  readonly target: Target;
  readonly compiled: Compiled;
  readonly name: string;
  readonly cost: Cost & { readonly hardware?: Hardware };
}

/** What a network does on the data; nothing without data, and for ONNX files themselves. */
async function onData(
  { target, compiled: { network, normalisation, imported, text }, name, cost }: Subject,
  options: ReportOptions,
  findings: Findings,
): Promise<Pick<ReportTarget, 'measured' | 'trace' | 'remark'>> {
  const { dataset, limit, batch, engine, threads, allowOutside = false, sample = 0 } = options;
  if (dataset === undefined) return {};
  if (dataset.targets !== undefined) fail('data/not-classes', { name: dataset.name });
  if (imported) return { remark: 'not measured: an ONNX file is measured once it is converted' };
  if (text !== undefined) checkRuns(network, text);
  const labelled: OnProgress = (progress) => options.onProgress?.({ ...progress, phase: `${name}: ${progress.phase}` });
  const stepwise = findCarrier(network)?.trains === 'weighted';
  const chosen = { dataset, normalisation: chosenNormalisation(options.normalisation, normalisation) };
  const used = chooseEngine(engine, 'infer');
  const layers = spreadOver(neuronLayers(network), tracedLayers);
  const trace = layers.length === 0 ? {} : { trace: await traceSample(network, { ...chosen, sample }, layers, used) };
  const range = takesEvents(network) ? eventRange(dataset, chosen.normalisation, limit) : undefined;
  const asSpikes = (one: Network): Network => (range === undefined ? one : withEventSpikes(one, range));
  let counter: SpikeCounter | undefined;
  const result = findings.take(
    await evaluateTarget(target, {
      ...chosen,
      activity: !stepwise,
      allowOutside,
      onProgress: labelled,
      countSpikes: (counted) => (counter = new SpikeCounter(asSpikes(counted))),
      ...(limit === undefined ? {} : { limit }),
      ...(batch === undefined ? {} : { batch }),
      ...(engine === undefined ? {} : { engine }),
      ...(threads === undefined ? {} : { threads }),
    }),
  );
  let activity: readonly LayerActivity[] = result.activity ?? [];
  if (stepwise) {
    const count = Math.min(dataset.length, limit ?? dataset.length, mostStepwise);
    const images = { ...chosen, count, batch: 10 };
    activity = await measureLevels(network, images, used, (done, total) =>
      labelled({ phase: 'counting levels', done, total, unit: 'images' }),
    );
  }
  const layered = range === undefined ? cost : { ...cost, ...networkCost(asSpikes(network)) };
  const energy = energyOf(counter, layered, result.samples);
  return { measured: measuredOf(result, activity, dataset.name, energy), ...trace };
}

/** Energy of an image in joules, from the spikes that were counted. */
function energyOf(
  counter: SpikeCounter | undefined,
  { hardware, ...cost }: Subject['cost'],
  samples: number,
): number | undefined {
  if (counter === undefined || hardware === undefined) return undefined;
  const spikes = counter;
  return 1e-12 * measuredCost(spikes.network, cost, (id) => spikes.countsOf(id), samples, hardware).total.energy_pj;
}

function measuredOf(
  result: EvalResult,
  activity: readonly LayerActivity[],
  data: string,
  energy: number | undefined,
): Measured {
  const { samples, accuracy, source, spikes_per_neuron, opf, latency_steps } = result;
  return {
    data,
    samples,
    accuracy: present(accuracy, 'report: no accuracy'),
    ...(source?.accuracy === undefined || source.agreement === undefined
      ? {}
      : { source: { accuracy: source.accuracy, agreement: source.agreement } }),
    spikes_per_neuron,
    opf,
    latency_steps,
    ...(energy === undefined ? {} : { energy_joules: energy }),
    activity,
  };
}
