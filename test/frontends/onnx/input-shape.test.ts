import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inputShapesOf, inputShapesText } from '../../../src/base/input-shape.js';
import { driver } from '../../../src/commands/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { openDataset } from '../../../src/data/index.js';
import { integers, writeNpz } from '../../support/npz.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

/** A network for images of any size, which ends in a mean over them; sizes in the graph are computed from the input's. */
function anySize(dims: readonly (number | string)[] = ['batch', 3, 'height', 'width']): Uint8Array {
  const b = new OnnxBuilder(13);
  const x = b.fakeQuant(b.input('x', dims), 0.02, 128);
  b.constant('w_q', { type: 'int8', dims: [4, 3, 3, 3], values: randomInts(3, 108, -90, 90) });
  const w = b.node('DequantizeLinear', ['w_q', b.scalar('w_s', 'float', 0.01)]);
  const maps = b.fakeQuant(b.node('Conv', [x, w], { pads: [1, 1, 1, 1] }), 0.02, 0);
  const means = b.node('GlobalAveragePool', [maps]);
  const size = b.node(
    'Concat',
    [b.node('Slice', [b.node('Shape', [means]), b.ints('s0', [0]), b.ints('s1', [1])]), b.ints('rest', [-1])],
    { axis: 0 },
  );
  return b.output(b.node('Reshape', [means, size])).bytes();
}

/** Two inputs, one of them free. */
function two(): Uint8Array {
  const b = new OnnxBuilder(13);
  const [x, y] = [b.fakeQuant(b.input('x', ['N', 'F']), 0.02, 128), b.fakeQuant(b.input('y', ['N', 4]), 0.02, 128)];
  return b.output(b.fakeQuant(b.node('Add', [x, y]), 0.05, 128)).bytes();
}

describe('sizes that a file leaves free', () => {
  it.each([
    [anySize(), { name: 'xx', sizes: [1, 3, 8, 8] }, 'onnx/unknown-input', 'did you mean "x"?'],
    [anySize(), { sizes: [1, 1, 8, 8] }, 'onnx/input-shape', 'the file fixes that size: --input-shape "x=1,3,8,8"'],
    [anySize([1, 3, 8, 8]), { sizes: [1, 3, 9, 8] }, 'onnx/input-shape', 'leave --input-shape out'],
    [anySize(), { sizes: [1, 3, 8] }, 'onnx/input-shape', '--input-shape "x=1,3,8,width"'],
    [two(), { sizes: [1, 4] }, 'onnx/input-shape', '--input-shape "x=1,4", once for each input'],
  ])('have a remedy where they don’t fit', (bytes, shape, code, help) => {
    const found = refused(bytes, { inputShapes: [shape] }).find((one) => one.code === code);
    expect(found?.help).toContain(help);
  });

  it('are taken by all commands that read an ONNX file', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'net.onnx');
    writeFileSync(path, anySize());
    const inputShapes = [{ sizes: [1, 3, 8, 6] }];
    const images = writeNpz(join(folder, 'images.npz'), {
      x: { shape: [12, 3, 8, 6], data: randomFloats(4, 12 * 144, 2) },
      y: { shape: [12], data: integers(Array.from({ length: 12 }, (_, i) => i % 4)) },
    });
    const dataset = openDataset(images);
    const measured = { dataset, normalisation: {}, inputShapes, verify: 'none' } as const;
    const free = await driver.diffTargets({ path }, { path }, {});
    expect(free.diagnostics.map(({ code }) => code)).toContain('onnx/input-shape');
    const same = await driver.diffTargets({ path }, { path }, { inputShapes });
    expect(same.value?.identical).toBe(true);
    const compared = await driver.compareCodings(path, { ...measured, codings: 'sws:4', within: 1 });
    expect(compared.value?.samples).toBe(12);
    expect(compared.value?.points).toHaveLength(1);
    const outDir = join(folder, 'out');
    const goal = { unit: 'weight_bits', value: 6 } as const;
    const allocated = await driver.allocateTarget({ path }, { ...measured, goal, outDir });
    expect(allocated.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(readFileSync(join(outDir, 'net.spike'), 'utf8')).toContain('onnx("net.onnx", input_shape: "1,3,8,6")');
    const read = await driver.describeData({ dataset, normalisation: {}, target: { path }, inputShapes });
    expect(read.value?.network?.input).toEqual([3, 8, 6]);
    const reported = await driver.reportTargets([{ path }], { inputShapes, outFile: join(folder, 'r.html') } as never);
    expect(reported.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  }, 120_000);

  it('are refused with the option that says them', () => {
    const [problem] = refused(anySize());
    expect(problem!.code).toBe('onnx/input-shape');
    expect(problem!.message).toBe('input "x" has shape [batch, 3, height, width]: axis 2 (height) has no fixed size');
    expect(String(problem!.help)).toContain('--input-shape "x=1,3,224,224"');
  });

  it.each([[{ sizes: [1, 3, 8, 6] }], [{ name: 'x', sizes: [1, 3, 8, 6] }]])(
    'are taken as they are said',
    async (shape) => {
      const options = { inputShapes: [shape] };
      const { sourceInputs } = imported(anySize(), 'test.onnx', options);
      expect(sourceInputs).toMatchObject([{ name: 'x', shape: [3, 8, 6], batch: undefined }]);
      const { output } = await compareWithOnnxruntime(anySize(), randomFloats(4, 144, 2), { external: options });
      expect(output).toHaveLength(4);
    },
  );

  it('of several inputs each is said by its name', () => {
    const { row } = imported(two(), 'test.onnx', { inputShapes: [{ name: 'x', sizes: [1, 4] }] });
    expect(row.shape).toEqual([8]);
  });

  it.each([
    [anySize(), { sizes: [1, 3, 8] }, 'it has 4 axes, --input-shape gives 3'],
    [anySize(), { sizes: [1, 1, 8, 8] }, 'axis 1 is 3, --input-shape gives 1'],
    [anySize(), { name: 'y', sizes: [1, 3, 8, 8] }, 'the graph has no input "y"; its inputs are x'],
    [two(), { sizes: [1, 4] }, '--input-shape doesn’t say which of x, y it is of'],
  ])('that don’t fit the file are told', (bytes, shape, problem) => {
    const found = refused(bytes, { inputShapes: [shape] });
    expect(found.map(({ message }) => message).join('\n')).toContain(problem);
  });

  it('stand in the model file of a conversion, which compiles by itself', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'net.onnx');
    writeFileSync(file, anySize());
    const inputShapes = [{ sizes: [1, 3, 8, 8] }];
    expect((await driver.examineOnnx(file)).value!.blockers).toHaveLength(1);
    const [wrong] = (await driver.examineOnnx(file, { inputShapes: [{ sizes: [1, 3, 8] }] })).value!.blockers;
    expect(wrong!.message).toContain('--input-shape gives 3');
    const outDir = join(folder, 'out');
    const { value, diagnostics } = await driver.convertOnnx(file, {
      coding: 'sws',
      outDir,
      inputShapes,
      verify: 'none',
    });
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(readFileSync(value!.model, 'utf8')).toContain('onnx("net.onnx", input_shape: "1,3,8,8")');
    const again = await driver.compileTarget({ path: value!.model }, { outDir: join(folder, 'again'), emit: ['ir'] });
    expect(again.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const text = (at: string): string => readFileSync(join(folder, at, 'network.ir'), 'utf8');
    expect(text('again')).toBe(text('out'));
  });
});

it('shapes are written as they are read', () => {
  for (const text of ['1,3,224,224', 'x=1,3,8,8; a name=1,10'])
    expect(inputShapesText(inputShapesOf(text)!)).toBe(text);
  expect(inputShapesOf('N, 3, 8, 8')).toEqual([{ sizes: [1, 3, 8, 8] }]);
  for (const text of ['', 'x', '1,0', 'x=', '1,3,x', '-1,3', '1;']) expect(inputShapesOf(text), text).toBeUndefined();
});
