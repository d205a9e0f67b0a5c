import { tensor } from '../base/dtype.js';
import type { ProgramBuilder, Value } from './builder.js';
import { fixed } from './dims.js';
import { type detectionGrid, placedOutputs, range } from './detection-boxes.js';

/**
 * The loss of a detector without anchor boxes (SpikeYOLO, as YOLOv8): box·(1 − CIoU) + cls·BCE + dfl·DFL, against objects that
 * are assigned to places by task alignment.
 */
export interface DetectionLoss {
  readonly kind: 'yolo';
  /** Rows and columns of the image. */
  readonly image: readonly [number, number];
  /** Numbers of the distribution of a side's distance. */
  readonly bins: number;
  /** Factors of the terms. */
  readonly box: number;
  readonly cls: number;
  readonly dfl: number;
  /** Places that an object is assigned to at most. */
  readonly top: number;
  /** Alignment is score^alpha · overlap^beta. */
  readonly alpha: number;
  readonly beta: number;
}

/** A row of the labels: class (−1 where there is no object), left, top, right, bottom in pixels. */
export const numbersOfObject = 5;

type Sides = readonly [left: Value, top: Value, right: Value, bottom: Value];

/**
 * The loss of outputs [N, places · (4·bins + classes)] and labels [N, objects · 5], over the batch. Σ of the target scores
 * normalises it, as in YOLOv8; it isn't multiplied by the batch size there.
 */
export function detectionLoss(b: ProgramBuilder, spec: DetectionLoss, outputs: Value, labels: Value): Value {
  const { bins, image } = spec;
  const said = placedOutputs(b, outputs, image, bins);
  const { grid, places, classes, scores, likelihood, positions, centres, away, boxes } = said;
  const objects = fixed(labels.shape[1]!, 'loss: labels') / numbersOfObject;
  const batch = { batch: 1 } as const;

  const targets = assigned(b, spec, { grid, classes, objects }, b.detach(scores), b.detach(boxes), labels);
  const total = b.max(b.sumAll(targets.scores), 1);
  const weights = b.sum(targets.scores, [2]);
  const named = b.div(b.sumAll(logisticLoss(b, scores, targets.scores)), total);
  const overlap = completeOverlap(b, sidesOf(b, boxes, [batch, places]), sidesOf(b, targets.boxes, [batch, places]));
  const placed = b.div(b.sumAll(b.mul(b.sub(1, overlap), weights)), total);
  // the two bins beside a distance share it: 1 − |bin − distance| where that is positive
  const wanted = b.clip(b.div(b.sub(targets.boxes, centres), away), 0, bins - 1.01);
  const share = b.max(b.sub(1, b.abs(b.sub(positions, b.reshape(wanted, [batch, places, 4, 1])))), 0);
  const surprise = b.neg(b.mean(b.sum(b.mul(share, likelihood), [3]), [2]));
  const spread = b.div(b.sumAll(b.mul(surprise, weights)), total);
  const both = b.add(b.mul(placed, spec.box), b.mul(spread, spec.dfl));
  return b.as('loss').add(both, b.mul(named, spec.cls));
}

/** −y·ln σ(z) − (1 − y)·ln(1 − σ(z)), which doesn't overflow. */
function logisticLoss(b: ProgramBuilder, z: Value, y: Value): Value {
  const rest = b.log(b.add(b.exp(b.neg(b.abs(z))), 1));
  return b.add(b.sub(b.max(z, 0), b.mul(z, y)), rest);
}

/** The four columns of boxes [.., 4], each in `shape`. */
function sidesOf(b: ProgramBuilder, boxes: Value, shape: Value['shape']): Sides {
  return range(4).map((side) => b.reshape(b.sliceAxis(boxes, -1, side, side + 1), shape)) as unknown as Sides;
}

/** Complete IoU (Zheng et al. 2020) of boxes, pair by pair under broadcasting; its trade-off has no gradient. */
function completeOverlap(b: ProgramBuilder, first: Sides, second: Sides): Value {
  const epsilon = 1e-7;
  const size = ([left, top, right, bottom]: Sides): [Value, Value] => [
    b.sub(right, left),
    b.add(b.sub(bottom, top), epsilon),
  ];
  const [[w1, h1], [w2, h2]] = [size(first), size(second)];
  const common = (from: number, to: number): Value =>
    b.max(b.sub(b.min(first[to]!, second[to]!), b.max(first[from]!, second[from]!)), 0);
  const around = (from: number, to: number): Value =>
    b.sub(b.max(first[to]!, second[to]!), b.min(first[from]!, second[from]!));
  const square = (x: Value): Value => b.mul(x, x);
  const shared = b.mul(common(0, 2), common(1, 3));
  const union = b.add(b.sub(b.add(b.mul(w1, h1), b.mul(w2, h2)), shared), epsilon);
  const overlap = b.div(shared, union);
  const diagonal = b.add(b.add(square(around(0, 2)), square(around(1, 3))), epsilon);
  const apart = (from: number, to: number): Value =>
    square(b.sub(b.add(second[from]!, second[to]!), b.add(first[from]!, first[to]!)));
  const distance = b.mul(b.add(apart(0, 2), apart(1, 3)), 1 / 4);
  const skew = b.mul(square(b.sub(b.atan(b.div(w2, h2)), b.atan(b.div(w1, h1)))), 4 / Math.PI ** 2);
  const tradeOff = b.detach(b.div(skew, b.add(b.sub(skew, overlap), 1 + epsilon)));
  return b.sub(overlap, b.add(b.div(distance, diagonal), b.mul(skew, tradeOff)));
}

interface Shape {
  readonly grid: ReturnType<typeof detectionGrid>;
  readonly classes: number;
  readonly objects: number;
}

/**
 * Task-aligned assignment (Feng et al. 2021): an object goes to the `top` places inside of it with the greatest score^α·CIoU^β;
 * a place that several want takes that with the greatest overlap. Target scores [N, places, classes] are the alignment,
 * scaled so that an object's greatest is its greatest overlap; boxes [N, places, 4] are in pixels. None of it has a gradient.
 */
function assigned(
  b: ProgramBuilder,
  { top, alpha, beta }: DetectionLoss,
  { grid, classes, objects }: Shape,
  scores: Value,
  boxes: Value,
  labels: Value,
): { readonly scores: Value; readonly boxes: Value } {
  const dtype = scores.dtype as 'f32' | 'f64';
  const places = grid.length;
  const batch = { batch: 1 } as const;
  const truth = b.reshape(labels, [batch, objects, numbersOfObject]);
  const owner = b.sliceAxis(truth, 2, 0, 1);
  const trueBoxes = b.sliceAxis(truth, 2, 1, numbersOfObject);
  const column = sidesOf(b, trueBoxes, [batch, objects, 1]);
  const row = sidesOf(b, boxes, [batch, 1, places]);
  const x = b.constant(
    tensor(
      dtype,
      [1, 1, places],
      grid.map((one) => one.x),
    ),
  );
  const y = b.constant(
    tensor(
      dtype,
      [1, 1, places],
      grid.map((one) => one.y),
    ),
  );
  const horizontal = b.min(b.sub(x, column[0]), b.sub(column[2], x));
  const vertical = b.min(b.sub(y, column[1]), b.sub(column[3], y));
  const inside = b.cast(b.and(b.gt(b.min(horizontal, vertical), 1e-9), b.ge(owner, 0)), dtype);
  const overlaps = b.mul(b.max(completeOverlap(b, column, row), 0), inside);
  const names = b.constant(tensor(dtype, [1, 1, classes], range(classes)));
  const oneHot = b.cast(b.eq(owner, names), dtype);
  const likely = b.matmul(oneHot, b.sigmoid(scores), { transB: true });
  const alignment = b.mul(b.pow(likely, alpha), b.pow(overlaps, beta));

  // the greatest, one after the other: the first of equal ones
  const indices = b.constant(tensor('i32', [1, 1, places], range(places)));
  let [left, chosen]: [Value, Value | undefined] = [alignment, undefined];
  for (let i = 0; i < Math.min(top, places); i++) {
    const hot = b.eq(b.reshape(b.argmax(left, 2), [batch, objects, 1]), indices);
    left = b.select(hot, -1, left);
    chosen = chosen === undefined ? hot : b.or(chosen, hot);
  }
  const wanted = b.mul(b.cast(chosen!, dtype), inside);
  const order = b.constant(tensor('i32', [1, objects, 1], range(objects)));
  const nearest = b.cast(b.eq(b.reshape(b.argmax(overlaps, 1), [batch, 1, places]), order), dtype);
  const taken = b.select(b.gt(b.sum(wanted, [1], true), 1), nearest, wanted);

  const aligned = b.mul(alignment, taken);
  const best = b.reduceMax(aligned, [2], true);
  const nearestOverlap = b.reduceMax(b.mul(overlaps, taken), [2], true);
  const scaled = b.reduceMax(b.div(b.mul(aligned, nearestOverlap), b.add(best, 1e-9)), [1]);
  return {
    scores: b.mul(b.matmul(taken, oneHot, { transA: true }), b.reshape(scaled, [batch, places, 1])),
    boxes: b.matmul(taken, trueBoxes, { transA: true }),
  };
}
