import { expect, it } from 'vitest';
import { diagnostic } from '../../src/base/diagnostics/index.js';
import { spikec } from './fake.js';
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
  best: { epoch: 1, accuracy: 0.875 },
  run: 'runs/tiny',
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
    'epoch 1  loss 0.2500  accuracy 90.00 %  validation 87.50 %  firing 0.125–0.250  2.0 s\n' +
      'best epoch 1: 87.50 %\nrun folder runs/tiny\n',
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
      const args = { epoch: 2, step: 3, op: 'a.log', kind: 'log', layer: 'a' };
      return Promise.resolve({ diagnostics: [diagnostic('train/diverged', args)] });
    },
  });
  expect(code).toBe(1);
  const lines = out.trim().split('\n');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[1]!)).toMatchObject({ diagnostics: [{ code: 'train/diverged' }] });
});
