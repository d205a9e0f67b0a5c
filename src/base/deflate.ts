/** Bits into bytes, the lowest first. */
class BitWriter {
  readonly bytes: number[] = [];
  #held = 0;
  #count = 0;

  write(bits: number, count: number): void {
    this.#held |= bits << this.#count;
    for (this.#count += count; this.#count >= 8; this.#count -= 8) {
      this.bytes.push(this.#held & 0xff);
      this.#held >>>= 8;
    }
  }

  /** A code of a Huffman tree: its highest bit first. */
  code(code: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) this.write((code >> bit) & 1, 1);
  }

  finish(): readonly number[] {
    if (this.#count > 0) this.write(0, 8 - this.#count);
    return this.bytes;
  }
}

/** A symbol of the fixed tree (RFC 1951, 3.2.6): a byte, 256 (the end) or a length from 257. */
function symbol(out: BitWriter, value: number): void {
  if (value < 144) out.code(0x30 + value, 8);
  else if (value < 256) out.code(0x190 + value - 144, 9);
  else if (value < 280) out.code(value - 256, 7);
  else out.code(0xc0 + value - 280, 8);
}

/** First lengths and distances of each symbol, and how many bits say which of them it is (RFC 1951, 3.2.5). */
const lengths = steps(3, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5]);
const distances = steps(1, [0, 0, 0, 0, ...Array.from({ length: 26 }, (_, i) => 1 + (i >> 1))]);

interface Step {
  readonly first: number;
  readonly bits: number;
}

function steps(from: number, bits: readonly number[]): readonly Step[] {
  let first = from;
  return bits.map((count) => {
    const step = { first, bits: count };
    first += 2 ** count;
    return step;
  });
}

function stepOf(table: readonly Step[], value: number): number {
  return table.findLastIndex(({ first }) => first <= value);
}

/** Lengths and distances of matches. */
const [least, most, window] = [3, 257, 32_768];

function copy(out: BitWriter, length: number, distance: number): void {
  const long = stepOf(lengths, length);
  symbol(out, 257 + long);
  out.write(length - lengths[long]!.first, lengths[long]!.bits);
  const far = stepOf(distances, distance);
  out.code(far, 5);
  out.write(distance - distances[far]!.first, distances[far]!.bits);
}

/** How many earlier places with the same three bytes are tried. */
const tries = 32;

/** Where the same bytes stood before: places by their next three bytes, the latest first. */
class Places {
  readonly #latest = new Map<number, number>();
  readonly #before: Int32Array;

  constructor(readonly data: Uint8Array) {
    this.#before = new Int32Array(data.length).fill(-1);
  }

  add(at: number): void {
    if (at + least > this.data.length) return;
    this.#before[at] = this.#latest.get(this.#key(at)) ?? -1;
    this.#latest.set(this.#key(at), at);
  }

  /** The longest of the matches that are tried. */
  match(at: number): { readonly length: number; readonly distance: number } {
    let best = { length: 0, distance: 0 };
    if (at + least > this.data.length) return best;
    let from = this.#latest.get(this.#key(at)) ?? -1;
    for (let n = 0; n < tries && from >= 0 && at - from <= window && best.length < most; n++) {
      const length = this.#common(from, at);
      if (length > best.length) best = { length, distance: at - from };
      from = this.#before[from]!;
    }
    return best;
  }

  #common(from: number, at: number): number {
    const { data } = this;
    let length = 0;
    while (length < most && at + length < data.length && data[from + length] === data[at + length]) length++;
    return length;
  }

  #key(at: number): number {
    const { data } = this;
    return (data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!;
  }
}

/** Bytes as a zlib stream (RFC 1950 and 1951): one block with the fixed tree, where there is no Node to ask. */
export function zlibDeflate(data: Uint8Array): Uint8Array {
  const out = new BitWriter();
  const places = new Places(data);
  out.write(0b011, 3);
  for (let at = 0; at < data.length;) {
    const { length, distance } = places.match(at);
    if (length < least) symbol(out, data[at]!);
    else copy(out, length, distance);
    for (const end = at + Math.max(1, length); at < end; at++) places.add(at);
  }
  symbol(out, 256);
  return Uint8Array.from([0x78, 0x01, ...out.finish(), ...bigEndian(adler32(data))]);
}

function bigEndian(value: number): readonly number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
}

function adler32(data: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}
