import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiagnosticError, type Outcome } from '../../src/base/diagnostics/index.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { encodeNir, loadNir } from '../../src/data/nir.js';
import { decodeWeights } from '../../src/network/index.js';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';
import { array, nirGraph, nirNode } from '../support/nir.js';
import { pixelSamples } from '../../src/run/pixel-outputs.js';
import { chooseEngine } from '../../src/run/engine.js';
import { Findings } from '../../src/workspace/findings.js';
import { openTarget } from '../../src/workspace/open.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { random } from '../tensor/cases.js';

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

const [count, features] = [96, 4];

/** Rows of random numbers, labels that follow from them, and a model file. */
function written(train: string, { outputs = 2, labels = 'numbers' } = {}) {
  const folder = temporaryFolder();
  const next = random(8);
  const x = Float32Array.from({ length: count * features }, () => 2 * next() - 1);
  const y = Float32Array.from({ length: count * 2 }, (_, i) => x[Math.floor(i / 2) * features + (i % 2)]! * 0.8);
  const members = [
    { name: 'x.npy', data: npyBytes("'<f4'", [count, features], bytesOf(x)) },
    labels === 'numbers'
      ? { name: 'y.npy', data: npyBytes("'<f4'", [count, 2], bytesOf(y)) }
      : {
          name: 'y.npy',
          data: npyBytes(
            "'<i4'",
            [count],
            bytesOf(Int32Array.from({ length: count }, (_, i) => (x[i * features]! > 0 ? 1 : 0))),
          ),
        },
  ];
  const data = join(folder, 'a.npz');
  writeFileSync(data, zipBytes(members));
  const path = join(folder, 'm.spike');
  writeFileSync(
    path,
    `use "spikec/neurons" { LIF, LI }
network N { input x: real[${features}]
  output x | linear(24) | spike | linear(${outputs}) | spike(LI(tau: 4)) | readout(mean) }
config c { network N neuron LIF(tau: 2, theta: 0.4) coding direct(steps: 6)
  train { data "npz:${data}" optimizer adam(lr: 1e-2) batch 16 epochs 12 validation 0.25 seed 1 ${train} } }
`,
  );
  return { path, data: `npz:${data}`, run: join(folder, 'run'), x, y };
}

it('numbers are learned with the mean squared error where no loss is said; logs and results say the mean absolute error', async () => {
  const { path, data, run, y } = written('');
  const result = valueOf(await driver.trainTarget({ path }, { run }));
  const log = readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(log).toHaveLength(12);
  for (const record of log) {
    expect(record).not.toHaveProperty('accuracy');
    expect(record.mae).toBeGreaterThan(0);
    expect(record.val_mae).toBeGreaterThan(0);
  }
  const best = Math.min(...log.map((record) => record.val_mae));
  expect(result.best).toMatchObject({ mae: best, validated: true });
  // what says 0 is off by the mean of |y|
  const idle = y.reduce((sum, v) => sum + Math.abs(v), 0) / y.length;
  expect(best).toBeLessThan(0.6 * idle);
  const dataset = openDataset(data);
  const measured = valueOf(await driver.evaluateTarget({ path: join(run, 'best') }, { dataset, normalisation: {} }));
  dataset.close();
  const { mae, rmse, psnr } = measured.regression!;
  expect(mae).toBeLessThan(0.6 * idle);
  const peak = Math.max(...y) - Math.min(...y);
  expect(psnr).toBeCloseTo(10 * Math.log10(peak ** 2 / rmse ** 2), 6);
});

it('`target reconstruction`: the outputs are compared with the input, whatever labels there are', async () => {
  const { path, data, run, x } = written('target reconstruction', { outputs: features, labels: 'classes' });
  valueOf(await driver.trainTarget({ path }, { run, epochs: 8 }));
  const dataset = openDataset(data);
  for (const target of [run, join(run, 'best'), path]) {
    const { regression, accuracy } = valueOf(
      await driver.evaluateTarget({ path: target }, { dataset, normalisation: {} }),
    );
    expect(accuracy).toBeUndefined();
    const idle = x.reduce((sum, v) => sum + Math.abs(v), 0) / x.length;
    if (target === path) expect(regression!.mae).toBeGreaterThan(0.8 * idle);
    else expect(regression!.mae).toBeLessThan(0.7 * idle);
  }
  dataset.close();
});

it('masks in the shape of images are learned with `bce`: logs and results are of σ of the outputs, in compiled folders too', async () => {
  const folder = temporaryFolder();
  const next = random(8);
  const x = Float32Array.from({ length: count * 16 }, () => 2 * next() - 1);
  const y = x.map((v) => (v > 0.3 ? 1 : 0));
  const shape = [count, 1, 4, 4];
  const members = [
    { name: 'x.npy', data: npyBytes("'<f4'", shape, bytesOf(x)) },
    { name: 'y.npy', data: npyBytes("'<f4'", shape, bytesOf(y)) },
  ];
  const data = join(folder, 'a.npz');
  writeFileSync(data, zipBytes(members));
  const path = join(folder, 'm.spike');
  const text = `use "spikec/neurons" { LIF }
network N { input x: real[1, 4, 4]  output x | conv(8, kernel: 1) | spike | conv(1, kernel: 1) | flatten }
config c { network N neuron LIF(tau: 2, theta: 0.4) coding direct(steps: 4)
  train { data "npz:${data}" loss bce optimizer adam(lr: 3e-2) batch 16 epochs 15 validation 0.25 seed 1 } }
`;
  writeFileSync(path, text);
  const run = join(folder, 'run');
  valueOf(await driver.trainTarget({ path }, { run }));
  const log = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n');
  const last = JSON.parse(log.at(-1)!) as { mae: number; val_mae: number };
  // what says one half everywhere is off by one half; differences from logits would be no shares
  for (const error of [last.mae, last.val_mae]) expect(error).toBeLessThan(0.2);
  const outDir = join(folder, 'compiled');
  valueOf(await driver.compileTarget({ path: run }, { emit: ['ir'], outDir }));
  const dataset = openDataset(`npz:${data}`);
  const options = { dataset, normalisation: {} };
  const learned = valueOf(await driver.evaluateTarget({ path: run }, options));
  const compiled = valueOf(await driver.evaluateTarget({ path: outDir }, options));
  const { masks, mae } = learned.regression!;
  expect(masks!.accuracy).toBeGreaterThan(0.9);
  expect(masks!.iou).toBeGreaterThan(0.75);
  expect(compiled.regression!.mae).toBeCloseTo(mae, 5);
  // pictures of what is wanted and given, as `eval` counts them
  const { network } = openTarget({ path: outDir }, {}, new Findings()).compiled();
  const on = { ...options, first: 0, count };
  const pixels = await pixelSamples(network, { givesLogits: true }, on, chooseEngine('tfjs-cpu', 'infer'));
  const [both, either] = [(here: boolean, there: boolean) => here && there, (a: boolean, b: boolean) => a || b].map(
    (met) =>
      pixels.reduce(
        (sum, { wanted, found }) => sum + [...found.data].filter((p, i) => met(p > 0.5, wanted.data[i] === 1)).length,
        0,
      ),
  );
  expect(both! / either!).toBeCloseTo(masks!.iou!, 6);
  const outFile = join(folder, 'pixels.svg');
  valueOf(await driver.drawPicture({ path: run }, { ...options, kind: 'pixels', sample: 2, outFile }));
  const svg = readFileSync(outFile, 'utf8');
  expect(svg.match(/data:image\/png/g)).toHaveLength(3);
  expect(svg).toContain(`IoU ${pixels[2]!.iou!.toFixed(3)}`);
  const page = join(folder, 'report.html');
  valueOf(await driver.reportTargets([{ path: run }], { ...options, outFile: page }));
  expect(readFileSync(page, 'utf8')).toMatch(/what is wanted of each pixel.*IoU [01]\.\d{3}/s);
  const rows = written('');
  const flat = openDataset(rows.data);
  const none = await driver.drawPicture(rows, { dataset: flat, normalisation: {}, kind: 'pixels', outFile });
  expect(none.diagnostics.map(({ code }) => code)).toEqual(['report/no-pixels']);
  flat.close();
  dataset.close();
});

it('losses that compare with classes are refused for numbers, and weights of another number than the outputs', async () => {
  const code = async (train: string, more: Parameters<typeof written>[1] = {}): Promise<string> => {
    const { path, run } = written(train, more);
    try {
      const { diagnostics } = await driver.trainTarget({ path }, { run, epochs: 1 });
      return diagnostics[0]?.code ?? 'none';
    } catch (error) {
      if (error instanceof DiagnosticError) return error.diagnostics[0]!.code;
      throw error;
    }
  };
  expect(await code('loss cross_entropy')).toBe('train/loss-needs-classes');
  expect(await code('loss mse + 0.5 * tet')).toBe('train/loss-needs-classes');
  expect(await code('target reconstruction loss cross_entropy', { outputs: 4 })).toBe('train/loss-needs-classes');
  expect(await code('loss cross_entropy(weights: [1, 2, 3])', { labels: 'classes' })).toBe('train/loss-weights');
  expect(await code('loss firing(target: 0.1)')).toBe('model/conflict');
  expect(await code('target reconstruction')).toBe('data/target-mismatch');
  expect(await code('loss 0.5 * huber(delta: 0.5) + 1e-2 * firing(target: 0.2) + l1')).toBe('none');
  expect(await code('loss cross_entropy(weights: [1, 2]) + bce', { labels: 'classes' })).toBe('none');
});

it('`eval` counts which classes are taken for which', async () => {
  const { path, data, run } = written('', { labels: 'classes' });
  valueOf(await driver.trainTarget({ path }, { run, epochs: 3 }));
  const dataset = openDataset(data);
  const options = { dataset, normalisation: {} };
  const plain = valueOf(await driver.evaluateTarget({ path: run }, options));
  expect(plain).not.toHaveProperty('confusion');
  const { accuracy, confusion, classes } = valueOf(
    await driver.evaluateTarget({ path: run }, { ...options, confusion: true }),
  );
  dataset.close();
  expect(confusion!.flat().reduce((a, b) => a + b)).toBe(count);
  expect((confusion![0]![0]! + confusion![1]![1]!) / count).toBeCloseTo(accuracy!, 9);
  expect(classes!.map(({ samples }) => samples).reduce((a, b) => a + b)).toBe(count);
});

it('`--from` begins with another run’s weights, and what `freeze` names stays as it is', async () => {
  const { path, run } = written('', { labels: 'classes' });
  valueOf(await driver.trainTarget({ path }, { run, epochs: 2 }));
  const frozen = join(path, '../frozen.spike');
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    frozen,
    text.replace('seed 1', 'seed 7 freeze ["output.linear"] clip norm(max: 0.5) schedule one_cycle'),
  );
  const next = join(path, '../next');
  const { value, diagnostics } = await driver.trainTarget(
    { path: frozen },
    { run: next, from: run, epochs: 2, rate: 0.02 },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(value).toBeDefined();
  const note = diagnostics.find(({ code }) => code === 'train/weights-taken');
  expect(note?.message).toMatch(/^all 4 parameters begin as they are in/);
  const weights = (folder: string) => valueOf(decodeWeights(readFileSync(join(folder, 'weights.safetensors')), folder));
  const [a, b] = [weights(run), weights(next)];
  const same = [...a.keys()].filter((name) => JSON.stringify(a.get(name)) === JSON.stringify(b.get(name)));
  expect(same.sort()).toEqual(['output.linear.bias', 'output.linear.weight']);
  expect([...a.keys()]).toHaveLength(4);
  // whoever goes on has to say what it began with: frozen weights are in no checkpoint
  const codes = async (more: object): Promise<readonly string[]> => {
    try {
      const found = await driver.trainTarget(
        { path: frozen },
        { run: next, resume: true, epochs: 3, rate: 0.02, ...more },
      );
      return found.value === undefined ? found.diagnostics.map(({ code }) => code) : [];
    } catch (error) {
      if (error instanceof DiagnosticError) return error.diagnostics.map(({ code }) => code);
      throw error;
    }
  };
  expect(await codes({})).toEqual(['train/other-training']);
  expect(await codes({ from: run })).toEqual([]);
  writeFileSync(frozen, text.replace('seed 1', 'seed 7 freeze ["none"]'));
  expect(await codes({ resume: false, run: join(path, '../other') })).toEqual(['model/pattern']);
});

it('`--from` a NIR file begins with the weights of the nodes that are named as the layers', async () => {
  const { path, run } = written('', { labels: 'classes' });
  valueOf(await driver.trainTarget({ path }, { run, epochs: 1 }));
  const weights = (folder: string) => valueOf(decodeWeights(readFileSync(join(folder, 'weights.safetensors')), folder));
  const { shape } = weights(run).get('output.linear.weight')!.tensor;
  const [outputs, inputs] = shape as [number, number];
  const next = random(5);
  const drawn = (count: number): number[] => Array.from({ length: count }, () => Math.fround(next() / 8));
  const [weight, bias] = [drawn(outputs * inputs), drawn(outputs)];
  const graph = nirGraph(
    {
      input: nirNode('Input', { shape: array([inputs]) }),
      output_linear: nirNode('Affine', { weight: array(weight, [outputs, inputs]), bias: array(bias) }),
      end: nirNode('Output', { shape: array([outputs]) }),
    },
    [
      ['input', 'output_linear'],
      ['output_linear', 'end'],
    ],
  );
  await loadNir();
  const from = join(path, '../net.nir');
  writeFileSync(from, encodeNir(graph));
  const frozen = join(path, '../frozen.spike');
  writeFileSync(frozen, readFileSync(path, 'utf8').replace('seed 1', 'seed 7 freeze ["output.linear"]'));
  const then = join(path, '../then');
  const { diagnostics } = await driver.trainTarget({ path: frozen }, { run: then, from, epochs: 1 });
  const note = diagnostics.find(({ code }) => code === 'train/weights-taken');
  expect(note?.message).toMatch(/^2 parameters begin as they are in .*; 2 don't/);
  expect([...weights(then).get('output.linear.weight')!.tensor.data]).toEqual(weight);
  expect([...weights(then).get('output.linear.bias')!.tensor.data]).toEqual(bias);
});

it('weights of a run of another network are refused', async () => {
  const { path, run } = written('', { labels: 'classes' });
  valueOf(await driver.trainTarget({ path }, { run, epochs: 1 }));
  const other = join(path, '../other.spike');
  writeFileSync(
    other,
    readFileSync(path, 'utf8').replace(
      'output x | linear(24) | spike |',
      'output x | flatten | linear(7) | spike | linear(9) |',
    ),
  );
  try {
    const { diagnostics } = await driver.trainTarget({ path: other }, { run: `${run}2`, from: run, epochs: 1 });
    expect(diagnostics.map(({ code }) => code)).toEqual(['train/no-weights-taken']);
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    expect(error.diagnostics.map(({ code }) => code)).toEqual(['train/no-weights-taken']);
  }
});

it('a training whose samples don’t fit in the memory is the same, and says how many are kept', async () => {
  const { path, run } = written('');
  const log = async (folder: string, more: object) => {
    const { diagnostics } = await driver.trainTarget({ path }, { run: folder, epochs: 2, ...more });
    const records = readFileSync(join(folder, 'log.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { codes: diagnostics.map(({ code }) => code), records: records.map(({ seconds: _, ...rest }) => rest) };
  };
  const [kept, streamed] = [await log(run, {}), await log(`${run}2`, { memory: 0 })];
  expect(kept.codes).not.toContain('train/streamed');
  expect(streamed.codes).toContain('train/streamed');
  expect(streamed.records).toEqual(kept.records);
});
