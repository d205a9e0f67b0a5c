import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/base/safetensors.js';
import { nativeEngines } from '../support/native.js';
import { hasTorch, python, runPython } from '../support/pytorch.js';
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

const engines = ['fused', 'onnxruntime', 'tfjs', ...nativeEngines.map(({ name }) => name)];

describe.each(Object.entries(models))('%s', (name, text) => {
  // a compiler takes longer than the training: what an engine keeps is seen with one model
  it.each(name.startsWith('order') ? engines : engines.filter((one) => one !== 'native'))(
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

const onTorch = `
  use "spikec/neurons" { Refined }
  network Tiny { input image: real[1, 8, 8] output ${dropping} }
  config tiny {
    network Tiny
    neuron Refined
    coding direct(steps: 2)
    bits {
      weights learn(init: 4, max: 6, target: 2, rate: 0.5)
      spikes  learn(init: 4, max: 6, target: 2, rate: 0.5)
      renewal all
      settle  0.3
    }
    train {
      data mnist batch 6 epochs 2 seed 3 optimizer adam(lr: 1e-2) schedule cosine(warmup: 1)
      augment [flip, crop(padding: 1)]
    }
  }`;

/** Numbers of two engines, which sum in different orders. */
function close(found: { states: readonly Float32Array[] }, wanted: { states: readonly Float32Array[] }): void {
  found.states.forEach((values, i) =>
    values.forEach((value, k) => expect(Math.abs(value - wanted.states[i]![k]!)).toBeLessThan(1e-4)),
  );
}

function weightsOf(run: string): { states: Float32Array[] } {
  const { value } = decodeSafetensors(readFileSync(join(run, 'weights.safetensors')), 'weights');
  return { states: [...value!.tensors.values()].map(({ data }) => data as Float32Array) };
}

it.skipIf(!hasTorch)(
  'stopped within an epoch and resumed is as unbroken on torch; and other engines go on with what it kept',
  async () => {
    const torch = { engine: 'torch', python } as const;
    const unbroken = await train(placeFor(onTorch), torch);
    expect(unbroken.codes.filter((code) => code.startsWith('train/') && !code.endsWith('-layer'))).toEqual([]);
    const place = placeFor(onTorch);
    const { folder } = place;
    // it stops where a checkpoint is written, so that the test knows the step; the fourth is in the second epoch
    let kept = 0;
    const asking = { checkpointEvery: 3, onCheckpoint: () => kept++, stopping: () => kept === 4 };
    const first = await train(place, { ...torch, ...asking });
    expect(first.value!.stopped).toBe('asked');
    expect(statesOf(first.run).progress).toMatchObject({ step: 13, running: { steps: 3 } });
    const other = join(folder, 'other');
    cpSync(first.run, other, { recursive: true });
    const rest = await train(place, { ...torch, resume: true });
    expect(rest.value!.stopped).toBe('epochs');
    expect(timeless([...first.records, ...rest.records])).toEqual(timeless(unbroken.records));
    expect(statesOf(first.run).states).toEqual(statesOf(unbroken.run).states);
    for (const name of ['weights.safetensors', 'best/weights.safetensors'])
      expect(readFileSync(join(first.run, name)).equals(readFileSync(join(unbroken.run, name))), name).toBe(true);

    const here = await train(place, { engine: 'fused', run: other, resume: true });
    expect(here.records[0]!.loss).toBeCloseTo(unbroken.records[1]!.loss, 4);
    close(weightsOf(other), weightsOf(unbroken.run));
  },
  600_000,
);

it.skipIf(!hasTorch)(
  'the engine torch goes on where another was stopped within an epoch',
  async () => {
    const whole = await train(placeFor(onTorch), { engine: 'fused', epochs: 1 });
    const place = placeFor(onTorch);
    let left = 4;
    await train(place, { engine: 'fused', epochs: 1, stopping: () => left-- === 0 });
    const rest = await train(place, { engine: 'torch', python, resume: true, epochs: 1 });
    expect(rest.records.map(({ epoch, loss }) => [epoch, loss.toFixed(4)])).toEqual([
      [1, whole.records[0]!.loss.toFixed(4)],
    ]);
    close(weightsOf(rest.run), weightsOf(whole.run));
  },
  300_000,
);

describe.skipIf(!hasTorch)('the engine torch', () => {
  it('stops behind the step that is under way when it is asked to, without a checkpoint every so many steps', async () => {
    const text = onTorch.replace('epochs 2', 'epochs 400');
    const place = placeFor(text);
    let [asked, done] = [false, 0];
    const first = await train(place, {
      engine: 'torch',
      python,
      stopping: () => asked,
      onProgress: (one) => (asked ||= one.phase.startsWith('epoch 2/') && one.done > 0 && ++done > 1),
    });
    expect(first.value!.stopped).toBe('asked');
    const { epoch, running, step } = statesOf(first.run).progress as unknown as Record<string, number> & {
      running: { steps: number };
    };
    expect(epoch).toBeLessThan(400);
    expect(step).toBe(epoch! * 10 + running.steps);
    expect(first.records).toHaveLength(epoch!);
  }, 300_000);

  it.skipIf(process.platform === 'win32')(
    'train.py by itself answers Ctrl-C with a checkpoint behind the step, and goes on to the same numbers',
    async () => {
      const place = placeFor(onTorch.replace('batch 6', 'batch 2'));
      const program = join(place.folder, 'program');
      await driver.compileTarget({ path: place.model }, { emit: ['torch'], outDir: program });
      const args = (run: string): string[] => ['train.py', '--data', place.data, '--threads', '1', '--said', '-o', run];
      const child = spawn(python, args('cut'), { cwd: program, stdio: ['ignore', 'pipe', 'ignore'] });
      let [said, asked] = ['', false];
      child.stdout.on('data', (text: Buffer) => {
        said += text.toString();
        if (!asked && said.includes('"progress"')) asked = child.kill('SIGINT');
      });
      expect(await new Promise((settle) => child.on('close', settle))).toBe(130);
      const { running } = statesOf(join(program, 'cut')).progress;
      expect(said).toContain(`{"asked": ${running!.steps}}`);
      runPython(program, [...args('cut'), '--resume']);
      runPython(program, args('whole'));
      expect(statesOf(join(program, 'cut')).states).toEqual(statesOf(join(program, 'whole')).states);
      const log = (run: string) =>
        readFileSync(join(program, run, 'log.jsonl'), 'utf8').replace(/"seconds":[^,}]*/g, '');
      expect(log('cut')).toBe(log('whole'));
    },
    300_000,
  );
});

it('a checkpoint within an epoch of several processes is refused, and how to go on is said', async () => {
  const place = placeFor(plain);
  const { run } = await train(place, { engine: 'fused', stopping: () => true });
  const path = join(run, 'checkpoint/state.safetensors');
  const { value } = decodeSafetensors(readFileSync(path), path);
  const progress = JSON.parse(value!.metadata['progress']!) as { running: Record<string, unknown> };
  progress.running['images'] = 12;
  writeFileSync(path, encodeSafetensors(value!.tensors, { ...value!.metadata, progress: JSON.stringify(progress) }));
  const { codes, diagnostics } = await train(place, { engine: 'fused', resume: true });
  expect(codes).toEqual(['train/bad-checkpoint']);
  expect(diagnostics[0]!.message).toContain('torchrun');
});
