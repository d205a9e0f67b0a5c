import { detectionGrid } from '../tensor/index.js';
import { type Box, overlapOf } from './box.js';

export interface Detection {
  readonly label: number;
  /** σ of the class's logit. */
  readonly score: number;
  readonly box: Box;
}

/** What the outputs of a detector are. */
export interface DetectorShape {
  /** Rows and columns of the image. */
  readonly image: readonly [number, number];
  readonly bins: number;
  readonly classes: number;
}

/** Which boxes are kept. */
export interface Suppression {
  /** The least score. */
  readonly score: number;
  /** Boxes of a class that overlap a better one by more than this are dropped. */
  readonly overlap: number;
  /** Boxes of an image at most. */
  readonly most: number;
}

/** What precision is measured with, as YOLOv8's validation does. */
export const usualSuppression: Suppression = { score: 0.001, overlap: 0.7, most: 300 };

/** Boxes that suppression looks at, the best ones. */
const looked = 30_000;

/**
 * The boxes that one sample's outputs [places · (4·bins + classes)] stand for, the best first: a side lies the expectation of
 * softmax of its bins away from the place's centre, in strides; every class of a place above the score is a box of its own;
 * then non-maximum suppression, class by class.
 */
export function decodeDetections(
  outputs: ArrayLike<number>,
  { image, bins, classes }: DetectorShape,
  { score: least, overlap, most }: Suppression = usualSuppression,
): readonly Detection[] {
  const width = 4 * bins + classes;
  const logit = Math.log(least / (1 - least));
  const candidates: Detection[] = [];
  detectionGrid(image).forEach(({ x, y, stride }, place) => {
    const at = place * width;
    let box: Box | undefined;
    for (let label = 0; label < classes; label++) {
      const z = outputs[at + 4 * bins + label]!;
      if (!(z > logit)) continue;
      box ??= boxAt(outputs, at, bins, { x, y, stride });
      candidates.push({ label, score: 1 / (1 + Math.exp(-z)), box });
    }
  });
  candidates.sort((a, b) => b.score - a.score);
  return suppressed(candidates.slice(0, looked), overlap, most);
}

function boxAt(
  outputs: ArrayLike<number>,
  at: number,
  bins: number,
  { x, y, stride }: { readonly x: number; readonly y: number; readonly stride: number },
): Box {
  const away = (side: number): number => stride * expectation(outputs, at + side * bins, bins);
  return [x - away(0), y - away(1), x + away(2), y + away(3)];
}

/** Σ i · softmax(z)ᵢ */
function expectation(z: ArrayLike<number>, start: number, bins: number): number {
  let greatest = -Infinity;
  for (let i = 0; i < bins; i++) greatest = Math.max(greatest, z[start + i]!);
  let [total, weighted] = [0, 0];
  for (let i = 0; i < bins; i++) {
    const share = Math.exp(z[start + i]! - greatest);
    total += share;
    weighted += i * share;
  }
  return weighted / total;
}

/** Of boxes from the best to the worst those that overlap no better one of their class by more than `overlap`. */
function suppressed(candidates: readonly Detection[], overlap: number, most: number): readonly Detection[] {
  const kept: Detection[] = [];
  const byClass = new Map<number, Detection[]>();
  for (const one of candidates) {
    if (kept.length === most) break;
    const better = byClass.get(one.label) ?? [];
    if (better.some((other) => overlapOf(other.box, one.box) > overlap)) continue;
    kept.push(one);
    byClass.set(one.label, [...better, one]);
  }
  return kept;
}
