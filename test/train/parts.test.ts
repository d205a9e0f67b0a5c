import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import type { Dataset } from '../../src/data/index.js';
import { type Engine, engineNamed } from '../../src/engines/index.js';
import { evaluate } from '../../src/tensor/index.js';
import {
  checkpointBytes,
  Samples,
  learningRate,
  randomFeeds,
  randomFeedsOf,
  randomStream,
  shuffled,
  splitSamples,
  traineeOf,
} from '../../src/train/index.js';
import { nativeEngines } from '../support/native.js';
import { mixedImages, mixedNumbers } from '../../src/train/mixing.js';
import { movedObjects } from '../../src/train/placement.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { networkFrom, stepFeeds, tinyModel } from '../support/train.js';

describe('schedules', () => {
  it('constant, step and cosine', () => {
    expect(learningRate({ kind: 'constant', warmup: 0 }, 0.1, 7.5, 10)).toBe(0.1);
    const step = { kind: 'step', warmup: 0, every: 3, gamma: 0.1 } as const;
    expect([0, 2.9, 3, 6].map((at) => learningRate(step, 1, at, 9))).toEqual([1, 1, 0.1, 0.1 ** 2]);
    const cosine = { kind: 'cosine', warmup: 0, min: 0.2 } as const;
    expect([0, 5, 10].map((at) => learningRate(cosine, 1, at, 10))).toEqual([
      1,
      expect.closeTo(0.6, 12),
      expect.closeTo(0.2, 12),
    ]);
  });
  it('plateau divides it where losses stand still for longer than its patience (as ReduceLROnPlateau does)', () => {
    const schedule = { kind: 'plateau', warmup: 0, factor: 0.5, patience: 1, min: 0.02 } as const;
    const losses = [1, 0.9, 0.95, 0.9, 0.8, 0.9, 0.9, 0.7, 0.9, 0.9, 0.9, 0.9];
    // torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5, patience=1, min_lr=0.02) after each of these losses
    const expected = [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.02, 0.02, 0.02];
    expected.forEach((rate, i) =>
      expect(learningRate(schedule, 0.1, i + 1, 20, losses.slice(0, i + 1))).toBeCloseTo(rate, 12),
    );
  });
  it('milestones multiply at each of their epochs', () => {
    const spec = { kind: 'milestones', warmup: 1, at: [3, 6], gamma: 0.5 } as const;
    expect([1, 3.9, 4, 6.9, 7].map((at) => learningRate(spec, 1, at, 9))).toEqual([1, 1, 0.5, 0.5, 0.25]);
  });
  it('one cycle is that of PyTorch’s OneCycleLR of many steps', () => {
    const spec = { kind: 'one_cycle', warmup: 0, rise: 0.3, start: 25, end: 1e4 } as const;
    // of 100,001 steps of torch.optim.lr_scheduler.OneCycleLR(max_lr=0.4)
    const theirs = [0.016, 0.20800703733174686, 0.39999999990130636, 0.3246947527461457, 0.11322237754783435, 1.6e-6];
    const ours = [0, 1.5, 3, 5, 7.5, 10].map((at) => learningRate(spec, 0.4, at, 10));
    ours.forEach((rate, i) => expect(Math.abs(rate - theirs[i]!)).toBeLessThan(2e-5));
    expect(ours[5]).toBeCloseTo(1.6e-6, 12);
  });
  it('warm-up rises in a straight line and then the schedule begins', () => {
    const spec = { kind: 'cosine', warmup: 2, min: 0 } as const;
    expect(learningRate(spec, 1, 0.5, 10)).toBeCloseTo(0.25, 12);
    expect(learningRate(spec, 1, 2, 10)).toBe(1);
    expect(learningRate(spec, 1, 6, 10)).toBeCloseTo(0.5, 12);
    expect(learningRate(spec, 1, 0, 10)).toBeGreaterThan(0);
  });
});

describe('randomness', () => {
  it('a shuffle is a permutation that depends on its keys alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.nat(), (count, seed) => {
        const order = shuffled(count, randomStream(seed, 'order', 1));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(shuffled(count, randomStream(seed, 'order', 1))).toEqual(order);
      }),
      { numRuns: 50 },
    );
    expect(shuffled(50, randomStream(1, 'order', 1))).not.toEqual(shuffled(50, randomStream(1, 'order', 2)));
  });
  it('numbers are uniform, and neighbouring keys unrelated', () => {
    const draw = (key: number): number[] => Array.from({ length: 4000 }, randomStream(key));
    const [a, b] = [draw(1), draw(2)];
    const mean = (values: number[]): number => values.reduce((x, y) => x + y, 0) / values.length;
    expect(mean(a)).toBeCloseTo(0.5, 1);
    expect(Math.abs(mean(a.map((x, i) => (x - 0.5) * (b[i]! - 0.5))))).toBeLessThan(0.01);
    expect(mean(Array.from({ length: 2000 }, (_, key) => randomStream(key)()))).toBeCloseTo(0.5, 1);
  });
  it('masks keep the mean: 1/(1 − rate) where a unit stays', () => {
    const input = { id: 'mask', shape: [{ batch: 1 }, 4000], kind: 'mask', dropped: 0.25 } as const;
    const { data } = randomFeeds([input], 2, 1)['mask']!;
    expect(data.length).toBe(8000);
    expect([...new Set(data)].sort()).toEqual([0, Math.fround(4 / 3)]);
    expect(Array.from(data).reduce((x, y) => x + y, 0) / 8000).toBeCloseTo(1, 1);
  });
  it('numbers of a sample are its own, whatever batch it is in, and so are those of each step', () => {
    const input = { id: 'n', shape: [{ batch: 2 }, 3], kind: 'uniform', dropped: 0 } as const;
    const numbers = (samples: readonly number[]) => Array.from(randomFeedsOf([input], samples, 1, 'eval')['n']!.data);
    const [all, alone] = [numbers([4, 5, 6]), numbers([5])];
    expect(alone).toEqual([...all.slice(3, 6), ...all.slice(12, 15)]);
    expect(new Set(all).size).toBe(18);
  });
  it('held back images and training images are all images', () => {
    const [training, held] = splitSamples(50, { validation: 0.2, seed: 1 });
    expect([training.length, held.length]).toEqual([40, 10]);
    expect(new Set([...training, ...held]).size).toBe(50);
  });
});

/** Two images of 2 channels, 3×4, whose pixels count up. */
function counted(shape: readonly number[], scale: number): Dataset {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    name: 'counted',
    shape,
    classes: 2,
    classesKnown: true,
    length: 2,
    scale,
    notes: [],
    read: (start, count) => ({
      count,
      images: Uint8Array.from({ length: count * size }, (_, i) => start * size + i + 1),
      labels: Int32Array.from({ length: count }, (_, i) => start + i),
    }),
    close: () => undefined,
  };
}

describe('samples', () => {
  const whole = Int32Array.of(1, 0);
  it('are scaled, normalised and put in order', () => {
    const samples = Samples.load(counted([2, 3, 4], 1), 2, { mean: [1, 2], std: [1, 2] });
    const { shape, data } = samples.images(whole);
    expect(shape).toEqual([2, 2, 3, 4]);
    expect([data[0], data[12], data[24]]).toEqual([24, 17.5, 0]);
    expect([...samples.truthOf(whole, samples.images(whole)).data]).toEqual([1, 0]);
  });
  it('a flip mirrors the rows, a crop moves the image over a border of zero pixels', () => {
    const samples = Samples.load(counted([1, 3, 4], 1), 1, { mean: [1], std: [1] });
    const always = (value: number) => (): number => value;
    const flipped = samples.images(Int32Array.of(0), { flip: true, crop: 0 }, always(0.1));
    expect([...flipped.data.subarray(0, 4)]).toEqual([3, 2, 1, 0]);
    const moved = samples.images(Int32Array.of(0), { flip: false, crop: 1 }, always(0.99));
    expect([...moved.data]).toEqual([5, 6, 7, -1, 9, 10, 11, -1, -1, -1, -1, -1]);
    const kept = samples.images(Int32Array.of(0), { flip: false, crop: 1 }, always(0.5));
    expect(kept.data).toEqual(samples.images(Int32Array.of(0)).data);
  });
  it('scale makes everything larger or smaller about the middle, interpolated linearly, with zeros around it', () => {
    const samples = Samples.load(counted([1, 1, 4], 1), 1, {});
    const seen = (value: number): number[] => [
      ...samples.images(Int32Array.of(0), { flip: false, crop: 0, scale: 0.5 }, () => value).data,
    ];
    // of 1 2 3 4, half as large: pixel i lies at 2·(i + 0.5 − 2) + 2 − 0.5 = −1.5, 0.5, 2.5, 4.5, and the row above at −0.5 … is it
    expect(seen(0)).toEqual([0, 1.5, 3.5, 0]);
    // 1.5 times as large: at 0.5, 1.1667, 1.8333, 2.5
    [1.5, 2 + 1 / 6, 2 + 5 / 6, 3.5].forEach((wanted, i) => expect(seen(0.9999999)[i]).toBeCloseTo(wanted, 5));
    expect(seen(0.5)).toEqual([1, 2, 3, 4]);
  });
  it('boxes and masks lie where a flip, a shift and a scale put what they are of', () => {
    const masked: Dataset = {
      ...counted([1, 4, 6], 1),
      targets: 24,
      read: (start, count) => ({
        ...counted([1, 4, 6], 1).read(start, count),
        targets: Float32Array.from({ length: count * 24 }, (_, i) => (start * 24 + i + 1) / 100),
      }),
    };
    const indices = Int32Array.of(0, 1);
    for (const augment of [
      { flip: true, crop: 0 },
      { flip: true, crop: 2 },
      { flip: false, crop: 3 },
    ]) {
      const samples = Samples.load(masked, 2, {}, { outputs: new Map([[undefined, [1, 4, 6]]]) });
      const { images, placements } = samples.placed(indices, augment, randomStream(2, `${augment.crop}`));
      const truth = samples.truthOf(indices, images, placements);
      expect([...truth.data].map((value) => Math.round(100 * value))).toEqual([...images.data]);
      expect(samples.truthOf(indices, images).data[2]).toBeCloseTo(0.03, 6);
    }
    // numbers that aren't of pixels stay
    const plain = Samples.load(masked, 2, {}, { outputs: new Map([[undefined, [24]]]) });
    const { images, placements } = plain.placed(indices, { flip: true, crop: 2 }, randomStream(2, 'x'));
    expect(plain.truthOf(indices, images, placements).data).toEqual(plain.truthOf(indices, images).data);

    // boxes by hand, in a frame of 20 rows and 40 columns
    const objects = Float32Array.of(3, 10, 4, 18, 12, -1, 0, 0, 0, 0, 1, 30, 0, 40, 20);
    const still = { dx: 0, dy: 0, mirrored: false, scale: 1 };
    const moved = (placement: object): number[] => [...movedObjects(objects, [20, 40], { ...still, ...placement })];
    expect(moved({})).toEqual([...objects]);
    expect(moved({ mirrored: true })).toEqual([3, 22, 4, 30, 12, -1, 0, 0, 0, 0, 1, 0, 0, 10, 20]);
    // what is seen lies 5 further to the right: boxes go to the left; the second is whole, and 6 rows of it are gone
    expect(moved({ dx: 5, dy: 6 })).toEqual([3, 5, 0, 13, 6, -1, 0, 0, 0, 0, 1, 25, 0, 35, 14]);
    // half as large about (20, 10)
    expect(moved({ scale: 0.5 })).toEqual([3, 15, 7, 19, 11, -1, 0, 0, 0, 0, 1, 25, 5, 30, 15]);
    // twice as large: the first is cut at the left to nothing of −20 + … = [0, −2 → 0, 16, 14], the second is out of it
    expect(moved({ scale: 2 })).toEqual([3, 0, 0, 16, 14, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0]);
    // less than a tenth is left of the first (dx 17: columns −7 … 1), and it is no object any more
    expect(moved({ dx: 17 }).slice(0, 5)).toEqual([-1, 0, 0, 0, 0]);
    expect(moved({ dx: 15 }).slice(0, 5)).toEqual([3, 0, 4, 3, 12]);
  });
  it('cutmix takes masks from where it takes pixels', () => {
    const images = { dtype: 'f32', shape: [2, 1, 2, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) } as const;
    const numbers = { dtype: 'f32', shape: [2, 4], data: images.data.map((x) => 10 * x) } as const;
    const mixing = { partners: Int32Array.of(1, 0), share: 0.5, box: { top: 0, left: 1, bottom: 2, right: 2 } };
    expect([...mixedImages(images, mixing).data]).toEqual([1, 6, 3, 8, 5, 2, 7, 4]);
    expect(mixedNumbers(numbers, mixing, [2, 2])).toEqual({
      ...numbers,
      data: Float32Array.of(10, 60, 30, 80, 50, 20, 70, 40),
    });
    expect([...mixedNumbers(numbers, mixing).data]).toEqual([30, 40, 50, 60, 30, 40, 50, 60]);
  });
  it('erase makes a rectangle 0 as it is normalised, of a share of the image between its bounds', () => {
    const samples = Samples.load(counted([2, 20, 30], 1), 1, { mean: [0.5], std: [1] });
    const whole = samples.images(Int32Array.of(0)).data;
    const random = randomStream(3, 'erase');
    const shares: number[] = [];
    for (let i = 0; i < 200; i++) {
      const augment = { flip: false, crop: 0, erase: { probability: 0.75, min: 0.1, max: 0.3 } };
      const { data } = samples.images(Int32Array.of(0), augment, random);
      const gone = [...data].flatMap((value, k) => (value === 0 && whole[k] !== 0 ? [k] : []));
      expect([...data].every((value, k) => value === 0 || value === whole[k])).toBe(true);
      shares.push(gone.length / whole.length);
      if (gone.length === 0) continue;
      const rows = new Set(gone.map((k) => Math.floor((k % 600) / 30)));
      const columns = new Set(gone.map((k) => k % 30));
      expect(gone.length).toBe(2 * rows.size * columns.size);
    }
    const erased = shares.filter((share) => share > 0);
    expect(erased.length).toBeGreaterThan(125);
    expect(erased.length).toBeLessThan(175);
    expect(Math.min(...erased)).toBeGreaterThan(0.08);
    expect(Math.max(...erased)).toBeLessThan(0.33);
  });
  it('jitter moves a recording in time, what is moved in is empty', () => {
    const samples = Samples.load({ ...counted([3, 1, 1, 2], 1), frames: true }, 1, {});
    const moved = (value: number) => [
      ...samples.images(Int32Array.of(0), { flip: false, crop: 0, jitter: 1 }, () => value).data,
    ];
    expect(moved(0)).toEqual([3, 4, 5, 6, 0, 0]);
    expect(moved(0.5)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(moved(0.9)).toEqual([0, 0, 1, 2, 3, 4]);
  });
  it('drop takes each event of a count with its probability, and leaves the sample in memory as it is', () => {
    const samples = Samples.load({ ...counted([2, 1, 10, 10], 1), frames: true }, 1, {});
    const whole = samples.images(Int32Array.of(0)).data;
    const random = randomStream(5, 'drop');
    const { data } = samples.images(Int32Array.of(0), { flip: false, crop: 0, drop: 0.25 }, random);
    const sum = (values: Float32Array): number => values.reduce((a, b) => a + b, 0);
    expect([...data].every((value, i) => value >= 0 && value <= whole[i]! && Number.isInteger(value))).toBe(true);
    expect(sum(data) / sum(whole)).toBeCloseTo(0.75, 1);
    expect(samples.images(Int32Array.of(0)).data).toEqual(whole);
  });
  it('event frames come with time first', () => {
    const samples = Samples.load(counted([2, 1, 1, 3], 1), 2, {});
    const { shape, data } = samples.images(Int32Array.of(0, 1));
    expect(shape).toEqual([4, 1, 1, 3]);
    expect([...data]).toEqual([1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12]);
  });
});

it('a checkpoint with a value that isn’t finite is not written', () => {
  const states = new Map([['w', tensor('f32', [2], [1, NaN])]]);
  const identity = { network: '', data: '', images: 1, settings: {} };
  const progress = { identity, epoch: 1, step: 1, records: [] };
  expectDiagnostic('train/not-finite', () => checkpointBytes({ states, progress }));
});

it('learned parameters of neurons stay in their range', () => {
  const declarations = `neuron Own(leak = learn(0.9, constraint: unit), theta = learn(0.01, constraint: positive)) {
    state u = 0  charge u = (1 - leak) * u + x  fire s = u >= theta  reset u = where(s, 0, u)  surrogate sigmoid(slope: 2) }`;
  const network = networkFrom(tinyModel({ neuron: 'Own', declarations }));
  const trainee = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd' } });
  const feeds = { ...stepFeeds(trainee, 3), learning_rate: tensor('f32', [], [1e4]) };
  const values = ['leak', 'theta'].map(
    (name) => evaluate(trainee.step.program, feeds)[`next.output.spike.${name}`]!.data[0]!,
  );
  expect(values[0]).toBeGreaterThanOrEqual(0.0009);
  expect(values[0]).toBeLessThanOrEqual(0.9991);
  expect(values[1]).toBeGreaterThanOrEqual(0.0009);
  const still = evaluate(trainee.step.program, { ...feeds, learning_rate: tensor('f32', [], [0]) });
  expect(still['next.output.spike.leak']!.data[0]).toBeCloseTo(0.9, 6);
});

it.each([1, 2, 3])('with `step_size max` the greatest weight has the highest code after each step: %i bits', (bits) => {
  const text = tinyModel({ train: `optimizer sgd(lr: 0.1) } bits { weights ${bits} step_size max` });
  const trainee = traineeOf(networkFrom(text), { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd' } });
  const feeds = stepFeeds(trainee, 3);
  const next = evaluate(trainee.step.program, feeds);
  for (const layer of ['output.conv', 'output.linear']) {
    const greatest = (data: ArrayLike<number>): number => Math.max(...Array.from(data, Math.abs));
    const highest = Math.max(1, 2 ** (bits - 1) - 1);
    const before = greatest(feeds[`${layer}.weight`]!.data);
    const after = greatest(next[`next.${layer}.weight`]!.data);
    expect(after).not.toBe(before);
    expect(feeds[`${layer}.weight_step`]!.data[0]).toBeCloseTo(before / highest, 6);
    expect(next[`next.${layer}.weight_step`]!.data[0]).toBeCloseTo(after / highest, 6);
  }
});

it('engines agree over 10 steps from the same seed', async () => {
  const network = networkFrom(tinyModel({ neuron: 'PLIF' }));
  const trainee = traineeOf(network, { loss: { kind: 'tet' }, optimizer: { kind: 'adam' } });
  const losses = async (engine: Engine): Promise<number[]> => {
    const executable = await engine.open(trainee.step.program, { threads: 1 });
    let feeds = stepFeeds(trainee, 6);
    const found: number[] = [];
    for (let i = 0; i < 10; i++) {
      const results = await executable.step({ ...feeds, step: tensor('f32', [], [i + 1]) });
      found.push(results['loss']!.data[0]!);
      feeds = { ...feeds, ...Object.fromEntries(trainee.step.states.map(({ id }) => [id, results[`next.${id}`]!])) };
    }
    await executable.dispose();
    return found;
  };
  const expected = await losses(engineNamed('onnxruntime')!);
  expect(expected.at(-1)).toBeLessThan(expected[0]!);
  for (const engine of [engineNamed('fused')!, engineNamed('tfjs-wasm')!, ...nativeEngines]) {
    const found = await losses(engine);
    found.forEach((loss, i) =>
      expect(Math.abs(loss / expected[i]! - 1), `${engine.name}, step ${i}`).toBeLessThan(1e-4),
    );
  }
});
