import { tensor } from '../base/dtype.js';
import { ProgramBuilder, type Value } from './builder.js';
import { fixed } from './dims.js';
import { logSoftmax } from './log-softmax.js';
import type { Program } from './types.js';

/** Strides of the three scales of a detector's head, fine to coarse. */
export const detectionStrides = [8, 16, 32] as const;

/** How many places the three scales of an image have. */
export function detectionPlaces([rows, columns]: readonly [number, number]): number {
  return detectionStrides.reduce((sum, stride) => sum + Math.floor(rows / stride) * Math.floor(columns / stride), 0);
}

/** Centre and stride of each place in pixels, in the order of the outputs: scale by scale, row by row. */
export function detectionGrid([rows, columns]: readonly [number, number]): readonly {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}[] {
  return detectionStrides.flatMap((stride) => {
    const wide = Math.floor(columns / stride);
    return Array.from({ length: Math.floor(rows / stride) * wide }, (_, i) => ({
      x: ((i % wide) + 0.5) * stride,
      y: (Math.floor(i / wide) + 0.5) * stride,
      stride,
    }));
  });
}

/** How many classes outputs of this width tell apart; less than 1, or no whole number, where they are no such outputs. */
export function detectionClasses(outputs: number, image: readonly [number, number], bins: number): number {
  return outputs / detectionPlaces(image) - 4 * bins;
}

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** What the outputs of a detector say of each of its places. */
export interface PlacedOutputs {
  readonly grid: ReturnType<typeof detectionGrid>;
  readonly places: number;
  readonly classes: number;
  /** Logits of the classes: [N, places, classes]. */
  readonly scores: Value;
  /** Logarithm of softmax of each side's bins: [N, places, 4, bins]. */
  readonly likelihood: Value;
  /** 0 … bins − 1: [1, 1, 1, bins]. */
  readonly positions: Value;
  /** Where the sides are counted from, and how long a stride is towards each of them: [1, places, 4]. */
  readonly centres: Value;
  readonly away: Value;
  /** Left, top, right and bottom in pixels: [N, places, 4]. */
  readonly boxes: Value;
}

/**
 * Outputs [N, places · (4·bins + classes)] place by place: a side lies Σ i · softmax(z)ᵢ strides away from the place's centre (the
 * distribution focal loss of Li et al. 2020).
 */
export function placedOutputs(
  b: ProgramBuilder,
  outputs: Value,
  image: readonly [number, number],
  bins: number,
): PlacedOutputs {
  const dtype = outputs.dtype as 'f32' | 'f64';
  const grid = detectionGrid(image);
  const places = grid.length;
  const width = fixed(outputs.shape[1]!, 'detector: outputs') / places;
  const constant = (shape: readonly number[], values: readonly number[]): Value =>
    b.constant(tensor(dtype, [...shape], [...values]));
  const batch = { batch: 1 } as const;
  const rows = b.reshape(outputs, [batch, places, width]);
  const scores = b.sliceAxis(rows, 2, 4 * bins, width);
  const likelihood = logSoftmax(b, b.reshape(b.sliceAxis(rows, 2, 0, 4 * bins), [batch, places, 4, bins]));
  const positions = constant([1, 1, 1, bins], range(bins));
  const distances = b.sum(b.mul(b.exp(likelihood), positions), [3]);
  const centres = constant(
    [1, places, 4],
    grid.flatMap(({ x, y }) => [x, y, x, y]),
  );
  const away = constant(
    [1, places, 4],
    grid.flatMap(({ stride }) => [-stride, -stride, stride, stride]),
  );
  const boxes = b.add(b.mul(distances, away), centres);
  return { grid, places, classes: width - 4 * bins, scores, likelihood, positions, centres, away, boxes };
}

/** What a detector's program gives beside its outputs. */
export const boxOutputs = { boxes: 'boxes', scores: 'scores' } as const;

/**
 * The program of a detector with two outputs more: `boxes` [N, places, 4], left, top, right and bottom in pixels, and `scores`
 * [N, places, classes], σ of the classes' logits. `output` [N, places · (4·bins + classes)] is what they are of.
 */
export function withBoxes(
  program: Program,
  output: string,
  { image, bins }: { readonly image: readonly [number, number]; readonly bins: number },
): Program {
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const [name, id] of Object.entries(program.outputs)) b.output(name, b.value(id));
  const found = placedOutputs(b.at('detector'), b.value(program.outputs[output]!), image, bins);
  b.output(boxOutputs.boxes, found.boxes);
  b.output(boxOutputs.scores, b.sigmoid(found.scores));
  return b.build();
}
