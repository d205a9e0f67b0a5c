import type { ScheduleSpec } from './settings.js';

/**
 * The learning rate at a point of the training, in epochs from 0 (with the part of the running
 * epoch that is done). During warm-up it rises in a straight line to `rate`; the schedule's own
 * clock starts after it. `losses` are those of the epochs before, which `plateau` looks at.
 */
export function learningRate(
  schedule: ScheduleSpec,
  rate: number,
  at: number,
  epochs: number,
  losses: readonly number[] = [],
): number {
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
    case 'plateau':
      return Math.max(
        Math.min(rate, schedule.min),
        rate * schedule.factor ** plateaus(losses.slice(schedule.warmup), schedule.patience),
      );
    case 'one_cycle': {
      const { rise, start, end } = schedule;
      const share = Math.min(1, past / Math.max(epochs - warmup, 1e-9));
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

/** How often losses stood still: more than `patience` epochs without one below the best by a ten-thousandth (PyTorch's ReduceLROnPlateau). */
function plateaus(losses: readonly number[], patience: number): number {
  let [best, bad, count] = [Infinity, 0, 0];
  for (const loss of losses) {
    if (loss < best * (1 - 1e-4)) [best, bad] = [loss, 0];
    else bad++;
    if (bad > patience) [bad, count] = [0, count + 1];
  }
  return count;
}
