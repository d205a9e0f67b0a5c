import { fail } from '../../base/diagnostics/index.js';
import { unpackLimit } from '../bytes.js';
import { FileReader } from '../files.js';
import { readNpy } from '../npy.js';
import { findArray } from '../npz.js';
import { listZip } from '../zip.js';
import { type Events, failEvents, failTooMany, inOrder, mostEvents } from './events.js';

const greatest = 2 ** 16 - 1;
/** Up to here numbers tell every µs. */
const latest = Number.MAX_SAFE_INTEGER;

/** SpikingJelly's NPZ of the events of one recording: arrays `t` (µs), `x`, `y`, `p` (0 is OFF, all others ON) of one length. */
export function readNpzEvents(path: string): Events {
  const file = new FileReader(path);
  try {
    const members = listZip(file);
    const column = (key: string): Float64Array => {
      const { header, open } = findArray(file, members, [key], unpackLimit);
      if (header.shape[0]! > mostEvents) failTooMany(path, mostEvents);
      if (header.shape.length !== 1) {
        const reason = `array "${key}" has the shape [${header.shape.join(', ')}], not [events]`;
        fail('data/bad-npz', { file: path, reason });
      }
      return readNpy(open(), 0, header.shape[0]!, Float64Array);
    };
    const [t, x, y, p] = ['t', 'x', 'y', 'p'].map(column) as [Float64Array, Float64Array, Float64Array, Float64Array];
    for (const [key, values] of Object.entries({ x, y, p })) {
      if (values.length === t.length) continue;
      fail('data/bad-npz', { file: path, reason: `there are ${t.length} times and ${values.length} values of "${key}"` });
    }
    for (const [key, values] of Object.entries({ x, y })) {
      const at = values.findIndex((v) => !(v >= 0 && v <= greatest));
      if (at !== -1) failEvents(path, at, `${key} of event ${at} is ${values[at]}`);
    }
    const at = t.findIndex((time) => !(Math.abs(time) <= latest));
    if (at !== -1) failEvents(path, at, `the time of event ${at} is ${t[at]} µs`);
    return inOrder({
      path,
      clock: 'us',
      t,
      x: Uint16Array.from(x),
      y: Uint16Array.from(y),
      p: Uint8Array.from(p, (v) => (v === 0 ? 0 : 1)),
      offset: (i) => i,
    });
  } finally {
    file.close();
  }
}
