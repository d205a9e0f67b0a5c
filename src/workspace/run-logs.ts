import type { EpochRecord } from '../train/index.js';

/** Numbers of an epoch by name: `loss`, `accuracy` …, firing rates as `firing/LAYER`, bits as `bits/KIND`. */
function scalarsOf(record: EpochRecord): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [name, value] of Object.entries(record)) {
    if (name !== 'epoch' && typeof value === 'number') found.set(name, value);
  }
  for (const [layer, rate] of Object.entries(record.firing)) found.set(`firing/${layer}`, rate);
  for (const [name, value] of Object.entries(record.terms ?? {})) found.set(`terms/${name}`, value);
  for (const [output, figures] of Object.entries(record.outputs ?? {}))
    for (const [name, value] of Object.entries(figures)) found.set(`outputs/${output}/${name}`, value);
  return found;
}

/** The log as a table, a row an epoch. */
export function csvLog(records: readonly EpochRecord[]): string {
  const rows = records.map((record) => new Map([['epoch', record.epoch], ...scalarsOf(record)]));
  const names = [...new Set(['epoch', ...rows.flatMap((row) => [...row.keys()])])];
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) => names.map((name) => row.get(name) ?? '').join(','));
  return [names.map(quoted).join(','), ...lines].map((line) => `${line}\n`).join('');
}

/**
 * The log as a file of TensorBoard: TFRecords (length, masked CRC-32C of it, data, masked CRC-32C of it) of `Event` messages,
 * one scalar each, its step the epoch. Times count from the start of the training, so that a resumed one writes the same.
 */
export function tensorBoardLog(records: readonly EpochRecord[]): Uint8Array {
  const parts: Uint8Array[] = [record(message([double(1, 0), bytes(3, new TextEncoder().encode('brain.Event:2'))]))];
  let seconds = 0;
  for (const one of records) {
    seconds += one.seconds;
    for (const [name, value] of scalarsOf(one)) {
      const tagged = message([bytes(1, new TextEncoder().encode(name)), float(2, value)]);
      const summary = message([bytes(1, tagged)]);
      parts.push(record(message([double(1, seconds), varint(2, one.epoch), bytes(5, summary)])));
    }
  }
  return message(parts);
}

function message(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function record(data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(12));
  head.setBigUint64(0, BigInt(data.length), true);
  head.setUint32(8, masked(new Uint8Array(head.buffer, 0, 8)), true);
  const foot = new DataView(new ArrayBuffer(4));
  foot.setUint32(0, masked(data), true);
  return message([new Uint8Array(head.buffer), data, new Uint8Array(foot.buffer)]);
}

function masked(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

// fields of protocol buffers

function varintBytes(value: number): number[] {
  const found: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...found, rest];
    found.push((rest % 128) + 128);
  }
}

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varintBytes(field << 3), ...varintBytes(value)]);
}

function bytes(field: number, data: Uint8Array): Uint8Array {
  return message([Uint8Array.from([...varintBytes((field << 3) | 2), ...varintBytes(data.length)]), data]);
}

function double(field: number, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, (field << 3) | 1);
  view.setFloat64(1, value, true);
  return new Uint8Array(view.buffer);
}

function float(field: number, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(5));
  view.setUint8(0, (field << 3) | 5);
  view.setFloat32(1, value, true);
  return new Uint8Array(view.buffer);
}
