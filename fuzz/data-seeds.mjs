// Valid data sets of every form that `--data` takes, which mutate.mjs damages: small, each part of its format in them.
import { gunzipSync } from 'node:zlib';
import { idx, npy, wave, zip } from './files.mjs';

const count = 40;
/** Events whose places lie within 34×34. */
const events = Array.from({ length: count }, (_, i) => ({ t: 1000 * i, x: (i * 7) % 34, y: (i * 5) % 34, p: i % 2 }));
const joined = (parts) => Buffer.concat(parts);
const written = (length, write) => {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
};

/** N-MNIST's, with an overflow of its clock in the middle. */
const bin = joined(
  events.map(({ t, x, y, p }, i) => {
    const since = t - (i > 20 ? 2 ** 13 : 0);
    return Buffer.from([x, i === 20 ? 240 : y, (p << 7) | (since >> 16), (since >> 8) & 255, since & 255]);
  }),
);

const aedat2 = joined([
  Buffer.from('#!AER-DAT2.0\r\n# events\r\n'),
  ...events.map(({ t, x, y, p }) =>
    written(8, (event) => {
      event.writeUInt32BE((y << 8) | (x << 1) | p, 0);
      event.writeUInt32BE(t, 4);
    }),
  ),
]);

/** Three packets: events, something else, events after an overflow of the clock. */
const aedat3 = joined([
  Buffer.from('#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n'),
  ...[
    [1, 8, 0, events.slice(0, 20)],
    [2, 36, 0, [0]],
    [1, 8, 1, events.slice(20)],
  ].flatMap(([type, size, overflow, own]) => [
    written(28, (head) => {
      head.writeInt16LE(type, 0);
      [size, 4, overflow, own.length, own.length, own.length].forEach((n, i) => head.writeInt32LE(n, 4 + 4 * i));
    }),
    written(size * own.length, (body) => {
      if (type !== 1) return;
      own.forEach(({ t, x, y, p }, i) => {
        body.writeUInt32LE(x * 2 ** 17 + y * 4 + p * 2 + 1, 8 * i);
        body.writeInt32LE(t, 8 * i + 4);
      });
    }),
  ]),
]);

/** A FlatBuffer `EVTS` with its size in front. */
const eventPacket = written(32 + 16 * count, (bytes) => {
  bytes.writeUInt32LE(28 + 16 * count, 0);
  bytes.writeUInt32LE(16, 4);
  bytes.write('EVTS', 8, 'latin1');
  [6, 8, 4].forEach((n, i) => bytes.writeUInt16LE(n, 12 + 2 * i));
  [8, 4, count].forEach((n, i) => bytes.writeUInt32LE(n, 20 + 4 * i));
  events.forEach(({ t, x, y, p }, i) => {
    bytes.writeBigInt64LE(BigInt(t), 32 + 16 * i);
    [x, y].forEach((n, axis) => bytes.writeInt16LE(n, 40 + 16 * i + 2 * axis));
    bytes[44 + 16 * i] = p;
  });
});
/** The same packet as lz4 and zstd pack it. */
const packed = {
  0: eventPacket,
  1: Buffer.from(
    'BCJNGGRAp60BAADxCJwCAAAQAAAARVZUUwYACAAEAAAACAAACAAuKAABACLoAwgAogcABQABAAAA0AcQADEOAAoIACK4CxAAMRUADyAAIqAPEAAxHAAUCAAiiBMQADEBABkgACJwFxAAMQgAHggAIlgbEAAAPgAAIAAiQB8QADEWAAYIACIoIxAAMR0ACyAAIhAnEAARAsYAQgAA+CoQADEJABUgACLgLhAAMRAAGggAIsgyEAAxFwAfIAAisDYQADEeAAIIACKYOhAAMQMAByAAIoA+EAAxCgAMCAAiaEIQADERABEgACJQRhAAMRgAFggAIjhKEAAxHwAbIAAiIE4QADIEACDoABJSEAAxCwADIAAi8FUQABESdgFCAADYWRAAMRkADSAAIsBdEAAxIAASCAAiqGEQADEFABcgACKQZRAAMQwAHAgAInhpEAAxEwAhIAAiYG0QABEa0gFCAABIcRAAMSEACSAAIjB1EAAyBgAOyAASeRAAMQ0AEyAAIgB9EAAyFAAYAAISgBAAMhsAHQACGoQgAiq4iCACKqCMIAIqiJAgAipwlCACJViYIAJQAAEAAAAAAAAAIG6T2w==',
    'base64',
  ),
  3: Buffer.from(
    'KLUv/QRoDQkAZiNCMjCTmgPAiilGOGGUIY0YWoTTHKC5m8kbIvphSu2SZ5980gvvPUKqkq0Z2ZqRrWtkm5UpNQAyADEAv0X8fVm/zeMT7H7ayV+A74flfqzAz6L5yyr7UTf/dPWXdP6Olv5QT4S7i3ZJGhsdE28NmgklSH7q6Ydo+Vsa+h9kPijB32Dz95b2M+T8gK1fgeevrOlP+PmtoP+g9Rd14DdA+KSzBzB/aUe/SM1/xf0gOH9VAf6Pnd99/Rw+f0NRf0b3cUX/Be6v7e23cPiztZ8C46+r6wcyHjEnMLkXmtxNF52/A21/S8+vjf0s/8Kq/pXaXyX9KQt/TQt+lIovGvCbhPwtCPtLVL7A1D8SCCAwNc8BMiZjMpaMR5CxCY5Eb7daDOOj8ow=',
    'base64',
  ),
};

function aedat4(compression) {
  const xml = Buffer.from('<node><attr key="sizeX" type="int">34</attr><attr key="sizeY" type="int">34</attr></node>');
  const head = written(44 + xml.length, (bytes) => {
    bytes.writeUInt32LE(20, 0);
    bytes.write('IOHE', 4, 'latin1');
    [10, 20, 4, 8, 16].forEach((n, i) => bytes.writeUInt16LE(n, 8 + 2 * i));
    [12, compression].forEach((n, i) => bytes.writeUInt32LE(n, 20 + 4 * i));
    bytes.writeBigInt64LE(-1n, 28);
    bytes.writeUInt32LE(4, 36);
    bytes.writeUInt32LE(xml.length, 40);
    xml.copy(bytes, 44);
  });
  const size = (n) => written(4, (bytes) => bytes.writeUInt32LE(n, 0));
  const packet = packed[compression];
  return joined([Buffer.from('#!AER-DAT4.0\r\n'), size(head.length), head, size(0), size(packet.length), packet]);
}

const columns = { t: BigInt64Array, x: Int16Array, y: Int16Array, p: Int16Array };
const npz = zip(
  Object.fromEntries(
    Object.entries(columns).map(([key, Type]) => {
      const values = Type.from(events, (event) => (Type === BigInt64Array ? BigInt(event[key]) : event[key]));
      return [`${key}.npy`, npy(Type === BigInt64Array ? '<i8' : '<i2', [count], values)];
    }),
  ),
);
const frames = zip({ 'frames.npy': npy('<f4', [3, 2, 34, 34], new Float32Array(6936).fill(1)) });

/** SHD's layout: three rows of times in half precision and of channels. */
const spoken = gunzipSync(
  Buffer.from(
    'H4sIAAAAAAACA+2Yv0vDQBTHv+/S1hCqrdJBRURQcdP4q1RxUrEdREHorpYWilWEKLi5+APX/gnioAgiOOgmqKuDOHbV+he4qpfmksYs6mbhfSC53HuXy5f3Lu/gjjKzc81Gp6HpOlw+Fbl2p28q+8jM8/JiZnZJYEe0+Qe6GAIERFohm0hpZTVfsq7Uu8pobRbX8tYtKesg/kj70Hu0JoFAlAAEEWnK57VRUBz252x0hKUqzdClYo2gfx+LGzQsL0/Hod+kI26HIrxVXM9b00Jlw7FtbxS3rAU3FubfJVz0D3T/mI4uUIds7ZS09sTgSIjDCMOIyadaeoSTHk0PSDltnHSUzNzhj7FI1GNhX24s/DEYDfx1uGy8pXlS3f0AwzD/HRIReR9VhdfeM5t8fa22g9b7YXmlZxbnCaqCefssEPXmLIwUko+pwiSm4BU5v38Fd+ilPXolf3Fs8fzZ4ew4UtmJ89oMoYCfsIp79NE+VSktHE0+OZKyWR6rJMup64mKnCES8Avk8IB+OqA3yogzVx7MGK8GhmEYhmEYhmEYhnHxnxeIwHlBKHBeYI/9AiA1KaRjGAAA',
    'base64',
  ),
);

const wav = joined([
  Buffer.from('RIFF'),
  written(4, (bytes) => bytes.writeUInt32LE(36 + 64, 0)),
  Buffer.from('WAVEfmt '),
  written(24, (bytes) => {
    bytes.writeUInt32LE(16, 0);
    [1, 1].forEach((n, i) => bytes.writeUInt16LE(n, 4 + 2 * i));
    [8000, 16000].forEach((n, i) => bytes.writeUInt32LE(n, 8 + 4 * i));
    [2, 16].forEach((n, i) => bytes.writeUInt16LE(n, 16 + 2 * i));
    bytes.write('data', 20, 'latin1');
  }),
  written(68, (bytes) => {
    bytes.writeUInt32LE(64, 0);
    for (let i = 0; i < 32; i++) bytes.writeInt16LE(1000 * (i % 30) - 15000, 4 + 2 * i);
  }),
]);
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAANUlEQVR42mNkYOXixwZYKioqsEowfvj6C7tERm4RdokHT19hl4iITcIuceHqLewSHr5BWCUA+DAWrZuMXuAAAAAASUVORK5CYII=',
  'base64',
);
const jpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAeEAACAgICAwAAAAAAAAAAAAACAwABBBEFEiJhgf/EABUBAQEAAAAAAAAAAAAAAAAAAAAB/8QAFxEBAAMAAAAAAAAAAAAAAAAAAAECMf/aAAwDAQACEQMRAD8AkKU4nIaxkqJJ12ClqAqH14rZr6V3ERLBbX//2Q==',
  'base64',
);
const cifar = (labels) => joined([0, 3].map((label) => Buffer.alloc(3072 + labels, label)));
const table = 'label,x1,x2\n0,0.5,1\n1,-2,3e-1\n1,0,7\n';
const steps = 'sample,target,x1,x2\n0,0.5,1,2\n0,0.5,2,3\n1,-1,3,4\n1,-1,5,6\n';
const series = 'x1,x2\n1,2\n3,4\n5,6\n';

/** A data set: which of its files is damaged, its files, and how it is opened; `@` is its folder. */
const set = (spec, files, targets = Object.keys(files).slice(0, 1)) =>
  targets.map((target) => ({
    target,
    spec,
    files: Object.entries(files).map(([name, bytes]) => ({ name, bytes: Buffer.from(bytes) })),
  }));
const twice = (ending, bytes) => ({ [`d/0/a.${ending}`]: bytes, [`d/1/b.${ending}`]: bytes });

/** Recordings of events, by their files. */
export const recordingSeeds = () => [
  ...Object.entries({ bin, aedat: aedat2, npz }).flatMap(([ending, bytes]) => set('events:@/d', twice(ending, bytes))),
  ...set('events:@/d', twice('aedat', aedat3)),
  ...[0, 1, 3].flatMap((compression) => set('events:@/d', twice('aedat4', aedat4(compression)))),
  ...set('events:@/a.h5', { 'a.h5': spoken }),
  ...set('shd:train', { 'shd_train.h5': spoken }),
  ...set('nmnist:train', { 'Train/0/a.bin': bin, 'Train/1/b.bin': bin }),
  ...set('cifar10dvs-first90:train', {
    'cifar10dvs/airplane/cifar10_airplane_0.aedat': aedat2,
    'cifar10dvs/bird/cifar10_bird_0.aedat': aedat2,
  }),
  ...set(
    'dvs128gesture:train',
    {
      'trials_to_train.txt': 'user01_led.aedat\r\n',
      'user01_led.aedat': aedat3,
      'user01_led_labels.csv': 'class,startTime_usec,endTime_usec\n1,0,9000\n11,9000,2147500000\n',
    },
    ['user01_led.aedat', 'user01_led_labels.csv', 'trials_to_train.txt'],
  ),
];

/** Data sets of files with a sample each, of tables, and of arrays. */
export const sampleSeeds = (hdf5) => [
  ...set('events:@/d', twice('npz', frames)),
  ...set('images:@/d', twice('png', png)),
  ...set('images:@/d', twice('jpg', jpeg)),
  ...set('wav:@/d', twice('wav', wav)),
  ...set('wav:@/d#steps=20', twice('wav', wav)),
  ...set('csv:@/d', twice('csv', series)),
  ...set('csv:@/a.csv', { 'a.csv': table }),
  ...set('csv:@/a.csv', { 'a.csv': steps }),
  ...set('hdf5:@/a.h5', { 'a.h5': hdf5 }),
  ...set('cifar10:test', { 'cifar10/test_batch.bin': cifar(1) }),
  ...set('cifar100:test', { 'cifar100/test.bin': cifar(2) }),
  ...set(
    'mnist:test',
    {
      'mnist/t10k-images-idx3-ubyte': idx(8, [2, 28, 28], new Uint8Array(1568)),
      'mnist/t10k-labels-idx1-ubyte': idx(8, [2], [3, 7]),
    },
    ['mnist/t10k-images-idx3-ubyte', 'mnist/t10k-labels-idx1-ubyte'],
  ),
];
/** An HDF5 file of images and labels, by the package that reads it. */
export function labelledHdf5(library, path) {
  const file = new library.File(path, 'w');
  file.create_dataset({ name: 'images', data: wave(64), shape: [4, 1, 4, 4], dtype: '<f4' });
  file.create_dataset({ name: 'labels', data: Int32Array.of(0, 1, 2, 3), shape: [4], dtype: '<i4' });
  file.close();
}
