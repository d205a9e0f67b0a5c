import { basename, join } from 'node:path';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { FolderClaim, finishWrites, isFile } from '../data/index.js';
import { runFiles } from './run-folder.js';
import type { Target } from './types.js';

/** Where a training writes. */
export interface TrainingFolder {
  /** The folder as things are now. */
  readonly first: () => string;
  /** The folder, held from now on; `fresh` refuses to begin in one where something would be lost. */
  readonly claim: (fresh: (run: string) => void) => FolderClaim;
}

/** How long somebody who looks at a run folder for a moment is waited for, in ms. */
const claimPatience = 300;

/** The folder that was named, or the first free `runs/NAME-CONFIG`; to resume, the last that is there. */
export function trainingFolder(
  { path }: Target,
  config: string,
  { run, resume = false }: { readonly run?: string; readonly resume?: boolean },
): TrainingFolder {
  const holds = (folder: string): boolean => {
    finishWrites(folder);
    return isFile(join(folder, runFiles.checkpoint));
  };
  const base = join('runs', `${basename(path).replace(/\.spike$/, '')}-${config}`);
  const numbered = (i: number): string => (i === 1 ? base : `${base}-${i}`);
  let number = 1;
  const first = (): string => {
    if (run === undefined) while (holds(numbered(number))) number++;
    if (resume) {
      const last = run ?? numbered(Math.max(1, number - 1));
      if (!holds(last)) fail('train/no-checkpoint', { path: join(last, runFiles.checkpoint) });
      return last;
    }
    if (run === undefined) return numbered(number);
    if (holds(run)) refuseRun(run);
    return run;
  };
  const claim = (fresh: (run: string) => void): FolderClaim => {
    const folder = first();
    const taken = takeRun(folder, run === undefined && !resume);
    if (taken !== undefined) {
      const busy = !resume && isFile(join(folder, runFiles.checkpoint));
      try {
        if (busy && run !== undefined) refuseRun(folder);
        if (!busy && !resume) fresh(folder);
      } catch (error) {
        taken.release();
        throw error;
      }
      if (!busy) return taken;
      taken.release();
    }
    number++;
    return claim(fresh);
  };
  return { first, claim };
}

function refuseRun(path: string): never {
  const help = 'go on with it by `--resume`, name another folder with `-o`, or delete it';
  fail('train/run-exists', { path }, undefined, { help });
}

/** Nothing where another training has it and another folder will do. */
function takeRun(folder: string, another: boolean): FolderClaim | undefined {
  try {
    return FolderClaim.take(folder, claimPatience);
  } catch (error) {
    if (!another || !(error instanceof DiagnosticError) || error.diagnostics[0]?.code !== 'file/in-use') throw error;
    return undefined;
  }
}
