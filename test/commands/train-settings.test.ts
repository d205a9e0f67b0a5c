import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { decodeSafetensors } from '../../src/base/safetensors.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../support/tiny-training.js';

function workplace(
  settings: string,
  body = 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(3)',
) {
  const folder = temporaryFolder();
  const data = writeTinySet(folder);
  const model = join(folder, 'tiny.spike');
  writeFileSync(
    model,
    `use "spikec/neurons" { LIF }
     network Tiny { input image: real[1, 8, 8]  output ${body} }
     config tiny { network Tiny  neuron LIF  coding direct(2)
       train { data mnist  optimizer adam(lr: 1e-2, weight_decay: 1e-3)  batch 8  epochs 3  seed 3  ${settings.includes('validation') ? '' : 'validation 0.2'}  ${settings} } }`,
  );
  return { model, data, folder };
}

it.each([
  'augment [mixup, cutmix(alpha: 1)]',
  'average ema(decay: 0.9)',
  'groups [layers("output.conv", rate: 0.1, decay: 0)]',
  'normalize measured',
  'schedule one_cycle(warmup: 1)',
])('%s trains, and resumed after an epoch gives the numbers of an unbroken training', async (settings) => {
  const place = workplace(settings);
  const usual = await train(workplace(''), { run: join(place.folder, 'usual') });
  const whole = await train(place, { run: join(place.folder, 'whole') });
  expect(whole.codes).toEqual([]);
  expect(timeless(whole.records)).not.toEqual(timeless(usual.records));
  await train(place, {
    onEpoch: ({ epoch }) => {
      if (epoch === 1) throw new Error('interrupted');
    },
  }).catch((error: unknown) => expect(String(error)).toContain('interrupted'));
  const rest = await train(place, { resume: true });
  expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(1)));
  const weights = (run: string): Buffer => readFileSync(join(run, 'weights.safetensors'));
  expect(weights(rest.run).equals(weights(whole.run))).toBe(true);
});

it('the network of a run has the averages, and its checkpoint the weights beside them', async () => {
  const { run } = await train(workplace('average ema(decay: 0.9)'));
  const tensorsOf = (name: string) => decodeSafetensors(readFileSync(join(run, name)), name).value!.tensors;
  const [shown, states] = [tensorsOf('weights.safetensors'), tensorsOf('checkpoint/state.safetensors')];
  const name = 'output.conv.weight';
  expect([...shown.get(name)!.data]).toEqual([...states.get(`${name}.average`)!.data]);
  expect([...shown.get(name)!.data]).not.toEqual([...states.get(name)!.data]);
});

it('`normalize measured` writes the mean and deviation of the samples that are trained on', async () => {
  const place = workplace('normalize measured  validation 0');
  const { run } = await train(place);
  const pixels = readFileSync(join(place.folder, 'images.idx')).subarray(16);
  const values = Array.from(pixels, (pixel) => pixel / 255);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const { normalisation } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
    normalisation: { mean: number[]; std: number[] };
  };
  expect(normalisation.mean[0]).toBeCloseTo(mean, 5);
  expect(normalisation.std[0]).toBeCloseTo(std, 5);
});

it('mixed numbers are learned: an autoencoder and targets of a table', async () => {
  const auto = workplace('augment [mixup]  target reconstruction', 'image | flatten | linear(64)');
  expect((await train(auto)).records.at(-1)!.mae).toBeGreaterThan(0);
  const table = workplace('augment [mixup]', 'image | linear(4) | batchnorm | spike | linear(1)');
  const rows = Array.from({ length: 40 }, (_, i) => `${i / 40},${(i % 7) / 7},${1 - i / 40}`);
  const path = join(table.folder, 'table.csv');
  writeFileSync(path, `u,v,target\n${rows.join('\n')}\n`);
  writeFileSync(table.model, readFileSync(table.model, 'utf8').replace('real[1, 8, 8]', 'real[2]'));
  const { records } = await train({ ...table, data: `csv:${path}` });
  expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss);
});

it.each([
  ['groups [layers("none")]', 'model/pattern', /none/],
  ['groups [layers("output.conv", rate: 0)]', 'model/argument-type', /greater than 0/],
  ['average ema(decay: 0.9) } bits { weights 4', 'model/conflict', /`average` and `bits`/],
  ['augment [mixup(alpha: 0)]', 'model/argument-type', /0\.01/],
])('%s is refused', async (settings, code, message) => {
  const { diagnostics } = await train(workplace(settings));
  expect(diagnostics.map((one) => one.code)).toEqual([code]);
  expect(`${diagnostics[0]!.message} ${diagnostics[0]!.help}`).toMatch(message);
});

it('`cutmix` of rows of numbers is refused', async () => {
  const place = workplace('augment [cutmix]', 'image | linear(3)');
  writeFileSync(place.model, readFileSync(place.model, 'utf8').replace('real[1, 8, 8]', 'real[64]'));
  const { diagnostics } = await train(place);
  expect(diagnostics[0]).toMatchObject({ code: 'model/conflict', help: '`mixup` takes any input' });
});

it.each([
  ['normalize measured', /`normalize measured`/],
  ['memory low', /`memory low`/],
])('PyTorch’s train.py is left out by name: %s', async (settings, message) => {
  const { model, folder } = workplace(settings);
  const { diagnostics } = await driver.compileTarget({ path: model }, { emit: ['torch'], outDir: join(folder, 'out') });
  expect(diagnostics.map((one) => one.code)).toEqual(['torch/left-out']);
  expect(diagnostics[0]!.message).toMatch(message);
});

it('a folder of tables trains and evaluates as a time series', async () => {
  const { model, folder } = workplace('', 'image | linear(8) | batchnorm | spike | linear(2)');
  writeFileSync(
    model,
    readFileSync(model, 'utf8')
      .replace('real[1, 8, 8]', 'real[2]')
      .replace('coding direct(2)', 'coding events(steps: 3)'),
  );
  for (const label of [0, 1]) {
    mkdirSync(join(folder, 'series', String(label)), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const rows = [0, 1, 2].map((t) => `${label === 0 ? t : 2 - t},${(i % 5) / 5}`);
      writeFileSync(join(folder, 'series', String(label), `${i}.csv`), `a,b\n${rows.join('\n')}\n`);
    }
  }
  const { value, diagnostics } = await train({ model, folder, data: `csv:${join(folder, 'series')}` }, { epochs: 8 });
  expect(diagnostics).toEqual([]);
  expect(value!.best.accuracy).toBeGreaterThan(0.9);
});
