import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { driver } from '../../../src/commands/index.js';
import { openDataset } from '../../../src/data/index.js';
import { deepQuantised } from '../../support/tiny-onnx.js';
import { hasTorch, python, runPython } from '../../support/pytorch.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../../support/tiny-training.js';
import { tinyModel } from '../../support/train.js';

const text = tinyModel({
  neuron: 'PLIF(theta: 0.7)',
  train: 'optimizer adam(lr: 1e-2) batch 8 epochs 2 validation 0.2 augment [flip, crop(padding: 1)] seed 4',
});

function place() {
  const folder = temporaryFolder();
  const model = join(folder, 'model.spike');
  writeFileSync(model, text);
  return { folder, model, data: writeTinySet(folder) };
}

describe.skipIf(!hasTorch)('the engine torch', () => {
  it('gives the records of the other engines, in the same run folder', async () => {
    const here = place();
    const [own, other] = ['onnxruntime', 'torch'].map((engine) =>
      train(here, { engine, python, run: join(here.folder, engine) }),
    );
    const [wanted, found] = [await own!, await other!];
    expect(found.records.map(({ epoch }) => epoch)).toEqual([1, 2]);
    wanted.records.forEach((record, i) => {
      const { loss, val_loss = 0, accuracy, rate } = found.records[i]!;
      expect(loss).toBeCloseTo(record.loss, 5);
      expect(val_loss).toBeCloseTo(record.val_loss!, 5);
      expect([accuracy, rate]).toEqual([record.accuracy, record.rate]);
    });
    const network = (run: string): string => readFileSync(join(run, 'network.ir'), 'utf8').replace(/ ; .*/g, '');
    expect(network(found.run)).toBe(network(wanted.run));
    const { value } = await driver.evaluateTarget(
      { path: found.run },
      { dataset: openDataset(here.data), normalisation: {} },
    );
    expect(value?.samples).toBe(60);
  }, 60_000);

  it('goes on where it, or another engine, was stopped', async () => {
    const here = place();
    const whole = await train(here, { engine: 'torch', python, run: join(here.folder, 'whole') });
    for (const first of ['torch', 'onnxruntime']) {
      const run = join(here.folder, first);
      await train(here, { engine: first, python, run, epochs: 1 });
      const rest = await train(here, { engine: 'torch', python, run, resume: true });
      expect(rest.records).toHaveLength(1);
      if (first === 'torch') expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(1)));
      else expect(rest.records[0]!.loss).toBeCloseTo(whole.records[1]!.loss, 4);
    }
  }, 120_000);

  it('says in which epoch and step a training diverged', async () => {
    const here = place();
    writeFileSync(here.model, tinyModel({ train: 'optimizer sgd(lr: 1e38) batch 20 epochs 2' }));
    const { codes, diagnostics } = await train(here, { engine: 'torch', python });
    expect(codes).toEqual(['train/diverged']);
    expect(diagnostics[0]!.message).toMatch(/^the training diverged in epoch 1, step 2: the loss/);
    expect(diagnostics[0]!.help).toContain('learning rate');
  }, 60_000);

  it('what train.py has trained by itself is a run folder: it is evaluated, and goes on here', async () => {
    const here = place();
    const program = join(here.folder, 'program');
    await driver.compileTarget({ path: here.model }, { emit: ['torch'], outDir: program });
    const run = join(here.folder, 'run');
    mkdirSync(dirname(run), { recursive: true });
    runPython(program, ['train.py', '--data', here.data, '--run', run, '--epochs', '1']);
    const { value } = await driver.evaluateTarget(
      { path: run },
      { dataset: openDataset(here.data), normalisation: {} },
    );
    const log = JSON.parse(readFileSync(join(run, 'log.jsonl'), 'utf8')) as { loss: number; val_accuracy: number };
    expect(value?.samples).toBe(60);
    const whole = await train(here, { engine: 'torch', python, run: join(here.folder, 'whole') });
    expect(log.loss).toBe(whole.records[0]!.loss);
    const rest = await train(here, { engine: 'onnxruntime', run, resume: true });
    expect(rest.records[0]!.loss).toBeCloseTo(whole.records[1]!.loss, 4);
  }, 120_000);
});

it('a slip in the name of an engine to train on is told of torch, too', async () => {
  const { codes, diagnostics } = await train(place(), { engine: 'foo' });
  expect(codes).toEqual(['engine/unknown']);
  expect(diagnostics[0]!.help).toContain('torch');
});

it.skipIf(!hasTorch)(
  'wrong options of train.py are errors in one line, with exit code 2',
  async () => {
    const here = place();
    const program = join(here.folder, 'program');
    await driver.compileTarget({ path: here.model }, { emit: ['torch'], outDir: program });
    for (const [args, said] of [
      [['--data', 'npz:/none.npz'], 'train.py: error: npz:/none.npz: No such file or directory'],
      [['--epochs', '0'], 'train.py: error: argument --epochs: 0 is no whole number above zero'],
      [['--data', here.data, '--device', 'cuda'], 'train.py: error: --device cuda: PyTorch finds no such device here'],
    ] as const) {
      const environment = { ...process.env, CUDA_VISIBLE_DEVICES: '' };
      const { status, stderr } = spawnSync(python, ['train.py', ...args], {
        cwd: program,
        encoding: 'utf8',
        env: environment,
      });
      expect(stderr.trimEnd().split('\n').at(-1)).toBe(said);
      expect(stderr).not.toContain('Traceback');
      expect(status).toBe(2);
    }
  },
  60_000,
);

it('a Python that isn’t there, or has no PyTorch, is said', async () => {
  const here = place();
  for (const missing of [join(here.folder, 'nothing'), '/bin/false']) {
    const { codes, diagnostics } = await train(here, { engine: 'torch', python: missing });
    expect(codes).toEqual(['torch/no-python']);
    expect(diagnostics[0]!.help).toContain(`${missing} -m pip install torch safetensors`);
  }
});

it('what the program doesn’t know is refused by name, and the network written without it', async () => {
  const here = place();
  for (const [setting, said] of [
    ['clip norm(max: 1)', 'clip'],
    ['loss huber', 'huber'],
    ['loss 2 * cross_entropy', 'a factor of the loss'],
    ['loss cross_entropy + 0.1 * mse', 'a loss of several terms'],
    ['loss cross_entropy + 0.1 * firing(target: 0.1)', 'a loss of several terms'],
    ['loss cross_entropy(weights: [1, 2, 1])', 'weights'],
  ] as const) {
    writeFileSync(here.model, tinyModel({ train: `optimizer adam(lr: 1e-2) ${setting}` }));
    const { codes, diagnostics } = await train(here, { engine: 'torch' });
    expect(
      codes.filter((code) => code.startsWith('torch/')),
      setting,
    ).toEqual(['torch/setting']);
    expect(diagnostics.map(({ message }) => message).join()).toContain(said);
    const outDir = join(here.folder, said);
    const compiled = await driver.compileTarget({ path: here.model }, { emit: ['torch'], outDir });
    expect(compiled.diagnostics.map(({ code }) => code)).toEqual(['torch/left-out']);
    expect(compiled.value?.files).toContain('model.py');
    expect(compiled.value?.files).not.toContain('train.py');
  }
});

it('a converted network that is read from its text is written op by op, and that is said', async () => {
  const { folder } = place();
  const onnx = join(folder, 'deep.onnx');
  writeFileSync(onnx, deepQuantised(2));
  const outDir = join(folder, 'deep');
  await driver.convertOnnx(onnx, { coding: 'sws', outDir });
  const options = { emit: ['torch'], outDir: join(folder, 'torch') } as const;
  const { value, diagnostics } = await driver.compileTarget({ path: join(outDir, 'network.ir') }, options);
  expect(diagnostics.map(({ code }) => code)).toEqual(['torch/lowered']);
  expect(value!.files).toEqual(expect.arrayContaining(['model.py', 'weights.safetensors']));
  expect(value!.files).not.toContain('train.py');
});

it.skipIf(process.platform === 'win32')(
  'a Python that breaks off in training is said, with its last words',
  async () => {
    const here = place();
    const broken = join(here.folder, 'python');
    const answer = JSON.stringify({ version: '3.11.0', torch: '2.13.0', device: 'cpu' });
    writeFileSync(
      broken,
      `#!/bin/sh\nif [ "$1" = -c ]; then echo '${answer}'; else echo 'no space left' >&2; exit 3; fi\n`,
    );
    chmodSync(broken, 0o755);
    const { codes, diagnostics } = await train(here, { engine: 'torch', python: broken });
    expect(codes).toContain('torch/failed');
    expect(diagnostics.at(-1)!.message).toContain('no space left');
  },
);
