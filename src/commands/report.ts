import { basename } from 'node:path';
import type { Diagnostic, Outcome } from '../base/diagnostics/index.js';
import { describePlace } from '../base/source.js';
import { isFolder } from '../data/index.js';
import { type ReportTarget, renderReport } from '../report/index.js';
import { snippetOf } from '../report/page/snippet.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { type Opened, openTarget } from '../workspace/open.js';
import { refuseOutput, writeOutput } from '../workspace/output.js';
import { readLog } from '../workspace/run-log.js';
import type { CommonOptions, Target } from '../workspace/types.js';
import { packageVersion } from '../workspace/version.js';
import { type FigureOptions, costFigures, figuresOnData } from '../report/measured/figures.js';

export interface ReportOptions extends CommonOptions, FigureOptions {
  readonly outFile: string;
  /** A piece for another page, such as a notebook, in place of a page. */
  readonly snippet?: boolean;
}

export interface ReportResult {
  readonly file: string;
  readonly bytes: number;
  readonly targets: readonly { readonly name: string; readonly accuracy?: number }[];
}

/** One page about some networks: compiled, costed, measured where there are data, drawn, written. */
export async function reportTargets(
  targets: readonly Target[],
  options: ReportOptions,
): Promise<Outcome<ReportResult>> {
  refuseOutput(options.outFile, 'report');
  const findings = new Findings();
  await prepare(targets);
  const opened = targets.map((target) => openTarget(target, { ...options, onnx: true }, findings));
  for (const one of opened) one.compiled();
  const names = distinctNames(targets, opened);
  const described: ReportTarget[] = [];
  for (const [n, target] of targets.entries()) {
    const { path, config } = target;
    const { network } = opened[n]!.compiled({ planes: false });
    const cost = await costFigures(target, opened[n]!, findings);
    const training = isFolder(path) ? readLog(path) : undefined;
    described.push({
      name: names[n]!,
      source: config === undefined ? path : `${path}#${config}`,
      network,
      cost,
      ...(training === undefined ? {} : { training }),
      ...(await figuresOnData({ target, opened: opened[n]!, name: names[n]!, cost }, options, findings)),
    });
  }
  const title = names.length === 1 ? `${described[0]!.network.name}: ${names[0]}` : names.join(', ');
  const whole = await renderReport({ title, version: packageVersion(), targets: described });
  const page = options.snippet === true ? snippetOf(whole, title) : whole;
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

/** Configs of a file say the same of it. */
function saidOnce(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ code, message, place }: Diagnostic): string =>
    `${code} ${message} ${place === undefined ? '' : describePlace(place)}`;
  return [...new Map(diagnostics.map((d) => [key(d), d])).values()];
}

/** Names of the configs; those that are alike with their files, and where that doesn't help with their place in the list. */
function distinctNames(targets: readonly Target[], opened: readonly Opened[]): readonly string[] {
  const short = opened.map(({ label }) => label);
  const alike = (names: readonly string[], n: number): boolean => names.some((name, m) => m !== n && name === names[n]);
  const long = short.map((name, n) => {
    if (!alike(short, n)) return name;
    const { path } = targets[n]!;
    return basename(path) === name ? path : `${basename(path)}#${name}`;
  });
  return long.map((name, n) => (alike(long, n) ? `${name} (${n + 1})` : name));
}
