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
  return {
    update(progress) {
      const time = now();
      if (progress.phase !== phase) {
        phase = progress.phase;
        phaseBegan = time;
        if (terminal.interactive) last = -Infinity;
      }
      if (time - began < patience || time - last < (terminal.interactive ? redrawEvery : lineEvery)) return;
      last = time;
      const line = describe(progress, (time - phaseBegan) / 1000);
      if (terminal.interactive) {
        terminal.err(`\r\x1b[2K${line.slice(0, terminal.columns - 1)}`);
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

/** `evaluating  4,200 of 10,000 images  42 %  310/s  19 s left` */
function describe({ phase, done, total, unit, detail }: Progress, seconds: number): string {
  const parts = [phase];
  const count = (n: number): string => n.toLocaleString('en');
  const what = unit === undefined ? '' : ` ${unit}`;
  if (total === undefined && done > 0) parts.push(`${count(done)}${what}`);
  if (total !== undefined)
    parts.push(`${count(done)} of ${count(total)}${what}`, `${Math.floor((100 * done) / Math.max(1, total))} %`);
  if (detail !== undefined) parts.push(detail);
  const rate = done / seconds;
  if (seconds > 0.5 && rate > 0) {
    parts.push(`${rate >= 10 ? count(Math.round(rate)) : rate.toFixed(1)}/s`);
    if (total !== undefined) parts.push(`${Math.ceil((total - done) / rate)} s left`);
  }
  return parts.join('  ');
}
