import type { Terminal } from './terminal.js';
import type { OnProgress, Progress } from '../workspace/types.js';

export interface ProgressReporter {
  readonly update: OnProgress;
  /** Removes a redrawn line; to be called before anything else is printed. */
  readonly clear: () => void;
}

/** Nothing is shown of work that is done within this time. */
const patience = 2000;
const redrawEvery = 100;
const lineEvery = 5000;

/**
 * Shows progress on stderr once work takes longer than two seconds: on a screen one line that is redrawn,
 * otherwise a line every five seconds.
 */
export function progressReporter(terminal: Terminal, now: () => number = () => performance.now()): ProgressReporter {
  const began = now();
  let phase = '';
  let phaseBegan = began;
  let last = -Infinity;
  let drawn = false;
  let shown = false;
  return {
    update(progress) {
      if (progress.passing === true && !terminal.interactive) return;
      const time = now();
      if (progress.phase !== phase) {
        phase = progress.phase;
        phaseBegan = time;
        if (terminal.interactive) last = -Infinity;
      }
      // nothing more is heard of such a phase before it ends
      const shows = shown || progress.silent === true || time - began >= patience;
      if (!shows || time - last < (terminal.interactive ? redrawEvery : lineEvery)) return;
      last = time;
      shown = true;
      const seconds = (time - phaseBegan) / 1000;
      const line = describe(progress, seconds, terminal.interactive ? terminal.columns - 1 : Infinity);
      if (terminal.interactive) {
        terminal.err(`\r\x1b[2K${line}`);
        drawn = true;
      } else {
        terminal.err(`${line}\n`);
      }
    },
    clear() {
      if (drawn) terminal.err('\r\x1b[2K');
      drawn = false;
    },
  };
}

/** `evaluating  4,200 of 10,000 images  42 %  310 images/s  19 s left`, or as much of it as there is room for. */
function describe({ phase, done, total, unit, detail }: Progress, seconds: number, columns: number): string {
  const count = (n: number): string => n.toLocaleString('en');
  const what = unit === undefined ? '' : ` ${unit}`;
  const share = total === undefined ? undefined : `${Math.floor((100 * done) / Math.max(1, total))} %`;
  const counted =
    total === undefined ? (done > 0 ? `${count(done)}${what}` : undefined) : `${count(done)} of ${count(total)}${what}`;
  const perSecond = done / seconds;
  const timed = seconds > 0.5 && perSecond > 0;
  const rate = timed ? `${perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(1)}${what}/s` : undefined;
  const left = timed && total !== undefined ? timeLeft((total - done) / perSecond) : undefined;
  const lines = [
    [phase, counted, share, detail, rate, left],
    [phase, counted, detail, rate, left],
    [phase, share, detail, rate, left],
    [phase, counted, rate, left],
    [phase, share, rate, left],
    [phase, share, left],
    [phase, share],
  ].map((parts) => parts.filter((part) => part !== undefined).join('  '));
  return lines.find((line) => line.length <= columns) ?? phase.slice(0, columns);
}

function timeLeft(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s left`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min left` : `${Math.ceil(seconds / 3600)} h left`;
}
