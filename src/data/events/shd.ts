import { fail } from '../../base/diagnostics/index.js';
import type { Dataset } from '../dataset.js';
import { mostClasses } from '../npy.js';
import { type Events, type Sensor, failEvents, inOrder } from './events.js';
import { Hdf5File } from './hdf5.js';
import { recordingSet } from './recordings.js';

/** Channels of the cochlea of SHD and SSC. */
export const cochlea = { columns: 700 };

/**
 * Spiking Heidelberg Digits and Spiking Speech Commands (HDF5), whose number of `classes` is known: `spikes/times` (rows of any length,
 * seconds), `spikes/units` (channels 0 … 699), `labels`. Other files of this layout have as many channels as a network's input.
 */
export function openSpokenEvents(name: string, path: string, classes?: number): Dataset {
  const sensor = classes === undefined ? undefined : cochlea;
  const file = new Hdf5File(path);
  try {
    const labels = file.integers('labels');
    for (const key of ['spikes/times', 'spikes/units']) {
      const rows = file.lengthOf(key);
      if (rows !== labels.length) fail('data/count-mismatch', { name, images: rows, labels: labels.length });
    }
    if (labels.length === 0) fail('data/empty', { name });
    const most = classes ?? mostClasses;
    const index = labels.findIndex((label) => label < 0 || label >= most);
    if (index !== -1) fail('data/label-out-of-range', { name: path, label: labels[index]!, index, classes: most });
    return recordingSet({
      name,
      ...(sensor === undefined ? {} : { sensor }),
      channels: true,
      labels,
      classes: classes ?? labels.reduce((a, b) => Math.max(a, b), 0) + 1,
      classesKnown: classes !== undefined,
      events: (i) => rowOf(file, i, sensor),
      close: () => file.close(),
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

function rowOf(file: Hdf5File, i: number, { columns }: Sensor = { columns: 2 ** 16 }): Events {
  const { values: seconds, half } = file.row('spikes/times', i);
  const { values: units } = file.row('spikes/units', i);
  if (seconds.length !== units.length)
    failEvents(file.path, i, `row ${i} has ${seconds.length} times and ${units.length} channels`);
  const at = units.findIndex((unit) => !Number.isInteger(unit) || unit < 0 || unit >= columns);
  if (at !== -1) failEvents(file.path, i, `row ${i} has an event in channel ${units[at]}, which is none of the ${columns}`);
  const common = { path: file.path, x: Uint16Array.from(units), offset: () => i };
  // in single precision times count as whole µs do
  return inOrder(half ? { ...common, clock: 'half', t: seconds } : { ...common, clock: 'us', t: seconds.map((s) => Math.trunc(s * 1e6)) });
}
