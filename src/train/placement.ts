import { numbersOfObject } from '../tensor/index.js';
import type { Augmentation } from './settings.js';

/** Where an augmented image lies in its source. */
export interface Placement {
  /** Columns and rows by which what is seen lies further to the right and further down in the source. */
  readonly dx: number;
  readonly dy: number;
  readonly mirrored: boolean;
  /** How many times as large everything is, about the middle. */
  readonly scale: number;
}

export const asItIs: Placement = { dx: 0, dy: 0, mirrored: false, scale: 1 };

/** A box of which less than this share of its area, or so few pixels of a side, are left is no object any more. */
const leastShare = 0.1;
const leastSide = 2;

export function drawPlacement(augment: Augmentation | undefined, random: (() => number) | undefined): Placement {
  if (augment === undefined || random === undefined) return asItIs;
  const mirrored = augment.flip && random() < 0.5;
  const scale = augment.scale === undefined ? 1 : 1 + augment.scale * (2 * random() - 1);
  if (augment.crop === 0) return { ...asItIs, mirrored, scale };
  const shift = (): number => Math.floor(random() * (2 * augment.crop + 1)) - augment.crop;
  return { dx: shift(), dy: shift(), mirrored, scale };
}

/** Whether things stay where they are. */
export function stays({ dx, dy, mirrored, scale }: Placement): boolean {
  return dx === 0 && dy === 0 && !mirrored && scale === 1;
}

/** Where the centre of pixel `i` of `size` lies in the source, in pixels; a whole number without a scale. */
export function inSource(i: number, size: number, shift: number, scale: number): number {
  return scale === 1 ? i + shift : (i + 0.5 - size / 2) / scale + size / 2 - 0.5 + shift;
}

/**
 * Numbers [channels, rows, columns] as they are seen, each that of the nearest place in the source, 0 outside of it: what belongs to
 * the pixels of an image moves with them.
 */
export function movedNumbers(
  numbers: Float32Array,
  [rows, columns]: readonly [number, number],
  { dx, dy, mirrored, scale }: Placement,
): Float32Array {
  const moved = new Float32Array(numbers.length);
  const plane = rows * columns;
  const nearest = (at: number, size: number): number => {
    const found = Math.floor(at + 0.5);
    return found >= 0 && found < size ? found : -1;
  };
  const from = Array.from({ length: columns }, (_, x) =>
    nearest(inSource(mirrored ? columns - 1 - x : x, columns, dx, scale), columns),
  );
  for (let y = 0; y < rows; y++) {
    const row = nearest(inSource(y, rows, dy, scale), rows);
    if (row === -1) continue;
    for (let start = 0; start < numbers.length; start += plane)
      from.forEach((column, x) => {
        if (column !== -1) moved[start + y * columns + x] = numbers[start + row * columns + column]!;
      });
  }
  return moved;
}

/**
 * Rows of class, left, top, right and bottom in pixels as they are seen, cut at the border; one of which too little is left has
 * class −1.
 */
export function movedObjects(
  objects: Float32Array,
  [rows, columns]: readonly [number, number],
  { dx, dy, mirrored, scale }: Placement,
): Float32Array {
  const made = objects.slice();
  const seen = (edge: number, size: number, shift: number): number => (edge - shift - size / 2) * scale + size / 2;
  const within = (edge: number, size: number): number => Math.min(size, Math.max(0, edge));
  for (let at = 0; at + numbersOfObject <= objects.length; at += numbersOfObject) {
    if (objects[at]! < 0) continue;
    const [, left, top, right, bottom] = objects.subarray(at, at + numbersOfObject) as unknown as readonly number[];
    const sides = [left!, right!].map((edge) => seen(edge, columns, dx));
    const [west, east] = mirrored ? sides.map((edge) => columns - edge).reverse() : sides;
    const [north, south] = [top!, bottom!].map((edge) => seen(edge, rows, dy));
    const cut = [within(west!, columns), within(north!, rows), within(east!, columns), within(south!, rows)] as const;
    const [wide, high] = [cut[2] - cut[0], cut[3] - cut[1]];
    const share = (wide * high) / ((east! - west!) * (south! - north!));
    const isLeft = wide > leastSide && high > leastSide && share > leastShare;
    made.set(isLeft ? cut : [0, 0, 0, 0], at + 1);
    if (!isLeft) made[at] = -1;
  }
  return made;
}
