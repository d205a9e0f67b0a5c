/** An event as tests write it. */
export interface WrittenEvent {
  readonly t: number;
  readonly x: number;
  readonly y: number;
  readonly p: number;
}

/** N-MNIST's `.bin`. */
export function bin(events: readonly WrittenEvent[]): Uint8Array {
  return Uint8Array.from(events.flatMap(({ t, x, y, p }) => [x, y, p * 128 + Math.floor(t / 65536), (t >> 8) & 255, t & 255]));
}

/** AEDAT 3.1: one packet of events of polarity. */
export function aedat3(events: readonly WrittenEvent[], { overflow = 0 } = {}): Uint8Array {
  const header = Buffer.alloc(28);
  header.writeInt16LE(1, 0);
  header.writeInt32LE(8, 4);
  header.writeInt32LE(4, 8);
  header.writeInt32LE(overflow, 12);
  for (const at of [16, 20, 24]) header.writeInt32LE(events.length, at);
  const body = Buffer.alloc(8 * events.length);
  events.forEach(({ t, x, y, p }, i) => {
    body.writeUInt32LE(x * 2 ** 17 + y * 4 + p * 2 + 1, 8 * i);
    body.writeInt32LE(t, 8 * i + 4);
  });
  return Buffer.concat([Buffer.from('#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n'), header, body]);
}
