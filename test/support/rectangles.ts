import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { seeded } from './random-network.js';

/** Rows, and columns unless it is said otherwise, of the images. */
export const side = 64;

/** Images with one or two rectangles, red or blue, one of them without any, and their boxes. */
export function rectangles(folder: string, count = 48, columns = side): string {
  const random = seeded(7);
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from));
  const made = {
    images: [] as object[],
    categories: [
      { id: 1, name: 'red' },
      { id: 2, name: 'blue' },
    ],
    annotations: [] as object[],
  };
  mkdirSync(join(folder, 'images'), { recursive: true });
  for (let id = 0; id < count; id++) {
    const png = new PNG({ width: columns, height: side });
    png.data.fill(255);
    for (let i = 0; i < png.data.length; i++) if (i % 4 !== 3) png.data[i] = 40;
    for (let k = 0; k < (id === 3 ? 0 : 1 + (id % 2)); k++) {
      const [width, height] = [whole(14, 30), whole(14, 30)];
      const [x, y] = [whole(32 * k, 32 * k + 34 - width), whole(0, side - height)];
      const label = whole(0, 2);
      for (let row = y; row < y + height; row++)
        for (let column = x; column < x + width; column++) png.data[4 * (row * columns + column) + 2 * label] = 250;
      made.annotations.push({ image_id: id, category_id: label + 1, bbox: [x, y, width, height] });
    }
    made.images.push({ id, file_name: `${id}.png`, width: columns, height: side });
    writeFileSync(join(folder, 'images', `${id}.png`), PNG.sync.write(png));
  }
  writeFileSync(join(folder, 'boxes.json'), JSON.stringify(made));
  return `coco:${join(folder, 'images')},${join(folder, 'boxes.json')}`;
}

export function detectorModel(folder: string, train: string, classes = 2): string {
  const path = join(folder, 'tiny.spike');
  writeFileSync(
    path,
    `use "spikec/detection" { DownSampling, SpikeConv, SpikeDetect }
     use "spikec/neurons" { ILIF }
     network Tiny {
       input image: real[3, ${side}, ${side}]
       p3 = image | conv(12, kernel: 8, stride: 8, pad: none) | batchnorm | SpikeConv(12, kernel: 3)
       p4 = p3 | DownSampling(12)
       p5 = p4 | DownSampling(12)
       output SpikeDetect(p3, p4, p5, ${classes}, 12, 12, bins: 4, prior: 3)
     }
     config tiny {
       network Tiny  neuron ILIF(D: 4)  coding direct(steps: 1)
       train { optimizer adam(lr: 1e-2)  schedule cosine  batch 8  seed 3  ${train} }
     }`,
  );
  return path;
}
