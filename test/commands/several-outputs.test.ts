import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { present } from '../../src/base/invariant.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { lower } from '../../src/lower/program/index.js';
import { autodiff, evaluate, paramsAsInputs } from '../../src/tensor/index.js';
import { traineeOf } from '../../src/train/index.js';
import { Findings } from '../../src/workspace/findings.js';
import { plannedTraining } from '../../src/workspace/planned-training.js';
import { type Arrays, integers, writeNpz } from '../support/npz.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train } from '../support/tiny-training.js';
import { configFrom, forwardFeeds } from '../support/train.js';
import { random } from '../tensor/cases.js';

const losses =
  'loss cross_entropy(of: kind) + 0.5 * huber(of: weight, delta: 0.3) + 2 * mse(of: picture, target: reconstruction)';

function modelOf(train: string, outputs?: string): string {
  return `use "spikec/neurons" { LIF, LI }
    network Heads {
      input image: real[1, 4, 4]
      h = image | flatten | linear(24) | spike
      ${
        outputs ??
        `output kind    = h | linear(3)
         output weight  = h | linear(2) | readout(last)
         output picture = h | linear(16) | spike(LI) | readout(sum)`
      }
    }
    config heads {
      network Heads  neuron LIF(theta: 0.5)  coding direct(3)
      train { optimizer adam(lr: 1e-2)  batch 8  epochs 3  seed 2  validation 0.2  ${train} }
    }`;
}

/** 60 images of 4×4, bars left or on top, and where there are none; what they show, and two numbers that follow from them. */
function arraysOf(change: (arrays: Arrays) => Arrays = (same) => same): Arrays {
  const next = random(4);
  const pixels = Uint8Array.from({ length: 60 * 16 }, (_, i) => {
    const [kind, x, y] = [Math.floor(i / 16) % 3, i % 4, Math.floor(i / 4) % 4];
    return ([x < 2, y < 2, false][kind]! ? 200 : 0) + Math.floor(40 * next());
  });
  const sums = Array.from(
    { length: 60 },
    (_, i) => pixels.subarray(16 * i, 16 * i + 16).reduce((a, b) => a + b, 0) / 4080,
  );
  return change({
    images: { shape: [60, 4, 4], data: pixels },
    kind: { shape: [60], data: integers(sums.map((_, i) => i % 3)) },
    weight: { shape: [60, 2], data: Float32Array.from(sums.flatMap((sum) => [sum, 1 - sum])) },
  });
}

function place(settings = losses, { outputs, change }: { outputs?: string; change?: (arrays: Arrays) => Arrays } = {}) {
  const folder = temporaryFolder();
  const model = join(folder, 'heads.spike');
  writeFileSync(model, modelOf(settings, outputs));
  return { folder, model, data: writeNpz(join(folder, 'data.npz'), arraysOf(change)) };
}

it('the loss of several outputs is the sum of theirs, each times its factor, and so is its gradient', () => {
  const planned = plannedTraining(configFrom(modelOf(losses)), { data: 'x:train' }, new Findings());
  const trainee = traineeOf(planned.network, planned.settings);
  const feeds = forwardFeeds(trainee.lowered, 4);
  const image = feeds[trainee.lowered.feeds.image.id]!;
  const weights = [0.1, 0.9, -2, 0.4, 0.3, 0.2, 0.5, 0.6];
  const fed = {
    ...feeds,
    labels: tensor('i32', [4], [0, 2, 1, 1]),
    'labels weight': tensor('f32', [4, 2], weights),
    'labels picture': tensor('f32', [4, 16], [...image.data]),
  };
  const { program } = trainee.lowered;
  const found = evaluate(program, fed);
  // the outputs by the program of inference (there is nothing in it that trains otherwise), the losses by hand
  const outputs = evaluate(lower(planned.network).program, { [trainee.lowered.feeds.image.id]: image });
  const rows = (n: number, width: number): number[][] =>
    [0, 1, 2, 3].map((i) => [...outputs[String(n)]!.data.slice(i * width, (i + 1) * width)]);
  const crossEntropy = rows(0, 3).map(
    (z, i) => Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0)) - z[[0, 2, 1, 1][i]!]!,
  );
  const huber = rows(1, 2)
    .flat()
    .map((z, i) => {
      const d = Math.abs(z - weights[i]!);
      return d <= 0.3 ? (d * d) / 2 : 0.3 * (d - 0.15);
    });
  const squares = rows(2, 16)
    .flat()
    .map((z, i) => (z - image.data[i]!) ** 2);
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  expect(found['loss']!.data[0]).toBeCloseTo(mean(crossEntropy) + 0.5 * mean(huber) + 2 * mean(squares), 4);
  const right = rows(0, 3).filter((z, i) => z.indexOf(Math.max(...z)) === [0, 2, 1, 1][i]).length;
  expect(found['correct']!.data[0]).toBe(right);
  const off = rows(1, 2).map((z, i) => (Math.abs(z[0]! - weights[2 * i]!) + Math.abs(z[1]! - weights[2 * i + 1]!)) / 2);
  expect(found['error weight']!.data[0]).toBeCloseTo(4 * mean(off), 4);
  // of a bias behind the neurons the loss is smooth: finite differences
  const bias = 'weight.linear.bias';
  const opened = paramsAsInputs(program, [bias]);
  const first = present(trainee.step.states.find(({ id }) => id === bias)?.initial, bias);
  const grads = evaluate(autodiff(opened, opened.outputs['loss']!, [bias]).program, { ...fed, [bias]: first });
  const moved = (by: number): number => {
    const data = Array.from(first.data, (v, i) => v + (i === 1 ? by : 0));
    return evaluate(opened, { ...fed, [bias]: tensor('f32', first.shape, data) })['loss']!.data[0]!;
  };
  expect((moved(0.01) - moved(-0.01)) / 0.02).toBeCloseTo(grads[`grad.${bias}`]!.data[1]!, 3);
  expect(Math.abs(grads[`grad.${bias}`]!.data[1]!)).toBeGreaterThan(0.01);
});

it('labels are found by the outputs’ names, and every output has its figures in the log, in eval and in the report', async () => {
  const { folder, model, data } = place();
  const whole = await train({ folder, model, data }, { run: join(folder, 'whole') });
  expect(whole.codes).toEqual([]);
  const last = whole.records.at(-1)!;
  expect(Object.keys(last.outputs!)).toEqual(['kind', 'weight', 'picture']);
  expect(last.outputs!['kind']).toMatchObject({ accuracy: last.accuracy, val_accuracy: last.val_accuracy });
  expect(last.outputs!['weight']!.mae).toBeLessThan(whole.records[0]!.outputs!['weight']!.mae!);
  const { kind, weight, picture } = last.outputs!;
  expect(last.val_loss).toBeCloseTo(kind!.val_loss! + 0.5 * weight!.val_loss! + 2 * picture!.val_loss!, 9);
  expect(readFileSync(join(whole.run, 'log.csv'), 'utf8').split('\n')[0]).toContain('outputs/picture/val_mae');

  const dataset = openDataset(data);
  const evaluated = await driver.evaluateTarget({ path: whole.run }, { dataset, normalisation: {}, confusion: true });
  const { outputs = [], accuracy } = evaluated.value!;
  expect(outputs.map(({ name }) => name)).toEqual(['kind', 'weight', 'picture']);
  expect(outputs[0]!.accuracy).toBe(accuracy);
  expect(outputs[0]!.confusion!.flat().reduce((a, b) => a + b, 0)).toBe(60);
  expect(outputs[1]!.regression!.mae).toBeGreaterThan(0);
  expect(outputs[2]!.regression!.outputs).toHaveLength(16);
  const outFile = join(folder, 'report.html');
  await driver.reportTargets([{ path: whole.run }], { dataset, normalisation: {}, outFile, title: 'heads' } as never);
  const page = readFileSync(outFile, 'utf8');
  expect(page).toContain(String(Number(outputs[1]!.regression!.mae.toPrecision(5))));

  await train(
    { folder, model, data },
    {
      onEpoch: ({ epoch }) => {
        if (epoch === 1) throw new Error('interrupted');
      },
    },
  ).catch((error: unknown) => expect(String(error)).toContain('interrupted'));
  const rest = await train({ folder, model, data }, { resume: true });
  expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(1)));
  // a compiled folder knows which output is compared with the input
  const compiled = join(folder, 'compiled');
  await driver.compileTarget({ path: model }, { emit: ['ir'], outDir: compiled });
  const again = await driver.evaluateTarget({ path: compiled }, { dataset, normalisation: {} });
  expect(again.value!.outputs![2]!.regression).toBeDefined();
});

it('without `loss` each output has the usual one of its labels; samples are mixed for all of them', async () => {
  const outputs = 'output kind = h | linear(3)  output weight = h | linear(2)';
  const { value, codes, records } = await train(place('augment [mixup(alpha: 0.4)]', { outputs }));
  expect(codes).toEqual([]);
  expect(value!.done).toBe(3);
  expect(records[0]!.outputs!['weight']!.val_loss).toBeGreaterThan(0);
});

const two = 'output kind = h | linear(3)  output weight = h | linear(2)';
const without =
  (name: string) =>
  (arrays: Arrays): Arrays =>
    Object.fromEntries(Object.entries(arrays).filter(([key]) => key !== name));
it.each([
  [
    'an output without a name',
    '',
    { outputs: 'output kind = h | linear(3)  output h | linear(2)' },
    'model/graph-form',
    /has no name/,
  ],
  ['a loss of no output', 'loss mse(of: wieght)', { outputs: two }, 'model/unknown-name', /wieght/],
  [
    'an output without a loss',
    'loss cross_entropy(of: kind)',
    { outputs: two },
    'train/output-without-loss',
    /`weight`/,
  ],
  [
    'an output without labels',
    '',
    { outputs: two, change: without('weight') },
    'train/output-without-labels',
    /`weight`.*labels kind/,
  ],
  ['a first output without labels', '', { outputs: two, change: without('kind') }, 'data/bad-npz', /no array "labels"/],
  [
    'other numbers',
    '',
    { outputs: 'output kind = h | linear(3)  output weight = h | linear(4)' },
    'data/target-mismatch',
    /2 numbers/,
  ],
  [
    'too few classes',
    '',
    { outputs: 'output weight = h | linear(2)  output kind = h | linear(2)' },
    'data/class-mismatch',
    /3 classes/,
  ],
  [
    'classes of numbers',
    'loss cross_entropy(of: weight) + cross_entropy',
    { outputs: two },
    'train/loss-needs-classes',
    /cross_entropy/,
  ],
  [
    'weights of another count',
    'loss cross_entropy + bce(of: weight, weights: [1])',
    { outputs: two },
    'train/loss-weights',
    /1 weight/,
  ],
  [
    'labels and the input at once',
    'loss cross_entropy + mse(of: weight) + mse(of: weight, target: reconstruction)',
    { outputs: two },
    'model/conflict',
    /`weight`/,
  ],
  [
    'a picture of another size',
    'loss cross_entropy + mse(of: weight, target: reconstruction)',
    { outputs: two },
    'data/target-mismatch',
    /16/,
  ],
] as const)('%s is refused', async (_, settings, network, code, message) => {
  const { value, diagnostics } = await train(place(settings, network));
  expect(value).toBeUndefined();
  expect(diagnostics[0]!.code).toBe(code);
  expect(diagnostics[0]!.message).toMatch(message);
});

it('train.py of PyTorch knows no several outputs', async () => {
  const { model, folder } = place();
  const { diagnostics } = await driver.compileTarget({ path: model }, { emit: ['torch'], outDir: join(folder, 'out') });
  expect(diagnostics.map((one) => one.code)).toContain('torch/lowered');
  expect(diagnostics.map((one) => one.message).join()).toMatch(/second output/);
});
