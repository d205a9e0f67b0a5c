import { describe, expect, it } from 'vitest';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomInts, refused } from './harness.js';
import { codesEqual } from './spiking.js';

/** An image [H, W, C] of numbers, as FINN's definitions of its operators act on it: once more, with plain loops. */
interface Image {
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly data: readonly number[];
}

interface Windows {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** For each window its numbers in FINN's order: rows, columns, channels; outside of the image 0. */
function patchesOf({ h, w, c, data }: Image, { kernel: [kh, kw], stride, pads }: Windows): readonly number[][][] {
  const rows = Math.floor((h + pads[0] + pads[2] - kh) / stride[0]) + 1;
  const columns = Math.floor((w + pads[1] + pads[3] - kw) / stride[1]) + 1;
  const at = (y: number, x: number, k: number): number =>
    y < 0 || x < 0 || y >= h || x >= w ? 0 : data[(y * w + x) * c + k]!;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (__, j) =>
      Array.from({ length: kh * kw * c }, (___, n) => {
        const [dy, dx] = [Math.floor(n / (kw * c)), Math.floor(n / c) % kw];
        return at(i * stride[0] - pads[0] + dy, j * stride[1] - pads[1] + dx, n % c);
      }),
    ),
  );
}

function mapped(patches: readonly number[][][], of: (patch: readonly number[]) => readonly number[]): Image {
  const pixels = patches.map((row) => row.map(of));
  return { h: pixels.length, w: pixels[0]!.length, c: pixels[0]![0]!.length, data: pixels.flat(2) };
}

const times = (patch: readonly number[], weight: readonly number[], outputs: number): number[] =>
  Array.from({ length: outputs }, (_, o) => patch.reduce((sum, v, i) => sum + v * weight[i * outputs + o]!, 0));

const counted = (values: readonly number[], rows: readonly (readonly number[])[]): number[] =>
  values.map((v, c) => rows[rows.length === 1 ? 0 : c]!.filter((t) => v >= t).length);

const pooled = (patch: readonly number[], c: number): number[] =>
  Array.from({ length: c }, (_, k) => Math.max(...patch.filter((__, i) => i % c === k)));

const first = [
  [-Infinity, 0, 40, 90, 120, 200, 300],
  [3, 5, 8, 100, 180, 256, Infinity],
];
const second = [
  [-900, -4, 0, 7, 20, 33, 9000],
  [-20, -10, 1, 2, 3, 14, 60],
  [-33, -21, -9, 3, 15, 27, 39],
];
const weight = randomInts(3, 3 * 3 * 2 * 3, -2, 2);
const taps = randomInts(4, 2 * 2 * 3, -3, 3);
const classes = randomInts(5, 2 * 2 * 3 * 4, -2, 2);
const image = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] } as const;
const single = { kernel: [2, 2], stride: [1, 1], pads: [0, 0, 0, 0] } as const;
const pool = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] } as const;

/** The network below by FINN's definitions, of an image [2, 6, 6]. */
function expected(x: readonly number[]): readonly number[] {
  const data = Array.from({ length: 72 }, (_, i) => x[(i % 2) * 36 + Math.floor(i / 2)]!);
  const pixels = mapped(patchesOf({ h: 6, w: 6, c: 2, data }, { ...single, kernel: [1, 1] }), (v) => counted(v, first));
  const conv = mapped(patchesOf(pixels, image), (v) => counted(times(v, weight, 3), second));
  const less = mapped(patchesOf(conv, pool), (v) => pooled(v, 3));
  const each = mapped(patchesOf(less, single), (v) =>
    Array.from({ length: 3 }, (_, c) => [0, 1, 2, 3].reduce((sum, i) => sum + v[i * 3 + c]! * taps[c * 4 + i]!, 0)),
  );
  return times(each.data, classes, 4);
}

const general = { domain: 'qonnx.custom_op.general' };

/** [C, kh, kw] weights as a matrix for patches [kh·kw·C], zeros between channels. */
const diagonal = Array.from({ length: 12 * 3 }, (_, i) => {
  const [row, c] = [Math.floor(i / 3), i % 3];
  return row % 3 === c ? taps[c * 4 + Math.floor(row / 3)]! : 0;
});

function streamlined(): OnnxBuilder {
  const b = new OnnxBuilder(13, {});
  b.input('x', [1, 2, 6, 6]);
  b.finnType('x', 'UINT8');
  const steps = b.node('MultiThreshold', ['x', b.floats('t1', [2, 7], first.flat())], {}, general);
  const last = b.node('Transpose', [steps], { perm: [0, 2, 3, 1] });
  const columns = (x: string, windows: Windows, shape: string, depthwise: number): string => {
    const { kernel, stride, pads } = windows;
    const attributes = { kernel_size: kernel, stride, pad_amount: pads, input_shape: shape, depthwise };
    return b.node('Im2Col', [x], attributes, general);
  };
  const sums = b.node('MatMul', [columns(last, image, '(1, 6, 6, 2)', 0), b.floats('w1', [18, 3], weight)]);
  const t2 = b.floats('t2', [3, 7], second.flat());
  const levels = b.node('MultiThreshold', [sums, t2], { data_layout: 'NHWC' }, general);
  const windows = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };
  const less = b.node('MaxPoolNHWC', [levels], windows, general);
  const each = b.node('MatMul', [columns(less, single, '(1, 3, 3, 3)', 1), b.floats('w2', [12, 3], diagonal)]);
  b.output(b.node('MatMul', [b.node('Flatten', [each]), b.floats('w3', [12, 4], classes)]));
  return b;
}

function hardware(ending: string): OnnxBuilder {
  const b = new OnnxBuilder(13, {});
  b.input('x', [1, 6, 6, 2]);
  b.finnType('x', 'UINT8');
  const layer = (name: string, inputs: readonly string[], attributes: Parameters<OnnxBuilder['node']>[2]): string => {
    const domain = `finn.custom_op.fpgadataflow${ending === '_hls' ? '.hls' : ''}`;
    const out = b.node(`${name}${ending}`, inputs, attributes, { domain });
    return b.node('StreamingFIFO_rtl', [out], { depth: 2 }, { domain: 'finn.custom_op.fpgadataflow.rtl' });
  };
  const windows = (x: string, { kernel, stride }: Windows, channels: number, depthwise: number): string =>
    layer('ConvolutionInputGenerator', [x], {
      ConvKernelDim: kernel,
      Stride: stride,
      Dilation: [1, 1],
      IFMChannels: channels,
      depthwise,
    });
  const steps = layer('Thresholding', ['x', b.floats('t1', [2, 7], first.flat())], { ActVal: 0, NumChannels: 2 });
  const padded = layer('FMPadding', [steps], { Padding: [1, 1, 1, 1] });
  const parameters = [b.floats('w1', [18, 3], weight), b.floats('t2', [3, 7], second.flat())];
  const levels = layer('MVAU', [windows(padded, image, 2, 0), ...parameters], { numInputVectors: [1, 6, 6] });
  const less = layer('Pool', [windows(levels, pool, 3, 1)], { Function: 'MaxPool', KernelSize: [2, 2] });
  const each = layer('VVAU', [windows(less, single, 3, 1), b.floats('w2', [3, 1, 2, 2], taps)], { noActivation: 1 });
  const scores = layer('MVAU', [each, b.floats('w3', [12, 4], classes)], { noActivation: 1, numInputVectors: [1] });
  b.output(layer('LabelSelect', [scores], { K: 1, Labels: 4 }), [1, 1], 'int64');
  return b;
}

const images = Float32Array.from(randomInts(6, 3 * 72, 0, 255));
const one = (n: number): readonly number[] => [...images.subarray(72 * n, 72 * (n + 1))];
const channelsLast = (x: readonly number[]): Float64Array =>
  Float64Array.from({ length: 72 }, (_, i) => x[(i % 2) * 36 + Math.floor(i / 2)]!);

describe('networks of FINN', () => {
  it('streamlined ones are convolutions and quantisers, exactly, infinite and unreachable thresholds among them', async () => {
    const bytes = streamlined().bytes();
    const { network } = imported(bytes);
    const convolutions = network.ops.filter(({ kind }) => kind === 'conv');
    expect(convolutions.map(({ attrs }) => 'groups' in attrs && attrs.groups)).toEqual([1, 3]);
    expect(network.ops.find(({ kind }) => kind === 'quantize')!.attrs).toMatchObject({ scale: 1, min: 0, max: 255 });
    const found = [0, 1, 2].map((n) => evaluateAnn(network, Float64Array.from(one(n))).get(network.outputs[0]!)!);
    for (const n of [0, 1, 2]) expect([...found[n]!], `image ${n}`).toEqual([...expected(one(n))]);
    const { output } = await compareWithOnnxruntime(bytes, images.slice(0, 72));
    expect([...output]).toEqual([...expected(one(0))]);
    const { logits } = codesEqual(bytes, images, 8);
    expect([...logits]).toEqual([0, 1, 2].flatMap((n) => expected(one(n))));
  });

  it.each(['', '_hls', '_Batch'])('hardware layers are read as what they compute (names with “%s”)', async (ending) => {
    const bytes = hardware(ending).bytes();
    const { network, sourceOutput } = imported(bytes);
    expect(sourceOutput.dropped).toBe('TopK');
    for (const n of [0, 1, 2]) {
      const found = evaluateAnn(network, channelsLast(one(n))).get(network.outputs[0]!)!;
      expect([...found], `image ${n}`).toEqual([...expected(one(n))]);
    }
    await compareWithOnnxruntime(bytes, Float32Array.from(channelsLast(one(0))));
  });

  it('bits that are alike are counted', async () => {
    const bits = randomInts(7, 12 * 3, 0, 1);
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 12]);
    b.finnType('x', 'BINARY');
    b.output(b.node('XnorPopcountMatMul', ['x', b.floats('w', [12, 3], bits)], {}, general));
    const x = Float32Array.from(randomInts(8, 12, 0, 1));
    const { output } = await compareWithOnnxruntime(b.bytes(), x);
    const alike = [0, 1, 2].map((o) => bits.filter((bit, i) => i % 3 === o && bit === x[Math.floor(i / 3)]).length);
    expect([...output]).toEqual(alike);
  });

  it.each(['NCHW', 'NHWC'])('QuantAvgPool2d cuts bits off sums of windows (%s)', async (data_layout) => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 2, 4, 4]);
    b.finnType('x', 'UINT4');
    const attributes = { kernel: 2, stride: 2, ibits: 4, obits: 4, signed: 0, data_layout };
    const last = data_layout === 'NHWC';
    const x = last ? b.node('Transpose', ['x'], { perm: [0, 2, 3, 1] }) : 'x';
    const means = b.node('QuantAvgPool2d', [x], attributes, general);
    b.output(b.node('Flatten', [last ? b.node('Transpose', [means], { perm: [0, 3, 1, 2] }) : means]));
    const values = randomInts(9, 32, 0, 15);
    const { output } = await compareWithOnnxruntime(b.bytes(), Float32Array.from(values));
    // four numbers of 4 bits need 6: two are cut off
    const sums = Array.from({ length: 8 }, (_, i) => {
      const at = Math.floor(i / 4) * 16 + (Math.floor(i / 2) % 2) * 8 + (i % 2) * 2;
      return (values[at]! + values[at + 1]! + values[at + 4]! + values[at + 5]!) >> 2;
    });
    expect([...output]).toEqual(sums);
  });

  it('every so many numbers of a stream are a slice', () => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 2, 9, 1]);
    const attributes = { axis: 2, start_idx: 1, slice_length: 3, step: 3 };
    b.output(b.node('StreamingSlice_hls', ['x'], attributes, { domain: 'finn.custom_op.fpgadataflow.hls' }));
    const { network } = imported(b.bytes());
    const x = Float64Array.from({ length: 18 }, (_, i) => i);
    expect([...evaluateAnn(network, x).get(network.outputs[0]!)!]).toEqual([1, 4, 7, 10, 13, 16]);
  });

  it('many unequal thresholds of integers are a table, a row for each channel too', async () => {
    const rows = [0, 1].map((c) =>
      Array.from({ length: 20 }, (_, j) => (j - 8) * Math.abs(j - 8) + 5 * c - 0.5 * (j % 2)),
    );
    for (const thresholds of [rows, rows.slice(0, 1)]) {
      const b = new OnnxBuilder(13, {});
      b.input('x', ['N', 2, 3, 3]);
      b.finnType('x', 'INT4');
      const sums = b.node('Conv', ['x', b.floats('w', [2, 2, 3, 3], randomInts(10, 36, -3, 3))]);
      const t = b.floats('t', [thresholds.length, 20], thresholds.flat());
      b.output(b.node('Flatten', [b.node('MultiThreshold', [sums, t], { out_bias: { float: -10 } }, general)]));
      const bytes = b.bytes();
      expect(imported(bytes).network.ops.map(({ kind }) => kind)).toContain('table');
      const x = Float32Array.from(randomInts(11, 18 * 8, -8, 7));
      const { logits } = codesEqual(bytes, x, 8);
      for (let n = 0; n < 8; n++) {
        const { output } = await compareWithOnnxruntime(bytes, x.slice(18 * n, 18 * (n + 1)));
        expect([...logits.slice(2 * n, 2 * n + 2)]).toEqual([...output]);
      }
    }
  });

  it('a threshold that a sum of integers meets counts, where thresholds are evenly spaced', async () => {
    const b = new OnnxBuilder(13, {});
    b.input('x', ['N', 1]);
    b.finnType('x', 'UINT8');
    const row = Array.from({ length: 7 }, (_, j) => 17 + 29 * j);
    b.output(b.node('MultiThreshold', ['x', b.floats('t', [1, 7], row)], {}, general));
    const { network } = imported(b.bytes());
    for (let x = 0; x < 256; x++)
      expect(evaluateAnn(network, Float64Array.of(x)).get(network.outputs[0]!)![0], `${x}`).toBe(
        row.filter((t) => x >= t).length,
      );
  });

  it.each([
    ['a partition in another file', 'StreamingDataflowPartition', /its attribute "model" names/],
    ['a layer that isn’t known', 'Lookup', /fpgadataflow\.Lookup is not supported/],
  ])('%s is refused by name', (_, name, text) => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 4]);
    b.output(b.node(name, ['x'], {}, { domain: 'finn.custom_op.fpgadataflow' }));
    const [problem] = refused(b.bytes());
    expect(`${problem!.message} ${String(problem!.help)}`).toMatch(text);
  });

  const fpga = { domain: 'finn.custom_op.fpgadataflow' };
  const generator = (b: OnnxBuilder): string =>
    b.node('ConvolutionInputGenerator', ['x'], { ConvKernelDim: [1, 1], Stride: [1, 1], IFMChannels: 2 }, fpga);

  it('50,000 queues behind patches are looked through once, and pass them on', () => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 2, 2, 2]);
    let x = generator(b);
    for (let i = 0; i < 50_000; i++) x = b.node('StreamingFIFO', [x], {}, fpga);
    b.output(b.node('MVAU', [x, b.floats('w', [2, 1], [3, -1])], { noActivation: 1 }, fpga));
    const { network } = imported(b.bytes());
    expect(network.ops.map(({ kind }) => kind)).toContain('conv');
    const found = evaluateAnn(network, Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8)).get(network.outputs[0]!)!;
    expect([...found]).toEqual([3 * 1 - 2, 3 * 3 - 4, 3 * 5 - 6, 3 * 7 - 8]);
  }, 60_000);

  it('streams doubled again and again don’t double the work', () => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 2, 2, 2]);
    let pair: readonly string[] = [generator(b)];
    for (let i = 0; i < 60; i++) {
      const both = [`l${i}`, `r${i}`];
      b.nodes('DuplicateStreams', pair, both, {}, fpga);
      pair = both;
    }
    b.output(pair[0]!);
    expect(refused(b.bytes()).length).toBeGreaterThan(0);
  });

  it('patches that something else reads than a product are refused', () => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 4, 4, 2]);
    const attributes = { kernel_size: [2, 2], stride: [1, 1], input_shape: '(1, 4, 4, 2)' };
    b.output(b.node('Relu', [b.node('Im2Col', ['x'], attributes, general)]));
    expect(codes(refused(b.bytes()))).toContain('onnx/unsupported-op');
  });
});
