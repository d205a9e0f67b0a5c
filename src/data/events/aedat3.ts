import { FileReader } from '../files.js';
import { EventList, type Events, failEvents } from './events.js';

const headerSize = 28;
const polarity = 1;
const polaritySize = 8;
const headerEnd = '#!END-HEADER\r\n';

interface Packet {
  /** Where its events start. */
  readonly at: number;
  readonly count: number;
  readonly size: number;
  readonly overflow: number;
  readonly first: number;
  readonly last: number;
}

/**
 * AEDAT 3.1: lines up to `#!END-HEADER`, then packets: a little-endian header of 28 bytes (type, source, size of an event,
 * offset of its time, times the clock overflowed, capacity, number, valid) and the events; those of polarity have 32 bits
 * (valid, polarity, y 15 bits, x 15 bits) and 32 bits µs. Of a packet, header and first and last event are read once.
 */
export class Aedat3 {
  #packets: readonly Packet[] | undefined;

  constructor(readonly path: string) {}

  /** Events at from ≤ t < to, in µs; all without. */
  read(from = -Infinity, to = Infinity): Events {
    const file = new FileReader(this.path);
    try {
      this.#packets ??= packetsOf(file);
      const list = new EventList(this.path, polaritySize);
      for (const packet of this.#packets) {
        if (packet.last < from || packet.first >= to) continue;
        const bytes = file.read(packet.at, packet.count * packet.size);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let i = 0; i < packet.count; i++) {
          const data = view.getUint32(i * packet.size, true);
          if ((data & 1) === 0) continue;
          const t = timeOf(view, i * packet.size, packet.overflow);
          if (t < from || t >= to) continue;
          list.add(t, data >>> 17, (data >>> 2) & 0x7fff, (data >>> 1) & 1, packet.at + i * packet.size);
        }
      }
      return list.done();
    } finally {
      file.close();
    }
  }
}

function timeOf(view: DataView, at: number, overflow: number): number {
  return view.getInt32(at + 4, true) + overflow * 2 ** 31;
}

function packetsOf(file: FileReader): readonly Packet[] {
  const { path } = file;
  const head = new TextDecoder('latin1').decode(file.read(0, 2 ** 16));
  const end = head.indexOf(headerEnd);
  if (end === -1) return failEvents(path, 0, `no line ${headerEnd.trim()} ends its header`, 'this is the format of AEDAT 3.1');
  const packets: Packet[] = [];
  for (let at = end + headerEnd.length; at < file.size;) {
    const bytes = file.read(at, headerSize);
    if (bytes.length < headerSize) failEvents(path, at, 'it ends in the middle of a packet’s header', 'copy the file again');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const type = view.getInt16(0, true);
    const [size, overflow, count] = [view.getInt32(4, true), view.getInt32(12, true), view.getInt32(20, true)];
    if (size < 1 || count < 0) failEvents(path, at, `a packet has ${count} events of ${size} bytes`);
    const start = at + headerSize;
    at = start + size * count;
    if (at > file.size)
      failEvents(path, start, `a packet of ${count} events ends behind the file’s end, at ${at} of ${file.size} bytes`, 'copy the file again');
    if (type !== polarity || count === 0) continue;
    if (size !== polaritySize) failEvents(path, start, `its events of polarity have ${size} bytes, not ${polaritySize}`);
    const one = (i: number): number => {
      const event = file.read(start + i * size, size);
      return timeOf(new DataView(event.buffer, event.byteOffset, event.byteLength), 0, overflow);
    };
    packets.push({ at: start, count, size, overflow, first: one(0), last: one(count - 1) });
  }
  return packets;
}
