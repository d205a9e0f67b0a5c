import { elementCount } from '../../base/dtype.js';
import type { PixelSample } from '../../run/pixel-outputs.js';
import { greyUri, imageUri } from '../png.js';
import type { Plot } from './render.js';

/** Of more maps than these the others aren't drawn. */
const mostMaps = 4;

/** Images, beside each what is wanted of its pixels and what the network gives: a row a map. */
export function pixelsPlot(samples: readonly PixelSample[], width = 160): Plot {
  return { columns: 3, spacing: 12, concat: samples.flatMap((one) => rowsOf(one, width)) } as unknown as Plot;
}

function rowsOf(one: PixelSample, width: number): readonly object[] {
  const [maps = 1, rows = 1, columns = 1] = one.wanted.shape;
  const height = Math.round((width * rows) / columns);
  const picture = (text: string, url: string): object => ({
    title: { text, fontSize: 12 },
    width,
    height,
    data: { values: [{ url }] },
    mark: { type: 'image', width, height, smooth: false },
    encoding: {
      x: { value: width / 2 },
      y: { value: height / 2 },
      url: { field: 'url', type: 'nominal' },
    },
  });
  const image = imageUri(one.image);
  return Array.from({ length: Math.min(maps, mostMaps) }, (_, map) => {
    const of = maps === 1 ? '' : `, map ${map}`;
    return [
      picture(`image ${one.sample}${of}`, image),
      picture('wanted', mapUri(one, 'wanted', map)),
      picture(`found: ${scoreText(one)}`, mapUri(one, 'found', map)),
    ];
  }).flat();
}

/** How near the one is to the other. */
export function scoreText({ iou, mae }: PixelSample): string {
  return iou === undefined ? `mean error ${mae.toPrecision(3)}` : `IoU ${iou.toFixed(3)}`;
}

function mapUri({ range: [black, white], ...one }: PixelSample, which: 'wanted' | 'found', map: number): string {
  const [, height = 1, width = 1] = one[which].shape;
  const size = elementCount([height, width]);
  return greyUri(one[which].data.subarray(map * size, (map + 1) * size), width, height, black, white);
}
