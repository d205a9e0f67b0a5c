import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { decodeDetections } from '../../src/detection/index.js';
import { seeded } from '../support/random-network.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const [rows, columns, bins, classes] = [32, 64, 5, 3];

function model(folder: string, loss: string): string {
  const path = join(folder, 'tiny.spike');
  writeFileSync(
    path,
    `use "spikec/detection" { DownSampling, SpikeConv, SpikeDetect }
     use "spikec/neurons" { ILIF }
     network Tiny {
       input image: real[3, ${rows}, ${columns}]
       p3 = image | conv(8, kernel: 8, stride: 8, pad: none) | batchnorm | SpikeConv(8, kernel: 3)
       p4 = p3 | DownSampling(8)
       p5 = p4 | DownSampling(8)
       output SpikeDetect(p3, p4, p5, ${classes}, 8, 8, bins: ${bins}, prior: 1)
     }
     config tiny {
       network Tiny  neuron ILIF(D: 4)  coding direct(steps: 2)
       train { optimizer adam(lr: 1e-2)  loss ${loss}  epochs 1  batch 8 }
     }`,
  );
  return path;
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

it('a compiled detector gives boxes and scores of all places: what its outputs are decoded to, in onnxruntime', async () => {
  const folder = temporaryFolder();
  const target = { path: model(folder, `yolo(bins: ${bins})`) };
  const compiled = await driver.compileTarget(target, { emit: ['ir', 'onnx'], outDir: join(folder, 'compiled') });
  expect(compiled.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const session = await ort.InferenceSession.create(readFileSync(join(folder, 'compiled', 'infer.onnx')));
  expect([...session.outputNames].sort()).toEqual(['0', 'boxes', 'scores']);
  const random = seeded(5);
  const images = 2;
  const given = Float32Array.from({ length: images * 3 * rows * columns }, () => 6 * random() - 3);
  const feeds = { [session.inputNames[0]!]: new ort.Tensor('float32', given, [images, 3, rows, columns]) };
  const { 0: outputs, boxes, scores } = (await session.run(feeds)) as unknown as Record<string, ort.Tensor>;
  const [raw, placed, sure] = [outputs!, boxes!, scores!].map(({ data }) => data as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const strides = [8, 16, 32];
  const places = strides.reduce((sum, s) => sum + Math.floor(rows / s) * Math.floor(columns / s), 0);
  expect(boxes!.dims).toEqual([images, places, 4]);
  expect(scores!.dims).toEqual([images, places, classes]);

  // loops over images, scales, rows and columns
  const width = 4 * bins + classes;
  let place = 0;
  for (let image = 0; image < images; image++)
    for (const stride of strides)
      for (let y = 0; y < Math.floor(rows / stride); y++)
        for (let x = 0; x < Math.floor(columns / stride); x++, place++) {
          const own = raw.subarray(place * width, (place + 1) * width);
          for (let side = 0; side < 4; side++) {
            const shares = [...own.subarray(side * bins, (side + 1) * bins)].map(Math.exp);
            const total = shares.reduce((a, b) => a + b);
            const away = (stride * shares.reduce((sum, share, i) => sum + i * share, 0)) / total;
            const centre = stride * ((side % 2 === 0 ? x : y) + 0.5);
            const wanted = side < 2 ? centre - away : centre + away;
            expect(Math.abs(placed[4 * place + side]! - wanted)).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted)));
          }
          for (let label = 0; label < classes; label++)
            expect(sure[classes * place + label]).toBeCloseTo(sigmoid(own[4 * bins + label]!), 6);
        }
  expect(place).toBe(images * places);

  // and what `eval` decodes: each of its boxes is one of these
  const every = { score: 1e-6, overlap: 1, most: places * classes };
  for (let image = 0; image < images; image++) {
    const own = raw.subarray(image * places * width, (image + 1) * places * width);
    const found = decodeDetections(own, { image: [rows, columns], bins, classes }, every);
    expect(found).toHaveLength(places * classes);
    const listed = Array.from({ length: places * classes }, (_, k) => {
      const at = image * places + Math.floor(k / classes);
      return {
        label: k % classes,
        score: sure[at * classes + (k % classes)]!,
        box: placed.subarray(4 * at, 4 * at + 4),
      };
    });
    for (const { label, score, box } of found) {
      const near = listed.filter(
        (one) =>
          one.label === label &&
          Math.abs(one.score - score) < 1e-5 &&
          box.every((edge, i) => Math.abs(edge - one.box[i]!) < 1e-5 * Math.max(1, Math.abs(edge))),
      );
      expect(near.length).toBeGreaterThan(0);
    }
  }
});

it('a network of the same outputs that isn’t trained as a detector has no boxes', async () => {
  const folder = temporaryFolder();
  const outDir = join(folder, 'compiled');
  const { diagnostics } = await driver.compileTarget({ path: model(folder, 'mse') }, { emit: ['onnx'], outDir });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const session = await ort.InferenceSession.create(readFileSync(join(outDir, 'infer.onnx')));
  expect(session.outputNames).toEqual(['0']);
});
