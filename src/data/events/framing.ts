import { fail } from '../../base/diagnostics/index.js';
import { type Events, type Sensor, failEvents, frameShape } from './events.js';
import { toHalf } from './half.js';

export const framingKinds = ['number', 'time', 'duration'] as const;
export const framingRules = ['spikingjelly', 'tonic'] as const;

/** How a recording becomes frames: `coding events(steps: 16, by: number)`. */
export interface Framing {
  /** Frames that a network takes. */
  readonly steps: number;
  /** As many events a frame, as long a time a frame, or windows of a fixed length. */
  readonly by: (typeof framingKinds)[number];
  /** What becomes of the rest behind the last frame: it belongs to it (SpikingJelly), or is dropped (Tonic). */
  readonly rule: (typeof framingRules)[number];
  /** Length of a frame in ms, by duration. */
  readonly window?: number;
}

/** The events [from, to) of a frame. */
export type Segment = readonly [from: number, to: number];

/**
 * Which events make which frame, as SpikingJelly and Tonic cut:
 *
 *     number    N // T events a frame
 *     time      frames of (t_last − t_first) // T µs from the first event on; of half-precision seconds without the floor
 *     duration  windows from the first event on, ⌈(t_last − t_first)/window⌉ of them; of Tonic whole ones. The first `steps` of
 *               them at most: where there are more, the rest behind belongs to none
 *
 * SpikingJelly's last frame takes the rest, Tonic drops it. A frame may be empty (where SpikingJelly fails by time).
 */
export function segmentsOf(events: Events, framing: Framing): readonly Segment[] {
  const { steps, by, rule } = framing;
  const count = events.t.length;
  if (count === 0) fail('data/no-events', { file: events.path });
  const rest = (segments: readonly Segment[], frames = segments.length): readonly Segment[] =>
    rule === 'tonic' || frames > segments.length ? segments : segments.map((one, i) => (i === segments.length - 1 ? [one[0], count] : one));
  if (by === 'number') {
    const size = Math.floor(count / steps);
    return rest(Array.from({ length: steps }, (_, i): Segment => [i * size, (i + 1) * size]));
  }
  const half = events.clock === 'half' && rule === 'spikingjelly';
  const round = half ? toHalf : (x: number): number => x;
  const t = times(events, half);
  const [first, last] = [t[0]!, t[count - 1]!];
  if (by === 'time') {
    const width = half ? round(round(last - first) / steps) : Math.floor((last - first) / steps);
    const starts = Array.from({ length: steps }, (_, i) => round(round(width * i) + first));
    return rest(starts.map((from): Segment => [lowerBound(t, from), lowerBound(t, round(from + width))]));
  }
  const { window = 0 } = framing;
  if (half) {
    const { frame, frames } = halfWindows(t, window);
    return rest(windows(Math.min(frames, steps), (i) => lowerBound(frame, i)), frames);
  }
  const width = 1000 * window;
  const whole = rule === 'tonic' ? Math.floor((last - first) / width) : Math.ceil((last - first) / width);
  const frames = Math.max(1, whole);
  return rest(windows(Math.min(frames, steps), (i) => lowerBound(t, first + i * width)), frames);
}

/** As many frames as that, from the event where each begins. */
function windows(count: number, begin: (i: number) => number): readonly Segment[] {
  const bounds = Array.from({ length: count + 1 }, (_, i) => begin(i));
  return bounds.slice(1).map((to, i): Segment => [bounds[i]!, to]);
}

/** SpikingJelly's windows of SHD, in ms of half precision: the frame ⌊(1000·t − 1000·t_first)/window⌋ of each event, and how many there are. */
function halfWindows(t: Float64Array, window: number): { readonly frame: Float64Array; readonly frames: number } {
  const ms = t.map((s) => toHalf(1000 * s));
  const since = ms.map((one) => toHalf(one - ms[0]!));
  const frames = Math.max(1, Math.ceil(toHalf(since.at(-1)! / window)));
  return { frame: since.map((one) => Math.floor(one / window)), frames };
}

/** Times as they are compared: whole µs, or SHD's own numbers. */
function times({ t, clock }: Events, half: boolean): Float64Array {
  return half || clock === 'us' ? t : t.map((s) => Math.trunc(s * 1e6));
}

/** How many of the sorted values are less. */
function lowerBound(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Counts of events by frame, polarity and place: [frames, …frameShape], row-major. */
export function integrate(events: Events, segments: readonly Segment[], sensor: Sensor, into: Float32Array): void {
  const { x, y, p } = events;
  const { columns, rows = 1 } = sensor;
  const size = frameShape(sensor).reduce((all, n) => all * n, 1);
  const plane = rows * columns;
  segments.forEach(([from, to], frame) => {
    for (let i = from; i < to; i++) {
      const [column, row] = [x[i]!, y?.[i] ?? 0];
      if (column >= columns || row >= rows) outside(events, i, sensor);
      into[frame * size + (p?.[i] ?? 0) * plane + row * columns + column]!++;
    }
  });
}

function outside(events: Events, i: number, { columns, rows }: Sensor): never {
  const place = events.y === undefined ? `channel ${events.x[i]}` : `x = ${events.x[i]}, y = ${events.y[i]}`;
  const size = rows === undefined ? `${columns} channels` : `${columns}×${rows} places`;
  const help = 'give the network an input of the size of the sensor, or leave the recording out';
  return failEvents(events.path, events.offset(i), `event ${i} lies at ${place}, outside of the ${size} that are read`, help);
}
