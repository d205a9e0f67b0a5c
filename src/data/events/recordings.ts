import { fail } from '../../base/diagnostics/index.js';
import { type Dataset, batchCount } from '../dataset.js';
import { type Recordings, type Sensor, frameShape } from './events.js';
import { type Framing, integrate, segmentsOf } from './framing.js';

interface RecordingSet extends Recordings {
  readonly name: string;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly classesKnown: boolean;
  readonly labelled?: boolean;
  readonly notes?: readonly string[];
  readonly close?: () => void;
}

/** A data set of recordings, which a network's coding frames ({@link framed}). */
export function recordingSet({ sensor, channels, events, labels, close, notes = [], ...set }: RecordingSet): Dataset {
  return {
    ...set,
    shape: sensor === undefined ? [] : frameShape(sensor),
    layout: 'nchw',
    type: 'events',
    length: labels.length,
    scale: 1,
    frameScale: 1,
    notes,
    recordings: { ...(sensor === undefined ? {} : { sensor }), ...(channels === undefined ? {} : { channels }), events },
    labels: (start, count) => labels.slice(start, start + batchCount({ length: labels.length }, start, count)),
    read: () => fail('data/unframed', { name: set.name }),
    close: close ?? (() => undefined),
  };
}

/** The recordings as frames [T, 2, rows, columns] or [T, channels] of counts. */
export function framed(dataset: Dataset, recordings: Recordings, framing: Framing, sensor: Sensor): Dataset {
  const shape = [framing.steps, ...frameShape(sensor)];
  const size = shape.reduce((all, n) => all * n, 1);
  const { length } = dataset;
  const { recordings: _, ...rest } = dataset;
  return {
    ...rest,
    shape,
    frames: true,
    decoded: true,
    type: 'counts',
    read(start, wanted) {
      const count = batchCount({ length }, start, wanted);
      const images = new Float32Array(count * size);
      for (let i = 0; i < count; i++) {
        const events = recordings.events(start + i);
        // by duration there may be fewer frames than steps: missing ones are empty
        integrate(events, segmentsOf(events, framing), sensor, images.subarray(i * size, (i + 1) * size));
      }
      return { count, images, labels: dataset.labels?.(start, count) ?? new Int32Array(count) };
    },
  };
}
