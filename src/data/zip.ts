import { constants, inflateRawSync } from 'node:zlib';
import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, failTooLarge, failUnpacking, isTooLarge, memorySource, partOf } from './bytes.js';

/** One file inside a ZIP archive. */
export interface ZipMember {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const max32 = 0xffffffff;
/** What goes past the limit of what is unpacked. */
export const unpackedArrays = 'write it with numpy.savez in place of savez_compressed; plain arrays are read batch by batch';
/** Largest central directory that is read: archives of arrays have a handful of entries. */
const directoryLimit = 2 ** 24;

function bad(source: ByteSource, reason: string): never {
  return fail('data/bad-npz', { file: source.path, reason });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit size or offset; beyond 2^53 nothing can be meant. */
function size64(source: ByteSource, view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  return value > 2n ** 53n ? bad(source, 'it has an impossible size') : Number(value);
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** Finds the central directory from the end record, in its 32-bit or 64-bit form. */
function findDirectory(source: ByteSource): Directory {
  const tailStart = Math.max(0, source.size - 65_557);
  const tail = source.read(tailStart, 65_557);
  const view = viewOf(tail);
  for (let at = tail.length - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== endSignature) continue;
    const count = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    if (count !== 0xffff && size !== max32 && offset !== max32) return { offset, size, count };
    if (at < 20 || view.getUint32(at - 20, true) !== locator64Signature) return { offset, size, count };
    return readEnd64(source, size64(source, view, at - 12));
  }
  return bad(source, 'it has no ZIP directory');
}

function readEnd64(source: ByteSource, at: number): Directory {
  const bytes = source.read(at, 56);
  if (bytes.length < 56) return bad(source, 'its ZIP directory is cut off');
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== end64Signature) return bad(source, 'its ZIP directory is damaged');
  return {
    count: size64(source, view, 32),
    size: size64(source, view, 40),
    offset: size64(source, view, 48),
  };
}

/** The archive's files, from its central directory. */
export function listZip(source: ByteSource): readonly ZipMember[] {
  const directory = findDirectory(source);
  if (directory.size > directoryLimit) bad(source, 'its ZIP directory is too large');
  const bytes = source.read(directory.offset, directory.size);
  if (bytes.length < directory.size) bad(source, 'its ZIP directory is cut off');
  const view = viewOf(bytes);
  const members: ZipMember[] = [];
  for (let at = 0; members.length < directory.count;) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== entrySignature) {
      return bad(source, 'its ZIP directory is damaged');
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) return bad(source, 'its ZIP directory is cut off');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if ((view.getUint16(at + 8, true) & 1) !== 0) return bad(source, `its member "${name}" is encrypted`);
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    members.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      ...sizes(source, view, at, extra),
    });
    at = next;
  }
  return members;
}

/** Sizes and offset of an entry; each that is 2^32 − 1 stands in the ZIP64 extra field instead, in this order. */
function sizes(
  source: ByteSource,
  view: DataView,
  at: number,
  extra: Uint8Array,
): { size: number; packedSize: number; headerOffset: number } {
  const values = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  const extraView = viewOf(extra);
  for (let field = 0; field + 4 <= extra.length; field += 4 + extraView.getUint16(field + 2, true)) {
    if (extraView.getUint16(field, true) !== 1) continue;
    let from = field + 4;
    for (const [i, value] of values.entries()) {
      if (value !== max32) continue;
      if (from + 8 > extra.length) return bad(source, 'its ZIP directory is damaged');
      values[i] = size64(source, extraView, from);
      from += 8;
    }
  }
  const [size = 0, packedSize = 0, headerOffset = 0] = values;
  return { size, packedSize, headerOffset };
}

/** Where a member's packed bytes lie; its own header must be there, and the file reach so far. */
function packedPlace(source: ByteSource, member: ZipMember): number {
  const local = source.read(member.headerOffset, 30);
  if (local.length < 30 || viewOf(local).getUint32(0, true) !== localSignature) {
    return bad(source, `its member "${member.name}" isn't where the ZIP directory says`);
  }
  const start = member.headerOffset + 30 + viewOf(local).getUint16(26, true) + viewOf(local).getUint16(28, true);
  if (start + member.packedSize > source.size) {
    return fail('data/truncated', { file: source.path, expected: start + member.packedSize, found: source.size });
  }
  if (member.method === 0 && member.size !== member.packedSize)
    return bad(source, `its member "${member.name}" has two sizes`);
  if (member.method !== 0 && member.method !== 8)
    return bad(source, `its member "${member.name}" uses compression method ${member.method}`);
  return start;
}

/** Packed bytes that are unpacked for the first ones of a member; they unpack to a few MB at most. */
const packedHead = 4096;

/** The first bytes of a member, at most `length` of them, without unpacking the rest: headers are read so. */
export function memberHead(source: ByteSource, member: ZipMember, length: number): ByteSource {
  const start = packedPlace(source, member);
  if (member.method === 0) return partOf(source, start, Math.min(length, member.size));
  try {
    const packed = source.read(start, Math.min(packedHead, member.packedSize));
    const bytes = inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
    return memorySource(source.path, plain(bytes).subarray(0, length));
  } catch (error) {
    return failUnpacking(error, source.path);
  }
}

/**
 * A member's bytes: stored ones stay on the disk, deflated ones are unpacked in memory (at most `limit`
 * bytes) and checked against their CRC.
 */
export function openMember(source: ByteSource, member: ZipMember, limit: number): ByteSource {
  const start = packedPlace(source, member);
  if (member.method === 0) return partOf(source, start, member.size);
  if (member.size > limit) return failTooLarge(source.path, limit, unpackedArrays);
  const bytes = inflate(source.read(start, member.packedSize), source.path, member.size);
  if (bytes === undefined || bytes.length !== member.size || crc32(bytes) !== member.crc) {
    return bad(source, `its member "${member.name}" is damaged (checksum)`);
  }
  return memorySource(source.path, bytes);
}

/** A view of a Buffer that has an ArrayBuffer of its own. */
function plain(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

/** The unpacked bytes, or nothing where there are more than `size`. */
function inflate(packed: Uint8Array, path: string, size: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    // one piece holds all of it: several would be put together, in twice the memory
    return plain(inflateRawSync(packed, { maxOutputLength: Math.max(1, size), chunkSize: Math.max(64, size + 1) }));
  } catch (error) {
    if (isTooLarge(error)) return undefined;
    return failUnpacking(error, path);
  }
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** CRC-32 as in ZIP and gzip. (`zlib.crc32` is missing in early releases of Node 20.) */
export function crc32(bytes: Uint8Array): number {
  let crc = max32;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return (crc ^ max32) >>> 0;
}
