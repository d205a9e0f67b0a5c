import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { evaluate } from '../../src/tensor/index.js';
import { shownStates, traineeOf } from '../../src/train/index.js';
import { drawMixing, mixedImages, mixedNumbers } from '../../src/train/mixing.js';
import { randomStream } from '../../src/train/random.js';
import { networkFrom, stepFeeds, tinyModel } from '../support/train.js';

const plain = { flip: false, crop: 0 };
const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

it('mixup: every value is λ of its own and 1 − λ of its partner’s, all frames of a recording alike', () => {
  const images = tensor('f32', [4, 3], [1, 2, 3, 10, 20, 30, 5, 6, 7, 50, 60, 70]);
  // two samples of two frames, time slowest
  const mixed = mixedImages(images, { partners: Int32Array.of(1, 0), share: 0.75 });
  const expected = [1, 2, 3, 10, 20, 30, 5, 6, 7, 50, 60, 70].map((own, at) => {
    const partner = images.data[(at % 6) + (at % 6 < 3 ? 3 : -3) + 6 * Math.floor(at / 6)]!;
    return Math.fround(0.75 * own + 0.25 * partner);
  });
  expect([...mixed.data]).toEqual(expected);
  const numbers = mixedNumbers(tensor('f32', [2, 2], [1, 2, 5, 6]), { partners: Int32Array.of(1, 0), share: 0.75 });
  expect([...numbers.data]).toEqual([2, 3, 4, 5]);
});

it('cutmix: a rectangle of the partner in all channels, and λ is the share that is left', () => {
  const [n, channels, rows, columns] = [6, 2, 5, 7];
  const size = channels * rows * columns;
  const images = tensor('f32', [n, channels, rows, columns], count(n * size));
  const random = randomStream('cut');
  const shares = new Set<number>();
  for (let draw = 0; draw < 50; draw++) {
    const mixing = drawMixing({ ...plain, cutmix: 1 }, n, [channels, rows, columns], random)!;
    const { data } = mixedImages(images, mixing);
    for (let i = 0; i < n; i++) {
      const from = mixing.partners[i]!;
      const foreign = count(size).filter((k) => {
        expect([i * size + k, from * size + k]).toContain(data[i * size + k]);
        return from !== i && data[i * size + k] === from * size + k;
      });
      if (from === i) continue;
      expect(1 - foreign.length / size).toBeCloseTo(mixing.share, 12);
      const ys = new Set(foreign.map((k) => Math.floor(k / columns) % rows));
      const xs = new Set(foreign.map((k) => k % columns));
      expect(ys.size * xs.size * channels).toBe(foreign.length);
    }
    shares.add(mixing.share);
  }
  expect(shares.size).toBeGreaterThan(5);
});

it.each([0.2, 1, 4])('shares have the mean and variance of Beta(α, α): α = %d', (alpha) => {
  const random = randomStream('beta', alpha);
  const shares = Array.from({ length: 4000 }, () => drawMixing({ ...plain, mixup: alpha }, 2, [1], random)!.share);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(variance * 4 * (2 * alpha + 1)).toBeGreaterThan(0.93);
  expect(variance * 4 * (2 * alpha + 1)).toBeLessThan(1.07);
});

it.each([{ kind: 'cross_entropy', smoothing: 0.1 } as const, { kind: 'tet' } as const, { kind: 'mse' } as const])(
  'the loss of mixed samples is λ of that with their own classes and 1 − λ of that with their partners’: $kind',
  (loss) => {
    const network = networkFrom(tinyModel());
    const optimizer = { kind: 'sgd' } as const;
    const alone = traineeOf(network, { loss, optimizer });
    const mixed = traineeOf(network, { loss, optimizer, augment: { ...plain, mixup: 0.2 } });
    const feeds = stepFeeds(alone, 4);
    const partners = tensor('i32', [4], [2, 2, 0, 1]);
    const lossOf = (labels: (typeof feeds)[string]) =>
      evaluate(alone.step.program, { ...feeds, labels })['loss']!.data[0]!;
    const found = evaluate(mixed.step.program, {
      ...feeds,
      'labels.partners': partners,
      'labels.share': tensor('f32', [], [0.75]),
    });
    expect(found['loss']!.data[0]).toBeCloseTo(0.75 * lossOf(feeds['labels']!) + 0.25 * lossOf(partners), 5);
    expect(lossOf(partners)).not.toBeCloseTo(lossOf(feeds['labels']!), 2);
  },
);

it('an average keeps its share d at each step, of weights and running statistics, and is what is shown', () => {
  const network = networkFrom(tinyModel());
  const settings = { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'adam' } } as const;
  const plainly = traineeOf(network, settings);
  const averaged = traineeOf(network, { ...settings, average: 0.75 });
  let [a, b] = [stepFeeds(plainly, 3), stepFeeds(averaged, 3)];
  const names = ['output.conv.weight', 'output.batchnorm.mean'];
  const wanted = new Map(names.map((name) => [name, [...a[name]!.data]]));
  for (let step = 1; step <= 3; step++) {
    const clock = { step: tensor('f32', [], [step]) };
    const [left, right] = [
      evaluate(plainly.step.program, { ...a, ...clock }),
      evaluate(averaged.step.program, { ...b, ...clock }),
    ];
    a = { ...a, ...Object.fromEntries(plainly.step.states.map(({ id }) => [id, left[`next.${id}`]!])) };
    b = { ...b, ...Object.fromEntries(averaged.step.states.map(({ id }) => [id, right[`next.${id}`]!])) };
    for (const name of names) {
      expect([...b[name]!.data]).toEqual([...a[name]!.data]);
      wanted.set(
        name,
        wanted.get(name)!.map((value, i) => 0.75 * value + 0.25 * a[name]!.data[i]!),
      );
    }
  }
  const shown = shownStates(new Map(averaged.step.states.map(({ id }) => [id, b[id]!])));
  for (const name of names) {
    const found = [...shown.get(name)!.data];
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted.get(name)![i]!, 5));
    expect(found).not.toEqual([...b[name]!.data]);
  }
});

it('factors multiply the learning rate and the decay of their parameters alone', () => {
  const network = networkFrom(tinyModel());
  const settings = { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd', weightDecay: 0.1 } } as const;
  const factors = { 'output.linear.weight': { rate: 0.25, decay: 0 } };
  const usual = traineeOf(network, settings);
  const feeds = stepFeeds(usual, 3);
  const changes = (trainee: typeof usual, name: string): number[] => {
    const next = evaluate(trainee.step.program, feeds)[`next.${name}`]!.data;
    return Array.from(next, (value, i) => value - feeds[name]!.data[i]!);
  };
  const own = traineeOf(network, { ...settings, factors });
  expect(changes(own, 'output.conv.weight')).toEqual(changes(usual, 'output.conv.weight'));
  const undecayed = traineeOf(network, { ...settings, optimizer: { kind: 'sgd' } });
  const expected = changes(undecayed, 'output.linear.weight').map((change) => change / 4);
  changes(own, 'output.linear.weight').forEach((change, i) => expect(change).toBeCloseTo(expected[i]!, 6));
  expect(changes(undecayed, 'output.linear.weight')).not.toEqual(changes(usual, 'output.linear.weight'));
});
