import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { driver } from '../../../src/commands/index.js';
import { openDataset } from '../../../src/data/index.js';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { npyBytes, zipBytes } from '../../data/builders.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { codes, compareWithOnnxruntime, imported, randomInts, refused } from './harness.js';
import { codesEqual } from './spiking.js';

/** ⌊(k·x + l)·m / d⌋ towards zero, as NEMO writes it, held in 0 … 255. */
interface Requantisation {
  readonly k: readonly number[];
  readonly l: readonly number[];
  readonly m: number;
  readonly d: number;
}

const int64 = (b: OnnxBuilder, value: number): string =>
  b.node('Constant', [], { value: { tensor: { type: 'int64', dims: [1], values: [value] } } });

let count = 0;

function requantised(b: OnnxBuilder, x: string, { k, l, m, d }: Requantisation): string {
  const n = count++;
  const product = b.node('Mul', [b.floats(`kappa${n}`, [1, k.length, 1, 1], k), x]);
  const sum = b.node('Add', [product, b.floats(`lambda${n}`, [1, l.length, 1, 1], l)]);
  const scaled = b.node('Mul', [b.node('Cast', [sum], { to: 7 }), int64(b, m)]);
  const quotient = b.node('Cast', [b.node('Div', [scaled, int64(b, d)])], { to: 7 });
  return held(b, b.node('Cast', [quotient], { to: 1 }));
}

function held(b: OnnxBuilder, x: string): string {
  return b.node('Clip', [x], { min: { float: 0 }, max: { float: 255 } });
}

const weights = {
  first: randomInts(1, 54, -60, 60),
  branch: randomInts(2, 9, -60, 60),
  last: randomInts(3, 54, -9, 9),
};
const first: Requantisation = { k: [3, 2, 5], l: [4000, -70, 900], m: 5, d: 4096 };
const branch: Requantisation = { k: [70, 64, 59], l: [0, 513, -2000], m: 24, d: 65536 };

/** Two layers, a residual sum requantised twice, and two outputs of one number a sample. */
function nemo(): Uint8Array {
  const b = new OnnxBuilder(9, {});
  b.input('0', ['N', 2, 6, 6]);
  const conv = b.node('Conv', ['0', b.floats('w1', [3, 2, 3, 3], weights.first)], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  });
  const hidden = requantised(b, conv, first);
  const second = requantised(b, b.node('Conv', [hidden, b.floats('w2', [3, 3, 1, 1], weights.branch)]), branch);
  const factor = (): string => b.scalar(`f${count++}`, 'float', 32);
  const sum = b.node('Add', [b.node('Mul', [hidden, factor()]), b.node('Mul', [second, factor()])]);
  const floored = b.node('Floor', [b.node('Div', [sum, factor()])]);
  const scaled = b.node('Mul', [b.node('Cast', [floored], { to: 7 }), int64(b, 24)]);
  const joined = held(b, b.node('Cast', [b.node('Div', [scaled, int64(b, 32)])], { to: 1 }));
  const logits = b.node('MatMul', [b.node('Flatten', [joined]), b.floats('w3', [27, 2], weights.last)]);
  const one = (n: number): string => b.node('Gather', [logits, b.scalar(`i${n}`, 'int64', n)], { axis: 1 });
  b.output(one(0));
  b.output(b.node('Sigmoid', [one(1)]));
  return b.bytes();
}

/** The same in plain loops of integers. */
function plain(image: readonly number[]): readonly [number, number] {
  const conv = (c: number, y: number, x: number): number => {
    let total = 0;
    for (let i = 0; i < 2; i++)
      for (let dy = 0; dy < 3; dy++)
        for (let dx = 0; dx < 3; dx++) {
          const [row, column] = [2 * y + dy - 1, 2 * x + dx - 1];
          if (row < 0 || row > 5 || column < 0 || column > 5) continue;
          total += image[36 * i + 6 * row + column]! * weights.first[18 * c + 9 * i + 3 * dy + dx]!;
        }
    return total;
  };
  const requantise = (x: number, c: number, { k, l, m, d }: Requantisation): number =>
    Math.min(Math.max(Math.trunc(((k[c]! * x + l[c]!) * m) / d), 0), 255);
  const logits: [number, number] = [0, 0];
  for (let y = 0; y < 3; y++)
    for (let x = 0; x < 3; x++) {
      const hidden = [0, 1, 2].map((c) => requantise(conv(c, y, x), c, first));
      for (let c = 0; c < 3; c++) {
        const product = hidden.reduce((sum, h, i) => sum + h * weights.branch[3 * c + i]!, 0);
        const sum = hidden[c]! + requantise(product, c, branch);
        const joined = Math.min(Math.trunc((sum * 24) / 32), 255);
        for (let o = 0; o < 2; o++) logits[o]! += joined * weights.last[2 * (9 * c + 3 * y + x) + o]!;
      }
    }
  return logits;
}

describe('integer networks of NEMO and DORY', () => {
  const images = [7, 8, 9].map((seed) => randomInts(seed, 72, 0, 255));

  it('casts to int64, divisions of integers and residual sums give what plain loops of integers give', async () => {
    const bytes = nemo();
    // the sum of two bytes takes nine digits
    const { logits } = codesEqual(bytes, Float32Array.from(images.flat()), 9);
    expect([...logits]).toEqual(images.map((image) => plain(image)[0]));
    for (const image of images) {
      const { ties, network } = await compareWithOnnxruntime(bytes, Float32Array.from(image));
      expect(ties).toBe(0);
      expect(network.network.outputs).toHaveLength(2);
    }
  });

  it('the input holds the integers of a byte where nothing else is said, and it is said that they do', () => {
    const { diagnostics } = importOnnx({ name: 'nemo.onnx', bytes: nemo() });
    expect(diagnostics.filter(({ severity }) => severity === 'warning').map(({ code }) => code)).toEqual([
      'onnx/integer-input',
    ]);
    const { inputCodes } = imported(nemo());
    expect(inputCodes).toEqual({ min: 0, max: 255 });
    const said = imported(nemo(), 'test.onnx', { inputCodes: { min: -8, max: 7 } });
    const quantiser = said.network.ops.find(({ kind }) => kind === 'quantize')!;
    expect(quantiser.attrs).toMatchObject({ scale: 1, zero: 0, min: -8, max: 7 });
    expect(said.sourceInputs[0]!.codes).toEqual({ min: -8, max: 7 });
  });

  it('a converted folder says which integers were taken, and evaluates on numbers as they are', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'net.onnx'), nemo());
    const outDir = join(folder, 'out');
    const { value, diagnostics } = await driver.convertOnnx(join(folder, 'net.onnx'), { coding: 'sws', outDir });
    expect(diagnostics.map(({ code }) => code)).toContain('onnx/integer-input');
    expect(readFileSync(value!.model, 'utf8')).toContain('onnx("net.onnx", input_codes: "0..255")');
    const data = join(folder, 'data.npz');
    const pixels = Float32Array.from(images.flat());
    writeFileSync(
      data,
      zipBytes([
        { name: 'x.npy', data: npyBytes(`'<f4'`, [3, 2, 6, 6], new Uint8Array(pixels.buffer)) },
        { name: 'y.npy', data: npyBytes(`'<i8'`, [3], new Uint8Array(24)) },
      ]),
    );
    const options = { dataset: openDataset(`npz:${data}`), normalisation: {}, stages: true };
    const result = await driver.evaluateTarget({ path: value!.model }, options);
    expect(codes(result.diagnostics)).not.toContain('onnx/integer-input');
    for (const { before } of result.value!.stages!.slice(1)) expect(before!.agreement).toBe(1);
    expect(result.value!.stages!.at(-1)!.before!.differing).toBe(0);
  });

  it('quantlab’s notes of bits change nothing; requantisation that DORY hides in an Add is refused', async () => {
    const network = (attributes: Record<string, number>): Uint8Array => {
      const b = new OnnxBuilder(10, {});
      b.input('x', ['N', 2, 4, 4]);
      const w = b.floats('w', [2, 2, 1, 1], [1, -1, 0, 1]);
      const conv = b.node('Conv', ['x', w], { weight_bits: 2 });
      const divided = b.node('Div', [conv, b.scalar('d', 'float', 4)]);
      const code = b.node('Clip', [b.node('Floor', [divided])], { min: { float: 0 }, max: { float: 3 }, out_bits: 2 });
      b.output(b.node('Add', [code, code], attributes));
      return b.bytes();
    };
    const image = Float32Array.from(randomInts(4, 32, 0, 255));
    const { output } = await compareWithOnnxruntime(network({ add_bits: 8 }), image);
    const code = (a: number): number => 2 * Math.min(Math.max(Math.floor(a / 4), 0), 3);
    const expected = [...image.slice(0, 16).map((a, i) => code(a - image[16 + i]!)), ...image.slice(16).map(code)];
    expect([...output]).toEqual(expected);
    expect(codes(refused(network({ in1_rq: 1, in1_mul: 99 })))).toContain('onnx/unsupported-form');
  });

  it('a cast of reals to integers cuts their fraction off', async () => {
    const b = new OnnxBuilder(13, {});
    b.input('x', ['N', 6]);
    const cast = b.node('Cast', [b.node('Mul', ['x', b.scalar('s', 'float', 3.5)])], { to: 6 });
    const bounds = [b.scalar('l', 'float', -6), b.scalar('m', 'float', 6)];
    b.output(b.node('Clip', [b.node('Cast', [cast], { to: 1 }), ...bounds]));
    const { output } = await compareWithOnnxruntime(b.bytes(), Float32Array.of(-2, -1.1, -0.2, 0.3, 1, 1.9));
    expect([...output].map((v) => v + 0)).toEqual([-6, -3, 0, 1, 3, 6]);
  });
});

describe('integer networks in integer types, as MATCH writes them', () => {
  const kernel = randomInts(11, 36, 0, 255);
  const matrix = randomInts(12, 24, -128, 127);
  const [mul, add] = [randomInts(13, 2, 1, 40), randomInts(14, 2, -90000, 90000)];

  /** Conv of bytes, requantised in int32, pooled, and a product whose sum stays int32; two nodes share a name. */
  function match(input: 'uint8' | 'float' | 'int32'): Uint8Array {
    const b = new OnnxBuilder(10, {});
    b.input('x', ['N', 2, 4, 4], input);
    const x = input === 'uint8' ? 'x' : b.node('Cast', ['x'], { to: 2 }, { name: 'cast' });
    const w = b.constant('w', { type: 'uint8', dims: [2, 2, 3, 3], values: kernel });
    const conv = b.node('Cast', [b.node('Conv', [x, w], { pads: [1, 1, 1, 1] })], { to: 6 }, { name: 'cast' });
    const factor = (name: string, values: readonly number[]): string =>
      b.constant(name, { type: 'int32', dims: [1, 2, 1, 1], values });
    const sum = b.node('Add', [b.node('Mul', [conv, factor('mul', mul)]), factor('add', add)]);
    const shift = b.constant('d', { type: 'int32', dims: [1], values: [32768] });
    const code = held(b, b.node('Floor', [b.node('Div', [sum, shift])]));
    const pooled = b.node('MaxPool', [b.node('Cast', [code], { to: 2 })], { kernel_shape: [2, 2], strides: [2, 2] });
    const flat = b.node('Flatten', [pooled]);
    const second = b.node('MatMul', [flat, b.constant('m', { type: 'int8', dims: [8, 3], values: matrix })]);
    const bias = b.constant('b', { type: 'int32', dims: [1, 3], values: [5, -7, 11] });
    return b.output(b.node('Add', [second, bias]), ['N', 3], 'float').bytes();
  }

  function logitsOf(image: readonly number[]): readonly number[] {
    const at = (c: number, y: number, x: number): number =>
      y < 0 || y > 3 || x < 0 || x > 3 ? 0 : image[16 * c + 4 * y + x]!;
    const code = (c: number, y: number, x: number): number => {
      let total = 0;
      for (let i = 0; i < 18; i++) {
        const [k, dy, dx] = [Math.floor(i / 9), Math.floor((i % 9) / 3), i % 3];
        total += at(k, y + dy - 1, x + dx - 1) * kernel[18 * c + i]!;
      }
      return Math.min(Math.max(Math.trunc((total * mul[c]! + add[c]!) / 32768), 0), 255);
    };
    const pooled = Array.from({ length: 8 }, (_, i) => {
      const [c, y, x] = [Math.floor(i / 4), 2 * Math.floor((i % 4) / 2), 2 * (i % 2)];
      return Math.max(code(c, y, x), code(c, y, x + 1), code(c, y + 1, x), code(c, y + 1, x + 1));
    });
    return [5, -7, 11].map((bias, o) => pooled.reduce((sum, p, i) => sum + p * matrix[3 * i + o]!, bias));
  }

  it.each(['uint8', 'float', 'int32'] as const)('of a %s input give what plain loops of integers give', (input) => {
    const images = [21, 22].map((seed) => randomInts(seed, 32, 0, 255));
    const { logits } = codesEqual(match(input), Float32Array.from(images.flat()));
    expect([...logits]).toEqual(images.flatMap(logitsOf));
  });

  it('of a byte less may be said than it holds, and no more', () => {
    const { network, sourceInputs } = imported(match('uint8'), 'test.onnx', { inputCodes: { min: 0, max: 15 } });
    const quantiser = network.ops.find(({ kind }) => kind === 'quantize')!;
    expect(quantiser.attrs).toMatchObject({ scale: 1, zero: 0, min: 0, max: 15 });
    expect(sourceInputs[0]!.codes).toEqual({ min: 0, max: 15 });
    const beyond = refused(match('uint8'), { inputCodes: { min: -8, max: 7 } });
    expect(beyond.map(({ message }) => message)).toEqual([
      "input is not supported in this form: it is uint8, which doesn't hold the integers -8..7",
    ]);
  });

  it('convert compares them with onnxruntime, which has no products of bytes in these operators', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'net.onnx'), match('int32'));
    const options = { coding: 'sws', outDir: join(folder, 'out') } as const;
    const { value } = await driver.convertOnnx(join(folder, 'net.onnx'), options);
    expect(value!.verified!.compared).toBe(value!.verified!.layers);
    expect(value!.verified!.layers).toBeGreaterThan(5);
    expect(value!.check!.layers!.reduce((sum, { differing }) => sum + differing, 0)).toBe(0);
  });
});

describe('integer networks of Deeploy', () => {
  const one = (value: number): { tensor: { type: 'float'; dims: number[]; values: number[] } } => ({
    tensor: { type: 'float', dims: [1], values: [value] },
  });
  const attributes = { div: one(512), n_levels: one(256), signed: one(1) };

  /** Tokens by a matrix, requantised at the end: a Constant node's weights, an output of an integer type. */
  function tokens(domain: string): Uint8Array {
    const b = new OnnxBuilder(13, { 'ai.onnx.contrib': 1 });
    b.input('x', [1, 4, 3]);
    const values = randomInts(31, 6, -90, 90);
    const w = b.node('Constant', [], { value: { tensor: { type: 'float', dims: [3, 2], values } } });
    const factors = [b.floats('mul', [1], [37]), b.floats('add', [1], [99])];
    const output = b.node('RequantShift', [b.node('MatMul', ['x', w]), ...factors], attributes, { domain });
    return b.output(output, [1, 4, 2], 'int32').bytes();
  }

  it.each(['', 'ai.onnx.contrib'])(
    'a last requantisation of tokens keeps their order (domain "%s")',
    async (domain) => {
      const image = randomInts(32, 12, 0, 255);
      const { output } = await compareWithOnnxruntime(tokens(domain), Float32Array.from(image));
      const matrix = randomInts(31, 6, -90, 90);
      const code = (sum: number): number => Math.min(Math.max(Math.floor((sum * 37 + 99) / 512), -128), 127);
      const expected = Array.from({ length: 8 }, (_, i) =>
        code([0, 1, 2].reduce((sum, k) => sum + image[3 * Math.floor(i / 2) + k]! * matrix[2 * k + (i % 2)]!, 0)),
      );
      expect([...output]).toEqual(expected);
    },
  );
});

describe('the greatest of the logits at the end', () => {
  const network = (k: number, outputs: readonly number[]): Uint8Array => {
    const b = new OnnxBuilder(13, {});
    b.input('x', ['N', 4]);
    const logits = b.node('MatMul', ['x', b.floats('w', [4, 3], randomInts(5, 12, -4, 4))]);
    const top = ['values', 'places'];
    b.nodes('TopK', [logits, b.constant('k', { type: 'int64', dims: [1], values: [k] })], top);
    for (const output of outputs) b.output(top[output]!);
    return b.bytes();
  };

  it.each([[[0]], [[1]], [[0, 1]]])('TopK of one (outputs %j) is left out: predictions are the logits’', (outputs) => {
    const { network: read, sourceOutput } = imported(network(1, outputs));
    expect(sourceOutput.dropped).toBe('TopK');
    expect(read.ops.at(-1)!.kind).toBe('linear');
  });

  it('TopK of several is refused', () => {
    expect(codes(refused(network(2, [1])))).toEqual(['onnx/unsupported-form']);
  });
});
