import { type Diagnostic, DiagnosticError, type Outcome, hasErrors } from '../base/diagnostics/index.js';
import { exitCode, exitCodeOf } from './exit.js';
import { type DataFlags, type OpenedData, openData } from './options.js';
import { type ProgressReporter, progressReporter } from './progress.js';
import { diagnosticJson, renderDiagnostics } from './render.js';
import type { Terminal } from './terminal.js';
import type { Driver } from '../commands/index.js';
import type { OnProgress, Progress } from '../workspace/types.js';

/** Options that every command has. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What every command is given. */
export interface Host {
  readonly terminal: Terminal;
  /** Loaded when first needed: it brings the engines. */
  readonly driver: () => Promise<Driver>;
  /** Receives the command's exit code. */
  readonly exit: (code: number) => void;
  /** What is said when somebody ends the command from outside; a command sets it. */
  readonly interrupt: Interrupt;
}

/** What a command that is ended by Ctrl-C or SIGTERM leaves to be said. */
export interface Interrupt {
  say?: () => string;
  /** Asks a command to end by itself, with what it keeps; whether it will. A second Ctrl-C doesn't ask. */
  ask?: () => boolean;
}

/** What a command has to show: lines for people, an object for programs. */
export interface Report {
  readonly text: string;
  readonly json: object;
  /** Not 0 where the result itself says no: a file that isn't formatted. */
  readonly code?: number;
}

export interface Work {
  readonly driver: Driver;
  readonly progress: ProgressReporter['update'];
  /** Removes the line of progress, before something else is printed. */
  readonly clear: () => void;
  /** Takes over what a phase has to say and gives its value; ends the command where there is none. */
  readonly take: <T>(outcome: Outcome<T>) => T;
  /** Takes over diagnostics of work that goes on all the same. */
  readonly note: (diagnostics: readonly Diagnostic[]) => void;
  /** Opens a data set by its name, says what it has to say, and closes it when the command ends. */
  readonly data: (spec: string, flags: DataFlags, labelled?: boolean) => Promise<OpenedData>;
  /** Shows one now that comes again with the outcome. */
  readonly warn: (diagnostic: Diagnostic) => void;
}

/**
 * Runs a command's work: shows progress and diagnostics on stderr, the report on stdout (with `--json` as one
 * document, which also holds the diagnostics; with `jsonLines` that is the last of several, on one line), and sets
 * the exit code (with `errorCode`, that on every error).
 */
export async function runCommand(
  host: Host,
  flags: CommonFlags,
  work: (work: Work) => Promise<Report> | Report,
  options: { readonly jsonLines?: boolean; readonly errorCode?: number } = {},
): Promise<void> {
  const { terminal, interrupt } = host;
  const progress = progressReporter(terminal);
  let running: Progress | undefined;
  const update: OnProgress = (one) => {
    running = one;
    if (flags.quiet !== true) progress.update(one);
  };
  // a command that keeps something has set its own
  interrupt.say ??= () => interrupted(running);
  const diagnostics: Diagnostic[] = [];
  const told = new Set<Diagnostic>();
  const show = (some: readonly Diagnostic[]): void => {
    const shown = flags.quiet === true ? some.filter((d) => d.severity === 'error') : some;
    terminal.err(renderDiagnostics(shown, { colour: terminal.colour.err }));
  };
  const opened: OpenedData[] = [];
  let report: Report | undefined;
  try {
    report = await work({
      driver: await host.driver(),
      progress: update,
      clear: progress.clear,
      note: (more) => diagnostics.push(...more),
      data: async (spec, dataFlags, labelled) => {
        const data = await openData(spec, dataFlags, labelled);
        opened.push(data);
        if (flags.quiet !== true) for (const note of data.dataset.notes) terminal.err(`note: ${note}\n`);
        return data;
      },
      warn: (one) => {
        progress.clear();
        told.add(one);
        show([one]);
      },
      take: (outcome) => {
        diagnostics.push(...outcome.diagnostics);
        if (outcome.value === undefined || hasErrors(outcome.diagnostics)) throw new DiagnosticError([]);
        return outcome.value;
      },
    });
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    diagnostics.push(...error.diagnostics);
  } finally {
    for (const { dataset } of opened) dataset.close();
    progress.clear();
    delete interrupt.say;
    delete interrupt.ask;
  }
  show(diagnostics.filter((one) => !told.has(one)));
  if (flags.json === true) {
    const document = { ...report?.json, diagnostics: diagnostics.map(diagnosticJson) };
    terminal.out(`${JSON.stringify(document, undefined, options.jsonLines === true ? undefined : 2)}\n`);
  } else if (report !== undefined) {
    terminal.out(report.text);
  }
  const code = exitCodeOf(diagnostics);
  const failed = options.errorCode ?? (code === exitCode.ok ? exitCode.wrongInput : code);
  host.exit(code !== exitCode.ok || report === undefined ? failed : (report.code ?? exitCode.ok));
}

/** Files are written at the end and at once, so that a command which is ended before leaves none behind. */
function interrupted(running: Progress | undefined): string {
  const where = running === undefined ? '' : ` in ${placeIn(running)}`;
  return `interrupted${where}: nothing was written or kept; the same command begins anew\n`;
}

/** `epoch 2/5, 640 of 54,000 images` */
export function placeIn({ phase, done, total, unit }: Progress): string {
  const count = (n: number): string => n.toLocaleString('en');
  return total === undefined
    ? phase
    : `${phase}, ${count(done)} of ${count(total)}${unit === undefined ? '' : ` ${unit}`}`;
}
