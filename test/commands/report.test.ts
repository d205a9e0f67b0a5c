import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Code } from '../../src/base/diagnostics/index.js';
import { encodeSafetensors } from '../../src/base/safetensors.js';
import { openDataset } from '../../src/data/index.js';
import { openTarget } from '../../src/workspace/open.js';
import { driver } from '../../src/commands/index.js';
import { readLog } from '../../src/workspace/run-log.js';
import { Findings } from '../../src/workspace/findings.js';
import { chosenLayers, measureLevels, neuronLayers, traceSample } from '../../src/run/traces.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { paramsToTensors, printNetwork } from '../../src/network/index.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages, tinyQuantised } from '../support/tiny-onnx.js';
import type { PictureOptions } from '../../src/commands/picture.js';
import type { Target } from '../../src/workspace/types.js';
import type { PictureKind } from '../../src/commands/choices.js';

const model = `
use "spikec/neurons" { LIF, MBLIF, IF }
network Net { input image: real[1, 6, 6]  output image | conv(4, kernel: 3) | spike | flatten | linear(3) }
network Bare { input image: real[1, 6, 6]  output image | spike | flatten | linear(3) }
config net { network Net  neuron MBLIF()  coding direct(steps: 3) }
config flat { network Net  neuron MBLIF()  coding direct(steps: 3) }
neuron Tiring(rise = learn(0.2)) {
  state u = 0
  state b = 0
  charge u = 0.75 * u + x
  fire s = u >= 0.3 + b
  reset u = u - s * 0.3  b = 0.8 * b + rise * s
}
config tiring { network Bare  neuron Tiring  coding direct(steps: 6) }
config bare { network Bare  neuron LIF(tau: 4, theta: 0.3, soft: true)  coding direct(steps: 6) }
config converted { network onnx("net.onnx")  coding sws(beta: 2, steps: 8, silent: 2) }
config rate { network onnx("net.onnx")  neuron IF(start: 0.5)  coding direct(steps: 4) }
`;

interface Place {
  readonly folder: string;
  readonly target: (config: string) => Target;
  readonly data: string;
}

function place(): Place {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(12);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  writeFileSync(join(folder, 'net.onnx'), tinyQuantised());
  writeFileSync(join(folder, 'net.spike'), model);
  const path = join(folder, 'net.spike');
  return {
    folder,
    target: (config) => ({ path, config }),
    data: `idx:${join(folder, 'images')},${join(folder, 'labels')}`,
  };
}

it('membranes of neurons that read the image are those of the equations, step by step', async () => {
  const { target, data } = place();
  const { network } = openTarget(target('bare'), { onnx: true }, new Findings()).compiled({ planes: false });
  const dataset = openDataset(data);
  const trace = await traceSample(
    network,
    { dataset, normalisation: {}, sample: 3 },
    neuronLayers(network),
    onnxruntimeEngine,
  );
  const [layer] = trace.layers;
  expect(layer).toMatchObject({ silent: 0, state: 'u', threshold: 0.3 });
  expect(layer!.membranes.shape).toEqual([6, 1, 6, 6]);
  for (const [i, x] of trace.image.data.entries()) {
    let u = 0;
    for (let t = 0; t < 6; t++) {
      u = 0.75 * u + x;
      const s = u >= 0.3 ? 1 : 0;
      expect(layer!.membranes.data[t * 36 + i]).toBeCloseTo(u, 5);
      expect(layer!.train.data[t * 36 + i]).toBe(s);
      u -= 0.3 * s;
    }
  }
  dataset.close();
});

it('a threshold that moves is that of the equations, step by step', async () => {
  const { target, data } = place();
  const { network } = openTarget(target('tiring'), { onnx: true }, new Findings()).compiled({ planes: false });
  const dataset = openDataset(data);
  const choice = { dataset, normalisation: {}, sample: 3 };
  const { layers, image } = await traceSample(network, choice, neuronLayers(network), onnxruntimeEngine);
  const [layer] = layers;
  expect(layer!.threshold).toBeUndefined();
  expect(layer!.thresholds!.shape).toEqual([6, 1, 6, 6]);
  for (const [i, x] of image.data.entries()) {
    let [u, b] = [0, 0];
    for (let t = 0; t < 6; t++) {
      u = 0.75 * u + x;
      expect(layer!.thresholds!.data[t * 36 + i]).toBeCloseTo(0.3 + b, 5);
      const s = u >= 0.3 + b ? 1 : 0;
      u -= 0.3 * s;
      b = 0.8 * b + 0.2 * s;
    }
  }
  dataset.close();
});

it('membranes of a stepwise weighted train decide its spikes, and silent steps are among them', async () => {
  const { target, data } = place();
  const { network } = openTarget(target('converted'), { onnx: true }, new Findings()).compiled({ planes: false });
  const dataset = openDataset(data);
  const choice = { dataset, normalisation: {}, sample: 0 };
  const { layers } = await traceSample(network, choice, neuronLayers(network), onnxruntimeEngine);
  expect(layers.length).toBeGreaterThan(0);
  let spikes = 0;
  for (const { train, membranes, silent } of layers) {
    expect([train.shape[0], membranes.shape[0], silent]).toEqual([8, 10, 2]);
    const size = train.data.length / 8;
    train.data.forEach((s, i) => {
      const u = membranes.data[silent * size + i]!;
      expect(s === 1).toBe(u >= 2); // β^Ts/2
      if (s === -1) expect(u).toBeLessThanOrEqual(-2);
      spikes += Math.abs(s);
    });
  }
  expect(spikes).toBeGreaterThan(20);
  dataset.close();
});

it('levels counted for a picture are those that eval counts', async () => {
  const { target, data } = place();
  const dataset = openDataset(data);
  for (const config of ['net', 'rate']) {
    const evaluated = await driver.evaluateTarget(target(config), { dataset, normalisation: {}, activity: true });
    const { network } = openTarget(target(config), { onnx: true }, new Findings()).compiled({ planes: false });
    const images = { dataset, normalisation: {}, count: 12, batch: 5 };
    const counted = await measureLevels(network, images, onnxruntimeEngine, () => undefined);
    expect(counted).toEqual(evaluated.value!.activity);
  }
  dataset.close();
});

async function draw(where: Place, kind: PictureKind, config: string, more: Partial<PictureOptions> = {}) {
  const dataset = openDataset(where.data);
  const outFile = join(where.folder, `${kind}.svg`);
  try {
    const outcome = await driver.drawPicture(where.target(config), {
      kind,
      outFile,
      dataset,
      normalisation: {},
      ...more,
    });
    return { outcome, outFile };
  } finally {
    dataset.close();
  }
}

it('pictures of every kind and coding are written', async () => {
  const where = place();
  for (const kind of ['levels', 'spikes', 'raster', 'membranes', 'bits'] as const) {
    for (const config of kind === 'spikes' ? ['net'] : ['net', 'converted']) {
      const { outcome, outFile } = await draw(where, kind, config);
      expect(outcome.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(outcome.value!.layers.length).toBeGreaterThan(0);
      expect(readFileSync(outFile, 'utf8')).toMatch(/^<svg [^]*<\/svg>$/);
    }
  }
});

it('what a picture can’t show is said, and nothing is written', async () => {
  const where = place();
  const { network } = openTarget({ path: join(where.folder, 'net.onnx') }, { onnx: true }, new Findings()).compiled({
    planes: false,
  });
  expectDiagnostic('report/no-neurons', () => chosenLayers(network, 'net.onnx', []));
  const refused = async (code: Code, kind: PictureKind, more: Partial<PictureOptions>): Promise<void> => {
    const { outcome, outFile } = await draw(where, kind, 'net', more);
    expect(outcome.diagnostics.map((d) => d.code)).toEqual([code]);
    expect(existsSync(outFile)).toBe(false);
  };
  await refused('report/no-data', 'raster', { dataset: undefined });
  await refused('report/unknown-layer', 'raster', { layer: 'output.spke' });
  await refused('report/no-such-sample', 'membranes', { sample: 12 });
  await refused('report/no-such-neuron', 'membranes', { neurons: [3, 144] });
  const flat = model.replace('| spike | flatten', '| flatten | spike');
  writeFileSync(join(where.folder, 'net.spike'), flat);
  await refused('report/flat-layer', 'spikes', {});
});

it('a report about a run folder, configs and an ONNX file is one page', async () => {
  const where = place();
  const run = join(where.folder, 'run');
  const { network } = openTarget(where.target('net'), { onnx: true }, new Findings()).compiled({ planes: false });
  mkdirSync(run);
  writeFileSync(join(run, 'network.ir'), printNetwork(network));
  writeFileSync(join(run, 'weights.safetensors'), encodeSafetensors(paramsToTensors(network.params)));
  const epoch = { epoch: 1, loss: 1.5, accuracy: 0.5, rate: 0.1, firing: {}, seconds: 1 };
  writeFileSync(join(run, 'log.jsonl'), `${JSON.stringify(epoch)}\n${JSON.stringify({ ...epoch, epoch: 2 })}\n`);
  const dataset = openDataset(where.data);
  const outFile = join(where.folder, 'report.html');
  const targets = [
    { path: run },
    where.target('converted'),
    where.target('converted'),
    { path: join(where.folder, 'net.onnx') },
  ];
  const { value, diagnostics } = await driver.reportTargets(targets, { outFile, dataset, normalisation: {}, limit: 6 });
  dataset.close();
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const page = readFileSync(outFile, 'utf8');
  expect(value!.bytes).toBe(Buffer.byteLength(page));
  // two alike are told apart
  const names = ['run', 'net.spike#converted (2)', 'net.spike#converted (3)', 'net.onnx'];
  expect(value!.targets.map(({ name }) => name)).toEqual(names);
  expect(value!.targets.map(({ accuracy }) => accuracy !== undefined)).toEqual([true, true, true, false]);
  for (const id of ['configs', 'training-0', 'neurons-1', 'activity-2', 'cost-3']) expect(page).toContain(`id="${id}"`);
  expect(page).not.toContain('id="training-1"');
  expect(page).toContain('net.onnx: not measured');
}, 120_000);

it('a report that fails leaves nothing behind', async () => {
  const where = place();
  const dataset = openDataset(where.data);
  const outFile = join(where.folder, 'report.html');
  const before = readdirSync(where.folder);
  const options = { outFile, dataset, normalisation: {}, sample: 99 };
  const { diagnostics } = await driver.reportTargets([where.target('net')], options);
  dataset.close();
  expect(diagnostics.map(({ code }) => code)).toEqual(['report/no-such-sample']);
  expect(readdirSync(where.folder)).toEqual(before);
});

it('a damaged log is named with its line', () => {
  const folder = temporaryFolder();
  expect(readLog(folder)).toBeUndefined();
  const good = '{"epoch":1,"loss":2,"accuracy":0.5,"rate":0.1,"seconds":1}';
  const path = join(folder, 'log.jsonl');
  for (const bad of ['{', '[]', '{"epoch":2}', good.replace('}', ',"firing":{"a":"b"}}')]) {
    writeFileSync(path, `${good}\n\n${bad}\n`);
    expect(expectDiagnostic('report/bad-log', () => readLog(folder)).message).toContain('line 3');
  }
  writeFileSync(path, `${good}\n`);
  expect(readLog(folder)).toEqual([{ epoch: 1, loss: 2, accuracy: 0.5, rate: 0.1, seconds: 1, firing: {} }]);
});
