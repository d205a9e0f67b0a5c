import { expect, it } from 'vitest';
import { recordingSet } from '../../../src/data/events/recordings.js';
import { lookAtRecordings } from '../../../src/data/look-at-recordings.js';

it.each([
  ['half', [0.25, 0.5, 0.75]],
  ['us', [250_000, 500_000, 750_000]],
] as const)('recordings whose clock counts in %s last as many ms', (clock, times) => {
  const one = { path: 'one', clock, t: Float64Array.from(times), x: Uint16Array.of(4, 9, 2), offset: (i: number) => i };
  const set = { name: 'two', labels: Int32Array.of(1, 0), classes: 2, classesKnown: true, events: () => one };
  const dataset = recordingSet(set);
  const { recordings, classes } = lookAtRecordings(dataset, dataset.recordings!, 2);
  expect(recordings).toEqual({
    events: { min: 3, max: 3, mean: 3 },
    milliseconds: { min: 500, max: 500, mean: 500 },
    seen: { columns: 10 },
  });
  expect(classes).toEqual([
    { class: 0, samples: 1 },
    { class: 1, samples: 1 },
  ]);
});
