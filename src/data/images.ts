import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import type { FileKind } from './class-folders.js';
import type { Dataset } from './dataset.js';
import { readBytes } from './files.js';
import { requirePackage } from './packages.js';
import { type Sample, openSampleFiles } from './sample-files.js';

export const imageFiles: FileKind = { form: 'images', ends: ['.png', '.jpg', '.jpeg'], none: 'data/no-files' };

/** Bytes of an image file at most, and pixels of an image. */
const limit = 2 ** 28;
const mostPixels = 2 ** 26;

/** What is used of pngjs: pixels come as RGBA, 8 bits each. */
interface Png {
  readonly PNG: {
    readonly sync: {
      readonly read: (bytes: Buffer, options: { skipRescale: boolean; checkCRC: boolean }) => {
        readonly width: number;
        readonly height: number;
        readonly data: Uint8Array;
      };
    };
  };
}

/** What is used of jpeg-js: pixels come as RGB. */
interface Jpeg {
  readonly decode: (
    bytes: Uint8Array,
    options: { useTArray: true; formatAsRGBA: false; tolerantDecoding: false; maxResolutionInMP: number },
  ) => { readonly width: number; readonly height: number; readonly data: Uint8Array };
}

/**
 * `images:PATH`: PNG and JPEG files in folders, one a class (torchvision's ImageFolder), as [channels, rows, columns] of
 * bytes: one channel where a file is grey, three where it is coloured. Nothing is resized or recoloured.
 */
export function openImages(name: string, path: string): Dataset {
  return openSampleFiles(name, path, imageFiles, {
    read: readImage,
    type: 'u1',
    scale: 255,
    frameScale: 1,
    layout: 'nchw',
  });
}

/** One image file. */
export function readImage(path: string): Sample {
  const bytes = readBytes(path, { limit });
  const bad = (reason: string, help?: string): never => fail('data/bad-image', { file: path, reason }, undefined, { help });
  if (bytes.length === 0) bad('it is empty');
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  if (!isPng && !(bytes[0] === 0xff && bytes[1] === 0xd8)) bad('it starts as neither PNG nor JPEG does');
  try {
    return isPng ? readPng(bytes, bad) : readJpeg(bytes, bad);
  } catch (error) {
    if (error instanceof DiagnosticError) throw error;
    return bad(error instanceof Error ? error.message.split('\n')[0]! : String(error));
  }
}

type Bad = (reason: string, help?: string) => never;

function readPng(bytes: Uint8Array, bad: Bad): Sample {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 29) bad('it is cut off in its header');
  const [columns, rows, bits, colour] = [view.getUint32(16), view.getUint32(20), bytes[24]!, bytes[25]!];
  if (columns * rows > mostPixels) bad(`${columns}×${rows} pixels are more than are read`);
  if (bits === 16) bad('its pixels have 16 bits', 'save it with 8 bits a channel, or the numbers as NPZ');
  const cut = cutOff(view);
  if (cut !== undefined) bad(`it is cut off: byte ${cut} should follow, and it has ${bytes.length}`, 'copy the file again');
  const { PNG } = requirePackage('pngjs', 'PNG images') as Png;
  const { data } = PNG.sync.read(Buffer.from(bytes), { skipRescale: false, checkCRC: true });
  for (let at = 3; at < data.length; at += 4)
    if (data[at] !== 255) bad('some of its pixels are transparent', 'save it without an alpha channel');
  // colour types 0 and 4 are grey
  return planes(data, { channels: colour === 0 || colour === 4 ? 1 : 3, rows, columns, step: 4 });
}

/** The first byte that a PNG lacks of its chunks, up to the last, IEND; nothing where all are there. */
function cutOff(view: DataView): number | undefined {
  for (let at = 8; at + 12 <= view.byteLength; ) {
    const end = at + 12 + view.getUint32(at);
    if (end > view.byteLength) return view.byteLength;
    if (view.getUint32(at + 4) === 0x49454e44) return undefined;
    at = end;
  }
  return view.byteLength;
}

function readJpeg(bytes: Uint8Array, bad: Bad): Sample {
  const components = jpegComponents(bytes) ?? bad('it is cut off in front of its pixels');
  if (components === 4) bad('its colours are CMYK', 'save it as RGB');
  const { decode } = requirePackage('jpeg-js', 'JPEG images') as Jpeg;
  const megapixels = mostPixels / 1e6;
  const { width, height, data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: megapixels,
  });
  return planes(data, { channels: components === 1 ? 1 : 3, rows: height, columns: width, step: 3 });
}

/** Components of a JPEG, as its frame header says; nothing where there is none. */
function jpegComponents(bytes: Uint8Array): number | undefined {
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return bytes[at + 9];
    at += marker === 0xff ? 1 : 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return undefined;
}

interface Interleaved {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Bytes from one pixel to the next. */
  readonly step: number;
}

function planes(data: Uint8Array, { channels, rows, columns, step }: Interleaved): Sample {
  const plane = rows * columns;
  const values = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++) for (let i = 0; i < plane; i++) values[c * plane + i] = data[i * step + c]!;
  return { shape: [channels, rows, columns], values };
}
