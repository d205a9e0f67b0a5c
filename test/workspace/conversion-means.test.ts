import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';
import type { ConvertOptions } from '../../src/commands/convert.js';

function project(files: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  writeFileSync(join(folder, 'tiny.onnx'), tinyFloat());
  writeFileSync(join(folder, 'quantised.onnx'), tinyQuantised());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
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

async function convert(folder: string, name: string, options: Partial<ConvertOptions>) {
  const calibrate = dataOf(folder);
  try {
    const outDir = join(folder, 'out');
    return await driver.convertOnnx(join(folder, name), { coding: 'rate', calibrate, outDir, ...options });
  } finally {
    calibrate.close();
  }
}

it.each([
  ['rate', 256, 'neuron IF(start: 0.5)'],
  ['mbif', 32, 'neuron MBIF(integer: 1, fraction: 3, start: 0.0625)'],
  ['ibra', 1, 'neuron IBRALIF(D: 5.11, N: 100)'],
] as const)(
  'convert --coding %s writes a folder that stands alone, ranges in its model file',
  async (coding, steps, neuron) => {
    const folder = project();
    const converted = valueOf(await convert(folder, 'tiny.onnx', { coding, steps, percentile: 100 }));
    const text = readFileSync(converted.model, 'utf8');
    expect(text.replaceAll(/ +/g, ' ')).toContain(neuron);
    expect(text).toMatch(/layer "Relu[^"]*" \{ range [\d.]+ \}/);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual([...converted.files].sort());
    expect((await driver.checkFile({ path: converted.model }, {})).diagnostics).toEqual([]);
    // without the data that it was calibrated on
    const target = { path: converted.model };
    const dataset = dataOf(folder);
    const result = valueOf(await driver.evaluateTarget(target, { dataset, normalisation: {}, activity: true }));
    dataset.close();
    expect(result.samples).toBe(40);
    expect(result.source!.agreement).toBeGreaterThan(0.9);
    expect(result.by_steps!.at(-1)).toEqual({ steps, accuracy: result.accuracy });
    const [layer] = result.activity!;
    expect(layer!.levels.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
    expect(layer!.firing_rate).toBeCloseTo(1 - layer!.levels[0]!.probability, 9);
    expect(valueOf(await driver.costOf(target, {})).total.latency_steps).toBe(steps);
    valueOf(await driver.compileTarget(target, { emit: ['ir', 'onnx'], printAfter: 'insert-neurons' }));
  },
  240_000,
);

it('what a conversion was calibrated with is known to its model file and its folder; flags override it', async () => {
  const folder = project();
  const normalisation = { mean: [0.4], std: [0.2] };
  const converted = valueOf(await convert(folder, 'tiny.onnx', { coding: 'rate', steps: 32, normalisation }));
  expect(readFileSync(converted.model, 'utf8')).toContain('normalize channels(mean: [0.4], std: [0.2])');
  const manifest = JSON.parse(readFileSync(join(folder, 'out/manifest.json'), 'utf8')) as object;
  expect(manifest).toMatchObject({ normalisation });
  const dataset = dataOf(folder);
  const figures = async (path: string, flags: object): Promise<object> => {
    const { accuracy, spikes_per_neuron } = valueOf(
      await driver.evaluateTarget({ path }, { dataset, normalisation: flags }),
    );
    return { accuracy, spikes_per_neuron };
  };
  const meant = await figures(converted.model, normalisation);
  expect(await figures(converted.model, {})).toEqual(meant);
  expect(await figures(join(folder, 'out'), {})).toEqual(meant);
  expect(await figures(converted.model, { mean: [0], std: [1] })).not.toEqual(meant);
  const compiled = join(folder, 'compiled');
  valueOf(await driver.compileTarget({ path: converted.model }, { emit: ['ir'], outDir: compiled }));
  expect(await figures(compiled, {})).toEqual(meant);
  dataset.close();
});

it('converting again gives the same bytes, and the first images alone may calibrate', async () => {
  const folder = project();
  const once = valueOf(await convert(folder, 'tiny.onnx', { calibrationLimit: 10 }));
  const text = readFileSync(once.model, 'utf8');
  expect(readFileSync(valueOf(await convert(folder, 'tiny.onnx', { calibrationLimit: 10 })).model, 'utf8')).toBe(text);
  expect(readFileSync(valueOf(await convert(folder, 'tiny.onnx', { calibrationLimit: 40 })).model, 'utf8')).not.toBe(
    text,
  );
});

it('a quantised network needs no data', async () => {
  const folder = project();
  const outDir = join(folder, 'out');
  const { model } = valueOf(await driver.convertOnnx(join(folder, 'quantised.onnx'), { coding: 'mbif', outDir }));
  expect(readFileSync(model, 'utf8')).not.toContain('range');
  const dataset = dataOf(folder);
  const result = valueOf(await driver.evaluateTarget({ path: model }, { dataset, normalisation: {} }));
  dataset.close();
  expect(result.source!.agreement).toBeGreaterThan(0.9);
});

it('calibration data that are missing, alike or without effect are reported', async () => {
  const folder = project();
  const outDir = join(folder, 'out');
  const none = driver.convertOnnx(join(folder, 'tiny.onnx'), { coding: 'rate', outDir });
  expect(await codesOf(none)).toEqual(['convert/no-range']);
  expect(await codesOf(convert(folder, 'tiny.onnx', { calibrationLimit: 1 }))).toEqual(['convert/calibration']);
  // every activation is below 0
  writeFileSync(join(folder, 'dead.onnx'), tinyFloat(-1000));
  expect(await codesOf(convert(folder, 'dead.onnx', {}))).toEqual(['convert/calibration']);
  expect(readdirSync(folder)).not.toContain('out');
});

it('neurons whose levels are no levels are reported', async () => {
  const folder = project();
  const codes = (options: Partial<ConvertOptions>): Promise<string[]> => codesOf(convert(folder, 'tiny.onnx', options));
  expect(await codes({ coding: 'ibra', largest: 1.55, perUnit: 10 })).toEqual(['model/uneven-levels']);
  expect(await codes({ coding: 'mbif', integer: 0, fraction: 0 })).toEqual(['model/no-levels']);
  expect(await codes({ coding: 'mbif', integer: 9, fraction: 8 })).toEqual(['model/too-many-levels']);
});

it('what can’t be converted is said with a place and a remedy', async () => {
  const config = (settings: string): string =>
    `use "spikec/neurons" { IF, LIF }\nconfig c {\n  network onnx("tiny.onnx")\n  ${settings}\n}\n`;
  const folder = project({
    'lif.spike': config('neuron LIF coding direct(steps: 16) { layer "Relu*" { range 2 } }'),
    'idle.spike': config('neuron IF coding direct(steps: 16) { layer "nope" { range 1 } }'),
  });
  const compiled = async (name: string) =>
    (await driver.compileTarget({ path: join(folder, name) }, { emit: ['ir'], outDir: join(folder, 'o') })).diagnostics;
  const [lif] = await compiled('lif.spike');
  expect(lif).toMatchObject({ code: 'convert/neuron-loses-mean', place: { start: expect.any(Number) as number } });
  expect(lif!.help).toContain('IF(start: 0.5)');
  const [idle] = await compiled('idle.spike');
  expect(idle).toMatchObject({ code: 'convert/unknown-layer-pattern', help: 'neuron layers are Relu_1' });
  const [one] = (await convert(folder, 'tiny.onnx', { calibrationLimit: 1 })).diagnostics;
  expect(one!.message).toContain('1 image of');
  expect(one!.help).toContain('--limit');
});

it('a config that says too little or something else is reported', async () => {
  const config = (settings: string): string =>
    `use "spikec/neurons" { IF, LIF, MLF, Ternary, TSA }\nconfig c {\n  network onnx("tiny.onnx")\n  ${settings}\n}\n`;
  const range = 'coding direct(steps: 16) { layer "Relu*" { range 2 } }';
  const cases: Readonly<Record<string, readonly string[]>> = {
    'coding direct(steps: 4)': ['model/setting-missing'],
    'neuron IF coding direct(steps: 4)': ['convert/no-range'],
    [`neuron LIF ${range}`]: ['convert/neuron-loses-mean'],
    [`neuron MLF ${range}`]: ['cli/not-lowered'],
    [`neuron Ternary ${range}`]: ['convert/neuron-loses-mean'],
    'neuron IF coding sws(steps: 8)': ['cli/not-lowered'],
    'neuron IF coding rate(steps: 8)': ['convert/bad-coding'],
    'neuron IF coding direct(steps: 16) { layer "Relu*" { range 2 } layer "nowhere" { range 3 } }': [
      'convert/unknown-layer-pattern',
    ],
  };
  const names = Object.keys(cases);
  const folder = project(Object.fromEntries(names.map((settings, i) => [`c${i}.spike`, config(settings)])));
  for (const [i, settings] of names.entries()) {
    const dataset = dataOf(folder);
    const evaluated = driver.evaluateTarget({ path: join(folder, `c${i}.spike`) }, { dataset, normalisation: {} });
    expect(await codesOf(evaluated), settings).toEqual(cases[settings]);
    dataset.close();
  }
});

it('--planes compiles binary planes in virtual steps, cost counts them, and the folder evaluates as before', async () => {
  const folder = project();
  const { model } = valueOf(await convert(folder, 'tiny.onnx', { coding: 'ibra', largest: 1.5, perUnit: 10 }));
  const outDir = join(folder, 'planes');
  const compiled = valueOf(await driver.compileTarget({ path: model }, { emit: ['ir', 'onnx'], outDir, planes: true }));
  expect(compiled.passes.map(({ pass }) => pass)).toEqual(
    expect.arrayContaining(['reparameterise', 'bit-planes', 'verify-planes', 'verify-accumulate-only']),
  );
  const text = readFileSync(join(outDir, 'network.ir'), 'utf8');
  expect(text).toContain('planes %');
  expect(text).not.toContain('step=');
  const cost = valueOf(await driver.costOf({ path: model }, { planes: true }));
  expect(cost.layers.map(({ spike_bits, steps }) => [spike_bits, steps])).toEqual([
    [32, 1],
    [1, 4],
  ]);
  expect(valueOf(await driver.costOf({ path: outDir }, {})).layers).toEqual(cost.layers);
  const dataset = dataOf(folder);
  const evaluated = valueOf(await driver.evaluateTarget({ path: outDir }, { dataset, normalisation: {} }));
  const before = valueOf(await driver.evaluateTarget({ path: model }, { dataset, normalisation: {} }));
  dataset.close();
  expect(evaluated.accuracy).toBe(before.accuracy);
  // spikes of planes, not levels, in steps of planes
  expect([before.latency_steps, evaluated.latency_steps]).toEqual([1, 4]);
  expect(evaluated.spikes_per_neuron).toBeGreaterThan(0);
  expect(evaluated.spikes_per_neuron).toBeLessThan(before.spikes_per_neuron);
  writeFileSync(join(folder, 'sws.spike'), 'config c { network onnx("quantised.onnx") coding sws(steps: 8) }\n');
  const sws = driver.compileTarget({ path: join(folder, 'sws.spike') }, { emit: [], planes: true });
  expect(await codesOf(sws)).toEqual(['cli/not-lowered']);
});
