import { basename, join } from 'node:path';
import { DiagnosticError, type Outcome, fail, hasErrors } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { isFolder, readText, writeFolder } from '../data/index.js';
import { printNetwork } from '../network/index.js';
import { type ConfiguredPass, type PassRun, parsePasses, runPipeline } from '../passes/index.js';
import { artifactFiles } from '../workspace/artifacts.js';
import { libraryNeurons } from '../workspace/files.js';
import { Findings } from '../workspace/findings.js';
import { artifactNames, refuseToReplace } from '../workspace/replacing.js';
import { readFolder, readIr, runFiles } from '../workspace/run-folder.js';
import { packageVersion } from '../workspace/version.js';

export interface OptOptions {
  /** `schedule-time{silent=2},dead-code` */
  readonly passes: string;
  /** A folder for the network and its weights; nothing is written without it. */
  readonly outDir?: string;
  /** Name of a pass, or `all`: its result is given to `onPrint` in text form. */
  readonly printAfter?: string;
  readonly onPrint?: (title: string, text: string) => void;
}

export interface OptResult {
  readonly name: string;
  /** The network that the passes leave, in text form. */
  readonly network: string;
  readonly passes: readonly { readonly pass: string; readonly milliseconds: number }[];
  /** Files written, relative to `outDir`. */
  readonly files: readonly string[];
  readonly outDir?: string;
}

/** Runs passes on a network in text form (FILE.ir, or a folder with `network.ir`). */
export function runPasses(path: string, options: OptOptions): Outcome<OptResult> {
  const findings = new Findings();
  const passes = findings.take(parsePasses({ name: '--passes', text: options.passes }));
  checkPrinted(passes, options.printAfter);
  const file = isFolder(path) ? join(path, runFiles.network) : path;
  const { outDir } = options;
  if (outDir !== undefined) refuseToReplace({ folder: outDir, maker: 'opt', files: planned, inputs: [file] });
  const { network } = isFolder(path) ? readFolder(path, findings) : readIr(path, findings);
  const result = runPipeline(
    network,
    passes,
    { neurons: new Map([...libraryNeurons(), ...network.neurons]) },
    { now: () => performance.now(), after: (run) => print(run, options), chosen: true },
  );
  findings.all.push(...result.diagnostics);
  if (result.network === undefined || hasErrors(result.diagnostics)) throw new DiagnosticError(findings.all);
  const sources = new Map([[basename(file), new TextEncoder().encode(readText(file))]]);
  const origin = { maker: 'opt', config: options.passes, sources } as const;
  const files = outDir === undefined ? undefined : artifactFiles(result.network, ['ir'], origin, packageVersion());
  if (files !== undefined) writeFolder(outDir!, files);
  const value: OptResult = {
    name: result.network.name,
    network: printNetwork(result.network),
    passes: result.runs.map(({ pass, milliseconds }) => ({ pass, milliseconds })),
    files: [...(files?.keys() ?? [])],
    ...(outDir === undefined ? {} : { outDir }),
  };
  return { value, diagnostics: findings.all };
}

const planned = new Map(artifactNames.map((name) => [name, undefined] as const));

function checkPrinted(passes: readonly ConfiguredPass[], printAfter: string | undefined): void {
  if (printAfter === undefined || printAfter === 'all') return;
  const names = passes.map(({ pass }) => pass.name);
  if (names.includes(printAfter)) return;
  fail('cli/unknown-pass', { pass: printAfter }, undefined, { help: suggest(printAfter, names) });
}

function print({ pass, network }: PassRun, { printAfter, onPrint }: OptOptions): void {
  if (printAfter === 'all' || printAfter === pass) onPrint?.(`after ${pass}`, printNetwork(network));
}
