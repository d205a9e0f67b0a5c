import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../src/lower/program/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { imported, randomFloats, randomInts } from '../frontends/onnx/harness.js';
import { convert, sws } from '../support/sws.js';

// Blocks of MobileNetV3, EfficientNet and YOLO as onnxruntime's static quantiser writes them: Q/DQ around everything.

const count = 4;

class Blocks extends OnnxBuilder {
  #seed = 1;

  conv(
    x: string,
    inputs: number,
    outputs: number,
    kernel: number,
    attributes: { stride?: number; group?: number } = {},
  ) {
    const { stride = 1, group = 1 } = attributes;
    const dims = [outputs, inputs / group, kernel, kernel];
    const length = dims.reduce((a, b) => a * b, 1);
    const seed = this.#seed++;
    const codes = this.constant(`w${seed}`, { type: 'int8', dims, values: randomInts(seed, length, -127, 127) });
    const scale = this.scalar(`w${seed}.s`, 'float', 1.5 / (127 * Math.sqrt(length / outputs)));
    const weight = this.node('DequantizeLinear', [codes, scale, this.scalar(`w${seed}.z`, 'int8', 0)]);
    const bias = this.floats(`b${seed}`, [outputs], randomFloats(seed, outputs, 0.3));
    const pad = (kernel - 1) / 2;
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], group };
    return this.node('Conv', [x, weight, bias], window);
  }

  /** A gate of each channel from the image's mean, times the image. */
  squeezeExcite(x: string, channels: number, gate: 'HardSigmoid' | 'Sigmoid'): string {
    const mean = this.fakeQuant(this.node('GlobalAveragePool', [x]), 0.01, 30);
    const hidden = this.fakeQuant(this.node('Relu', [this.conv(mean, channels, 2, 1)]), 0.01, 0);
    const open = this.fakeQuant(this.node(gate, [this.conv(hidden, 2, channels, 1)]), 1 / 255, 0);
    return this.fakeQuant(this.node('Mul', [x, open]), 0.02, 40);
  }

  /** x·sigmoid(x) with a quantiser around each op. */
  silu(x: string): string {
    const value = this.fakeQuant(x, 0.03, 120);
    return this.fakeQuant(
      this.node('Mul', [value, this.fakeQuant(this.node('Sigmoid', [value]), 1 / 255, 0)]),
      0.02,
      14,
    );
  }

  hardSwish(x: string): string {
    return this.fakeQuant(this.node('HardSwish', [x]), 0.02, 19);
  }
}

const networks: Readonly<Record<string, (b: Blocks, image: string) => string>> = {
  'an inverted residual of MobileNetV3': (b, image) => {
    const stem = b.hardSwish(b.conv(image, 3, 6, 3, { stride: 2 }));
    const wide = b.hardSwish(b.conv(stem, 6, 8, 1));
    const deep = b.squeezeExcite(b.hardSwish(b.conv(wide, 8, 8, 5, { group: 8 })), 8, 'HardSigmoid');
    const narrow = b.fakeQuant(b.conv(deep, 8, 6, 1), 0.03, 128);
    return b.fakeQuant(b.node('Add', [stem, narrow]), 0.03, 110);
  },
  'an MBConv of EfficientNet': (b, image) => {
    const stem = b.silu(b.conv(image, 3, 6, 3, { stride: 2 }));
    const deep = b.squeezeExcite(b.silu(b.conv(stem, 6, 6, 3, { group: 6 })), 6, 'Sigmoid');
    return b.silu(b.conv(deep, 6, 6, 1));
  },
  'a neck of YOLO': (b, image) => {
    const near = b.silu(b.conv(image, 3, 4, 3, { stride: 2 }));
    const far = b.silu(b.conv(near, 4, 6, 3, { stride: 2 }));
    const up = b.node('Resize', [far, '', b.floats('scales', [4], [1, 1, 2, 2])], {
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    const joined = b.fakeQuant(b.node('Concat', [up, near], { axis: 1 }), 0.02, 14);
    return b.fakeQuant(b.node('LeakyRelu', [b.conv(joined, 10, 6, 3)], { alpha: { float: 0.1 } }), 0.02, 30);
  },
};

it.each(Object.keys(networks))('%s: every code equals the file’s, and the logits onnxruntime’s', async (name) => {
  const b = new Blocks(14);
  const image = b.fakeQuant(b.input('image', ['N', 3, 8, 8]), 1 / 255, 0);
  const features = networks[name]!(b, image);
  const pooled = b.fakeQuant(b.node('GlobalAveragePool', [features]), 0.01, 60);
  b.output(b.node('Flatten', [b.conv(pooled, 6, 5, 1)]));
  const bytes = Uint8Array.from(b.bytes());
  const { quantised, spiking } = convert(imported(bytes).network, sws({ silent: 8 }));

  const data = randomFloats(5, count * 192, 0.5).map((x) => x + 0.5);
  const feeds = { image: tensor('f32', [count, 3, 8, 8], data) };
  const reference = evaluate(lower(quantised, { carrier: exactCodes, probes: { codes: true } }).program, feeds);
  const found = evaluate(lower(spiking, { probes: { codes: true } }).program, feeds);
  let compared = 0;
  for (const { id } of spiking.ops) {
    const [ours, theirs] = [found[outputNames.codes(id)], reference[outputNames.codes(id)]];
    if (ours === undefined || theirs === undefined) continue;
    compared++;
    expect([...ours.data], id).toEqual([...theirs.data]);
  }
  expect(compared).toBeGreaterThan(4);

  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' });
  const results = await session.run({ image: new ort.Tensor('float32', data, [count, 3, 8, 8]) });
  await session.release();
  const logits = Object.values(results)[0]!.data as Float32Array;
  const spread = Math.max(...logits) - Math.min(...logits);
  // a code that is a tie in float32 may differ by one
  logits.forEach((logit, i) => expect(Math.abs(found['0']!.data[i]! - logit)).toBeLessThan(0.03 * spread));
});
