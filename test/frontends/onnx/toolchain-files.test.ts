import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { elementCount } from '../../../src/base/dtype.js';
import { compareWithOnnxruntime, imported, randomFloats } from './harness.js';

const folder = join(import.meta.dirname, '../../../../shared/cases/turn2');
const present = existsSync(folder);
if (!present) console.warn(`skipped: networks as toolchains write them, ${folder} is absent`);

const files = [
  'toolchains/torch-fx-resnet-cast',
  'toolchains/ort-opset23-resnet',
  'toolchains/ort-softmax-qdq',
  'toolchains/ort-level-all-resnet',
  'toolchains/ort-conv1d',
  'toolchains/tflite-cnn-float-io',
  'onnx/hls421_conv1d',
  'toolchains/nncf-depthwise',
  'onnx/slice_channels',
  'onnx/keras_mnist_free',
  'onnx/cast_noop',
  'onnx/mean_twice',
  'onnx/opset22',
  'onnx/ort_softmax_q_small',
  'onnx/softmax_quantised',
];

describe.skipIf(!present)('networks as toolchains write them', () => {
  it.each(files)('every op of %s computes what onnxruntime computes', async (name) => {
    const bytes = readFileSync(join(folder, `${name}.onnx`));
    const [source] = imported(bytes).sourceInputs;
    const { compared } = await compareWithOnnxruntime(bytes, randomFloats(7, elementCount(source!.shape), 1));
    expect(compared).toBeGreaterThan(1);
  });
});
