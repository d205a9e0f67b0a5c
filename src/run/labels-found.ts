import type { ClassCount, Dataset, Spread, look } from '../data/index.js';
import { type TrueObject, objectsOf } from '../detection/index.js';

/** What the labels of a data set hold; the keys are those of `data --json`. */
export interface LabelsFound {
  readonly labels: 'classes' | 'numbers' | 'boxes' | 'none';
  /** How many of the samples have each class; of boxes, how many boxes. */
  readonly classes?: readonly (ClassCount & { readonly name?: string })[];
  /** Of boxes: how many a sample has, and the lengths of their sides in pixels. */
  readonly boxes?: { readonly objects: Spread; readonly sides: Spread };
  /** Each number of the labels. */
  readonly numbers?: readonly Spread[];
  readonly first: readonly {
    readonly label?: number;
    readonly numbers?: readonly number[];
    readonly objects?: readonly TrueObject[];
    readonly mean?: number;
    readonly events?: number;
  }[];
}

export function labelsFound(
  { targets, labelled, boxes }: Pick<Dataset, 'targets' | 'labelled' | 'boxes'>,
  found: ReturnType<typeof look>,
): LabelsFound {
  if (boxes !== undefined) {
    return {
      labels: 'boxes',
      classes: found.classes().map((one) => ({ ...one, name: boxes.names[one.class]! })),
      boxes: { objects: found.objects.result(), sides: found.sides.result() },
      first: found.first.map(({ numbers = [], mean }) => ({ objects: objectsOf(numbers), mean })),
    };
  }
  if (targets !== undefined) {
    const first = found.first.map(({ numbers = [], mean }) => ({ numbers, mean }));
    return { labels: 'numbers', numbers: found.numbers.map((one) => one.result()), first };
  }
  if (labelled === false) return { labels: 'none', first: found.first.map(({ mean }) => ({ mean })) };
  return {
    labels: 'classes',
    classes: found.classes(),
    first: found.first.map(({ label, mean }) => ({ label, mean })),
  };
}
