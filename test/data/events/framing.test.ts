import { expect, it } from 'vitest';
import { fitDataset } from '../../../src/data/index.js';
import type { Events } from '../../../src/data/events/events.js';
import { recordingSet } from '../../../src/data/events/recordings.js';

it('recordings of channels have as many as the network’s input; an event in another one is refused', () => {
  const events = (): Events => ({
    path: 'a.h5',
    clock: 'us',
    t: Float64Array.of(1, 2, 3, 4),
    x: Uint16Array.of(0, 4, 4, 2),
    offset: () => 0,
  });
  const set = recordingSet({ name: 'a', channels: true, labels: Int32Array.of(1), classes: 2, classesKnown: false, events });
  const framing = { steps: 2, by: 'number', rule: 'spikingjelly' } as const;
  const fitted = (channels: number) => fitDataset(set, { shape: [2, channels], frames: true, framing, outputs: 2 }).value!;
  expect([...fitted(5).read(0, 1).images]).toEqual([1, 0, 0, 0, 1, 0, 0, 1, 0, 1]);
  expect(() => fitted(4).read(0, 1)).toThrow('outside of the 4 channels');
  const image = fitDataset(set, { shape: [2, 2, 5, 5], frames: true, framing, outputs: 2 });
  expect(image.diagnostics.map(({ code }) => code)).toEqual(['data/shape-mismatch']);
});
