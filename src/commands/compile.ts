import type { Outcome } from '../base/diagnostics/index.js';
import { writeFolder } from '../data/index.js';
import { type Network, printNetwork } from '../network/index.js';
import type { PassRun } from '../passes/index.js';
import { checkRuns } from '../run/runnable.js';
import { verifyWhereWanted } from '../run/verify-import.js';
import { type ArtifactOptions, affordable, artifactFiles, recordedAs } from '../workspace/artifacts.js';
import { checkPassNames, checkRan, wantedPasses } from '../workspace/compiled.js';
import { emitters, refuseModules } from '../workspace/emitters.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { type Opened, comparedAs, openTarget } from '../workspace/open.js';
import { refuseToReplace, stillRecorded } from '../workspace/replacing.js';
import { isTorchAlone, torchFolder } from '../workspace/torch-folder.js';
import { trainModule } from '../workspace/train-module.js';
import type { Artifact, CommonOptions, Target } from '../workspace/types.js';
import { packageVersion } from '../workspace/version.js';
import { type CompileResult, Facts, describe } from './summary.js';

export interface CompileOptions extends CommonOptions, Pick<ArtifactOptions, 'nirFor' | 'nirExtensions'> {
  readonly emit: readonly Artifact[];
  /** Where the compiled folder goes; nothing is written without it. */
  readonly outDir?: string;
  /** Name of a pass, or `all`: its result is given to `onPrint` in text form. */
  readonly printAfter?: string;
  readonly stopAfter?: string;
  /** Multi-bit spikes as binary planes in virtual time steps. */
  readonly planes?: boolean;
  /** Make what is emitted for what is to be said of its memory, even if nothing is written. */
  readonly memory?: boolean;
  /** Receives IR that the options ask to print. `title` names the pass. */
  readonly onPrint?: (title: string, text: string) => void;
}

/** Compiles a config: check, import, verify the import, run the passes, write what was asked for. */
export async function compileTarget(target: Target, options: CompileOptions): Promise<Outcome<CompileResult>> {
  const findings = new Findings();
  checkPassNames(wantedPasses(options));
  await prepare([target], options.emit);
  const opened = openTarget(target, options, findings);
  opened.passPlan();
  if (opened.source !== undefined) await verifyWhereWanted(opened.source, options, findings);
  const { stopAfter, planes, onProgress } = options;
  const split = planes === true ? { planes } : {};
  const { network, runs } = opened.compiled({
    stopAfter,
    ...split,
    after: (run) => {
      onProgress?.({ phase: 'compiling', done: 0, detail: `after ${run.pass}`, passing: true });
      print(run, options);
    },
  });
  for (const wanted of wantedPasses(options)) checkRan(wanted, runs);
  const emit = affordable(options.emit, network, findings);
  if (opened.text !== undefined && emit.some((one) => emitters[one].lowers)) checkRuns(network, opened.text);
  const facts = new Facts();
  const files = emitted(opened, network, emit, options, facts, findings);
  return { value: describe(network, runs, files, options, facts), diagnostics: findings.all };
}

/** Names of the files that are written; where memory is all that is asked for, they are made and not written. */
function emitted(
  opened: Opened,
  network: Network,
  emit: CompileOptions['emit'],
  { outDir: folder, memory, nirFor, nirExtensions, onProgress }: CompileOptions,
  facts: Facts,
  findings: Findings,
): readonly string[] {
  if (folder === undefined && memory !== true) return [];
  const { source, training, config, normalisation, sources, inputs } = opened;
  if (source !== undefined) refuseModules(emit);
  const tfjs = (): Map<string, string | Uint8Array> => trainModule(opened.network, training);
  const origin = { maker: 'compile', config, normalisation, sources, ...comparedAs(opened) } as const;
  const torch = () => torchFolder(opened, network, emit, findings);
  const made = isTorchAlone(emit)
    ? new Map(torch())
    : artifactFiles(network, emit, origin, packageVersion(), {
        tfjs,
        torch,
        said: facts.take,
        nirFor,
        nirExtensions,
        onProgress,
      });
  if (folder === undefined) return [];
  refuseToReplace({ folder, maker: 'compile', files: made, inputs });
  const earlier = stillRecorded(folder, 'compile', made);
  const files = recordedAs(made, { ...origin, earlier }, packageVersion());
  writeFolder(folder, files);
  return [...files.keys()];
}

function print({ pass, network }: PassRun, { printAfter, stopAfter, onPrint }: CompileOptions): void {
  if (printAfter === 'all' || printAfter === pass || (printAfter === undefined && stopAfter === pass)) {
    onPrint?.(`after ${pass}`, printNetwork(network));
  }
}
