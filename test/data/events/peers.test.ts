import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Dataset } from '../../../src/data/index.js';
import { type Framing, fitDataset, loadReaders, openDataset } from '../../../src/data/index.js';
import { cutsOf } from '../../../src/data/events/gesture.js';
import { segmentsOf } from '../../../src/data/events/framing.js';
import { readAedat2 } from '../../../src/data/events/aedat2.js';
import { readNpzArrays } from '../../support/npz-arrays.js';

const folder = join(import.meta.dirname, '../../../../shared/cases/turn2/peers/events');
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: events of other libraries: ${folder} isn't there`);
const at = (name: string): string => join(folder, name);
const T = 4;

beforeAll(() => loadReaders('shd:train'));

type Way = Omit<Framing, 'steps'>;
const ways: Readonly<Record<string, Way>> = {
  frames_number: { by: 'number', rule: 'spikingjelly' },
  frames_time: { by: 'time', rule: 'spikingjelly' },
  tonic_event_bins: { by: 'number', rule: 'tonic' },
  tonic_time_bins: { by: 'time', rule: 'tonic' },
};

/** All frames of a set, as a network whose input is one frame of this shape reads them. */
function framesOf(dataset: Dataset, frame: readonly number[], way: Way): { frames: number[]; labels: number[] } {
  const framing = { steps: T, ...way };
  const need = { shape: [T, ...frame], frames: true, outputs: dataset.classes, framing };
  const { value, diagnostics } = fitDataset(dataset, need);
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join());
  const { images, labels } = value.read(0, value.length);
  return { frames: [...images], labels: [...labels] };
}

/** Places where two lists differ, the first of them. */
function differing(found: readonly number[], expected: readonly number[]): readonly number[] {
  expect(found).toHaveLength(expected.length);
  return found.flatMap((value, i) => (value === expected[i] ? [] : [i])).slice(0, 8);
}

/** The arrays list recordings by the numbers in their names; we take the classes by turns. Which of theirs our i-th is. */
function theirs(labels: readonly number[]): readonly number[] {
  const turn = (i: number): number => labels.slice(0, i).filter((label) => label === labels[i]).length;
  return labels.map((_, i) => i).sort((a, b) => turn(a) - turn(b) || labels[a]! - labels[b]!);
}

const sets = [
  ['nmnist', () => openDataset('nmnist:train', { dataDir: at('nmnist') }), 'nmnist_frames.npz', [2, 34, 34]],
  ['SpikingJelly’s npz', () => openDataset(`events:${at('sj_npz')}`), 'sj_npz_frames.npz', [2, 24, 32]],
  ['AEDAT 4', () => openDataset(`events:${at('events.aedat4')}`), 'events_aedat4.npz', [2, 48, 64]],
  ['SHD', () => openDataset(`events:${at('shd.h5')}`), 'shd_frames.npz', [700]],
] as const;

it.runIf(present).each(sets)('frames of %s are those that SpikingJelly and Tonic cut', (name, open, file, frame) => {
  const arrays = readNpzArrays(at(file));
  const dataset = open();
  for (const [key, way] of Object.entries(ways)) {
    const expected = arrays.get(key);
    if (expected === undefined) continue;
    const { frames, labels } = framesOf(dataset, frame, way);
    const known = arrays.get('labels')?.data ?? [0];
    const size = expected.data.length / known.length;
    const ordered = theirs(known).flatMap((i) => expected.data.slice(i * size, (i + 1) * size));
    expect(differing(frames, ordered), `${name} ${key}`).toEqual([]);
    expect(labels).toEqual(theirs(known).map((i) => known[i]));
  }
  dataset.close();
});

const windows = [
  ['nmnist', sets[0][1], 'nmnist_frames.npz', 'frames_duration', { by: 'duration', rule: 'spikingjelly', window: 80 }],
  ['nmnist', sets[0][1], 'nmnist_frames.npz', 'tonic_window', { by: 'duration', rule: 'tonic', window: 100 }],
  ['npz', sets[1][1], 'sj_npz_frames.npz', 'tonic_window', { by: 'duration', rule: 'tonic', window: 120 }],
  ['SHD', sets[3][1], 'shd_frames.npz', 'frames_duration', { by: 'duration', rule: 'spikingjelly', window: 200 }],
  ['SHD', sets[3][1], 'shd_frames.npz', 'tonic_window', { by: 'duration', rule: 'tonic', window: 100 }],
] as const;

it.runIf(present).each(windows)('%s, %#: by duration there are as many frames as libraries cut', (_, open, file, key, way) => {
  const arrays = readNpzArrays(at(file));
  const counts = arrays.get(`${key}_counts`)!.data;
  const { data, shape } = arrays.get(key)!;
  const size = shape.slice(1).reduce((all, n) => all * n, 1);
  const dataset = open();
  const order = theirs(arrays.get('labels')!.data);
  for (let i = 0; i < dataset.length; i++) {
    const events = dataset.recordings!.events(i);
    const count = counts[order[i]!]!;
    const start = counts.slice(0, order[i]).reduce((all, n) => all + n, 0) * size;
    expect(segmentsOf(events, { steps: count + 1, ...way })).toHaveLength(count);
    expect(segmentsOf(events, { steps: T, ...way })).toEqual(segmentsOf(events, { steps: count, ...way }).slice(0, T));
    const first = framesOf({ ...dataset, length: i + 1 }, shape.slice(1), way).frames.slice(i * T * size);
    const there = Math.min(T, count) * size;
    expect(differing(first.slice(0, there), data.slice(start, start + there)), `recording ${i}`).toEqual([]);
    // a recording that is shorter than the network's steps ends in empty frames
    expect(first.slice(there).every((v) => v === 0)).toBe(true);
  }
  dataset.close();
});

it.runIf(present)('gestures are cut from AEDAT 3.1 by the times of their labels', () => {
  const arrays = readNpzArrays(at('gesture_aedat.npz'));
  const cuts = cutsOf(at('gesture.aedat'));
  expect(cuts.map(({ label }) => label)).toEqual([...arrays.get('labels')!.data].map(Number));
  const all = cuts.map(({ file, from, to }) => file.read(from, to));
  for (const key of ['t', 'x', 'y', 'p'] as const)
    expect(all.flatMap((events) => [...events[key]!]), key).toEqual([...arrays.get(`events_${key}`)!.data].map(Number));
});

it.runIf(present)('CIFAR10-DVS has the orientation of SpikingJelly, and of Tonic by name', () => {
  const arrays = readNpzArrays(at('dvs128_aedat.npz'));
  for (const [prefix, layout] of [['sj', 'cifar10dvs'], ['tonic', 'cifar10dvsTonic']] as const) {
    const events = readAedat2(at('dvs128.aedat'), layout);
    for (const key of ['x', 'y', 'p'] as const)
      expect([...events[key]!], `${prefix} ${key}`).toEqual([...arrays.get(`${prefix}_${key}`)!.data].map(Number));
    expect([...events.t]).toEqual([...arrays.get('t')!.data].map(Number));
  }
});
