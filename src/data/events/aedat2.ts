import { readBytes } from '../files.js';
import { EventList, type Events, failEvents } from './events.js';

/** How an address says x, y and polarity; nothing where it is no event of a pixel. */
type Address = (a: number) => readonly [x: number, y: number, p: number] | undefined;

/** Address layouts (jAER). */
export const addresses = {
  dvs128: (a) => [(a >>> 1) & 0x7f, (a >>> 8) & 0x7f, a & 1],
  /** CIFAR10-DVS as SpikingJelly reads it: x = 127 − bits 8-14, y = 127 − bits 1-7, p = 1 − bit 0. */
  cifar10dvs: (a) => [127 - ((a >>> 8) & 0x7f), 127 - ((a >>> 1) & 0x7f), 1 - (a & 1)],
  /** The same as Tonic reads it. */
  cifar10dvsTonic: (a) => [(a >>> 8) & 0x7f, (a >>> 1) & 0x7f, a & 1],
  /** Bit 31 marks frames and others. */
  davis: (a) => (a >>> 31 === 1 ? undefined : [(a & 0x3ff000) >>> 12, (a & 0x7fc00000) >>> 22, (a & 0x800) >>> 11]),
} as const satisfies Readonly<Record<string, Address>>;

const size = 8;
const newline = 10;
const hash = 35;

/** AEDAT 2: lines that start with `#`, then pairs of big-endian 32-bit addresses and µs. */
export function readAedat2(path: string, layout?: keyof typeof addresses): Events {
  const bytes = readBytes(path);
  let start = 0;
  while (bytes[start] === hash) {
    const end = bytes.indexOf(newline, start);
    if (end === -1) failEvents(path, start, 'its header has no end');
    start = end + 1;
  }
  const header = new TextDecoder('latin1').decode(bytes.subarray(0, start));
  const address: Address = addresses[layout ?? (/davis/i.test(header) ? 'davis' : 'dvs128')];
  const end = bytes.length - ((bytes.length - start) % size);
  if (end !== bytes.length) failEvents(path, end, 'it ends in the middle of an event', 'copy the file again');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list = new EventList(path, size);
  let [passed, before] = [0, 0];
  for (let at = start; at < end; at += size) {
    const time = view.getUint32(at + 4);
    // the clock of 32 bits began anew
    if (before - time > 2 ** 31) passed += 2 ** 32;
    before = time;
    const found = address(view.getUint32(at));
    if (found !== undefined) list.add(time + passed, ...found, at);
  }
  return list.done();
}
