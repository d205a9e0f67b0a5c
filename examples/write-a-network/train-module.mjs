// Trains the module that `spikec compile … --emit tfjs` writes, without spikec: TensorFlow.js alone.
//   npx spikec compile examples/write-a-network/mnist.spike#lif --emit tfjs -o build/module
//   node examples/write-a-network/train-module.mjs build/module
// In the browser the same lines run with `tf` from a script tag and fetch() in place of readFileSync.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';

const folder = resolve(process.argv[2] ?? 'build/module');
const { init, step, predict, inputs } = await import(pathToFileURL(join(folder, 'train.mjs')).href);

/** safetensors: eight bytes of length, a JSON header, then the values. */
function readWeights(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  delete header['__metadata__'];
  const values = bytes.slice(8 + length).buffer;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        id,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => [id, { shape, data: new Float32Array(values.slice(from, to)) }],
    ),
  );
}

await tf.setBackend('cpu');
const state = init(tf, readWeights(new Uint8Array(readFileSync(join(folder, 'train.safetensors')))));

// Two kinds of images, the upper half bright or the lower: put your own pixels here, [N,C,H,W] from 0 to 1.
const n = 12;
const [, channels, height, width] = /\[N,(\d+),(\d+),(\d+)\]/.exec(inputs.predict.image).map(Number);
const size = channels * height * width;
const pixels = Float32Array.from({ length: n * size }, (_, i) =>
  i % size < size / 2 === (Math.floor(i / size) % 2 === 0) ? 1 : 0,
);
const image = tf.tensor(pixels, [n, channels, height, width]);
const labels = tf.tensor(
  Array.from({ length: n }, (_, i) => i % 2),
  [n],
  'int32',
);

for (let i = 1; i <= 5; i++) {
  const results = step(tf, state, { image, labels }, { learningRate: 2e-3, step: i });
  console.log(`step ${i}  loss ${results.loss.dataSync()[0].toFixed(4)}`);
  tf.dispose(results);
}
const [logits] = Object.values(predict(tf, state, { image }));
console.log(`predicted ${Array.from(logits.argMax(1).dataSync()).join(' ')}`);
