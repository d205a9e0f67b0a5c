import type { ScheduleSpec } from './settings.js';

/**
 * The learning rate at a point of the training, in epochs from 0 (with the part of the running
 * epoch that is done). During warm-up it rises in a straight line to `rate`; the schedule's own
 * clock starts after it.
 */
export function learningRate(schedule: ScheduleSpec, rate: number, at: number, epochs: number): number {
  const { warmup } = schedule;
  if (at < warmup) return (rate * Math.max(at, 1e-3)) / warmup;
  const past = at - warmup;
  switch (schedule.kind) {
    case 'constant':
      return rate;
    case 'step':
      return rate * schedule.gamma ** Math.floor(past / schedule.every);
    case 'milestones':
      return rate * schedule.gamma ** schedule.at.filter((epoch) => past >= epoch).length;
    case 'one_cycle': {
      const { rise, start, end } = schedule;
      const share = Math.min(1, past / Math.max(epochs, 1e-9));
      const [from, to, part] =
        share < rise ? [rate / start, rate, share / rise] : [rate, rate / (start * end), (share - rise) / (1 - rise)];
      return to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
    }
    case 'cosine': {
      const share = Math.min(1, past / Math.max(epochs - warmup, 1e-9));
      return schedule.min + ((rate - schedule.min) * (1 + Math.cos(Math.PI * share))) / 2;
    }
  }
}
