/** What is wrong with compressed bytes, and where. */
export class Lz4Error extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

const magic = 0x184d2204;
/** A frame unpacks to this at most. */
const limit = 2 ** 27;

/** Unpacks an LZ4 frame (LZ4 Frame Format 1.6). Checksums aren't verified. */
export function unpackLz4(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 7 || view.getUint32(0, true) !== magic) throw new Lz4Error('no LZ4 frame', 0);
  const flags = bytes[4]!;
  if (flags >> 6 !== 1) throw new Lz4Error('an unknown version of LZ4', 4);
  const [blockChecksum, contentSize, dictionary] = [flags & 16, flags & 8, flags & 1];
  const out = new Output();
  for (let at = 7 + (contentSize ? 8 : 0) + (dictionary ? 4 : 0); ;) {
    if (at + 4 > bytes.length) throw new Lz4Error('LZ4 data is cut off', at);
    const word = view.getUint32(at, true);
    if (word === 0) return out.bytes();
    const size = word & 0x7fffffff;
    const start = at + 4;
    at = start + size + (blockChecksum ? 4 : 0);
    if (at > bytes.length) throw new Lz4Error('LZ4 data is cut off', start);
    const block = bytes.subarray(start, start + size);
    if (word >>> 31 === 1) out.literals(block, 0, size);
    else unpackBlock(block, out, start);
  }
}

class Output {
  #bytes = new Uint8Array(2 ** 16);
  #length = 0;

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  literals(from: Uint8Array, start: number, count: number): void {
    this.#reserve(count);
    this.#bytes.set(from.subarray(start, start + count), this.#length);
    this.#length += count;
  }

  /** Repeats `count` bytes from `back` bytes before the end; they may overlap. False where there aren't so many. */
  repeat(back: number, count: number): boolean {
    if (back === 0 || back > this.#length) return false;
    this.#reserve(count);
    for (let i = 0; i < count; i++, this.#length++) this.#bytes[this.#length] = this.#bytes[this.#length - back]!;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > limit) throw new Lz4Error(`LZ4 data unpacks to more than ${limit} bytes`, 0);
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** A block: literals and repetitions by turns. */
function unpackBlock(block: Uint8Array, out: Output, offset: number): void {
  let at = 0;
  const more = (length: number): number => {
    if (length < 15) return length;
    for (let byte = 255; byte === 255;) {
      if (at >= block.length) throw new Lz4Error('LZ4 data is cut off', offset + at);
      byte = block[at++]!;
      length += byte;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = more(token >> 4);
    if (at + literals > block.length) throw new Lz4Error('LZ4 data is cut off', offset + at);
    out.literals(block, at, literals);
    at += literals;
    if (at === block.length) return;
    if (at + 2 > block.length) throw new Lz4Error('LZ4 data is cut off', offset + at);
    const back = block[at]! | (block[at + 1]! << 8);
    at += 2;
    if (!out.repeat(back, more(token & 15) + 4)) throw new Lz4Error('LZ4 data refers to what is not there', offset + at);
  }
}
