import { attrsOf } from '../../src/network/index.js';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Diagnostic, Outcome } from '../../src/base/diagnostics/index.js';
import { type Dataset, openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { readFolder } from '../../src/workspace/run-folder.js';
import { Findings } from '../../src/workspace/findings.js';
import { isWeighted } from '../../src/passes/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';
import type { AllocateOptions, AllocateResult } from '../../src/allocate/types.js';

const models: Readonly<Record<string, string>> = {
  'sws.spike': 'config c {\n  network onnx("tiny.onnx")\n  coding sws(beta: 2, steps: 8, silent: 8)\n}\n',
  'w3.spike':
    'config c {\n  network onnx("tiny.onnx")\n  coding sws(silent: 8)\n  bits { weights 3  layer "Gemm_*" { weights 5 } }\n}\n',
  'ann.spike': 'config c {\n  network onnx("tiny.onnx")\n  bits { weights 3  layer "Gemm_*" { weights 5 } }\n}\n',
  'rate.spike':
    'use "spikec/neurons" { MBIF }\nconfig c {\n  network onnx("tiny.onnx")\n  neuron MBIF(start: 0.0625)\n  coding direct(steps: 16)\n  bits { weights 4 }\n}\n',
  'train.spike': `use "spikec/neurons" { LIF }
network Small { input x: real[1, 6, 6]  output x | conv(4, kernel: 3) | batchnorm | spike | flatten | linear(3) }
config c {
  network Small
  neuron LIF(tau: 2, theta: 0.5)
  coding direct(steps: 2)
  train { data mnist  optimizer sgd(lr: 0.05)  batch 10  epochs 1  normalize channels(mean: [0.5], std: [0.25]) }
}
`,
  'own.spike': 'network Own { input x: real[1, 6, 6]  output x | flatten | linear(3) }\nconfig c { network Own }\n',
};

let folder: string;
let dataset: Dataset;

beforeEach(() => {
  folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  writeFileSync(join(folder, 'tiny.onnx'), tinyQuantised());
  writeFileSync(join(folder, 'float.onnx'), tinyFloat());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  for (const [name, text] of Object.entries(models)) writeFileSync(join(folder, name), text);
  dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  return () => dataset.close();
});

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

async function problems(work: Promise<Outcome<unknown>>): Promise<readonly Diagnostic[]> {
  const { value, diagnostics } = await work;
  expect(value).toBeUndefined();
  return diagnostics;
}

function allocate(name: string, options: Partial<AllocateOptions> = {}): Promise<Outcome<AllocateResult>> {
  const goal = { unit: 'weight_bits', value: 4 } as const;
  return driver.allocateTarget({ path: join(folder, name) }, { dataset, normalisation: {}, goal, ...options });
}

describe('bits of an imported network', () => {
  it('the SNN of a re-quantised network predicts what the re-quantised ANN does, and cost counts its bits', async () => {
    const evaluate = async (name: string) =>
      valueOf(
        await driver.evaluateTarget(
          { path: join(folder, name) },
          { dataset, normalisation: {}, stages: name === 'w3.spike' },
        ),
      );
    const spiking = await evaluate('w3.spike');
    expect(spiking.layers!.map(({ differing }) => differing)).toEqual(spiking.layers!.map(() => 0));
    const ann = await evaluate('ann.spike');
    expect(ann).toMatchObject({ samples: 40, latency_steps: 0, accuracy: spiking.accuracy });
    expect(ann.source!.agreement).toBe(spiking.source!.agreement);
    for (const name of ['w3.spike', 'ann.spike']) {
      const { layers, total } = valueOf(await driver.costOf({ path: join(folder, name) }, {}));
      expect(layers.map((l) => l.weight_bits)).toEqual([3, 5]);
      expect(total.size_bytes).toBe((40 * 3 + 435 * 5) / 8);
    }
  });

  it('neurons that carry means read the re-quantised weights', async () => {
    const outDir = join(folder, 'means');
    const target = { path: join(folder, 'rate.spike') };
    valueOf(await driver.compileTarget(target, { emit: ['ir'], outDir }));
    const { network } = readFolder(outDir, new Findings());
    for (const op of network.ops.filter(isWeighted)) {
      const { tensor } = network.params.get(op.params['weight']!)!;
      expect([attrsOf(op)['weight_bits'], tensor.dtype]).toEqual([4, 'i8']);
      for (const code of tensor.data) expect(Math.abs(code + 0.5)).toBeLessThanOrEqual(7.5);
    }
    const { accuracy, source } = valueOf(await driver.evaluateTarget(target, { dataset, normalisation: {} }));
    expect([accuracy, source!.agreement].every((part) => part! >= 0 && part! <= 1)).toBe(true);
  });

  it('a compiled folder holds the packed weights and gives the same results', async () => {
    const outDir = join(folder, 'compiled');
    const target = { path: join(folder, 'ann.spike') };
    valueOf(await driver.compileTarget(target, { emit: ['ir', 'onnx'], outDir }));
    const { network } = readFolder(outDir, new Findings());
    const bits = network.ops.filter(isWeighted).map((op) => attrsOf(op)['weight_bits']);
    expect(bits).toEqual([3, 5]);
    // 36 weights of 3 bits and 432 of 5, where each had a byte
    const bytes = readFileSync(join(outDir, 'weights.safetensors'));
    expect(bytes.toString('latin1')).toContain('"data_offsets"');
    expect(bytes.toString('latin1')).toMatch(/packed:.*\\"bits\\":3/);
    const evaluate = async (path: string) =>
      valueOf(await driver.evaluateTarget({ path }, { dataset, normalisation: {} })).accuracy;
    expect(await evaluate(outDir)).toBe(await evaluate(target.path));
  });

  it('what an imported network’s bits cannot say is reported, with what is near', async () => {
    const check = async (bits: string): Promise<readonly Diagnostic[]> => {
      const path = join(folder, 'bad.spike');
      writeFileSync(path, `config c {\n  network onnx("tiny.onnx")\n  coding sws(silent: 8)\n  bits { ${bits} }\n}\n`);
      return problems(driver.compileTarget({ path }, { emit: [] }));
    };
    const codes = async (bits: string): Promise<string[]> => (await check(bits)).map(({ code }) => code);
    const [near] = await check('weights 4  layer "Conv_55" { weights 2 }');
    expect(near).toMatchObject({ code: 'model/pattern', place: { start: expect.anything() } });
    expect(near!.help).toMatch(/Conv|layers are/);
    expect(await codes('spikes 4')).toEqual(['allocate/import-bits']);
    expect(await codes('weights learn(init: 4, max: 6, target: 2)')).toEqual(['allocate/import-bits']);
    expect(await codes('weights 17')).toEqual(['model/argument-type']);
    expect(await codes('weights 0')).toEqual(['model/argument-type']);
  });
});

describe('allocate bits', () => {
  it('keeps to the budget, and what it writes evaluates and costs what it said', async () => {
    const outDir = join(folder, 'four');
    const result = valueOf(await allocate('float.onnx', { outDir }));
    expect(result.layers.map(({ params }) => params)).toEqual([40, 435]);
    expect(result.total.weight_bits!).toBeLessThanOrEqual(4);
    expect(result.exact).toBe(true);
    expect(readdirSync(outDir).sort()).toEqual([...result.files].sort());
    const [path, config] = result.target!.split('#') as [string, string];
    const cost = valueOf(await driver.costOf({ path, config }, {}));
    expect(cost.layers.map((l) => l.weight_bits)).toEqual(result.layers.map((l) => l.weight_bits));
    expect(cost.total).toMatchObject({ size_bytes: result.total.size_bytes, s_ace: result.total.s_ace });
    const evaluated = valueOf(await driver.evaluateTarget({ path, config }, { dataset, normalisation: {} }));
    expect(evaluated.accuracy).toBe(result.calibration.accuracy);
    expect(evaluated.source).toEqual(result.calibration.source);
  });

  it('no other bits within the budget have a smaller sum of the measured errors', async () => {
    const goal = { unit: 'bytes', value: 200 } as const;
    const { layers, total } = valueOf(await allocate('tiny.onnx', { goal, least: 1, most: 6 }));
    const [a, b] = layers.map(({ params, tried }) => tried.map((one) => ({ ...one, size: (params! * one.value) / 8 })));
    expect(a!.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6]);
    const sums = a!.flatMap((x) => b!.filter((y) => x.size + y.size <= 200).map((y) => x.error + y.error));
    expect(total.error).toBeCloseTo(Math.min(...sums), 12);
    expect(total.size_bytes!).toBeLessThanOrEqual(200);
  });

  it('takes the run folder of a trained SNN, and writes a folder that evaluates to what it said', async () => {
    const run = join(folder, 'run');
    const data = `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
    valueOf(await driver.trainTarget({ path: join(folder, 'train.spike') }, { run, data }));
    const outDir = join(folder, 'run4');
    const goal = { unit: 'bytes', value: 250 } as const;
    const result = valueOf(await allocate('run', { outDir, goal }));
    expect(result.layers.map(({ params }) => params)).toEqual([36, 144 * 3 + 3]);
    expect(result.total.size_bytes!).toBeLessThanOrEqual(250);
    expect(result.target).toBe(outDir);
    const evaluate = async (path: string) =>
      valueOf(await driver.evaluateTarget({ path }, { dataset, normalisation: {} })).accuracy;
    expect(await evaluate(outDir)).toBe(result.calibration.accuracy);
    expect(await evaluate(run)).toBe(result.calibration.source.accuracy);
    const cost = valueOf(await driver.costOf({ path: outDir }, {}));
    expect(cost.layers.map((l) => l.weight_bits)).toEqual(result.layers.map((l) => l.weight_bits));
    expect((await driver.checkFile({ path: join(outDir, 'model.spike') }, {})).value!.configs).toEqual([
      'c',
      'c_allocated',
    ]);
  });

  it('gives the same files twice', async () => {
    for (const name of ['once', 'twice']) valueOf(await allocate('float.onnx', { outDir: join(folder, name) }));
    for (const name of readdirSync(join(folder, 'once'))) {
      expect(readFileSync(join(folder, 'once', name)).equals(readFileSync(join(folder, 'twice', name))), name).toBe(
        true,
      );
    }
  });

  it('extends the config of a model file, and keeps the file’s own', async () => {
    const outDir = join(folder, 'extended');
    const result = valueOf(await allocate('w3.spike', { outDir, goal: { unit: 's_ace', value: 60_000 } }));
    expect(result.target).toBe(join(outDir, 'w3.spike#c_allocated'));
    const text = readFileSync(join(outDir, 'w3.spike'), 'utf8');
    expect(text.startsWith(models['w3.spike']!.trimEnd())).toBe(true);
    const [path, config] = result.target!.split('#') as [string, string];
    const cost = valueOf(await driver.costOf({ path, config }, {}));
    expect(cost.layers.map((l) => l.weight_bits)).toEqual(result.layers.map((l) => l.weight_bits));
    expect(cost.total.s_ace).toBeCloseTo(result.total.s_ace!, 6);
    expect(cost.total.s_ace).toBeLessThanOrEqual(60_000);
  });

  it('says what can’t be, and writes nothing', async () => {
    const outDir = join(folder, 'never');
    const [budget] = await problems(allocate('tiny.onnx', { outDir, goal: { unit: 'bytes', value: 50 } }));
    expect(budget).toMatchObject({
      code: 'allocate/budget',
      message:
        'the budget of 50 bytes (0.842 bits a weight) can’t be met: the smallest possible is 119 bytes (2.000 bits a weight) with at least 2 bits a layer',
      help: 'give a larger budget; with `--least 1` the smallest is 60 bytes (1.000 bits a weight)',
    });
    const codes = async (name: string, options: Partial<AllocateOptions> = {}): Promise<string[]> =>
      (await problems(allocate(name, { outDir, ...options }))).map(({ code }) => code);
    writeFileSync(join(folder, 'huge.onnx'), tinyFloat(3e38));
    expect(await codes('huge.onnx', { verify: false })).toEqual(['allocate/no-sensitivity']);
    expect(await codes('own.spike')).toEqual(['allocate/nothing']);
    expect(await codes('missing.spike')).toEqual(['file/missing']);
    expect(await codes('tiny.onnx', { least: 5, most: 4 })).toEqual(['allocate/range']);
    expect(await codes('sws.spike', { goal: { unit: 'latency', value: 7 } })).toEqual(['allocate/latency']);
    const reach = await problems(allocate('tiny.onnx', { goal: { unit: 'bytes', value: 70 } }));
    expect(reach[0]!.help).toBe('with `--least 1` the smallest is 60 bytes (1.000 bits a weight)');
    const silent = async (least: number, most: number, value = 100): Promise<Diagnostic> =>
      (await problems(allocate('sws.spike', { goal: { unit: 'latency', value }, least, most })))[0]!;
    const place = { start: models['sws.spike']!.indexOf('sws(') };
    for (const [least, most] of [
      [9, 10],
      [0, 10],
    ] as const) {
      const help = expect.stringContaining('0 to 8') as string;
      expect(await silent(least, most)).toMatchObject({ code: 'allocate/silent-period', help });
    }
    expect((await silent(9, 10)).place).toMatchObject(place);
    expect((await silent(3, 2)).message).toBe('the fewest silent steps (3) are more than the most (2)');
    expect((await silent(0, 2, 7)).help).toContain('ask for 8 or more');
    expect((await silent(2, 2, 9)).help).toBe('allow fewer silent steps: with `--least 0` the smallest is 8');
    expect(await codes('ann.spike', { goal: { unit: 'latency', value: 7 } })).toEqual(['allocate/nothing']);
    expect(existsSync(outDir)).toBe(false);
  });
});

describe('what allocate and convert replace', () => {
  const contents = (path: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [[entry.name, readFileSync(join(path, entry.name), 'latin1')]] : [],
      ),
    );
  const refused = async (path: string, work: () => Promise<Outcome<unknown>>): Promise<void> => {
    const before = contents(path);
    const [found] = await problems(work());
    expect(found).toMatchObject({ code: 'file/would-replace', help: expect.stringContaining('-o') });
    expect(contents(path)).toEqual(before);
  };

  it('a run folder, which stands alone, is not overwritten; a folder of allocate’s own is, until it is edited', async () => {
    const run = join(folder, 'run');
    const data = `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
    const text = models['train.spike']!.replace('"spikec/neurons"', '"./parts/own.spike"');
    mkdirSync(join(folder, 'parts'));
    writeFileSync(join(folder, 'parts', 'own.spike'), readFileSync('models/neurons.spike', 'utf8'));
    writeFileSync(join(folder, 'uses.spike'), text);
    valueOf(await driver.trainTarget({ path: join(folder, 'uses.spike') }, { run, data }));
    const goal = { unit: 'bytes', value: 250 } as const;
    await refused(run, () => allocate('run', { goal, outDir: run }));
    await refused(join(run, 'best'), () => allocate('run', { goal, outDir: join(run, 'best') }));
    const outDir = join(folder, 'again');
    for (const value of [250, 300]) valueOf(await allocate('run', { goal: { unit: 'bytes', value }, outDir }));
    for (const path of [run, outDir])
      expect((await driver.checkFile({ path: join(path, 'model.spike') }, {})).value).toBeDefined();
    await refused(outDir, () => allocate('again', { goal, outDir }));
    appendFileSync(join(outDir, 'model.spike'), '// mine\n');
    await refused(outDir, () => allocate('run', { goal, outDir }));
  });

  it('a model file of the user’s is not overwritten', async () => {
    await refused(folder, () => allocate('w3.spike', { outDir: folder }));
    for (let i = 0; i < 2; i++) valueOf(await allocate('tiny.onnx', { outDir: folder }));
    writeFileSync(join(folder, 'float.spike'), '// mine\n');
    await refused(folder, () => allocate('float.onnx', { outDir: folder }));
    const outDir = join(folder, 'converted');
    const convert = () => driver.convertOnnx(join(folder, 'tiny.onnx'), { coding: 'sws', outDir });
    for (let i = 0; i < 2; i++) valueOf(await convert());
    appendFileSync(join(outDir, 'tiny.spike'), '// mine\n');
    await refused(outDir, convert);
    await refused(folder, () => driver.convertOnnx(join(folder, 'float.onnx'), { coding: 'sws', outDir: folder }));
  });

  it('what was written before manifests named the command is recognised by its model file', async () => {
    const outDir = join(folder, 'old');
    valueOf(await allocate('tiny.onnx', { outDir }));
    const path = join(outDir, 'manifest.json');
    const { made_by: _, ...old } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify(old));
    await refused(outDir, () => driver.convertOnnx(join(folder, 'tiny.onnx'), { coding: 'sws', outDir }));
    valueOf(await allocate('tiny.onnx', { outDir }));
  });
});

describe('allocate silent periods', () => {
  it('meets a latency, and what it writes has it', async () => {
    const outDir = join(folder, 'silent');
    const result = valueOf(await allocate('sws.spike', { outDir, goal: { unit: 'latency', value: 10 } }));
    expect(result.total.latency_steps).toBeLessThanOrEqual(10);
    const [path, config] = result.target!.split('#') as [string, string];
    const evaluated = valueOf(await driver.evaluateTarget({ path, config }, { dataset, normalisation: {} }));
    expect(evaluated.latency_steps).toBe(result.total.latency_steps);
    expect(evaluated.accuracy).toBe(result.calibration.accuracy);
    expect(readFileSync(path, 'utf8')).toMatch(/layer ".*" \{ silent \d \}/);
  });

  it('finds the shortest latency that keeps an agreement, and refuses what no period keeps', async () => {
    const kept = valueOf(await allocate('sws.spike', { goal: { unit: 'agreement', value: 1 } }));
    expect(kept.calibration.source.agreement).toBe(1);
    const shorter = kept.total.latency_steps! - 1;
    if (shorter >= 8) {
      const less = valueOf(await allocate('sws.spike', { goal: { unit: 'latency', value: shorter } }));
      expect(less.calibration.source.agreement).toBeLessThan(1);
    }
    const bound = { goal: { unit: 'agreement', value: 1 }, most: 0 } as const;
    const none = valueOf(await allocate('sws.spike', { goal: { unit: 'latency', value: 8 } }));
    if (none.calibration.source.agreement < 1) {
      expect((await problems(allocate('sws.spike', bound))).map(({ code }) => code)).toEqual(['allocate/bound']);
    }
    expect(valueOf(await allocate('sws.spike', { goal: { unit: 'loss', value: 1 } })).total.latency_steps).toBe(8);
  });
});
