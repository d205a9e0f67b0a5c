import { define } from './define.js';

/** Recordings of events (`data/…`). */
export const eventDiagnostics = {
  'data/bad-events': define<{ file: string; offset: number; reason: string }>(
    'error',
    ({ file, offset, reason }) => `"${file}", at ${offset}: ${reason}`,
    `A recording of events can't be read from this byte (of an NPZ file: element; of an HDF5 file: row) on. What is expected:

| file | what it holds |
| --- | --- |
| \`.bin\` | N-MNIST, N-Caltech101: 5 bytes an event, x, y, then 1 bit polarity and 23 bits µs, big end first; row 240 marks an overflow of the clock |
| \`.aedat\` (2.0) | lines that start with \`#\`, then big-endian 32-bit address and 32-bit µs an event |
| \`.aedat\` (3.1) | lines up to \`#!END-HEADER\`, then packets with a header of 28 bytes |
| \`.aedat4\` | \`#!AER-DAT4.0\`, FlatBuffers, packets plain or packed with LZ4 or zstd |
| \`.npz\` | arrays \`t\` (µs), \`x\`, \`y\`, \`p\`, one element an event |

A file that ends in the middle of an event or packet was cut off: copy or download it again. An event outside of the sensor
was recorded by another one: the network's input has its size, [2, rows, columns].`,
  ),
  'data/time-runs-back': define<{ file: string; event: number; offset: number; before: number; after: number }>(
    'error',
    ({ file, event, offset, before, after }) =>
      `"${file}", at ${offset}: the time of event ${event} runs back, from ${before} to ${after}`,
    `Frames are cut from events in the order of their time. Sort the recording by time, keeping the order of events of one time
(\`numpy.argsort(t, kind='stable')\`), or leave it out; a clock that overflowed has to be continued.`,
  ),
  'data/no-events': define<{ file: string }>(
    'error',
    ({ file }) => `"${file}" is a recording without events`,
    `Nothing can be cut into frames. Delete the recording from its folder, or leave it out of the labels. Of DVS128 Gesture the
labels name a time in which nothing was recorded.`,
  ),
  'data/unframed': define<{ name: string }>(
    'error',
    ({ name }) => `"${name}" holds recordings of events, and nothing says how they become frames`,
    `The coding of the network says it: \`coding events(steps: 10, by: number)\` cuts each recording into 10 frames of as many events
each, \`by: time\` into frames of the same length, \`by: duration, window: 50\` into windows of 50 ms. The network's input has the
shape of one frame, [2, rows, columns] (OFF and ON), or [channels] of a cochlea. \`spikec data\` describes recordings without one.`,
  ),
  'data/no-split': define<{ name: string; set: string }>(
    'error',
    ({ name, set }) => `"${name}" doesn't say which samples train: ${set} comes without a split`,
    `The split is part of the set's name, for figures on different splits can't be compared:

| name | tested |
| --- | --- |
| \`cifar10dvs-first90:test\` | what is behind the first 90 % of each class, in the order of file names (SpikingJelly) |
| \`cifar10dvs-random7:test\` | 10 % of each class, drawn with the seed 7 |
| \`cifar10dvs-tebn:test\` | the samples numbered 0 to 99 of each class (TEBN; accuracies are higher than with the others) |

\`cifar10dvs-tonic-…\` reads pixels as Tonic does; without, as SpikingJelly does. The same goes for \`ncaltech101-…\`.`,
  ),
  'data/no-recordings': define<{ name: string; folder: string; ends?: readonly string[] }>(
    'error',
    ({ name, folder }) => `"${name}": no recordings of events in "${folder}"`,
    `\`events:PATH\` takes one file (\`.bin\`, \`.aedat\`, \`.aedat4\`, \`.npz\`; \`.h5\` of SHD's layout), a folder of such files without
labels, or a folder with a folder for each class. Files and folders whose names start with a dot are passed over.`,
  ),
  'data/ragged': define<{ file: string; found: readonly number[]; first: string; expected: readonly number[] }>(
    'error',
    ({ file, found, first, expected }) =>
      `"${file}" has the shape [${found.join(', ')}], and "${first}" [${expected.join(', ')}]`,
    `All samples of a set have one shape: nothing is resized, and of recordings and time series (\`wav:FOLDER\`, \`csv:FOLDER\`) only as many steps
are taken as the name says: \`wav:FOLDER#steps=16000\` cuts longer ones at their end and fills shorter ones up with zeros. Frames that were cut by duration are as many as the recording was long: cut by number or
by time, or name the events themselves (\`events:FOLDER\`), of which a network's coding takes as many frames as it has steps.`,
  ),
  'data/bad-table': define<{ file: string; line: number; reason: string }>(
    'error',
    ({ file, line, reason }) => `"${file}", line ${line}: ${reason}`,
    `The labels of a recording of DVS128 Gesture are lines \`class,startTime_usec,endTime_usec\` behind a heading: the class from 1
to 11, from when and until when, in µs.`,
  ),
  'data/bad-hdf5': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable HDF5 file: ${reason}`,
    `\`hdf5:FILE\` reads the arrays \`images\` (or \`x\`) and \`labels\` (or \`y\`), of integers of 8 to 64 bits or floats of 32 or 64, shaped as in an
NPZ file ([data/bad-npz](#databad-npz)). Spoken digits (SHD) and commands (SSC) lie in HDF5 files of their own: \`spikes/times\` (a row of seconds a recording), \`spikes/units\` (a row
of channels), \`labels\`. A \`.h5.gz\` has to be unpacked with \`gunzip\` first.`,
  ),
  'data/package-missing': define<{ what: string; name: string }>(
    'error',
    ({ what, name }) => `${what} are read by the package "${name}", which isn't installed`,
    `Packages for single formats are installed only where they are needed, beside spikec: \`npm install h5wasm\` for HDF5, \`fzstd\`
for AEDAT 4 with zstd, \`pngjs\` and \`jpeg-js\` for PNG and JPEG images, \`wavefile\` for WAV.`,
  ),
} as const;
