import { overlapOf } from './box.js';
import type { Detection } from './decode.js';
import type { TrueObject } from './objects.js';

/** Overlaps from which on a box is right: 0.5, 0.55 … 0.95. */
const thresholds = Array.from({ length: 10 }, (_, i) => 0.5 + 0.05 * i);
/** Recalls that precision is read at. */
const recalls = Array.from({ length: 101 }, (_, i) => i / 100);
/** Boxes of a class in an image that count, the best ones. */
const mostBoxes = 100;

export interface ClassPrecision {
  readonly class: number;
  /** Objects of the class. */
  readonly objects: number;
  /** Missing where there are none. */
  readonly map50?: number;
  readonly map?: number;
}

/** Mean average precision by COCO's rule, over the classes that have objects. */
export interface DetectionScore {
  /** At an overlap of 0.5. */
  readonly map50: number;
  /** The mean of those at 0.5, 0.55 … 0.95. */
  readonly map: number;
  readonly classes: readonly ClassPrecision[];
}

/** A box and, for each threshold, whether it is right. */
interface Judged {
  readonly score: number;
  readonly right: readonly boolean[];
}

/**
 * Counts what boxes are worth as COCO does: from the best to the worst each takes the object of its class and image that it
 * overlaps most and that no better one has; precision, made falling, is read at 101 recalls.
 */
export class PrecisionCounter {
  readonly #judged: Judged[][];
  readonly #objects: number[];

  constructor(readonly classes: number) {
    this.#judged = Array.from({ length: classes }, () => []);
    this.#objects = Array.from({ length: classes }, () => 0);
  }

  /** One image: its boxes, the best first, and what is there. */
  add(found: readonly Detection[], truth: readonly TrueObject[]): void {
    for (let label = 0; label < this.classes; label++) {
      const objects = truth.filter((one) => one.label === label);
      const boxes = found.filter((one) => one.label === label).slice(0, mostBoxes);
      this.#objects[label]! += objects.length;
      const overlaps = boxes.map(({ box }) => objects.map((object) => overlapOf(box, object.box)));
      const right = thresholds.map((least) => matched(overlaps, objects.length, least));
      boxes.forEach(({ score }, i) => this.#judged[label]!.push({ score, right: right.map((row) => row[i]!) }));
    }
  }

  result(): DetectionScore {
    const classes = this.#judged.map((judged, label): ClassPrecision => {
      const objects = this.#objects[label]!;
      if (objects === 0) return { class: label, objects };
      const sorted = judged.toSorted((a, b) => b.score - a.score);
      const each = thresholds.map((_, t) =>
        averagePrecision(
          sorted.map(({ right }) => right[t]!),
          objects,
        ),
      );
      return { class: label, objects, map50: each[0]!, map: mean(each) };
    });
    const counted = classes.flatMap(({ map50, map }) =>
      map50 === undefined || map === undefined ? [] : [{ map50, map }],
    );
    return { map50: mean(counted.map((one) => one.map50)), map: mean(counted.map((one) => one.map)), classes };
  }
}

/** Which boxes are right where overlaps from `least` on count. */
function matched(overlaps: readonly (readonly number[])[], objects: number, least: number): boolean[] {
  const taken = new Array<boolean>(objects).fill(false);
  return overlaps.map((row) => {
    let best = -1;
    let most = Math.min(least, 1 - 1e-10);
    row.forEach((overlap, i) => {
      if (taken[i]! || overlap < most) return;
      [best, most] = [i, overlap];
    });
    if (best === -1) return false;
    taken[best] = true;
    return true;
  });
}

/** Of boxes from the best to the worst. */
function averagePrecision(right: readonly boolean[], objects: number): number {
  let hits = 0;
  const curve = right.map((one, i) => {
    if (one) hits++;
    return { recall: hits / objects, precision: hits / (i + 1) };
  });
  let most = 0;
  const falling = curve.map(({ precision }) => precision);
  for (let i = falling.length - 1; i >= 0; i--) falling[i] = most = Math.max(most, falling[i]!);
  let at = 0;
  let sum = 0;
  for (const recall of recalls) {
    while (at < curve.length && curve[at]!.recall < recall) at++;
    sum += falling[at] ?? 0;
  }
  return sum / recalls.length;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
