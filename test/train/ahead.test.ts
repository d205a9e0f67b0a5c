import { expect, it } from 'vitest';
import { engineNamed, type Engine } from '../../src/engines/index.js';
import { Samples, trainLoop, traineeOf } from '../../src/train/index.js';
import { trainSettings } from '../../src/workspace/train-settings.js';
import { configFrom, networkFrom, tinyModel } from '../support/train.js';
import { pictures } from '../support/torch-training.js';

it('the next batch is read while a step runs; none is read behind the last', async () => {
  const text = tinyModel({ train: 'optimizer sgd(lr: 0.1)  batch 4  epochs 2' });
  const { settings } = trainSettings(configFrom(text), {});
  const trainee = traineeOf(networkFrom(text), settings);
  const set = pictures([1, 8, 8], 12);
  let reads = 0;
  const read: typeof set.read = (start, n) => {
    reads += n;
    return set.read(start, n);
  };
  const samples = Samples.load({ ...set, read }, 12, settings.normalisation, { memory: 0 });
  const begun: number[] = [];
  const ended: number[] = [];
  const base = engineNamed('onnxruntime')!;
  const engine: Engine = {
    name: base.name,
    open: async (program, options) => {
      const opened = await base.open(program, options);
      if (options?.states === undefined) return opened;
      const step: typeof opened.step = async (feeds) => {
        begun.push(reads);
        await new Promise((resolve) => setTimeout(resolve, 20));
        ended.push(reads);
        return opened.step(feeds);
      };
      return { ...opened, step };
    },
  };
  reads = 0;
  const perEpoch: number[] = [];
  await trainLoop({
    trainee,
    samples,
    settings,
    engine,
    onEpoch: () => void perEpoch.push(reads),
    now: () => 0,
    placeOf: () => undefined,
  });
  // 4, 8 and 12 images for three steps, then those that firing is measured on
  expect(begun.slice(0, 3)).toEqual([4, 8, 12]);
  expect(ended.slice(0, 3)).toEqual([8, 12, 12]);
  expect(begun.slice(3).map((n) => n - perEpoch[0]!)).toEqual([4, 8, 12]);
});
