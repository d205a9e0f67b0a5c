import { OnnxBuilder } from '../../src/testing/onnx-builder.js';

/**
 * ResNet-50's graph (3, 4, 6, 3 bottlenecks) as an ONNX file with pseudo-random weights; `width` are the channels of the
 * first stage, 64 in the real one. With `quantised`, quantisers stand behind the input, activations and sums.
 */
export function resnet50(width: number, size: number, quantised = false): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1;
  const activated = (x: string): string => {
    const y = b.node('Relu', [x]);
    return quantised ? b.fakeQuant(y, 4 / 255, 0) : y;
  };
  let made = 0;
  const conv = (x: string, from: number, to: number, kernel: number, stride: number): string => {
    const count = to * from * kernel * kernel;
    const gain = Math.sqrt(3 / (from * kernel * kernel));
    const name = `layer${made++}`;
    const values = Float32Array.from({ length: count }, () => gain * next());
    let weight = b.floats(`${name}.weight`, [to, from, kernel, kernel], values);
    if (quantised) {
      const codes = Array.from(values, (v) => Math.round((127 * v) / gain));
      const dims = [to, from, kernel, kernel];
      const params = [b.scalar(`${name}.scale`, 'float', gain / 127), b.scalar(`${name}.zero`, 'int8', 0)];
      weight = b.node('DequantizeLinear', [
        b.constant(`${name}.codes`, { type: 'int8', dims, values: codes }),
        ...params,
      ]);
    }
    const bias = b.floats(
      `${name}.bias`,
      [to],
      Float32Array.from({ length: to }, () => 0.1 * next()),
    );
    const pad = (kernel - 1) / 2;
    return b.node('Conv', [x, weight, bias], { strides: [stride, stride], pads: [pad, pad, pad, pad] });
  };
  let x = b.input('input', ['N', 3, size, size]);
  if (quantised) x = b.fakeQuant(x, 1 / 255, 0);
  x = activated(conv(x, 3, width, 7, 2));
  x = b.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = width;
  [3, 4, 6, 3].forEach((blocks, stage) => {
    const inner = width * 2 ** stage;
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const y = activated(conv(activated(conv(x, channels, inner, 1, 1)), inner, inner, 3, stride));
      const long = conv(y, inner, 4 * inner, 1, 1);
      const short = block === 0 ? conv(x, channels, 4 * inner, 1, stride) : x;
      x = activated(b.node('Add', [long, short]));
      channels = 4 * inner;
    }
  });
  const flat = b.node('Flatten', [b.node('GlobalAveragePool', [x])]);
  const weight = Float32Array.from({ length: 10 * channels }, () => 0.1 * next());
  b.output(b.node('Gemm', [flat, b.floats('fc.weight', [10, channels], weight)], { transB: 1 }, { output: 'logits' }));
  return b.bytes();
}
