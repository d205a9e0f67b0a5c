import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { elementCount } from '../../src/base/dtype.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { importOnnx } from '../../src/frontends/onnx/index.js';
import { idxBytes } from '../data/builders.js';
import { convert, sws } from '../support/sws.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { random } from '../tensor/cases.js';
import type { CostData, CostOptions, CostResult } from '../../src/commands/cost.js';
import type { EvalResult } from '../../src/run/types.js';
import type { Target } from '../../src/workspace/types.js';

/** A model with constants of its own and 20 images of 8×8. */
function workplace(neuron: string, coding = 'direct(steps: 3)'): { folder: string; model: string } {
  const folder = temporaryFolder();
  const next = random(8);
  const pixels = Array.from({ length: 20 * 64 }, () => Math.floor(256 * next()));
  const labels = Array.from({ length: 20 }, (_, i) => i % 3);
  writeFileSync(join(folder, 'images'), idxBytes([20, 8, 8], pixels));
  writeFileSync(join(folder, 'labels'), idxBytes([20], labels));
  const model = join(folder, 'tiny.spike');
  writeFileSync(
    model,
    `use "spikec/neurons" { LIF, MBLIF }
     use "spikec/blocks" { InterlaminarBlock }
     network Tiny {
       input image: real[1, 8, 8]
       a = image | conv(4, kernel: 3) | batchnorm | spike
       b = a + (a | conv(4, kernel: 3) | batchnorm) | spike
       output b | maxpool(2) | conv(6, kernel: 3) | spike | flatten | linear(3)
     }
     network Joined {
       input image: real[1, 8, 8]
       output image | conv(4, kernel: 3) | spike | InterlaminarBlock(4) | flatten | linear(3)
     }
     config tiny {
       network Tiny  neuron ${neuron}  coding ${coding}
       hardware { e_mac 3  e_ac 0.25 }
       train { data "idx:${join(folder, 'images')},${join(folder, 'labels')}"  optimizer sgd(lr: 0.01)  epochs 1  batch 5 }
     }
     config joined extends tiny { network Joined }`,
  );
  return { folder, model };
}

async function withData<T>(folder: string, work: (data: CostData) => Promise<T>): Promise<T> {
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  try {
    return await work({ dataset, normalisation: {} });
  } finally {
    dataset.close();
  }
}

async function costOf(target: Target, options: CostOptions = {}): Promise<CostResult> {
  const { value, diagnostics } = await driver.costOf(target, options);
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return value;
}

async function evaluated(target: Target, data: CostData): Promise<EvalResult> {
  return (await driver.evaluateTarget(target, data)).value!;
}

it('additions are those of the evaluation, which counts inside the program: shortcuts and pools included', async () => {
  const { folder, model } = workplace('LIF(tau: 2, theta: 0.5)');
  await withData(folder, async (data) => {
    const target = { path: model, config: 'tiny' };
    const { total, layers, measured } = await costOf(target, { data });
    const { opf, accuracy } = await evaluated(target, data);
    const membranes = 3 * (4 * 64 + 4 * 64 + 6 * 16);
    expect(total.sops).toBeCloseTo(opf - membranes, 3);
    expect(measured).toMatchObject({ samples: 20, accuracy });
    // the first neurons' spikes enter the second once each without a weight
    const perNeuron = layers[1]!.firing_rate! * 3 * 4 * 64;
    expect(total.join_sops).toBeCloseTo(perNeuron, 3);
    expect(total.energy_pj).toBeCloseTo(3 * 4 * 9 * 64 + 0.25 * total.sops!, 3);
    expect(layers[0]).toMatchObject({ input: 'real', sops: 0, energy_pj: 3 * 4 * 9 * 64 });
  });
});

it('a layer’s biases count, those that batch norm leaves behind don’t', async () => {
  const { model } = workplace('LIF');
  const { layers } = await costOf({ path: model, config: 'tiny' });
  expect(layers.map(({ params }) => params)).toEqual([4 * 9, 4 * 4 * 9, 6 * 4 * 9 + 6, 6 * 16 * 3 + 3]);
});

it('a compiled folder and its text form have the costs of the model file, biases of folded batch norm left out', async () => {
  const { folder, model } = workplace('LIF(tau: 2, theta: 0.5)');
  const out = join(folder, 'compiled');
  const { value } = await driver.compileTarget({ path: model, config: 'tiny' }, { emit: ['ir', 'json'], outDir: out });
  expect(value).toBeDefined();
  const expected = await costOf({ path: model, config: 'tiny' });
  for (const path of [out, join(out, 'network.ir')]) {
    const { layers, total } = await costOf({ path });
    expect(layers.map(({ params }) => params)).toEqual([4 * 9, 4 * 4 * 9, 6 * 4 * 9 + 6, 6 * 16 * 3 + 3]);
    expect(total).toEqual(expected.total);
  }
  const planes = { planes: true };
  expect((await costOf({ path: out }, planes)).total.params).toBe(
    (await costOf({ path: model, config: 'tiny' }, planes)).total.params,
  );
});

it('planes change how bits and steps are counted, not what was measured', async () => {
  const { folder, model } = workplace('MBLIF(tau: 2, theta: 0.5, integer: 2, fraction: 1)', 'direct(steps: 2)');
  await withData(folder, async (data) => {
    const target = { path: model, config: 'tiny' };
    const [whole, planes] = [await costOf(target, { data }), await costOf(target, { data, planes: true })];
    expect([whole.layers[1]!.spike_bits, whole.layers[1]!.steps]).toEqual([3, 2]);
    expect([planes.layers[1]!.spike_bits, planes.layers[1]!.steps]).toEqual([1, 6]);
    for (const key of ['sops', 'energy_pj', 's_ace'] as const) expect(planes.total[key]).toBe(whole.total[key]);
    expect(planes.ann).toEqual(whole.ann);
    expect(whole.total.largest_spike).toBe(3.5);
    // every spike reaches all outputs of the last layer: a share of its MACs of each step of the planes
    const last = planes.layers.at(-1)!;
    expect(last.firing_rate).toBeCloseTo(last.sops! / (last.macs * last.steps), 12);
    expect(last.firing_rate).toBeLessThan(whole.layers.at(-1)!.firing_rate!);
    expect(last.ns_ace).toBeCloseTo(last.s_ace * last.firing_rate!, 6);
  });
});

it('a folder of `compile --planes` is split already: `--planes` changes nothing of it', async () => {
  const { folder, model } = workplace('MBLIF(tau: 2, theta: 0.5, integer: 2, fraction: 1)', 'direct(steps: 2)');
  const compiled = async (target: Target, name: string): Promise<string> => {
    const outDir = join(folder, name);
    const { diagnostics } = await driver.compileTarget(target, { planes: true, emit: ['ir'], outDir });
    expect(diagnostics).toEqual([]);
    return readFileSync(join(outDir, 'network.ir'), 'utf8');
  };
  const once = await compiled({ path: model, config: 'tiny' }, 'once');
  expect(await compiled({ path: join(folder, 'once') }, 'twice')).toBe(once);
  const target = { path: join(folder, 'once') };
  expect((await costOf(target, { planes: true })).layers).toEqual((await costOf(target)).layers);
});

it('evaluates a folder of planes with their latency, a spike of a plane as one operation', async () => {
  const { folder, model } = workplace('MBLIF(tau: 2, theta: 0.5, integer: 2, fraction: 1)', 'direct(steps: 2)');
  const source = { path: model, config: 'tiny' };
  const path = join(folder, 'planes');
  await driver.compileTarget(source, { planes: true, emit: ['ir'], outDir: path });
  await withData(folder, async (data) => {
    const { total } = await costOf({ path }, { data });
    const [levels, planes] = [await evaluated(source, data), await evaluated({ path }, data)];
    expect([levels.latency_steps, planes.latency_steps, total.latency_steps]).toEqual([2, 6, 6]);
    const neurons = 4 * 64 + 4 * 64 + 6 * 16;
    expect(planes.opf - 2 * neurons).toBeCloseTo(total.sops!, 3);
    expect(planes.accuracy).toBe(levels.accuracy);
    expect(planes.spikes_per_neuron).toBeLessThan(levels.spikes_per_neuron);
    expect(planes.spikes_per_neuron).toBeGreaterThan(0);
  });
});

it('interlaminar connections multiply potentials at every step, and channels by their attention', async () => {
  const { model } = workplace('LIF');
  const { layers } = await costOf({ path: model, config: 'joined' });
  const real = layers
    .filter(({ input }) => input === 'real')
    .map(({ kind, macs, real_macs }) => [kind, macs, real_macs]);
  expect(real).toEqual([
    ['conv', 4 * 9 * 64, 4 * 9 * 64],
    ['conv', 8 * 4 * 64, 3 * 8 * 4 * 64],
    ['channel_conv', 4 * 3, 3 * 4 * 3],
    ['mul', 4 * 64, 3 * 4 * 64],
  ]);
});

it('a run folder keeps the hardware of its config; the command line changes it', async () => {
  const { folder, model } = workplace('LIF');
  const run = join(folder, 'run');
  const trained = await driver.trainTarget({ path: model, config: 'tiny' }, { run });
  expect(trained.value?.done).toBe(1);
  expect((await costOf({ path: run })).hardware).toEqual({ e_mac: 3, e_ac: 0.25 });
  const { hardware, ann } = await costOf({ path: run }, { hardware: { e_mac: 2 } });
  expect(hardware).toEqual({ e_mac: 2, e_ac: 0.25 });
  expect(ann.energy_pj).toBe(2 * ann.macs);
});

it('a converted LeNet-5: layer by layer, all additions together those of OPF (SWS eq. 10)', async () => {
  const folder = fileURLToPath(new URL('../../examples/convert-onnx/', import.meta.url));
  const dataset = openDataset(`idx:${folder}digits-images.idx.gz,${folder}digits-labels.idx.gz`);
  const data = { dataset, normalisation: { mean: [0.5], std: [0.5] }, limit: 20 };
  const target = { path: `${folder}lenet5.spike`, config: 'converted' };
  const { total, layers, measured, ann } = await costOf(target, { data });
  const { opf } = await evaluated(target, data);
  dataset.close();
  const bytes = new Uint8Array(readFileSync(`${folder}lenet5.onnx`));
  const { spiking } = convert(importOnnx({ name: 'lenet5.onnx', bytes }).value!.network, sws({ silent: 2 }));
  const sizes = spiking.ops.filter(({ kind }) => kind === 'neuron').map(({ type }) => elementCount(type.shape));
  const neurons = sizes.reduce((a, b) => a + b, 0);
  // eight steps and two silent ones
  expect(total.sops).toBeCloseTo(opf - 10 * neurons, 3);
  expect(layers.every(({ input, sops }) => input === 'spikes' && sops! > 0)).toBe(true);
  expect(measured!.source!.agreement).toBe(1);
  // eight steps of weighted digits carry an 8-bit code
  expect(ann.bits).toBe(8);
});
