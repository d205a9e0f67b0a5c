import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeSafetensors } from '../../src/base/safetensors.js';
import { tensor } from '../../src/base/dtype.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';
import { nativeEngines } from '../support/native.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../support/tiny-training.js';
import { random } from '../tensor/cases.js';
import type { EpochRecord } from '../../src/train/index.js';
import type { TrainOptions } from '../../src/commands/train.js';

/** What the system is told to refuse: writing after some bytes in all. */
const refuse = vi.hoisted(() => ({ bytesLeft: Infinity }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    writeSync: (descriptor: number, bytes: Uint8Array, from: number, length: number) => {
      if (refuse.bytesLeft <= 0)
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const written = fs.writeSync(descriptor, bytes, from, Math.min(length, refuse.bytesLeft));
      refuse.bytesLeft -= written;
      return written;
    },
  };
});

beforeEach(() => {
  refuse.bytesLeft = Infinity;
});

const network = 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | dropout(0.1) | linear(3)';
const settings =
  'optimizer adam(lr: 1e-2)  schedule cosine(warmup: 1)  augment [flip, crop(padding: 1)]  batch 8  epochs 4  seed 3';

interface Setup {
  readonly body?: string;
  readonly neuron?: string;
  readonly coding?: string;
  readonly train?: string;
  readonly declarations?: string;
  readonly labels?: (i: number) => number;
}

/** A folder with a model file and 60 images of 8×8: bars left, bars on top, diagonals. */
function workplace({ labels = (i) => i % 3, ...setup }: Setup = {}): { model: string; data: string; folder: string } {
  const { body = network, neuron = 'PLIF', coding = 'rate(3, seed: 5)', train = settings, declarations = '' } = setup;
  const folder = temporaryFolder();
  const data = writeTinySet(folder, labels);
  const model = join(folder, 'tiny.spike');
  writeFileSync(
    model,
    `use "spikec/neurons" { LIF, PLIF }
     ${declarations}
     network Tiny { input image: real[1, 8, 8]  output ${body} }
     config tiny { network Tiny  neuron ${neuron}  coding ${coding}  train { ${train} } }`,
  );
  return { model, folder, data };
}

describe('training', () => {
  for (const engine of ['tfjs-wasm', ...nativeEngines.map(({ name }) => name)]) {
    it(`gives the same numbers with low memory on ${engine}`, async () => {
      const kept = await train(workplace(), { engine, epochs: 2 });
      const place = workplace({ train: `${settings}  memory low` });
      const low = await train(place, { engine, epochs: 1 });
      expect(low.codes).not.toContain('train/low-memory');
      expect(timeless(low.records)).toEqual(timeless(kept.records.slice(0, 1)));
      // where values lie is no part of what a training is
      const on = await train(
        { ...place, model: workplace().model },
        { engine, epochs: 2, resume: true, lowMemory: true },
      );
      expect(timeless(on.records)).toEqual(timeless(kept.records.slice(1)));
    });
  }

  it('refuses low memory on engines that would keep everything', async () => {
    const place = workplace();
    for (const engine of ['onnxruntime', 'fused']) {
      const { diagnostics } = await train(place, { engine, lowMemory: true });
      expect(diagnostics).toMatchObject([
        { code: 'train/low-memory', message: expect.stringContaining(`engine ${engine} `) as string },
      ]);
    }
    expect((await train(place, { engine: 'torch', lowMemory: true })).codes).toEqual(['torch/setting']);
    expect(existsSync(join(place.folder, 'run'))).toBe(false);
  });

  it('learns a tiny set; the run folder evaluates, costs and compiles', async () => {
    const place = workplace({ train: `${settings.replace('epochs 4', 'epochs 12')}  validation 0.2` });
    const { value, records, run } = await train(place);
    expect(value).toMatchObject({ done: 12, run, stopped: 'epochs' });
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss / 2);
    expect(value!.best.accuracy).toBeGreaterThan(0.9);
    expect(records.at(-1)!.firing['output.spike']).toBeGreaterThan(0);

    const dataset = openDataset(place.data);
    const evaluated = await driver.evaluateTarget({ path: run }, { dataset, normalisation: {} });
    expect(evaluated.value).toMatchObject({ samples: 60, latency_steps: 3 });
    expect(evaluated.value!.accuracy).toBeGreaterThan(0.9);
    const costs = await driver.costOf({ path: run }, {});
    expect(costs.value!.layers.map(({ id, macs, steps }) => [id, macs, steps])).toEqual([
      ['output.conv', 2304, 3],
      ['output.linear', 192, 3],
    ]);
    const outDir = join(place.folder, 'compiled');
    const compiled = await driver.compileTarget({ path: run }, { emit: ['ir', 'onnx'], outDir });
    expect(compiled.diagnostics).toEqual([]);
    expect(existsSync(join(outDir, 'infer.onnx'))).toBe(true);
    const again = await driver.evaluateTarget({ path: outDir }, { dataset, normalisation: {} });
    expect(again.value!.accuracy).toBe(evaluated.value!.accuracy);
    dataset.close();
  });

  it('a resumed training gives the numbers of an unbroken one, bit for bit', async () => {
    const place = workplace();
    const whole = await train(place, { run: join(place.folder, 'whole') });
    const half = await train(place, {
      onEpoch: ({ epoch }) => {
        if (epoch === 2) throw new Error('interrupted');
      },
    }).catch((error: unknown) => error);
    expect(String(half)).toContain('interrupted');
    const rest = await train(place, { resume: true });
    expect(rest.records.map(({ epoch }) => epoch)).toEqual([3, 4]);
    expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(2)));
    for (const file of ['weights.safetensors', 'best/weights.safetensors', 'network.ir']) {
      expect(readFileSync(join(rest.run, file)).equals(readFileSync(join(whole.run, file))), file).toBe(true);
    }
    const log = readFileSync(join(rest.run, 'log.jsonl'), 'utf8').trim().split('\n');
    expect(timeless(log.map((line) => JSON.parse(line) as EpochRecord))).toEqual(timeless(whole.records));
  });

  it('the same seed gives the same training, another seed another', async () => {
    const place = workplace();
    const run = async (seed: number, name: string) =>
      timeless((await train(place, { seed, epochs: 1, run: join(place.folder, name) })).records);
    const first = await run(7, 'a');
    expect(await run(7, 'b')).toEqual(first);
    expect(await run(8, 'c')).not.toEqual(first);
  });

  it('stops early when nothing gets better', async () => {
    const place = workplace({
      train: 'optimizer sgd(lr: 1e-12)  batch 20  epochs 9  validation 0.5  early_stop patience(2)',
    });
    const { value } = await train(place);
    expect(value).toMatchObject({ done: 3, stopped: 'patience', best: { epoch: 1 } });
  });

  it('after an early stop `best` holds the weights of the best epoch, the folder those of the last', async () => {
    const place = workplace({
      train: 'optimizer adam(lr: 0.05)  batch 20  epochs 40  validation 0.5  early_stop patience(2)  seed 3',
    });
    const { value, run } = await train(place);
    expect(value!.stopped).toBe('patience');
    const { done, best } = value!;
    expect([done, best.folder]).toEqual([best.epoch + 2, join(run, 'best')]);
    const until = async (epochs: number): Promise<Buffer> => {
      const stopped = await train(place, { epochs, run: join(place.folder, `until-${epochs}`) });
      return readFileSync(join(stopped.run, 'weights.safetensors'));
    };
    const weights = (folder: string): Buffer => readFileSync(join(folder, 'weights.safetensors'));
    expect(weights(best.folder).equals(await until(best.epoch))).toBe(true);
    expect(weights(run).equals(await until(done))).toBe(true);
    expect(weights(run).equals(weights(best.folder))).toBe(false);
  });

  it('event frames from an NPZ file', async () => {
    const place = workplace({
      coding: 'events(steps: 2)',
      neuron: 'LIF',
      train: 'optimizer adam(lr: 1e-2)  batch 6  epochs 6',
    });
    const next = random(2);
    const frames = Float32Array.from({ length: 12 * 2 * 64 }, (_, i) => {
      const [kind, x, y] = [Math.floor(i / 128) % 3, i % 8, Math.floor(i / 8) % 8];
      return ([x < 2, y < 2, x === y][kind]! ? 2 : 0) + 0.1 * next();
    });
    const labels = Uint8Array.from({ length: 12 }, (_, i) => i % 3);
    const file = join(place.folder, 'events.npz');
    const images = npyBytes("'<f4'", [12, 2, 1, 8, 8], bytesOf(frames));
    writeFileSync(
      file,
      zipBytes([
        { name: 'images.npy', data: images },
        { name: 'labels.npy', data: npyBytes("'|u1'", [12], labels) },
      ]),
    );
    const { value, records, run } = await train({ ...place, data: `npz:${file}` });
    expect(value).toMatchObject({ done: 6 });
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss);
    const dataset = openDataset(`npz:${file}`);
    const evaluated = await driver.evaluateTarget({ path: run }, { dataset, normalisation: {} });
    dataset.close();
    expect(evaluated.value!.samples).toBe(12);
  });
});

describe('what can’t be trained is said before anything is written', () => {
  const blind =
    'neuron Blind(theta = 1) { state u = 0  charge u = u + x  fire s = u >= theta  reset u = where(s, 0, u) }';
  const cases: readonly [string, string, Setup, Partial<TrainOptions>][] = [
    ['a neuron without a gradient path', 'train/no-gradient', { neuron: 'Blind', declarations: blind }, {}],
    ['no optimiser', 'train/setting-missing', { train: 'epochs 1' }, {}],
    ['data that isn’t there', 'file/missing', {}, { data: 'npz:nowhere.npz' }],
    ['an unknown set', 'data/unknown-set', {}, { data: 'imagenet:train' }],
    [
      'images of another shape',
      'data/shape-mismatch',
      { body: network.replace('linear(3)', 'linear(10)') },
      { data: 'mnist:test' },
    ],
    ['more labels than outputs', 'data/class-mismatch', { labels: (i) => i % 7 }, {}],
    ['no steps', 'model/argument-type', { coding: 'direct(0)' }, {}],
    ['hardly any images', 'train/too-few-images', { train: `${settings}  validation 0.9` }, { limit: 10 }],
    ['an unknown engine', 'engine/unknown', {}, { engine: 'abacus' }],
    ['nothing to resume', 'train/no-checkpoint', {}, { resume: true }],
  ];
  it.each(cases)('%s: %s', async (_, code, setup, options) => {
    const place = workplace(setup);
    const { codes, value, run } = await train(place, options);
    expect(codes).toEqual([code]);
    expect(value).toBeUndefined();
    expect(existsSync(run)).toBe(false);
  });

  it('the neuron is named, and what it lacks', async () => {
    const { diagnostics } = await train(workplace({ neuron: 'Blind', declarations: blind }));
    expect(diagnostics[0]).toMatchObject({ help: expect.stringContaining('surrogate') });
    expect(diagnostics[0]!.message).toContain('a layer of Blind');
  });
});

describe('a good checkpoint is never replaced by a bad one', () => {
  const checkpointOf = (run: string): string => join(run, 'checkpoint/state.safetensors');

  it('divergence stops with the first op whose result isn’t finite', async () => {
    const body = 'image | flatten | linear(8) | spike | linear(3)';
    const place = workplace({
      body,
      coding: 'direct(2)',
      neuron: 'LIF',
      train: 'optimizer sgd(lr: 1e38)  batch 20  epochs 2',
    });
    const { diagnostics, codes, run } = await train(place);
    expect(codes).toEqual(['train/diverged']);
    expect(diagnostics[0]!.message).toContain(
      'in epoch 1, step 2: the loss of what output.linear_2 gives became infinite or NaN before anything else',
    );
    expect(diagnostics[0]).toMatchObject({
      place: { source: { name: place.model } },
      help: expect.stringMatching(/rate/),
    });
    const resumed = await train(place, { resume: true });
    expect(resumed.codes).toEqual(['train/diverged']);
    expect(existsSync(checkpointOf(run))).toBe(true);
  });

  it.each([
    ['sgd(lr: 1e38)', 'the values of output.batchnorm'],
    ['adam(lr: 1e25)', 'the values of output.batchnorm'],
    ['adam(lr: 1e38)', 'the new value of "output.conv.weight" of output.conv'],
  ])('%s is named by a layer of the model file, not by an inner value: %s', async (optimizer, what) => {
    const place = workplace({ train: `optimizer ${optimizer}  batch 20  epochs 3`, neuron: 'LIF' });
    const { diagnostics, codes } = await train(place);
    expect(codes).toEqual(['train/diverged']);
    expect(diagnostics[0]!.message).toMatch(/in epoch 1, step [12]: /);
    expect(diagnostics[0]!.message).toContain(`: ${what} became infinite or NaN`);
    expect(diagnostics[0]).toMatchObject({ place: { source: { name: place.model } } });
  });

  it('a neuron’s own equation that gives NaN is named with its layer and place', async () => {
    const declarations = `neuron Log(theta = 1) { state u = 0  charge u = log(u + x)  fire s = u >= theta
      reset u = where(s, 0, u)  surrogate triangle(width: 1) }`;
    const { diagnostics } = await train(workplace({ neuron: 'Log', declarations, coding: 'direct(2)' }));
    expect(diagnostics.map(({ code }) => code)).toEqual(['train/diverged']);
    expect(diagnostics[0]!.message).toContain('the values of output.spike, by `log` in the equations of its neuron,');
    expect(diagnostics[0]!.place).toMatchObject({ source: { name: expect.stringContaining('tiny.spike') } });
  });

  it('a full disk leaves the checkpoint of the epoch before, which resumes', async () => {
    const place = workplace();
    const whole = await train(place, { run: join(place.folder, 'whole') });
    const failed = await train(place, {
      onEpoch: ({ epoch }) => {
        if (epoch === 1) refuse.bytesLeft = 1000;
      },
    });
    expect(failed.codes).toEqual(['file/write-failed']);
    refuse.bytesLeft = Infinity;
    const rest = await train(place, { resume: true });
    expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(1)));
  });

  it('a run folder is not begun anew', async () => {
    const place = workplace();
    const { run } = await train(place, { epochs: 1 });
    const before = readFileSync(checkpointOf(run));
    const refused = driver.trainTarget({ path: place.model }, { data: place.data, run, epochs: 1 });
    await expect(refused).resolves.toMatchObject({
      diagnostics: [{ code: 'train/run-exists', help: expect.stringContaining('--resume') as string }],
    });
    expect(readFileSync(checkpointOf(run)).equals(before)).toBe(true);
  });

  it('the checkpoint of another model, of other settings, a damaged one and something else are refused', async () => {
    const place = workplace();
    const { run } = await train(place, { epochs: 1 });
    const other = workplace({ body: network.replace('conv(4', 'conv(6') });
    const path = checkpointOf(join(other.folder, 'run'));
    await train(other, { epochs: 1 });
    const own = readFileSync(path);
    copyFileSync(checkpointOf(run), path);
    const refused = await train(other, { resume: true });
    expect(refused.codes).toEqual(['train/other-training']);
    expect(refused.diagnostics[0]!.message).toContain(
      '"output.conv.weight" has the shape [4, 1, 3, 3] in it, [6, 1, 3, 3] here',
    );

    writeFileSync(path, own);
    const seeded = await train(other, { resume: true, seed: 99, limit: 40 });
    expect(seeded.codes).toEqual(['train/other-training']);
    expect(seeded.diagnostics[0]!.message).toContain('seed is 3 in it, 99 here; limit is not set in it, 40 here');
    writeFileSync(path, own.subarray(0, own.length - 10));
    expect((await train(other, { resume: true })).codes).toContain('data/bad-safetensors');
    writeFileSync(path, encodeSafetensors(new Map([['a', tensor('f32', [1], [1])]])));
    expect((await train(other, { resume: true })).codes).toEqual(['train/bad-checkpoint']);
  });
});

describe('what training says', () => {
  it('a layer that never fires, and one that always does, are named once, with their line', async () => {
    const body = 'image | flatten | linear(8) | spike(LIF(theta: 1e6)) | linear(3)';
    const warned: string[] = [];
    const dead = await train(workplace({ body, coding: 'direct(2)' }), { onWarning: ({ code }) => warned.push(code) });
    expect(dead.value).toBeDefined();
    expect(dead.codes).toEqual(['train/dead-layer']);
    expect(warned).toEqual(dead.codes);
    expect(dead.diagnostics[0]!.message).toBe(
      "output.spike doesn't fire: 0.0000 spikes per neuron and time step after epoch 1",
    );
    expect(dead.diagnostics[0]).toMatchObject({ severity: 'warning', help: expect.stringContaining('threshold') });
    expect(dead.diagnostics[0]).toMatchObject({
      place: { source: { name: expect.stringContaining('tiny.spike') as string } },
    });
    expect(dead.diagnostics[0]!.help).toBe(
      'lower its threshold, put `batchnorm` in front of it, or widen the surrogate',
    );
    const normalised = await train(
      workplace({ body: body.replace('linear(8)', 'linear(8) | batchnorm'), coding: 'direct(2)' }),
    );
    expect(normalised.codes).toEqual(['train/dead-layer']);
    expect(normalised.diagnostics[0]!.help).toBe('lower its threshold or widen the surrogate');
    const always = `neuron Always(theta = 1) { state u = 0  charge u = u + x  fire s = u >= -1e6 * theta  reset u = 0 * u
      surrogate triangle(width: 1) }`;
    const full = await train(
      workplace({ body: body.replace('LIF(theta: 1e6)', 'Always'), declarations: always, coding: 'direct(2)' }),
    );
    expect(full.codes).toContain('train/saturated-layer');
    const layer = 'linear(8) | spike(LIF(theta: 1e6))';
    const deep = `image | flatten | ${Array.from({ length: 6 }, () => layer).join(' | ')} | linear(3)`;
    const six = await train(workplace({ body: deep, coding: 'direct(2)' }));
    expect(six.codes).toEqual(['train/dead-layer']);
    expect(six.diagnostics[0]!.message).toBe(
      "output.spike, output.spike_2, output.spike_3, output.spike_4 and 2 more don't fire: at most 0.0000 spikes per neuron and time step after epoch 1",
    );
    expect(six.diagnostics[0]!.help).toBe(
      'lower their thresholds, put `batchnorm` in front of them, or widen the surrogate',
    );
  });

  it('what takes time is said before it begins: reading, compiling, each epoch, validating', async () => {
    const phases: string[] = [];
    const place = workplace({ train: `${settings.replace('epochs 4', 'epochs 2')}  validation 0.2` });
    await train(place, { onProgress: ({ phase }) => phases.at(-1) !== phase && phases.push(phase) });
    expect(phases).toEqual([
      'compiling the training step',
      'reading images',
      'compiling the training step',
      'epoch 1/2',
      'validating',
      'epoch 2/2',
      'validating',
    ]);
  });

  it('the weights of the best epoch are normalised as the training normalised', async () => {
    const place = workplace({ train: `${settings}  normalize channels(mean: [0.5], std: [0.1])` });
    const { value, run } = await train(place, { epochs: 2 });
    const dataset = openDataset(place.data);
    const accuracy = async (path: string) =>
      (await driver.evaluateTarget({ path }, { dataset, normalisation: {} })).value!.accuracy;
    expect(value!.best.folder).toBe(join(run, 'best'));
    if (value!.best.epoch === 2) expect(await accuracy(value!.best.folder)).toBe(await accuracy(run));
    const { normalisation } = JSON.parse(readFileSync(join(run, 'best/manifest.json'), 'utf8')) as Record<
      string,
      object
    >;
    expect(normalisation).toEqual({ mean: [0.5], std: [0.1] });
    dataset.close();
  });
});

describe('records of a run folder that were damaged', () => {
  const damaged = async (file: string, change: (text: string) => string) => {
    const place = workplace({ train: settings.replace('epochs 4', 'epochs 2') });
    const { run } = await train(place, { epochs: 1 });
    const path = join(run, file);
    const before = readFileSync(path, 'latin1');
    writeFileSync(path, change(before), 'latin1');
    const { codes, diagnostics } = await train(place, { resume: true });
    writeFileSync(path, before, 'latin1');
    expect((await train(place, { resume: true })).value).toMatchObject({ done: 2 });
    return { codes, message: diagnostics.map(({ message }) => message).join() };
  };

  it.each<[string, string, string, (text: string) => string]>([
    ['log.jsonl', 'cut', 'report/bad-log', (text) => text.slice(0, 40)],
    ['log.jsonl', 'a word for a number', 'report/bad-log', (text) => text.replace(/"loss":[^,]*/, '"loss":"low"')],
    ['log.jsonl', 'another number', 'train/other-log', (text) => text.replace(/"loss":[^,]*/, '"loss":0.5')],
    ['log.jsonl', 'one line more', 'train/other-log', (text) => text + text],
    ['run.json', 'cut', 'train/bad-run', (text) => text.slice(0, 40)],
    ['run.json', 'a list', 'train/bad-run', () => '[]'],
    ['checkpoint/state.safetensors', 'a flipped bit', 'train/bad-checkpoint', (text) => `${text.slice(0, -1)}\x01`],
    [
      'checkpoint/state.safetensors',
      'a word for a number in a record',
      'train/bad-checkpoint',
      (text) => text.replace(/\\"loss\\":\d\.\d{3}/, String.raw`\"loss\":\"x\"`),
    ],
  ])('%s, %s: %s', async (file, _, code, change) => {
    const { codes, message } = await damaged(file, change);
    expect(codes).toEqual([code]);
    expect(message).toContain(file);
  });

  it('a `best` that was changed is a warning; a log and a run.json that are missing are written again', async () => {
    const place = workplace({ train: 'optimizer sgd(lr: 1e-12)  batch 20  epochs 2  validation 0.5' });
    const { run, value } = await train(place);
    expect(value!.best.epoch).toBe(1);
    const lost = ['log.jsonl', 'run.json', 'model.spike', 'weights.safetensors'];
    const before = lost.map((name) => readFileSync(join(run, name), 'latin1'));
    for (const name of lost) rmSync(join(run, name));
    expect((await train(place, { resume: true })).codes).toEqual([]);
    expect(lost.map((name) => readFileSync(join(run, name), 'latin1'))).toEqual(before);
    rmSync(join(run, 'best/weights.safetensors'));
    expect((await train(place, { resume: true })).codes).toEqual(['train/best-lost']);
  });
});
