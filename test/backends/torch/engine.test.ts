import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driver } from '../../../src/commands/index.js';
import { openDataset } from '../../../src/data/index.js';
import { deepQuantised } from '../../support/tiny-onnx.js';
import { hasTorch, python, pythonRun, runPython } from '../../support/pytorch.js';
import { writeNpz } from '../../support/npz.js';
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
  const kept = mkdtempSync(join(tmpdir(), 'spikec-torch-'));
  let whole: Awaited<ReturnType<typeof train>>;

  /** An unbroken training, which several tests look at. */
  beforeAll(async () => {
    whole = await train(place(), { engine: 'torch', python, run: join(kept, 'whole') });
  }, 120_000);

  afterAll(() => rmSync(kept, { recursive: true }));

  it('gives the records of the other engines, in the same run folder', async () => {
    const here = place();
    const wanted = await train(here, { engine: 'onnxruntime', run: join(here.folder, 'onnxruntime') });
    const found = whole;
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
  });

  it('goes on where it, or another engine, was stopped', async () => {
    const here = place();
    for (const first of ['torch', 'onnxruntime']) {
      const run = join(here.folder, first);
      await train(here, { engine: first, python, run, epochs: 1 });
      const rest = await train(here, { engine: 'torch', python, run, resume: true });
      expect(rest.records).toHaveLength(1);
      if (first === 'torch') expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(1)));
      else expect(rest.records[0]!.loss).toBeCloseTo(whole.records[1]!.loss, 4);
    }
  }, 120_000);

  it('counts, and renews, neurons of a cycle as the other engines do', async () => {
    const here = place();
    writeFileSync(
      here.model,
      `use "spikec/neurons" { Refined }
      network Net {
        input image: real[1, 8, 8]
        x = image | flatten
        h = (x | linear(12)) + (h | delay(1) | linear(12)) | spike
        output h | linear(8) | spike | linear(3)
      }
      config c {
        network Net  neuron Refined(theta: 0.5)  coding direct(3)
        bits { spikes learn(init: 4, max: 4, target: 2)  weights learn(init: 4, max: 6, target: 2)  renewal all }
        train { optimizer adam(lr: 1e-3)  batch 8  epochs 2  seed 4 }
      }`,
    );
    const wanted = await train(here, { engine: 'onnxruntime', run: join(here.folder, 'onnxruntime') });
    const found = await train(here, { engine: 'torch', python, run: join(here.folder, 'torch') });
    expect(Object.values(wanted.records[0]!.firing).every((rate) => rate > 0)).toBe(true);
    wanted.records.forEach(({ loss, firing, renewals = [] }, i) => {
      const record = found.records[i]!;
      expect(record.loss).toBeCloseTo(loss, 4);
      for (const [layer, rate] of Object.entries(firing)) expect(record.firing[layer], layer).toBeCloseTo(rate, 2);
      expect((record.renewals ?? []).map(({ layer, step }) => [layer, step])).toEqual(
        renewals.map(({ layer, step }) => [layer, step]),
      );
    });
    expect(wanted.records.flatMap(({ renewals = [] }) => renewals).map(({ layer }) => layer)).toContain('h.spike');
  }, 120_000);

  it('says in which epoch and step a training diverged', async () => {
    const here = place();
    writeFileSync(here.model, tinyModel({ train: 'optimizer sgd(lr: 1e38) batch 20 epochs 2' }));
    const { codes, diagnostics } = await train(here, { engine: 'torch', python });
    expect(codes).toEqual(['train/diverged']);
    expect(diagnostics[0]!.message).toMatch(/^the training diverged in epoch 1, step 2: the loss/);
    expect(diagnostics[0]!.help).toContain('learning rate');
  });

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
    expect(log.loss).toBe(whole.records[0]!.loss);
    const rest = await train(here, { engine: 'onnxruntime', run, resume: true });
    expect(rest.records[0]!.loss).toBeCloseTo(whole.records[1]!.loss, 4);
    // a run folder's network is written without the training, and that is said
    const outDir = join(here.folder, 'again');
    const { diagnostics } = await driver.compileTarget({ path: run }, { emit: ['torch'], outDir });
    expect(diagnostics.map(({ code }) => code)).toEqual(['torch/left-out']);
    expect(diagnostics[0]!.help).toContain(`spikec compile ${join(run, 'model.spike')}#`);
  }, 120_000);
});

it('a slip in the name of an engine to train on is told of torch, too', async () => {
  const { codes, diagnostics } = await train(place(), { engine: 'foo' });
  expect(codes).toEqual(['engine/unknown']);
  expect(diagnostics[0]!.help).toContain('torch');
});

it.skipIf(!hasTorch)(
  'numbers to learn in a file, which the config doesn’t name: train.py asks for it, and evaluates as here',
  async () => {
    const { folder, model } = place();
    writeFileSync(
      model,
      tinyModel({ train: 'optimizer adam(lr: 1e-2) batch 8 epochs 1 loss mse' }).replace('data mnist', ''),
    );
    const program = join(folder, 'program');
    await driver.compileTarget({ path: model }, { emit: ['torch'], outDir: program });
    const asked = pythonRun(program, ['train.py']);
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining('--data npz:train.npz') });
    const count = 40;
    const x = { shape: [count, 1, 8, 8], data: Float32Array.from({ length: count * 64 }, (_, i) => (i % 7) / 7) };
    const rows = (width: number): string =>
      writeNpz(join(folder, `${width}.npz`), {
        x,
        y: { shape: [count, width], data: Float32Array.from({ length: count * width }, (_, i) => (i % 5) / 5) },
      });
    runPython(program, ['train.py', '--data', rows(3), '-o', join(folder, 'there')]);
    const log = JSON.parse(readFileSync(join(folder, 'there', 'log.jsonl'), 'utf8')) as { mae: number };
    const here = await train({ folder, model, data: rows(3) }, { engine: 'onnxruntime' });
    expect(log.mae).toBeCloseTo(here.records[0]!.mae!, 5);
    const fewer = pythonRun(program, ['train.py', '--data', rows(2), '-o', join(folder, 'fewer')]);
    expect(fewer.stderr).toContain("a sample's labels are [2] numbers, the network has 3 outputs");
    expect(fewer.status).toBe(2);
  },
  60_000,
);

it.skipIf(!hasTorch)('wrong options of train.py are errors in one line, with exit code 2', async () => {
  const here = place();
  const program = join(here.folder, 'program');
  await driver.compileTarget({ path: here.model }, { emit: ['torch'], outDir: program });
  for (const [args, said] of [
    [['--data', 'npz:/none.npz'], 'train.py: error: npz:/none.npz: No such file or directory'],
    [['--epochs', '0'], 'train.py: error: argument --epochs: 0 is no whole number above zero'],
    [['--data', here.data, '--device', 'cuda'], 'train.py: error: --device cuda: PyTorch finds no such device here'],
  ] as const) {
    const { status, stderr } = pythonRun(program, ['train.py', ...args]);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(said);
    expect(stderr).not.toContain('Traceback');
    expect(status).toBe(2);
  }
  const checkpoint = join(program, 'run', 'checkpoint', 'state.safetensors');
  runPython(program, ['train.py', '--data', here.data, '--epochs', '1']);
  const whole = readFileSync(checkpoint);
  const withoutProgress = Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);
  for (const damaged of [whole.subarray(0, 500), new Uint8Array(0), withoutProgress]) {
    writeFileSync(checkpoint, damaged);
    const { status, stderr } = pythonRun(program, ['train.py', '--data', here.data, '--epochs', '2', '--resume']);
    expect(stderr).toMatch(/^train\.py: error: \S+state\.safetensors is damaged, or no checkpoint .*\n$/);
    expect(status).toBe(2);
  }
});

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
  for (const [setting, said] of [['memory low', 'memory low']] as const) {
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
