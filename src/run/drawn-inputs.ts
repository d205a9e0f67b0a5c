import { elementCount } from '../base/dtype.js';
import { seededRandom } from '../base/random.js';
import type { Dataset } from '../data/index.js';
import { type InputPart, type Network, inputParts } from '../network/index.js';

/** Values that are drawn at most, unless one sample has more. */
export const mostDrawnValues = 2 ** 23;

/** How many samples of a shape are drawn where so many are wanted. */
export function drawnCount(shape: readonly number[], wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(mostDrawnValues / elementCount(shape))));
}

/** What a number of the input becomes of one drawn from [0, 1), by its index in a sample. */
export type Drawing = (index: number, drawn: number) => number;

/**
 * Numbers that fill what the input's quantiser can tell apart, [−2, 2] where there is none; ids of the rows that a table has.
 */
export function drawingOf(network: Network): Drawing {
  const parts = inputParts(network);
  const of = ({ range }: Pick<InputPart, 'range'>, drawn: number): number => {
    const { low, high, whole } = range ?? { low: -2, high: 2, whole: false };
    return whole ? Math.floor(low + (high - low + 1) * drawn) : low + (high - low) * drawn;
  };
  if (parts.length === 1) return (_, drawn) => of(parts[0]!, drawn);
  return (index, drawn) =>
    of(parts.find(({ start, end }) => index >= start && index < end) ?? { range: undefined }, drawn);
}

/** Edges of the squares, in pixels, in which drawn images are of one value: from noise to what is nearly even. */
const edges = [4, 1, 16, 2, 8, 32];

/**
 * Images that fill the range of the input's quantiser, drawn with a seed: uniform numbers, constant in squares of 4, 1,
 * 16, 2, 8, 32 pixels by turns. Noise alone would leave every sum over many pixels near its mean.
 */
export function drawnInputs(network: Network, shape: readonly number[], count: number, seed: number): Dataset {
  const draw = drawingOf(network);
  const random = seededRandom(seed);
  const size = elementCount(shape);
  const [height, width] = shape.length < 3 ? [1, size] : [shape.at(-2)!, shape.at(-1)!];
  const images = new Float32Array(count * size);
  for (let n = 0; n < count; n++) {
    const edge = shape.length < 3 ? 1 : edges[n % edges.length]!;
    const [rows, columns] = [Math.ceil(height / edge), Math.ceil(width / edge)];
    for (let plane = n * size; plane < (n + 1) * size; plane += height * width) {
      const values = Float32Array.from({ length: rows * columns }, (_, i) => draw((plane % size) + i, random()));
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          images[plane + y * width + x] = values[Math.floor(y / edge) * columns + Math.floor(x / edge)]!;
        }
      }
    }
  }
  return {
    name: 'drawn',
    shape,
    classes: 1,
    classesKnown: false,
    length: count,
    scale: 1,
    labelled: false,
    notes: [],
    read: (start, wanted) => {
      const read = Math.max(0, Math.min(wanted, count - start));
      return { count: read, images: images.slice(start * size, (start + read) * size), labels: new Int32Array(read) };
    },
    close: () => undefined,
  };
}
