import { fail } from '../../base/diagnostics/index.js';

/** How times are counted: µs, or seconds in half precision (SHD), where arithmetic is rounded to it. */
export type Clock = 'us' | 'half';

/** The events of one recording in the order of its file. */
export interface Events {
  /** The file, for diagnostics. */
  readonly path: string;
  readonly clock: Clock;
  /** Times, in µs or (`half`) seconds; they never run back ({@link inOrder}). */
  readonly t: Float64Array;
  /** Columns, or channels where there are no rows. */
  readonly x: Uint16Array;
  /** Rows; missing of sensors of one row. */
  readonly y?: Uint16Array;
  /** 0 or 1; missing of sensors without polarity. */
  readonly p?: Uint8Array;
  /** Where event i lies in the file, or an element of an array. */
  readonly offset: (i: number) => number;
}

/** Places of the sensor; `rows` is missing where there is one axis and no polarity. */
export interface Sensor {
  readonly columns: number;
  readonly rows?: number;
}

/** Recordings of events, read one by one from the disk. */
export interface Recordings {
  /** The sensor of the set; missing where only a network's input says it. */
  readonly sensor?: Sensor;
  /** Its places have one axis and no polarity, however many there are. */
  readonly channels?: true;
  readonly events: (i: number) => Events;
}

/** What goes wrong at a place in a file of events. */
export function failEvents(file: string, offset: number, reason: string, help?: string): never {
  return fail('data/bad-events', { file, offset, reason }, undefined, { help });
}

/** The shape of one frame: [2, rows, columns], or [channels]. */
export function frameShape({ columns, rows }: Sensor): readonly number[] {
  return rows === undefined ? [columns] : [2, rows, columns];
}

/** The events, whose times were found not to run back, nor to begin before 0; where they do, a diagnostic names the first. */
export function inOrder(events: Events): Events {
  const { t, path, offset } = events;
  // those behind the first are no smaller
  if (t.length > 0 && !(t[0]! >= 0)) {
    const help = 'count times from 0 on (subtract the first one), or leave the recording out';
    failEvents(path, offset(0), `event 0 has the time ${t[0]}, which is before 0`, help);
  }
  for (let i = 1; i < t.length; i++) {
    if (t[i]! >= t[i - 1]!) continue;
    fail('data/time-runs-back', { file: path, event: i, offset: offset(i), before: t[i - 1]!, after: t[i]! });
  }
  const last = t.length - 1;
  if (t[last] === Infinity) failEvents(path, offset(last), `event ${last} has an infinite time`, 'leave it out');
  return events;
}

/** Events of one recording at most: what is read of it stays below half a GB, whatever its file unpacks to. */
export const mostEvents = 2 ** 25;

export function failTooMany(path: string, offset: number): never {
  return failEvents(path, offset, `it has more than ${mostEvents} events`, 'cut it into shorter recordings');
}

/** Grows as events come. Of places in the file, only where they don't follow the one before is kept. */
export class EventList {
  t = new Float64Array(1024);
  x = new Uint16Array(1024);
  y = new Uint16Array(1024);
  p = new Uint8Array(1024);
  count = 0;
  /** Events whose places begin anew, and where. */
  readonly #from: number[] = [];
  readonly #at: number[] = [];
  #next = -1;

  constructor(
    readonly path: string,
    /** Bytes from an event to the next; 0 where all that are added together are at one place. */
    readonly size: number,
  ) {}

  add(t: number, x: number, y: number, p: number, at: number): void {
    if (this.count === this.t.length) this.#grow(at);
    const i = this.count++;
    this.t[i] = t;
    this.x[i] = x;
    this.y[i] = y;
    this.p[i] = p;
    if (at !== this.#next) {
      this.#from.push(i);
      this.#at.push(at);
    }
    this.#next = at + this.size;
  }

  #grow(at: number): void {
    const size = 2 * this.t.length;
    if (size > mostEvents) failTooMany(this.path, at);
    const grown = <A extends Float64Array | Uint16Array | Uint8Array>(from: A, to: A): A => (to.set(from), to);
    this.t = grown(this.t, new Float64Array(size));
    this.x = grown(this.x, new Uint16Array(size));
    this.y = grown(this.y, new Uint16Array(size));
    this.p = grown(this.p, new Uint8Array(size));
  }

  #place(i: number): number {
    let piece = this.#from.length - 1;
    while (piece > 0 && this.#from[piece]! > i) piece--;
    return (this.#at[piece] ?? 0) + this.size * (i - (this.#from[piece] ?? 0));
  }

  done(): Events {
    const { count, path } = this;
    return inOrder({
      path,
      clock: 'us',
      t: this.t.subarray(0, count),
      x: this.x.subarray(0, count),
      y: this.y.subarray(0, count),
      p: this.p.subarray(0, count),
      offset: (i) => this.#place(i),
    });
  }
}
