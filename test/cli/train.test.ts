import { expect, it } from 'vitest';
import { diagnostic } from '../../src/base/diagnostics/index.js';
import { spikec } from './fake.js';
import type { Interrupt } from '../../src/cli/session.js';
import type { EpochRecord } from '../../src/train/index.js';
import type { TrainOptions, TrainResult } from '../../src/commands/train.js';

const record: EpochRecord = {
  epoch: 1,
  loss: 0.25,
  accuracy: 0.9,
  val_accuracy: 0.875,
  rate: 0.1,
  firing: { a: 0.125, b: 0.25 },
  seconds: 2,
};
const result: TrainResult = {
  done: 1,
  best: { epoch: 1, accuracy: 0.875, validated: true, folder: 'runs/tiny/best' },
  last: { epoch: 1, accuracy: 0.875 },
  run: 'runs/tiny',
  data: 'mnist:train',
  stopped: 'epochs',
  engine: 'fused',
};

it('a training prints a line per epoch and where its run folder is', async () => {
  let given: TrainOptions | undefined;
  const args = [
    'train',
    'tiny.spike#a',
    '--epochs',
    '1',
    '--seed',
    '7',
    '--resume',
    '-o',
    'runs/tiny',
    '--data',
    'mnist:train',
  ];
  const { code, out, err } = await spikec(args, {
    trainTarget: (target, options) => {
      expect(target).toEqual({ path: 'tiny.spike', config: 'a' });
      given = options;
      options.onEngine?.('fused');
      options.onEpoch?.(record);
      return Promise.resolve({ value: result, diagnostics: [] });
    },
  });
  expect(given).toMatchObject({ epochs: 1, seed: 7, resume: true, run: 'runs/tiny', data: 'mnist:train' });
  expect(given).not.toHaveProperty('limit');
  expect(code).toBe(0);
  expect(err).toBe('engine fused\n');
  expect(out).toBe(
    'epoch 1  loss 0.2500  training accuracy 90.00 %  validation 87.50 %  firing 0.125–0.250  2.0 s\n' +
      'best epoch 1: validation 87.50 %, in runs/tiny\nrun folder runs/tiny\n' +
      'Next: spikec eval runs/tiny --data mnist:test\n',
  );
});

it('--json prints one document a line: each epoch, then the end', async () => {
  const { out } = await spikec(['train', 'tiny.spike', '--json'], {
    trainTarget: (_, options) => {
      options.onEpoch?.(record);
      return Promise.resolve({ value: result, diagnostics: [] });
    },
  });
  const lines = out.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([record, { ...result, diagnostics: [] }]);
});

it('--json gives diagnostics of a training that fails as its last line', async () => {
  const { code, out } = await spikec(['train', 'tiny.spike', '--json'], {
    trainTarget: (_, options) => {
      options.onEpoch?.(record);
      const args = { epoch: 2, step: 3, layer: 'a', what: 'the values of a' };
      return Promise.resolve({ diagnostics: [diagnostic('train/diverged', args)] });
    },
  });
  expect(code).toBe(1);
  const lines = out.trim().split('\n');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[1]!)).toMatchObject({ diagnostics: [{ code: 'train/diverged' }] });
});

it('after an early stop it says where the best and the last weights lie, and evaluates the best', async () => {
  const { out } = await spikec(['train', 'tiny.spike', '--data-dir', 'my data'], {
    trainTarget: () =>
      Promise.resolve({
        value: {
          ...result,
          done: 9,
          best: { epoch: 7, accuracy: 0.982, validated: true, folder: 'runs/tiny-2/best' },
          last: { epoch: 9, accuracy: 0.979 },
          run: 'runs/tiny-2',
          stopped: 'patience',
        },
        diagnostics: [],
      }),
  });
  expect(out).toBe(
    'best epoch 7: validation 98.20 %, in runs/tiny-2/best\n' +
      'last epoch 9: validation 97.90 %, in runs/tiny-2; stopped early, as no epoch was better for a while\n' +
      "run folder runs/tiny-2\nNext: spikec eval runs/tiny-2/best --data mnist:test --data-dir 'my data'\n",
  );
});

it('without images held back the accuracy is called that of the training; of a file the data to evaluate is open', async () => {
  const best = { epoch: 1, accuracy: 0.9, validated: false, folder: 'runs/tiny/best' };
  const { out } = await spikec(['train', 'tiny.spike'], {
    trainTarget: () => Promise.resolve({ value: { ...result, best, data: 'npz:a.npz' }, diagnostics: [] }),
  });
  expect(out).toContain('best epoch 1: training accuracy 90.00 %');
  expect(out).toContain('Next: spikec eval runs/tiny --data DATA\n');
});

it('a warning of a layer is shown when it comes, once, and is part of the JSON', async () => {
  const warning = diagnostic('train/dead-layer', { layers: ['a'], epoch: 1, rate: 0 });
  const { out, err } = await spikec(['train', 'tiny.spike', '--json'], {
    trainTarget: (_, options) => {
      options.onWarning?.(warning);
      return Promise.resolve({ value: result, diagnostics: [warning] });
    },
  });
  expect(err.match(/train\/dead-layer/g)).toHaveLength(1);
  expect(JSON.parse(out)).toMatchObject({ diagnostics: [{ code: 'train/dead-layer' }] });
});

it('one that is ended from outside says what is lost, what is kept, and how to go on', async () => {
  const interrupt: Interrupt = {};
  const said: string[] = [];
  const args = ['train', 'my net.spike#a', '--epochs', '5', '--seed', '7', '--data', 'mnist:train', '--json'];
  await spikec(
    args,
    {
      trainTarget: (_, options) => {
        said.push(interrupt.say!());
        options.onRun?.('runs/a-2', 0, undefined);
        options.onEpoch?.(record);
        options.onProgress?.({ phase: 'epoch 2/5', done: 640, total: 54_000, unit: 'images' });
        said.push(interrupt.say!());
        return Promise.resolve({ value: result, diagnostics: [] });
      },
    },
    interrupt,
  );
  expect(said).toEqual([
    'interrupted before anything was written\n',
    'interrupted in epoch 2/5, 640 of 54,000 images: what the running epoch did is lost, 1 epoch is kept in runs/a-2\n' +
      "To go on: spikec train 'my net.spike#a' --data mnist:train --epochs 5 --seed 7 -o runs/a-2 --resume\n",
  ]);
  expect(interrupt.say).toBeUndefined();
});

it('Ctrl-C between steps asks the training to stop, which says what is kept of the epoch and ends with 130', async () => {
  const interrupt: Interrupt = {};
  const asked: (boolean | undefined)[] = [];
  const { code, err, out } = await spikec(
    ['train', 'net.spike', '--checkpoint-every', '50', '-o', 'a'],
    {
      trainTarget: (_, options) => {
        expect(options.checkpointEvery).toBe(50);
        asked.push(interrupt.ask?.());
        options.onRun?.('a', 0, undefined);
        options.onProgress?.({ phase: 'compiling the training step', done: 0, silent: true });
        asked.push(interrupt.ask?.());
        options.onProgress?.({ phase: 'epoch 1/5', done: 640, total: 54_000, unit: 'images' });
        expect(options.stopping!()).toBe(false);
        asked.push(interrupt.ask?.());
        expect(options.stopping!()).toBe(true);
        options.onCheckpoint?.({ epoch: 1, step: 1001 });
        return Promise.resolve({ value: { ...result, stopped: 'asked' }, diagnostics: [] });
      },
    },
    interrupt,
  );
  expect(asked).toEqual([false, false, true]);
  expect(code).toBe(130);
  expect(out).toBe('');
  expect(err).toContain('stopping behind this step (Ctrl-C again: at once)\n');
  expect(err).toContain(
    'interrupted in epoch 1/5, 640 of 54,000 images: the first 1,001 steps of the running epoch are kept, no epoch was done yet\n' +
      'To go on: spikec train net.spike --checkpoint-every 50 -o a --resume\n',
  );
});

it('the engine torch isn’t asked: it keeps whole epochs', async () => {
  const interrupt: Interrupt = {};
  await spikec(
    ['train', 'net.spike', '--engine', 'torch'],
    {
      trainTarget: (_, options) => {
        options.onRun?.('a', 1, undefined);
        options.onProgress?.({ phase: 'epoch 2/5', done: 640, total: 54_000, unit: 'images' });
        expect(interrupt.ask?.()).toBe(false);
        return Promise.resolve({ value: result, diagnostics: [] });
      },
    },
    interrupt,
  );
});
