// `npm run playground`: bundles the playground into dist/playground (another folder: the argument), static files to put anywhere.
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { keywords } from '../../dist/grammar/tokens.js';
import { bundled, read, root, text } from '../bundle.mjs';

const target = resolve(process.argv[2] ?? join(root, 'dist', 'playground'));
const define = {
  spikecVersion: JSON.stringify(JSON.parse(text('package.json')).version),
  spikecKeywords: JSON.stringify(keywords.map(({ name }) => name.toLowerCase())),
  spikecLayers: JSON.stringify(text('src/backends/torch/python/layers.py')),
  'process.env.NODE_ENV': '"production"',
};

/** The first digits of the example's, and their classes, in one file: pixels, then labels. */
function digits(images) {
  const pixels = gunzipSync(read('examples/convert-onnx/digits-images.idx.gz')).subarray(16);
  const labels = gunzipSync(read('examples/convert-onnx/digits-labels.idx.gz')).subarray(8);
  return Buffer.concat([pixels.subarray(0, images * 784), labels.subarray(0, images)]);
}

const example = (folder, name, path, files = []) => ({ folder, name, text: text(path), files });
const gallery = {
  // `folder` of examples/, all of which are here; what they call by name of the library is shown as it is
  examples: [
    { name: 'Start', text: text('models/starter.spike'), files: [] },
    example('write-a-network', 'Write a network', 'examples/write-a-network/mnist.spike'),
    example('write-a-network', 'Write a network: CIFAR-10', 'examples/write-a-network/cifar10.spike'),
    example('convert-onnx', 'Convert a network', 'examples/convert-onnx/lenet5.spike', ['lenet5.onnx']),
    example('convert-onnx', 'Convert it in every coding', 'examples/convert-onnx/codings.spike', ['lenet5.onnx']),
    example('write-your-own-neuron', 'Your own neuron', 'examples/write-your-own-neuron/adaptive.spike'),
    example('diff-configs', 'Compare configs', 'examples/diff-configs/net.spike'),
    example('multibit', 'Multi-bit ResNet-20', 'models/multibit/resnet20.spike'),
    example('ibra', 'Integer spikes', 'models/ibra/resnet20.spike'),
    example('adaptive-bits', 'Adaptive bits', 'models/adaptive/resnet20.spike'),
    example('spikformer', 'Spikformer', 'models/spikformer/cifar.spike'),
    example('event-mnist', 'Event MNIST', 'examples/event-mnist/event-mnist.spike'),
    example('spoken-digits', 'Spoken digits', 'examples/spoken-digits/spoken-digits.spike'),
    example('sequences', 'Copy after a delay', 'examples/sequences/copy.spike'),
    example('segment-digits', 'Segment digits (U-Net)', 'examples/segment-digits/segment-digits.spike'),
    example('autoencoder', 'Autoencoder', 'examples/autoencoder/autoencoder.spike'),
    example('detection', 'Detect digits', 'examples/detection/digits.spike'),
  ],
  digits: { file: 'digits.bin', images: 100, pixels: 784 },
  training: { file: 'digits-training.bin.gz', images: 2000, pixels: 784 },
};

/** Of TensorFlow.js: with vector instructions and without; the form with threads needs headers that few hosts send. */
const wasm = ['tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm.wasm'];

const files = {
  'index.html': read('editors/playground/index.html'),
  'style.css': read('editors/playground/style.css'),
  'page.js': await bundled('playground/page.ts', { format: 'esm', define }),
  'compiler-worker.js': await bundled('playground/compiler-worker.ts', { format: 'iife', define }),
  'trainer-worker.js': await bundled('playground/trainer-worker.ts', { format: 'iife', define }),
  'hdf5.js': await bundled('playground/hdf5.ts', { format: 'iife', define }),
  'server-worker.js': await bundled('server-worker.ts', { format: 'iife', define }),
  'gallery.json': JSON.stringify(gallery),
  'lenet5.onnx': read('examples/convert-onnx/lenet5.onnx'),
  'digits.bin': digits(gallery.digits.images),
  'digits-training.bin.gz': gzipSync(digits(gallery.training.images), { level: 9 }),
  ...Object.fromEntries(wasm.map((name) => [name, read(`node_modules/@tensorflow/tfjs-backend-wasm/dist/${name}`)])),
};
const hash = createHash('sha256');
for (const content of Object.values(files)) hash.update(content);
files['offline.js'] = text('editors/playground/offline.js')
  .replace('VERSION', hash.digest('hex').slice(0, 12))
  .replace('FILES', JSON.stringify(['./', ...Object.keys(files)]));

const fresh = `${target}-${process.pid}`;
mkdirSync(fresh, { recursive: true });
for (const [name, content] of Object.entries(files)) writeFileSync(join(fresh, name), content);
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
const first = ['index.html', 'style.css', 'page.js', 'compiler-worker.js', 'server-worker.js', 'gallery.json'];
const size = first.reduce((sum, name) => sum + gzipSync(files[name]).length, 0);
process.stdout.write(`${target}: first load ${(size / 1e6).toFixed(2)} MB compressed\n`);
