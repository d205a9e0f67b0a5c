import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../src/base/safetensors.js';
import { nativeEngines } from '../support/native.js';
import { hasTorch } from '../support/pytorch.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../support/tiny-training.js';
import { tinyModel } from '../support/train.js';

const everything = `batch 6 epochs 2 seed 3 optimizer adam(lr: 1e-2) schedule cosine(warmup: 1) clip norm(max: 1)
  average ema(decay: 0.9) loss cross_entropy + 0.1 * firing(target: 0.1)
  augment [flip, crop(padding: 1), erase(probability: 0.5), mixup(alpha: 0.3)]`;

const dropping = 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | dropout(0.3) | linear(3)';

const models: Readonly<Record<string, string>> = {
  'order, augmentation, masks, averages and the optimiser': tinyModel({ train: everything, body: dropping }),
  'random numbers of neurons': tinyModel({
    declarations: 'use "spikec/neurons" { NoisyLIF }',
    neuron: 'NoisyLIF(theta: 0.5)',
    train: 'batch 6 epochs 2 seed 1 optimizer sgd(lr: 0.1, momentum: 0.9)',
  }),
  'learned bits that are renewed and settle': `
    use "spikec/neurons" { Refined }
    network Tiny {
      input image: real[1, 8, 8]
      output image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(3)
    }
    config tiny {
      network Tiny
      neuron Refined
      coding direct(steps: 2)
      bits {
        weights learn(init: 4, max: 6, target: 2, rate: 0.5)
        spikes  learn(init: 4, max: 6, target: 2, rate: 0.5)
        steps   learn(init: 2, max: 3, target: 1, rate: 0.5)
        renewal all
        settle  0.3
      }
      train { data mnist batch 6 epochs 2 seed 2 optimizer sgd(lr: 0.05, momentum: 0.9) }
    }`,
};

function placeFor(text: string) {
  const folder = temporaryFolder();
  const model = join(folder, 'model.spike');
  writeFileSync(model, text);
  return { folder, model, data: writeTinySet(folder) };
}

/** All tensors of a run's checkpoint. */
function statesOf(run: string) {
  const { value } = decodeSafetensors(readFileSync(join(run, 'checkpoint/state.safetensors')), 'checkpoint');
  const progress = JSON.parse(value!.metadata['progress']!) as { running?: { steps: number }; step: number };
  const states = [...value!.tensors].map(([name, { data }]) => [
    name,
    createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex'),
  ]);
  return { states: Object.fromEntries(states) as Record<string, string>, progress };
}

describe.each(Object.entries(models))('%s', (_, text) => {
  it.each(['fused', 'onnxruntime', 'tfjs', ...nativeEngines.map(({ name }) => name)])(
    'stopped within an epoch, twice, and resumed is as unbroken on %s',
    async (engine) => {
      const whole = placeFor(text);
      const unbroken = await train(whole, { engine });
      expect(unbroken.codes.filter((code) => code.startsWith('train/') && !code.endsWith('-layer'))).toEqual([]);
      const place = placeFor(text);
      let left = 4;
      const stopping = (): boolean => left-- === 0;
      const first = await train(place, { engine, stopping });
      expect(first.value!.stopped).toBe('asked');
      expect(statesOf(first.run).progress.running!.steps).toBe(5);
      left = 7; // in the second epoch
      const second = await train(place, { engine, stopping, resume: true });
      expect(second.value!.stopped).toBe('asked');
      const { progress } = statesOf(first.run);
      expect(progress.running!.steps).toBe(3);
      expect(progress.step).toBe(13);
      const rest = await train(place, { engine, resume: true });
      expect(rest.value!.stopped).toBe('epochs');
      expect(timeless([...second.records, ...rest.records])).toEqual(timeless(unbroken.records));
      expect(statesOf(first.run).states).toEqual(statesOf(unbroken.run).states);
      for (const name of ['weights.safetensors', 'best/weights.safetensors'])
        expect(readFileSync(join(first.run, name)).equals(readFileSync(join(unbroken.run, name))), name).toBe(true);
    },
  );
});

const plain = tinyModel({ train: 'batch 6 epochs 1 seed 3 optimizer sgd(lr: 0.1) augment [flip]' });

it('a checkpoint every so many steps is where a killed training goes on; the network is that of the last epoch', async () => {
  const unbroken = await train(placeFor(plain), { engine: 'fused' });
  const place = placeFor(plain);
  const seen: number[] = [];
  const run = join(place.folder, 'run');
  let before: Buffer | undefined;
  await expect(
    train(place, {
      engine: 'fused',
      checkpointEvery: 3,
      onRun: () => (before = readFileSync(join(run, 'weights.safetensors'))),
      onCheckpoint: ({ step }) => {
        seen.push(step);
        if (step === 6) throw new Error('killed');
      },
    }),
  ).rejects.toThrow('killed');
  expect(seen).toEqual([3, 6]);
  expect(readFileSync(join(run, 'weights.safetensors')).equals(before!)).toBe(true);
  const steps: (number | undefined)[] = [];
  const rest = await train(place, { engine: 'fused', resume: true, onRun: (_run, _epochs, done) => steps.push(done) });
  expect(steps).toEqual([6]);
  expect(timeless(rest.records)).toEqual(timeless(unbroken.records));
  expect(statesOf(run).states).toEqual(statesOf(unbroken.run).states);
  expect(statesOf(run).progress.running).toBeUndefined();
});

it('a checkpoint within an epoch whose sums are damaged is refused', async () => {
  const place = placeFor(plain);
  const { run } = await train(place, { engine: 'fused', stopping: () => true });
  const path = join(run, 'checkpoint/state.safetensors');
  const { value } = decodeSafetensors(readFileSync(path), path);
  for (const [name, wrong] of Object.entries({ steps: 0, drawn: -1, terms: 3, loss: 'x', renewals: {} })) {
    const progress = JSON.parse(value!.metadata['progress']!) as { running: Record<string, unknown> };
    progress.running[name] = wrong;
    writeFileSync(path, encodeSafetensors(value!.tensors, { ...value!.metadata, progress: JSON.stringify(progress) }));
    expect((await train(place, { engine: 'fused', resume: true })).codes, name).toEqual(['train/bad-checkpoint']);
  }
});

it('the engine torch keeps whole epochs alone, and says so', async () => {
  const place = placeFor(plain);
  expect((await train(place, { engine: 'torch', checkpointEvery: 2 })).codes).toEqual(['train/epochs-alone']);
});

it.skipIf(!hasTorch)('the engine torch doesn’t go on within an epoch', async () => {
  const place = placeFor(plain);
  await train(place, { engine: 'fused', stopping: () => true });
  const rest = await train(place, { engine: 'torch', resume: true, python: process.env['SPIKEC_PYTHON'] ?? 'python3' });
  expect(rest.codes).toEqual(['train/within-epoch']);
});
