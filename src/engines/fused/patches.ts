import { FunctionBody } from './wasm.js';

/** A convolution over bytes in [images, height, width, channels] order. */
export interface PatchGeometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly outHeight: number;
  readonly outWidth: number;
  /** The byte that stands for 0 outside the image. */
  readonly fill: number;
}

/** Bytes of one padded image, and of all patches: one row of kernel·channels per output pixel. */
export function patchBytes(g: PatchGeometry): { readonly padded: number; readonly patches: number } {
  const padded = (g.height + g.pads[0] + g.pads[2]) * (g.width + g.pads[1] + g.pads[3]) * g.channels;
  const row = g.kernel[0] * g.kernel[1] * g.channels;
  return { padded, patches: g.images * g.outHeight * g.outWidth * row };
}

/** Whether the image already is its matrix of patches. */
export function isPointwise(g: PatchGeometry): boolean {
  return [...g.kernel, ...g.stride].every((n) => n === 1) && g.pads.every((n) => n === 0);
}

/**
 * Writes for every output pixel the bytes its window covers, so that the convolution becomes one
 * product of matrices. Each image is first copied into a border of `fill`: windows then are runs
 * of kernel width · channels bytes, copied 16 at a time; what a copy writes too much, the next
 * one overwrites.
 */
export function writePatches(
  g: PatchGeometry,
  at: { readonly image: number; readonly padded: number; readonly patches: number },
): FunctionBody {
  const f = new FunctionBody();
  const [image, row, column, from, to] = [0, 1, 2, 3, 4].map(() => f.local('i32')) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const paddedWidth = (g.width + g.pads[1] + g.pads[3]) * g.channels;
  const run = g.kernel[1] * g.channels;
  const zero = (local: number) => {
    f.i32(0);
    f.set(local);
  };
  zero(to);
  zero(image);
  fillBorder(f, at.padded, patchBytes(g).padded, g.fill);
  f.loop(image, g.images, 1, () => {
    copyInside(f, g, at, image, row);
    zero(row);
    f.loop(row, g.outHeight, 1, () => {
      f.get(row);
      f.i32(g.stride[0] * paddedWidth);
      f.integer('mul');
      f.set(from);
      zero(column);
      f.loop(column, g.outWidth, 1, () => {
        for (let k = 0; k < g.kernel[0]; k++) {
          for (let b = 0; b < run; b += 16) {
            f.get(to);
            f.get(from);
            f.load('v128', at.padded + k * paddedWidth + b);
            f.store(at.patches + k * run + b);
          }
        }
        advance(f, from, g.stride[1] * g.channels);
        advance(f, to, g.kernel[0] * run);
      });
    });
  });
  return f;
}

function advance(f: FunctionBody, local: number, by: number): void {
  f.get(local);
  f.i32(by);
  f.integer('add');
  f.set(local);
}

function fillBorder(f: FunctionBody, address: number, bytes: number, value: number): void {
  f.i32(address);
  f.i32(value);
  f.i32(bytes);
  f.bulk('fill');
}

/** Copies the rows of image number `image` into the border. */
function copyInside(
  f: FunctionBody,
  g: PatchGeometry,
  at: { readonly image: number; readonly padded: number },
  image: number,
  row: number,
): void {
  const paddedWidth = (g.width + g.pads[1] + g.pads[3]) * g.channels;
  f.i32(0);
  f.set(row);
  f.loop(row, g.height, 1, () => {
    f.get(row);
    f.i32(paddedWidth);
    f.integer('mul');
    f.i32(at.padded + g.pads[0] * paddedWidth + g.pads[1] * g.channels);
    f.integer('add');
    f.get(image);
    f.i32(g.height);
    f.integer('mul');
    f.get(row);
    f.integer('add');
    f.i32(g.width * g.channels);
    f.integer('mul');
    f.i32(at.image);
    f.integer('add');
    f.i32(g.width * g.channels);
    f.bulk('copy');
  });
}
