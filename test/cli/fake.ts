import { run } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import type { Interrupt } from '../../src/cli/session.js';
import type { Driver } from '../../src/commands/index.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function unexpected(name: string): () => never {
  return () => {
    throw new Error(`the command should not have called ${name}`);
  };
}

/** A driver that can do only what the test gives it. */
export function fakeDriver(parts: Partial<Driver>): Driver {
  return {
    checkFile: unexpected('checkFile'),
    formatFile: unexpected('formatFile'),
    compileTarget: unexpected('compileTarget'),
    convertOnnx: unexpected('convertOnnx'),
    examineOnnx: unexpected('examineOnnx'),
    compareCodings: unexpected('compareCodings'),
    evaluateTarget: unexpected('evaluateTarget'),
    trainTarget: unexpected('trainTarget'),
    allocateCoding: unexpected('allocateCoding'),
    allocateTarget: unexpected('allocateTarget'),
    costOf: unexpected('costOf'),
    describeData: unexpected('describeData'),
    drawPicture: unexpected('drawPicture'),
    reportTargets: unexpected('reportTargets'),
    diffTargets: unexpected('diffTargets'),
    diffConfigs: unexpected('diffConfigs'),
    diffPage: unexpected('diffPage'),
    listPasses: unexpected('listPasses'),
    runPasses: unexpected('runPasses'),
    starterModel: unexpected('starterModel'),
    nextRun: unexpected('nextRun'),
    copyExample: unexpected('copyExample'),
    exampleNames: unexpected('exampleNames'),
    ...parts,
  };
}

/** Runs a command line as `spikec` would, and keeps what it prints. */
export async function spikec(
  args: readonly string[],
  parts: Partial<Driver> = {},
  interrupt: Interrupt = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    interactive: false,
    colour: { out: false, err: false },
    columns: 80,
  };
  const code = await run(args, terminal, () => Promise.resolve(fakeDriver(parts)), interrupt);
  return { code, out, err };
}
