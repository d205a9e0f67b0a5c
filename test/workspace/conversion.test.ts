import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { decodeSafetensors } from '../../src/base/safetensors.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { passes } from '../../src/passes/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

/** A folder with the tiny network, its data, and model files. */
function project(files: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  writeFileSync(join(folder, 'tiny.onnx'), tinyQuantised());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function model(settings = 'beta: 2, steps: 8, silent: 8', more = ''): string {
  return `config c {\n  network onnx("tiny.onnx")\n  coding sws(${settings})${more}\n}\n`;
}

function dataOf(folder: string) {
  return openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
}

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

async function codesOf(work: Promise<Outcome<unknown>>): Promise<string[]> {
  const { value, diagnostics } = await work;
  expect(value).toBeUndefined();
  return diagnostics.map((d) => d.code);
}

const common = {};
const compileOptions = { emit: ['ir', 'json', 'tensor', 'onnx'] as const };

it('convert writes a folder that stands alone, and eval, cost and compile work on it', async () => {
  const folder = project();
  const outDir = join(folder, 'out');
  const converted = valueOf(await driver.convertOnnx(join(folder, 'tiny.onnx'), { coding: 'sws', silent: 8, outDir }));
  expect(readdirSync(outDir).sort()).toEqual([...converted.files].sort());
  expect(readFileSync(join(outDir, 'tiny.onnx'))).toEqual(readFileSync(join(folder, 'tiny.onnx')));
  const weights = decodeSafetensors(new Uint8Array(readFileSync(join(outDir, 'weights.safetensors'))), 'w');
  expect(weights.diagnostics).toEqual([]);
  expect((await driver.checkFile({ path: converted.model }, common)).diagnostics).toEqual([]);

  const target = { path: converted.model };
  const dataset = dataOf(folder);
  const result = valueOf(await driver.evaluateTarget(target, { dataset, normalisation: {}, batch: 7 }));
  dataset.close();
  // With Ts = Tc every layer decides on its complete input: the network's own predictions.
  expect(result).toMatchObject({ samples: 40, source: { agreement: 1, accuracy: result.accuracy }, latency_steps: 16 });
  expect(result.opf).toBeGreaterThan(0);
  const cost = valueOf(await driver.costOf(target, common));
  expect(cost.layers.map((l) => l.macs)).toEqual([36 * 4 * 9, 144 * 3]);
  expect(cost.total).toMatchObject({ macs: 36 * 36 + 432, params: 36 + 4 + 432 + 3, latency_steps: 16 });
});

it('the batch size does not change what eval reports, and --limit takes the first images', async () => {
  const folder = project({ 'a.spike': model('beta: 2, steps: 8, silent: 1') });
  const path = join(folder, 'a.spike');
  const dataset = dataOf(folder);
  const run = async (batch: number, limit: number) => {
    const { seconds, ...rest } = valueOf(
      await driver.evaluateTarget({ path }, { dataset, normalisation: {}, batch, limit }),
    );
    expect(seconds).toBeGreaterThan(0);
    return rest;
  };
  const whole = await run(100, 20);
  expect(whole.samples).toBe(20);
  expect(await run(3, 20)).toEqual(whole);
  expect((await run(3, 1000)).samples).toBe(40);
  dataset.close();
});

it('compiling twice gives the same bytes', async () => {
  const folder = project({ 'a.spike': model() });
  const target = { path: join(folder, 'a.spike') };
  for (const name of ['one', 'two']) {
    valueOf(await driver.compileTarget(target, { ...compileOptions, outDir: join(folder, name) }));
  }
  const names = readdirSync(join(folder, 'one'));
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    expect(readFileSync(join(folder, 'one', name)).equals(readFileSync(join(folder, 'two', name))), name).toBe(true);
  }
});

it('every pass can be printed after, and compiling stops where it is told', async () => {
  const folder = project({ 'a.spike': model() });
  const target = { path: join(folder, 'a.spike') };
  const titles: string[] = [];
  const onPrint = (title: string): void => void titles.push(title);
  const all = valueOf(await driver.compileTarget(target, { emit: [], printAfter: 'all', onPrint }));
  expect(titles).toEqual(all.passes.map(({ pass }) => `after ${pass}`));
  expect(passes.map((p) => p.name)).toEqual(expect.arrayContaining(all.passes.map(({ pass }) => pass)));
  const [first = { pass: '' }] = all.passes;
  const stopped = valueOf(await driver.compileTarget(target, { emit: [], stopAfter: first.pass }));
  expect(stopped.passes.map(({ pass }) => pass)).toEqual([first.pass]);
  const unknown = driver.compileTarget(target, { emit: [], printAfter: `${first.pass}x` });
  expect(await codesOf(unknown)).toEqual(['cli/unknown-pass']);
  const { diagnostics } = await driver.compileTarget(target, { emit: [], printAfter: 'insert-neurons' });
  expect(diagnostics).toMatchObject([{ code: 'cli/unknown-pass', help: expect.stringContaining('to-spikes') }]);
});

it('compiling says after which pass it is and what it emits', async () => {
  const folder = project({ 'a.spike': model() });
  const said: string[] = [];
  const compiled = valueOf(
    await driver.compileTarget(
      { path: join(folder, 'a.spike') },
      {
        emit: ['json', 'ir'],
        outDir: join(folder, 'out'),
        onProgress: ({ phase, detail, done, total }) => said.push(detail ?? `${phase} ${done}/${total}`),
      },
    ),
  );
  const passes = compiled.passes.map(({ pass }) => `after ${pass}`);
  expect(said.slice(-passes.length - 2)).toEqual([...passes, 'emitting ir 0/2', 'emitting json 1/2']);
});

it('what the language has and the compiler does not lower yet is said, never left out', async () => {
  const folder = project({
    'a.spike': model(),
    'train.spike': model('steps: 8', '\n  train { epochs 4 }'),
    'rate.spike': 'config c {\n  network onnx("tiny.onnx")\n  coding rate(steps: 8)\n}\n',
  });
  const compiled = (name: string) => driver.compileTarget({ path: join(folder, `${name}.spike`) }, { emit: [] });
  expect(await codesOf(compiled('train'))).toEqual(['cli/not-lowered']);
  // spikes of rates come from a neuron, and from an input of known size
  expect(await codesOf(compiled('rate'))).toEqual(['model/setting-missing', 'convert/bad-coding']);
  const outDir = join(folder, 'out');
  const tfjs = driver.compileTarget({ path: join(folder, 'a.spike') }, { emit: ['tfjs'], outDir });
  expect(await codesOf(tfjs)).toEqual(['cli/not-lowered']);
  expect(readdirSync(folder)).not.toContain('out');
});

it('codings, engines, layers and data that do not fit are reported', async () => {
  const folder = project({
    'a.spike': model(),
    'none.spike': 'config c {\n  network onnx("tiny.onnx")\n}\n',
    'long.spike': model('steps: 4, silent: 5'),
    'layer.spike': model('steps: 8, silent: 1', ' {\n    layer "nonsense" { silent 2 }\n  }'),
  });
  const dataset = dataOf(folder);
  const evaluate = (name: string, engine?: string) =>
    driver.evaluateTarget(
      { path: join(folder, `${name}.spike`) },
      { dataset, normalisation: {}, ...(engine === undefined ? {} : { engine }) },
    );
  expect(await codesOf(evaluate('a', 'onnxruntim'))).toEqual(['engine/unknown']);
  expect(await codesOf(evaluate('missing'))).toEqual(['file/missing']);
  expect(await codesOf(evaluate('none'))).toEqual(['convert/bad-coding']);
  expect(await codesOf(evaluate('long'))).toEqual(['convert/bad-coding']);
  expect(await codesOf(evaluate('layer'))).toEqual(['convert/unknown-layer-pattern']);
  dataset.close();
  writeFileSync(join(folder, 'x'), Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9));
  writeFileSync(join(folder, 'y'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5));
  const other = openDataset(`idx:${join(folder, 'x')},${join(folder, 'y')}`);
  const misfit = driver.evaluateTarget({ path: join(folder, 'a.spike') }, { dataset: other, normalisation: {} });
  expect(await codesOf(misfit)).toEqual(['data/shape-mismatch', 'data/class-mismatch']);
  other.close();
});

it('layers and tensors with names that JavaScript has itself are converted, run and drawn', async () => {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(6);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  const b = new OnnxBuilder(13);
  const weights = (name: string, dims: readonly number[]): string =>
    b.floats(
      name,
      dims,
      Float32Array.from({ length: dims.reduce((x, y) => x * y) }, (_, i) => Math.sin(i)),
    );
  b.input('__proto__', ['N', 1, 6, 6]);
  let x = b.fakeQuant('__proto__', 0.01, 0);
  x = b.node('Conv', [x, weights('w1', [2, 1, 3, 3])], {}, { name: '__proto__', output: 'toString' });
  x = b.fakeQuant(b.node('Relu', [x], {}, { name: 'toString' }), 0.05, 0);
  x = b.node('Conv', [x, weights('w2', [3, 2, 2, 2])], {}, { name: 'constructor' });
  x = b.fakeQuant(b.node('Relu', [x], {}, { name: 'hasOwnProperty' }), 0.05, 0);
  x = b.node('Flatten', [x], {}, { name: 'valueOf\u2028' });
  b.output(b.node('Gemm', [x, weights('w3', [10, 27])], { transB: 1 }, { output: 'constructor' }));
  writeFileSync(join(folder, 'names.onnx'), b.bytes());
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  for (const coding of ['sws', 'mbif'] as const) {
    const outDir = join(folder, coding);
    const { model: file } = valueOf(await driver.convertOnnx(join(folder, 'names.onnx'), { coding, outDir }));
    const result = valueOf(await driver.evaluateTarget({ path: file }, { dataset, normalisation: {} }));
    expect(result).toMatchObject({ samples: 6, source: { agreement: expect.any(Number) as number } });
    const outFile = join(folder, `${coding}.html`);
    valueOf(await driver.reportTargets([{ path: outDir }], { dataset, normalisation: {}, outFile }));
    expect(readFileSync(outFile, 'utf8')).toContain('constructor');
    expect(valueOf(await driver.costOf({ path: outDir }, {})).layers.map(({ id }) => id)).toContain('constructor');
  }
  dataset.close();
});
