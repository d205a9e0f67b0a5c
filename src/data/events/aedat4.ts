import { DiagnosticError } from '../../base/diagnostics/index.js';
import { readBytes } from '../files.js';
import { EventList, type Events, type Sensor, failEvents } from './events.js';
import { FlatTable } from './flat-table.js';
import { Lz4Error, unpackLz4 } from './lz4.js';
import { unpackZstd } from './zstd.js';

const magic = '#!AER-DAT4.0\r\n';
const eventSize = 16;

export interface Recording4 {
  readonly events: Events;
  readonly sensor?: Sensor;
}

/**
 * AEDAT 4: a line, a size-prefixed FlatBuffer (`IOHE`: compression, where the table of packets lies, a description in
 * XML), packets (stream, size, a size-prefixed FlatBuffer, compressed), the table. Events are `EVTS`: structs of 16 bytes,
 * µs, x, y, polarity; other packets are passed over.
 */
export function readAedat4(path: string): Recording4 {
  const bytes = readBytes(path);
  if (new TextDecoder('latin1').decode(bytes.subarray(0, magic.length)) !== magic)
    failEvents(path, 0, `it doesn’t start with ${magic.trim()}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bad = (at: number, reason: string): never => failEvents(path, at, reason, 'copy the file again');
  if (bytes.length < magic.length + 4) bad(bytes.length, 'it ends in its header');
  const start = magic.length + 4 + view.getUint32(magic.length, true);
  if (start > bytes.length) bad(magic.length, 'it ends in its header');
  const header = new FlatTable(bytes.subarray(magic.length + 4, start), (at, reason) => bad(magic.length + 4 + at, reason));
  const compression = header.int32(0);
  const table = header.int64(1);
  const sensor = sensorOf(header.text(2));
  const list = new EventList(path, 0);
  const end = table > 0 ? Math.min(table, bytes.length) : bytes.length;
  for (let at = start; at < end;) {
    if (at + 8 > end) bad(at, 'it ends in the middle of a packet’s header');
    const size = view.getInt32(at + 4, true);
    const from = at + 8;
    at = from + size;
    if (size < 0 || at > end) bad(from, `a packet of ${size} bytes ends behind the file’s end`);
    addEvents(unpacked(bytes.subarray(from, at), compression, from, bad), from, list, bad);
  }
  return { events: list.done(), ...(sensor === undefined ? {} : { sensor }) };
}

type Bad = (at: number, reason: string) => never;

/** What a packet unpacks to; `compression`: none, LZ4, LZ4 (high), zstd, zstd (high). */
function unpacked(packed: Uint8Array, compression: number, at: number, bad: Bad): Uint8Array {
  switch (compression) {
    case 0:
      return packed;
    case 1:
    case 2:
      try {
        return unpackLz4(packed);
      } catch (error) {
        if (!(error instanceof Lz4Error)) throw error;
        return bad(at + error.at, error.message);
      }
    case 3:
    case 4:
      try {
        return unpackZstd(packed);
      } catch (error) {
        if (error instanceof DiagnosticError) throw error;
        return bad(at, `zstd data can’t be unpacked: ${error instanceof Error ? error.message : String(error)}`);
      }
    default:
      return bad(at, `compression ${compression} is unknown`);
  }
}

function addEvents(packet: Uint8Array, offset: number, list: EventList, bad: Bad): void {
  if (packet.length < 12 || new TextDecoder('latin1').decode(packet.subarray(8, 12)) !== 'EVTS') return;
  const { start, count } = new FlatTable(packet.subarray(4), (_, reason) => bad(offset, reason)).vector(0, eventSize);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  for (let i = 0, at = 4 + start; i < count; i++, at += eventSize) {
    const [x, y] = [view.getInt16(at + 8, true), view.getInt16(at + 10, true)];
    if (x < 0 || y < 0) bad(offset, `an event lies at x = ${x}, y = ${y}`);
    list.add(Number(view.getBigInt64(at, true)), x, y, view.getUint8(at + 12) === 0 ? 0 : 1, offset);
  }
}

/** `<attr key="sizeX" type="int">64</attr>` */
function sensorOf(xml: string): Sensor | undefined {
  const [columns, rows] = ['X', 'Y'].map((axis) => Number(new RegExp(`key="size${axis}"[^>]*>(\\d{1,5})<`).exec(xml)?.[1]));
  return columns! > 0 && rows! > 0 ? { columns: columns!, rows: rows! } : undefined;
}
