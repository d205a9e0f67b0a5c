import { fail } from '../base/diagnostics/index.js';
import type { Dataset } from './dataset.js';
import type { Recordings } from './events/index.js';
import { type ClassCount, Counter, type Spread, classCounts, shownFirst } from './look.js';

/** What recordings of events hold. */
export interface EventFigures {
  readonly events: Spread;
  /** From the first event to the last, in ms. */
  readonly milliseconds: Spread;
  /** Share of ON among the events, where they have a polarity. */
  readonly on?: number;
  /** The greatest place of an event, + 1. */
  readonly seen: { readonly columns: number; readonly rows?: number };
}

export interface RecordingsLook {
  readonly labels: 'classes' | 'none';
  readonly classes?: readonly ClassCount[];
  readonly recordings: EventFigures;
  readonly first: readonly { readonly label?: number; readonly events: number }[];
}

/** Reads recordings one by one, from the first, each to its end, so that what is wrong with one is said. */
export function lookAtRecordings(dataset: Dataset, recordings: Recordings, count: number): RecordingsLook {
  const [events, milliseconds] = [new Counter(), new Counter()];
  const byClass = new Map<number, number>();
  const first: { label?: number; events: number }[] = [];
  const labelled = dataset.labelled !== false;
  let [columns, rows, on, all, polar, flat] = [0, 0, 0, 0, false, true];
  for (let i = 0; i < count; i++) {
    const { t, x, y, p, clock, path } = recordings.events(i);
    if (t.length === 0) fail('data/no-events', { file: path });
    const label = dataset.labels?.(i, 1)[0] ?? 0;
    byClass.set(label, (byClass.get(label) ?? 0) + 1);
    events.add(t.length);
    milliseconds.add((t.at(-1)! - t[0]!) * (clock === 'half' ? 1000 : 1e-3));
    for (const one of x) columns = Math.max(columns, one + 1);
    for (const one of y ?? []) rows = Math.max(rows, one + 1);
    for (const one of p ?? []) on += one;
    all += t.length;
    polar ||= p !== undefined;
    flat &&= y === undefined;
    if (first.length < shownFirst) first.push({ ...(labelled ? { label } : {}), events: t.length });
  }
  return {
    labels: labelled ? 'classes' : 'none',
    ...(labelled ? { classes: classCounts(byClass) } : {}),
    recordings: {
      events: events.result(),
      milliseconds: milliseconds.result(),
      ...(polar ? { on: on / Math.max(1, all) } : {}),
      seen: { columns, ...(flat ? {} : { rows }) },
    },
    first,
  };
}
