import { requirePackage } from '../packages.js';

/** A packet unpacks to this at most, and its window is no longer (zstd's own bound). */
const limit = 2 ** 27;
/** What a packed block unpacks to at most. */
const mostOfBlock = 2 ** 17;
const magic = 0xfd2fb528;

interface Zstd {
  readonly decompress: (bytes: Uint8Array) => Uint8Array;
}

/** Unpacks frames of zstd (RFC 8878), whose headers and blocks are looked at first: the package makes room for all that they say. */
export function unpackZstd(bytes: Uint8Array): Uint8Array {
  const { decompress } = requirePackage('fzstd', 'AEDAT 4 files with zstd') as Zstd;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let most = 0;
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 <= bytes.length && view.getUint32(at, true) >>> 4 === 0x184d2a5) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    const frame = frameAt(view, at);
    most += frame.most;
    if (most > limit) throw new RangeError(`more than ${limit} bytes`);
    at = frame.end;
  }
  return decompress(bytes);
}

/** Where a frame ends, and how many bytes its blocks unpack to at most. */
function frameAt(view: DataView, start: number): { readonly end: number; readonly most: number } {
  const cut = (): never => {
    throw new RangeError('it is cut off');
  };
  const byte = (at: number): number => (at < view.byteLength ? view.getUint8(at) : cut());
  const whole = (at: number, size: number): number => {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = 256 * value + byte(at + i);
    return value;
  };
  if (whole(start, 4) !== magic) throw new RangeError('no zstd frame');
  const flags = byte(start + 4);
  const single = (flags >> 5) & 1;
  let at = start + 5;
  let window = 0;
  if (single === 0) {
    const descriptor = byte(at++);
    const base = 2 ** (10 + (descriptor >> 3));
    window = base + (base / 8) * (descriptor & 7);
  }
  at += [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [single, 2, 4, 8][flags >> 6]!;
  const said = whole(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  at += sizeBytes;
  if (Math.max(window, said) > limit) throw new RangeError(`more than ${limit} bytes`);
  let most = 0;
  for (let last = false; !last; ) {
    const header = whole(at, 3);
    const [kind, size] = [(header >> 1) & 3, header >> 3];
    last = (header & 1) === 1;
    most += kind === 2 ? mostOfBlock : size;
    at += 3 + (kind === 1 ? 1 : size);
  }
  if (said > most) throw new RangeError(`it says that it has ${said} bytes, and its blocks have ${most} at most`);
  return { end: at + ((flags & 4) !== 0 ? 4 : 0), most: Math.max(most, said) };
}
