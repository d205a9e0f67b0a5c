import type { DetectedImage } from '../../run/detected-images.js';
import { imageUri } from '../png.js';
import type { Plot } from './render.js';
import { colours } from './theme.js';

/** A box as it is drawn. */
export interface DrawnBox {
  readonly kind: 'there' | 'found';
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly text: string;
}

/** The boxes of an image that are there, and those that were found with their scores, cut at its border. */
export function drawnBoxes({ image, names, truth, found }: DetectedImage): readonly DrawnBox[] {
  const [, rows = 0, columns = 0] = image.shape;
  const cut = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const drawn = (kind: DrawnBox['kind'], box: readonly number[], text: string): DrawnBox => ({
    kind,
    left: cut(box[0]!, columns),
    top: cut(box[1]!, rows),
    right: cut(box[2]!, columns),
    bottom: cut(box[3]!, rows),
    text,
  });
  return [
    ...truth.map(({ box, label }) => drawn('there', box, names[label]!)),
    ...found.map(({ box, label, score }) => drawn('found', box, `${names[label]!} ${score.toFixed(2)}`)),
  ];
}

/** Images with boxes: dashed what is there, with a score what was found. */
export function boxesPlot(images: readonly DetectedImage[], width = 240): Plot {
  return {
    columns: 3,
    spacing: 16,
    concat: images.map((one) => imageWithBoxes(one, width)),
  } as unknown as Plot;
}

function imageWithBoxes(one: DetectedImage, width: number): object {
  const [, rows = 1, columns = 1] = one.image.shape;
  const height = Math.round((width * rows) / columns);
  const x = { field: 'left', type: 'quantitative', scale: { domain: [0, columns], nice: false }, axis: null };
  const y = {
    field: 'top',
    type: 'quantitative',
    scale: { domain: [0, rows], nice: false, reverse: true },
    axis: null,
  };
  const boxes = drawnBoxes(one);
  const outlines = (kind: DrawnBox['kind'], mark: object): object => ({
    data: { values: boxes.filter((box) => box.kind === kind) },
    mark: { type: 'rect', fillOpacity: 0, ...mark },
    encoding: { x, y, x2: { field: 'right' }, y2: { field: 'bottom' } },
  });
  return {
    title: { text: `image ${one.sample}`, fontSize: 12 },
    width,
    height,
    layer: [
      {
        data: { values: [{ url: imageUri(one.image), left: columns / 2, top: rows / 2 }] },
        mark: { type: 'image', width, height, smooth: false },
        encoding: { x, y, url: { field: 'url', type: 'nominal' } },
      },
      outlines('there', { stroke: colours.blue, strokeDash: [4, 3], strokeWidth: 1.5 }),
      outlines('found', { stroke: colours.orange, strokeWidth: 2 }),
      {
        data: { values: boxes.filter(({ kind }) => kind === 'found') },
        mark: {
          type: 'text',
          align: 'left',
          baseline: 'bottom',
          fontSize: 11,
          fontWeight: 'bold',
          dy: -1,
          color: colours.orange,
        },
        encoding: { x, y, text: { field: 'text', type: 'nominal' } },
      },
    ],
  };
}
