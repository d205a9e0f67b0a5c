import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type Diagnostic, DiagnosticError } from '../../../src/base/diagnostics/index.js';
import { type Framing, fitDataset, loadReaders, openDataset } from '../../../src/data/index.js';
import { cutsOf } from '../../../src/data/events/gesture.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { bytesOf, npyBytes, zipBytes } from '../builders.js';
import { importPackage, requirePackage } from '../../../src/data/packages.js';
import { segmentsOf } from '../../../src/data/events/framing.js';
import { aedat3, bin } from './writers.js';
import { expectDiagnostic } from '../../support/expect-diagnostic.js';
import { EventList, inOrder, mostEvents } from '../../../src/data/events/events.js';

beforeAll(() => loadReaders('shd:train'));

const framing: Framing = { steps: 2, by: 'number', rule: 'spikingjelly' };

/** What is said when a folder of such a file is read as a network with a sensor of 34×34 reads it. */
function said(name: string, content: Uint8Array, more: Readonly<Record<string, Uint8Array>> = {}): Diagnostic {
  const folder = temporaryFolder();
  for (const [path, bytes] of Object.entries({ [`0/${name}`]: content, ...more })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return failing(() => {
    const dataset = openDataset(`events:${folder}`);
    const { value, diagnostics } = fitDataset(dataset, { shape: [2, 2, 34, 34], frames: true, outputs: 10, framing });
    if (value === undefined) throw new DiagnosticError(diagnostics);
    value.read(0, value.length);
  });
}

function failing(act: () => unknown): Diagnostic {
  try {
    act();
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics[0]!;
    throw error;
  }
  throw new Error('nothing was said');
}

const event = (t: number, x = 1, y = 2, p = 1) => ({ t, x, y, p });

it('a .bin that ends in the middle of an event is refused at the byte where that begins', () => {
  const found = said('a.bin', bin([event(1), event(2)]).subarray(0, 8));
  expect(found).toMatchObject({ code: 'data/bad-events', help: 'copy the file again' });
  expect(found.message).toMatch(/a\.bin", at 5: .*8 bytes are no multiple of 5/);
});

it('times that run back are refused with the event, its byte and both times', () => {
  const { code, message } = said('a.bin', bin([event(10), event(20), event(15)]));
  expect(code).toBe('data/time-runs-back');
  expect(message).toMatch(/at 10: the time of event 2 runs back, from 20 to 15/);
});

it.each([
  [[-5, 1, 2], /at 0: event 0 has the time -5, which is before 0/],
  [[Number.NaN], /event 0 has the time NaN/],
  [[1, Infinity], /at 1: event 1 has an infinite time/],
])('times %j before 0 or without an end are refused with the event and its place', (times, message) => {
  const t = Float64Array.from(times);
  const events = { path: 'a.npz', clock: 'us', t, x: new Uint16Array(t.length), offset: (i: number) => i } as const;
  expect(expectDiagnostic('data/bad-events', () => inOrder(events)).message).toMatch(message);
});

it('an overflow of N-MNIST’s clock goes on 2^13 µs later: times don’t run back', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '0'));
  writeFileSync(join(folder, '0/a.bin'), bin([event(8000), event(0, 0, 240), event(100)]));
  const { recordings } = openDataset(`events:${folder}`);
  expect([...recordings!.events(0).t]).toEqual([8000, 8292]);
});

it('an event outside of the sensor is refused with its place', () => {
  const { code, message, help } = said('a.bin', bin([event(1), event(2, 34, 5)]));
  expect(code).toBe('data/bad-events');
  expect(message).toMatch(/at 5: event 1 lies at x = 34, y = 5, outside of the 34×34 places/);
  expect(help).toMatch(/size of the sensor/);
});

it('a recording without events is refused', () => {
  expect(said('a.bin', new Uint8Array(0))).toMatchObject({ code: 'data/no-events' });
});

it('AEDAT 3.1: a packet that ends behind the file’s end is refused with both places', () => {
  const whole = aedat3([event(1), event(2)]);
  const { code, message } = said('a.aedat', whole.subarray(0, whole.length - 3));
  expect(code).toBe('data/bad-events');
  expect(message).toMatch(new RegExp(`ends behind the file’s end, at ${whole.length} of ${whole.length - 3} bytes`));
});

it('AEDAT 3.1: an overflow of the clock counts 2^31 µs', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.aedat'), aedat3([event(5)], { overflow: 1 }));
  expect([...openDataset(`events:${join(folder, 'a.aedat')}`).recordings!.events(0).t]).toEqual([2 ** 31 + 5]);
});

it('AEDAT 2: the clock of 32 bits goes on when it begins anew; a cut-off event is refused', () => {
  const folder = temporaryFolder();
  const words = [0, 2 ** 32 - 10, 0, 5];
  const body = Buffer.alloc(16);
  words.forEach((word, i) => body.writeUInt32BE(word, 4 * i));
  const file = Buffer.concat([Buffer.from('#!AER-DAT2.0\r\n'), body]);
  writeFileSync(join(folder, 'a.aedat'), file);
  expect([...openDataset(`events:${join(folder, 'a.aedat')}`).recordings!.events(0).t]).toEqual([2 ** 32 - 10, 2 ** 32 + 5]);
  expect(said('a.aedat', file.subarray(0, -2)).message).toMatch(/at 22: it ends in the middle of an event/);
});

it('AEDAT 1 and files that name no version are refused', () => {
  expect(said('a.aedat', Buffer.from('#!AER-DAT1.0\r\n')).message).toMatch(/AEDAT 1\.0 isn't read/);
  expect(said('a.aedat', Buffer.from('nothing')).message).toMatch(/names no version/);
});

it('AEDAT 4: cut anywhere, the file gives a diagnostic or the packets before', () => {
  expect(said('a.aedat4', Buffer.from('#!AER-DAT4.0\r\n')).message).toMatch(/it ends in its header/);
  expect(said('a.aedat4', Buffer.from('#!AER-DAT2.0\r\n')).message).toMatch(/doesn’t start with/);
  const damaged = Buffer.concat([Buffer.from('#!AER-DAT4.0\r\n'), Buffer.from([4, 0, 0, 0, 255, 255, 255, 255])]);
  expect(said('a.aedat4', damaged).message).toMatch(/FlatBuffer is damaged/);
});

/** Frames of zstd that hold little and say much. */
const zstdFrames: readonly (readonly [name: string, frame: readonly number[], message: RegExp])[] = [
  ['a size of 2^40 bytes', [0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0], /more than 134217728 bytes/],
  ['a size that its blocks lack', [0xa0, 0, 0, 1, 0, 1, 0, 0], /says that it has 65536 bytes, and its blocks have 0 at most/],
  ['a window of 2 GB', [0x00, 0xa8, 1, 0, 0], /more than 134217728 bytes/],
  ['2,000 blocks of 128 kB', [0x00, 0x38, ...Array.from({ length: 2000 }, (_, i) => [i === 1999 ? 3 : 2, 0, 16, 0]).flat()], /more than 134217728/],
  ['no last block', [0x20, 0, 0, 0, 0], /it is cut off/],
  ['no frame', [], /can’t be unpacked/],
];

it.each(zstdFrames)('AEDAT 4: zstd with %s is refused before it is unpacked', (_, frame, message) => {
  const packet = Buffer.from([...(frame.length > 0 ? [0x28, 0xb5, 0x2f, 0xfd] : [1]), ...frame]);
  // a FlatBuffer `IOHE` whose only field is the compression, 3
  const header = [16, 0, 0, 0, 73, 79, 72, 69, 6, 0, 8, 0, 4, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0];
  const size = Buffer.alloc(4);
  size.writeUInt32LE(packet.length);
  const file = Buffer.concat([Buffer.from('#!AER-DAT4.0\r\n'), Buffer.from([header.length, 0, 0, 0, ...header, 0, 0, 0, 0]), size, packet]);
  const found = said('a.aedat4', file);
  expect(found.code).toBe('data/bad-events');
  expect(found.message).toMatch(message);
});

it('a recording of more events than are held is refused, in a list and in arrays', () => {
  const shape = [mostEvents + 1];
  const head = (key: string) => ({ name: `${key}.npy`, data: npyBytes("'|u1'", shape, new Uint8Array(0)), change: (f: { size: number }) => void (f.size += shape[0]!) });
  expect(said('a.npz', zipBytes(['t', 'x', 'y', 'p'].map((key) => ({ ...head(key), deflate: true })))).message).toMatch(/more than 33554432 events/);
  const list = new EventList('a.bin', 5);
  list.t = { length: mostEvents } as Float64Array<ArrayBuffer>;
  list.count = mostEvents;
  expect(expectDiagnostic('data/bad-events', () => list.add(0, 0, 0, 0, 7)).message).toMatch(/at 7: it has more than/);
});

it('places of events are told where others lie between them', () => {
  const list = new EventList('a.aedat', 8);
  [30, 38, 54, 62, 10].forEach((at, i) => list.add(i, 0, 0, 0, at));
  const { offset } = list.done();
  expect([0, 1, 2, 3, 4].map(offset)).toEqual([30, 38, 54, 62, 10]);
});

it('a list of trials names files of its folder', () => {
  const folder = temporaryFolder();
  for (const name of ['../user01.aedat', '/dev/zero', 'a\0b']) {
    writeFileSync(join(folder, 'trials_to_train.txt'), `${name}\n`);
    const { message } = failing(() => openDataset('dvs128gesture:train', { dataDir: folder }));
    expect(message).toMatch(/trials_to_train\.txt", line 1: .* isn't the name of a file in this folder/);
  }
});

it('NPZ: arrays of different lengths, and coordinates that are none, are refused', () => {
  const array = (values: readonly number[]) =>
    npyBytes("'<i8'", [values.length], bytesOf(BigInt64Array.from(values, BigInt)));
  const npz = (x: readonly number[]) =>
    zipBytes([
      { name: 't.npy', data: array([1, 2]) },
      { name: 'x.npy', data: array(x) },
      { name: 'y.npy', data: array([1, 2]) },
      { name: 'p.npy', data: array([1, 0]) },
    ]);
  expect(said('a.npz', npz([1])).message).toMatch(/2 times and 1 values of "x"/);
  expect(said('a.npz', npz([1, -4])).message).toMatch(/at 1: x of event 1 is -4/);
});

it('NPZ: times that aren’t whole µs of double precision are refused', () => {
  const one = npyBytes("'<i8'", [2], bytesOf(BigInt64Array.of(1n, 1n)));
  const npz = (t: Uint8Array) => zipBytes([{ name: 't.npy', data: t }, ...['x', 'y', 'p'].map((key) => ({ name: `${key}.npy`, data: one }))]);
  const late = said('a.npz', npz(npyBytes("'<i8'", [2], bytesOf(BigInt64Array.of(0n, 2n ** 62n)))));
  expect(late.message).toMatch(/at 1: the time of event 1 is 4611686018427388000 µs/);
  const none = said('a.npz', npz(npyBytes("'<f8'", [2], bytesOf(Float64Array.of(NaN, 1)))));
  expect(none.message).toMatch(/at 0: the time of event 0 is NaN µs/);
});

it('by duration no more windows are made than steps are read, however long the recording and short the window', () => {
  const t = Float64Array.of(0, 10, 2000, 1.5e15);
  const events = { path: 'a', clock: 'us', t, x: new Uint16Array(4), offset: (i: number) => i } as const;
  for (const rule of ['spikingjelly', 'tonic'] as const) {
    const cut = (window: number) => segmentsOf(events, { steps: 3, by: 'duration', rule, window });
    expect(cut(1)).toEqual([
      [0, 2],
      [2, 2],
      [2, 3],
    ]);
    expect(cut(1e-300)).toHaveLength(3);
  }
  // the last window takes the rest where it is among the steps that are read
  const short = { ...events, t: Float64Array.of(0, 1000, 2000, 3000) };
  const cut = (steps: number) => segmentsOf(short, { steps, by: 'duration', rule: 'spikingjelly', window: 1 });
  expect(cut(3).at(-1)).toEqual([2, 4]);
  expect(cut(2).at(-1)).toEqual([1, 2]);
  const half = { ...events, clock: 'half' as const, t: Float64Array.of(0, 0.25, 0.5, 1) };
  const halves = (steps: number) => segmentsOf(half, { steps, by: 'duration', rule: 'spikingjelly', window: 250 });
  expect(halves(9)).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ]);
  expect(halves(3)).toEqual(halves(9).slice(0, 3));
  expect(segmentsOf(half, { steps: 2, by: 'duration', rule: 'spikingjelly', window: 1e-300 })).toHaveLength(2);
});

it('frames of one sample have the shape of the first', () => {
  const npz = (steps: number) =>
    zipBytes([{ name: 'frames.npy', data: npyBytes("'<f4'", [steps, 2, 34, 34], bytesOf(new Float32Array(steps * 2312))) }]);
  const found = said('a.npz', npz(2), { '1/b.npz': npz(3) });
  expect(found.code).toBe('data/ragged');
  expect(found.message).toMatch(/b\.npz" has the shape \[3, 2, 34, 34\], and ".*a\.npz" \[2, 2, 34, 34\]/);
});

it('labels of gestures outside of the classes are refused with their line', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'user01.aedat'), aedat3([event(1)]));
  const labels = (text: string): Diagnostic => {
    writeFileSync(join(folder, 'user01_labels.csv'), `class,startTime_usec,endTime_usec\n${text}`);
    return failing(() => cutsOf(join(folder, 'user01.aedat')));
  };
  expect(labels('1,0,5\n12,5,9\n').message).toMatch(/labels\.csv", line 3: class 12 isn't one of 1 to 11/);
  expect(labels('2,9,5\n').message).toMatch(/line 2: it ends at 5 µs, before it starts at 9 µs/);
  expect(labels('two,9,5\n').code).toBe('data/bad-table');
});

it('sets without a split are refused without its name, and unknown places are named', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'airplane'));
  writeFileSync(join(folder, 'airplane/cifar10_airplane_0.aedat'), '');
  const options = { dataDir: folder };
  expect(failing(() => openDataset('cifar10dvs:train', options)).code).toBe('data/no-split');
  expect(failing(() => openDataset('cifar10dvs-half:train', options)).code).toBe('data/no-split');
  expect(failing(() => openDataset('nmnist:train', options)).code).toBe('data/set-not-found');
  expect(failing(() => openDataset('nmnist:valid', options)).code).toBe('data/unknown-set');
  expect(failing(() => openDataset(`events:${folder}/none`)).code).toBe('file/missing');
  const empty = failing(() => openDataset(`events:${temporaryFolder()}`));
  expect(empty).toMatchObject({ code: 'data/no-recordings', help: expect.stringContaining('one a class') });
});

it('recordings go to `coding events` alone', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '0'));
  writeFileSync(join(folder, '0/a.bin'), bin([event(1)]));
  const dataset = openDataset(`events:${folder}`);
  const { diagnostics } = fitDataset(dataset, { shape: [2, 34, 34], outputs: 10 });
  expect(diagnostics.map(({ code }) => code)).toEqual(['data/unframed']);
});

it('an HDF5 file that is none, or has no spikes, is refused', () => {
  const path = join(temporaryFolder(), 'a.h5');
  writeFileSync(path, 'no HDF5');
  const { code, message } = failing(() => openDataset(`events:${path}`));
  expect(code).toBe('data/bad-hdf5');
  expect(message).toMatch(/is not a usable HDF5 file: file signature not found$/);
});

it('a package that isn’t installed is asked for by name', async () => {
  expect(failing(() => requirePackage('no-such-package', 'files'))).toMatchObject({
    code: 'data/package-missing',
    help: 'npm install no-such-package',
  });
  await expect(importPackage('no-such-package/node', 'files')).rejects.toThrow(/"no-such-package", which isn't installed/);
});
