import { basename } from 'node:path';
import type { Outcome } from '../base/diagnostics/index.js';
import { costOf as networkCost } from '../cost/index.js';
import { isFolder, writeFile } from '../data/index.js';
import type { LayerActivity } from '../evaluate/index.js';
import { type Measured, type ReportTarget, type SampleTrace, renderReport } from '../report/index.js';
import { type Compiled, compiledTarget } from './compiled.js';
import { chooseEngine } from './engine.js';
import { evaluateTarget } from './evaluate.js';
import { isOfLayers } from './own-network.js';
import { ownUnless } from './picture.js';
import { readLog } from './run-log.js';
import { Findings } from './target.js';
import { measureLevels, neuronLayers, spreadOver, traceSample } from './traces.js';
import type { EvalResult, OnProgress, ReportOptions, ReportResult, Target } from './types.js';
import { packageVersion } from './version.js';

/** Layers whose spikes and membranes are shown. */
const tracedLayers = 4;
/** Levels of stepwise weighted trains are counted on so many images at most: every step is kept. */
const mostStepwise = 100;

/** One page about some networks: compiled, costed, measured where there are data, drawn, written. */
export async function reportTargets(
  targets: readonly Target[],
  options: ReportOptions,
): Promise<Outcome<ReportResult>> {
  const findings = new Findings();
  const compiled = targets.map((target) => compiledTarget(target, options, findings));
  const names = distinctNames(targets, compiled);
  const described: ReportTarget[] = [];
  for (const [n, target] of targets.entries()) {
    const { path, config } = target;
    const { network } = compiled[n]!;
    const training = isFolder(path) ? readLog(path) : undefined;
    described.push({
      name: names[n]!,
      source: config === undefined ? path : `${path}#${config}`,
      network,
      cost: networkCost(network),
      ...(training === undefined ? {} : { training }),
      ...(await onData(target, compiled[n]!, names[n]!, options, findings)),
    });
  }
  const title = names.length === 1 ? `${described[0]!.network.name}: ${names[0]}` : names.join(', ');
  const page = await renderReport({ title, version: packageVersion(), targets: described });
  writeFile(options.outFile, page);
  const value: ReportResult = {
    file: options.outFile,
    bytes: Buffer.byteLength(page),
    targets: described.map(({ name, measured }) => ({
      name,
      ...(measured === undefined ? {} : { accuracy: measured.accuracy }),
    })),
  };
  return { value, diagnostics: findings.all };
}

/** Names of the configs; with the file where two are alike, with the place in the list where those are too. */
function distinctNames(targets: readonly Target[], compiled: readonly Compiled[]): readonly string[] {
  const unique = (names: readonly string[]): boolean => new Set(names).size === names.length;
  const short = compiled.map(({ name }) => name);
  if (unique(short)) return short;
  const long = short.map((name, n) => {
    const file = basename(targets[n]!.path);
    return file === name ? targets[n]!.path : `${file}#${name}`;
  });
  return unique(long) ? long : long.map((name, n) => `${name} (${n + 1})`);
}

/** What a network does on the data; nothing without data, and for ONNX files themselves. */
async function onData(
  target: Target,
  { network, normalisation, imported }: Compiled,
  name: string,
  options: ReportOptions,
  findings: Findings,
): Promise<{ readonly measured?: Measured; readonly trace?: SampleTrace }> {
  const { dataset, limit, batch, engine, threads, sample = 0 } = options;
  if (dataset === undefined || imported) return {};
  const labelled: OnProgress = (progress) => options.onProgress?.({ ...progress, phase: `${name}: ${progress.phase}` });
  const stepwise = network.coding !== undefined && !isOfLayers(network);
  const chosen = { dataset, normalisation: ownUnless(options.normalisation, normalisation) };
  const result = findings.take(
    await evaluateTarget(target, {
      ...chosen,
      activity: !stepwise,
      onProgress: labelled,
      ...(options.allowOutside === undefined ? {} : { allowOutside: options.allowOutside }),
      ...(limit === undefined ? {} : { limit }),
      ...(batch === undefined ? {} : { batch }),
      ...(engine === undefined ? {} : { engine }),
      ...(threads === undefined ? {} : { threads }),
    }),
  );
  const used = chooseEngine(engine, 'infer');
  let activity: readonly LayerActivity[] = result.activity ?? [];
  if (stepwise) {
    const count = Math.min(dataset.length, limit ?? dataset.length, mostStepwise);
    const images = { ...chosen, count, batch: 10 };
    activity = await measureLevels(network, images, used, (done, total) =>
      labelled({ phase: 'counting levels', done, total, unit: 'images' }),
    );
  }
  const layers = spreadOver(neuronLayers(network), tracedLayers);
  const trace = layers.length === 0 ? {} : { trace: await traceSample(network, { ...chosen, sample }, layers, used) };
  return { measured: measuredOf(result, activity, dataset.name), ...trace };
}

function measuredOf(result: EvalResult, activity: readonly LayerActivity[], data: string): Measured {
  const { samples, accuracy, source, spikes_per_neuron, opf, latency_steps } = result;
  return {
    data,
    samples,
    accuracy,
    ...(source === undefined ? {} : { source }),
    spikes_per_neuron,
    opf,
    latency_steps,
    activity,
  };
}
