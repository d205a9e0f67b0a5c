import { zlibDeflate } from '../base/deflate.js';
import type { Tensor } from '../base/dtype.js';
import { base64 } from '../base/text-bytes.js';

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A PNG of bytes row by row: one value a pixel (grey) or three (red, green, blue). */
export function encodePng(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const channels = pixels.length / (width * height);
  if (channels !== 1 && channels !== 3) {
    throw new TypeError(`encodePng: ${pixels.length} bytes for ${width}×${height} pixels`);
  }
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1)); // each line begins with its filter: 0, none
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  return joined([
    new Uint8Array(signature),
    chunk('IHDR', header),
    chunk('IDAT', zlibDeflate(lines)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Length, four letters, data, checksum of letters and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/** CRC-32 as PNG has it, bit by bit (zlib's own is missing in early versions of Node 20). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A PNG file with a text that programs show and that no pixel depends on (`tEXt`). */
export function withText(png: Uint8Array, keyword: string, text: string): Uint8Array {
  const end = signature.length + 25; // behind the header, which has 13 bytes
  const said = chunk('tEXt', new TextEncoder().encode(`${keyword}\0${text}`));
  return joined([png.subarray(0, end), said, png.subarray(end)]);
}

export function pngUri(width: number, height: number, pixels: Uint8Array): string {
  return `data:image/png;base64,${base64(encodePng(width, height, pixels))}`;
}

/** A grey image of values: `black` and below is black, `white` and above white. */
export function greyUri(
  values: ArrayLike<number>,
  width: number,
  height: number,
  black: number,
  white: number,
): string {
  const range = white > black ? white - black : 1;
  const pixels = Uint8Array.from(values, (v) => Math.round(255 * Math.min(1, Math.max(0, (v - black) / range))));
  return pngUri(width, height, pixels);
}

/**
 * A picture of an image [channels, height, width] in 0…1: in colours where it has three channels, else its first one. Of other
 * samples the first [height, width] of their last two axes, of a row of numbers a line.
 */
export function imageUri({ data, shape }: Tensor): string {
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const channels = shape.length === 3 ? shape[0]! : 1;
  const plane = height * width;
  const used = channels === 3 ? 3 : 1;
  const pixels = new Uint8Array(plane * used);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < used; c++) {
      pixels[i * used + c] = Math.round(255 * Math.min(1, Math.max(0, data[c * plane + i]!)));
    }
  }
  return pngUri(width, height, pixels);
}
