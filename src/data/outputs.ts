import { fail } from '../base/diagnostics/index.js';
import { type Dataset, type Labels, type RawBatch, batchCount } from './dataset.js';

/**
 * The data set with the labels of a network's first output: of several outputs those of its name, where there are some.
 * `mirrored`: it is compared with the input, and needs none.
 */
export function labelledFor(dataset: Dataset, outputs: readonly string[], mirrored: boolean): Dataset {
  const [first = ''] = outputs;
  const own = outputs.length > 1 && !mirrored ? dataset.named?.of(first) : undefined;
  return own === undefined ? dataset : withLabels(dataset, own);
}

/** The data set's samples alone, for what looks at no labels. */
export function withoutLabels(dataset: Dataset): Dataset {
  const { targets: _targets, boxes: _boxes, withoutLabels: _none, ...rest } = dataset;
  return { ...rest, ...partsOf(dataset, withoutLabels), classes: 1, classesKnown: false };
}

/** The samples of a network's inputs, the first of which has the labels. */
function partsOf({ ofInputs }: Dataset, labelled: (first: Dataset) => Dataset): Pick<Dataset, 'ofInputs'> {
  if (ofInputs === undefined) return {};
  return { ofInputs: (names) => ofInputs(names)?.map((part, i) => (i === 0 ? labelled(part) : part)) };
}

function withLabels(dataset: Dataset, { classes, numbers }: Labels): Dataset {
  const { labels: _labels, targets: _targets, withoutLabels: _none, ...rest } = dataset;
  return {
    ...rest,
    ...partsOf(dataset, (first) => withLabels(first, { classes, ...(numbers === undefined ? {} : { numbers }) })),
    ...(numbers === undefined ? {} : { targets: numbers.width }),
    classes: numbers === undefined ? classesIn(classes) : 0,
    classesKnown: false,
    labelled: true,
    read(start, wanted): RawBatch {
      const count = batchCount(dataset, start, wanted);
      const { images } = dataset.read(start, wanted);
      const labels = classes.slice(start, start + count);
      if (numbers === undefined) return { count, images, labels };
      const { width, values } = numbers;
      return { count, images, labels, targets: values.slice(start * width, (start + count) * width) };
    },
  };
}

/** The labels of an output behind the first, or an error: there are none, or too many classes, or too few numbers. */
export function labelsOfOutput(dataset: Dataset, output: string, width: number): Labels {
  const { name, named } = dataset;
  const found = named?.of(output);
  if (found === undefined) return fail('train/output-without-labels', { output, name, found: named?.names ?? [] });
  const { classes, numbers } = found;
  const what = `${name}, \`${output}\``;
  if (numbers !== undefined && numbers.width !== width)
    fail('data/target-mismatch', { name: what, targets: numbers.width, outputs: width });
  const told = width === 1 ? 2 : width;
  if (numbers === undefined && classesIn(classes) > told)
    fail('data/class-mismatch', { name: what, classes: classesIn(classes), outputs: width });
  return found;
}

function classesIn(labels: Int32Array): number {
  return labels.reduce((most, label) => Math.max(most, label), 0) + 1;
}
