import { basename, dirname, join } from 'node:path';
import { type Diagnostic, type Outcome, fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { costOf as networkCost } from '../cost/index.js';
import { type Normalisation, readBytes, writeFolder } from '../data/index.js';
import { type Network, latencyOf, printNetwork } from '../network/index.js';
import { type PassRun, passes } from '../passes/index.js';
import { artifactFiles } from '../workspace/artifacts.js';
import { checkPatterns, conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { openTarget } from '../workspace/open.js';
import { type OwnTarget, forInference } from '../workspace/own-network.js';
import { withPlanes } from '../workspace/planes.js';
import { refuseToReplace, stillRecorded } from '../workspace/replacing.js';
import { checkRuns } from '../run/runnable.js';
import { Findings } from '../workspace/findings.js';
import type { Source } from '../workspace/target.js';
import { normalisationOf } from '../workspace/train-settings.js';
import { trainModule } from '../workspace/train-module.js';
import { verifyWhereWanted } from '../run/verify-import.js';
import { packageVersion } from '../workspace/version.js';
import type { Target, Artifact, CommonOptions } from '../workspace/types.js';

/** Compiles a config: check, import, verify the import, run the passes, write what was asked for. */
export async function compileTarget(target: Target, options: CompileOptions): Promise<Outcome<CompileResult>> {
  const findings = new Findings();
  checkPassNames(options);
  const opened = openTarget(target, options, findings);
  if (opened.kind === 'own') return compileOwn(opened.own, target, options, findings);
  const { config, source } = opened;
  const plan = conversionPlan(config, findings);
  await verifyWhereWanted(source, options, findings);
  const hooks = { stopAfter: options.stopAfter, after: (run: PassRun) => print(run, options) };
  const converted = convertNetwork(source.imported.network, plan, findings, hooks);
  const { conversion } = converted;
  const { network: last, runs } = planed({ network: converted.last, runs: converted.runs }, options, findings);
  checkRan(runs, options);
  if (conversion !== undefined) reportAll(checkPatterns(config, conversion.spiking), findings);
  const sources = new Map<string, Uint8Array>([
    [basename(target.path), readBytes(target.path)],
    [basename(source.path), source.bytes],
  ]);
  const { external } = source;
  const inputs = [target.path, source.path, ...[...external.keys()].map((name) => join(dirname(source.path), name))];
  const files =
    options.outDir === undefined
      ? []
      : writeArtifacts(last, options, {
          config: config.name,
          normalisation: normalisationOf(config.normalize),
          sources,
          inputs,
        });
  return { value: describe(last, runs, files, options), diagnostics: findings.all };
}

/** A network of layers, ready for inference. */
function compileOwn(
  own: OwnTarget,
  { path }: Target,
  options: CompileOptions,
  findings: Findings,
): Outcome<CompileResult> {
  const hooks = { stopAfter: options.stopAfter, after: (run: PassRun) => print(run, options) };
  const { network, runs } = planed(forInference(own.network, findings, hooks), options, findings);
  checkRan(runs, options);
  const lowers = options.emit.includes('tensor') || options.emit.includes('onnx');
  if (own.text !== undefined && lowers) checkRuns(network, own.text);
  const module = options.emit.includes('tfjs') ? trainModule(own.network, own.training) : undefined;
  const { config, normalisation, sources, text } = own;
  const folder = dirname(text ?? path);
  const from = { config, normalisation, sources, inputs: [...sources.keys()].map((name) => join(folder, name)) };
  const files = options.outDir === undefined ? [] : writeArtifacts(network, options, from, module);
  return { value: describe(network, runs, files, options), diagnostics: findings.all };
}

/** With `--planes`, and unless the passes were stopped before: multi-bit spikes as binary planes. */
function planed(
  done: { readonly network: Network; readonly runs: readonly PassRun[] },
  options: CompileOptions,
  findings: Findings,
): { readonly network: Network; readonly runs: readonly PassRun[] } {
  const { stopAfter } = options;
  if (options.planes !== true || done.runs.some(({ pass }) => pass === stopAfter)) return done;
  const { network, runs } = withPlanes(done.network, findings, { stopAfter, after: (run) => print(run, options) });
  return { network, runs: [...done.runs, ...runs] };
}

interface From {
  readonly config: string;
  readonly normalisation: Normalisation;
  readonly sources: ReadonlyMap<string, Uint8Array>;
  /** Paths of what was read. */
  readonly inputs: readonly string[];
}

function writeArtifacts(
  network: Network,
  { emit, outDir }: CompileOptions,
  { config, normalisation, sources, inputs }: From,
  module?: ReadonlyMap<string, string | Uint8Array>,
): readonly string[] {
  if (emit.includes('tfjs') && module === undefined) {
    fail('cli/not-lowered', { construct: 'the emission of tfjs modules (`--emit tfjs`) for converted networks' });
  }
  const folder = outDir!;
  const origin = { maker: 'compile', config, normalisation, sources } as const;
  const made = artifactFiles(network, emit, origin, packageVersion(), module);
  refuseToReplace({ folder, maker: 'compile', files: made, inputs });
  const earlier = stillRecorded(folder, 'compile', made);
  const files = artifactFiles(network, emit, { ...origin, earlier }, packageVersion(), module);
  writeFolder(folder, files);
  return [...files.keys()];
}

function reportAll(diagnostics: readonly Diagnostic[], findings: Findings): void {
  findings.take({ value: true, diagnostics });
}

function checkPassNames({ printAfter, stopAfter }: CompileOptions): void {
  const names = passes.map(({ name }) => name);
  for (const wanted of [printAfter === 'all' ? undefined : printAfter, stopAfter]) {
    if (wanted !== undefined && !names.includes(wanted)) {
      fail('cli/unknown-pass', { pass: wanted }, undefined, { help: suggest(wanted, names) });
    }
  }
}

/** A pass that there is, but that this target doesn't need, would print nothing. */
function checkRan(runs: readonly PassRun[], { printAfter, stopAfter }: CompileOptions): void {
  const names = runs.map(({ pass }) => pass);
  for (const wanted of [printAfter === 'all' ? undefined : printAfter, stopAfter]) {
    if (wanted === undefined || names.includes(wanted)) continue;
    fail('cli/unknown-pass', { pass: wanted }, undefined, { help: `what runs: ${names.join(', ')}` });
  }
}

function print({ pass, network }: PassRun, { printAfter, stopAfter, onPrint }: CompileOptions): void {
  if (printAfter === 'all' || printAfter === pass || (printAfter === undefined && stopAfter === pass)) {
    onPrint?.(`after ${pass}`, printNetwork(network));
  }
}

export function describe(
  network: Network,
  runs: readonly PassRun[],
  files: readonly string[],
  options: Pick<CompileOptions, 'outDir'>,
): CompileResult {
  const parameters = networkCost(network).total.params;
  const latency = latencyOf(network);
  return {
    name: network.name,
    files,
    ...(options.outDir === undefined ? {} : { outDir: options.outDir }),
    ops: network.ops.length,
    parameters,
    ...(latency === 0 ? {} : { latency_steps: latency }),
    notes: network.notes,
    passes: runs.map(({ pass, milliseconds }) => ({ pass, milliseconds })),
  };
}

export type { Source };

export interface CompileOptions extends CommonOptions {
  readonly emit: readonly Artifact[];
  /** Where the compiled folder goes; nothing is written without it. */
  readonly outDir?: string;
  /** Name of a pass, or `all`: its result is given to `onPrint` in text form. */
  readonly printAfter?: string;
  readonly stopAfter?: string;
  /** Multi-bit spikes as binary planes in virtual time steps. */
  readonly planes?: boolean;
  /** Receives IR that the options ask to print. `title` names the pass. */
  readonly onPrint?: (title: string, text: string) => void;
}

export interface CompileResult {
  readonly name: string;
  /** Files written, relative to `outDir`. */
  readonly files: readonly string[];
  readonly outDir?: string;
  readonly ops: number;
  readonly parameters: number;
  readonly latency_steps?: number;
  readonly notes: readonly string[];
  readonly passes: readonly { readonly pass: string; readonly milliseconds: number }[];
}
