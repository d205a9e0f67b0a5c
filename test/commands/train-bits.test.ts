import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../support/tiny-training.js';

const learned = `
  weights learn(init: 4, max: 6, target: 2, penalty: 0.5, rate: 0.3)
  spikes  learn(init: 4, max: 4, target: 2, penalty: 0.5, rate: 0.3)
  steps   learn(init: 2, max: 3, target: 1, penalty: 0.3, rate: 0.2)`;

interface Setup {
  readonly bits?: string;
  readonly coding?: string;
  readonly neuron?: string;
  readonly settings?: string;
  readonly declarations?: string;
  /** What is pooled and classified. */
  readonly classified?: string;
}

function workplace({ bits = learned, coding = 'direct(steps: 1)', neuron = 'Refined', ...setup }: Setup = {}) {
  const {
    settings = 'optimizer sgd(lr: 0.05, momentum: 0.9)  batch 10  epochs 4  seed 3',
    declarations = '',
    classified = 'a + b',
  } = setup;
  const folder = temporaryFolder();
  const data = writeTinySet(folder);
  const model = join(folder, 'tiny.spike');
  writeFileSync(
    model,
    `use "spikec/neurons" { LIF, MBLIF, Refined }
     ${declarations}
     network Tiny {
       input image: real[1, 8, 8]
       a = image | conv(4, kernel: 3) | batchnorm | spike
       b = a | conv(4, kernel: 3) | batchnorm | spike
       output ${classified} | avgpool(2) | flatten | linear(3)
     }
     config tiny { network Tiny  neuron ${neuron}  coding ${coding}  bits { ${bits} }  train { ${settings} } }`,
  );
  return { model, folder, data };
}

describe('learned bits', () => {
  it('go to their targets, are logged with the loss’s terms and renewals, and compile to what was trained', async () => {
    const place = workplace({
      settings: 'optimizer sgd(lr: 0.05, momentum: 0.9)  batch 10  epochs 30  seed 3  validation 0.5',
    });
    const { records, run, codes } = await train(place, { seed: 5 });
    expect(codes).toEqual([]);
    const [first, last] = [records[0]!, records.at(-1)!];
    expect(first.bits!.weights).toBeGreaterThan(2.9);
    expect(Math.abs(last.bits!.weights! - 2)).toBeLessThan(0.5);
    expect(Math.abs(last.bits!.spikes! - 2)).toBeLessThan(0.5);
    expect(last.bits!.steps).toBeLessThan(1.5);
    const { task, weights, spikes, steps } = first.terms!;
    expect(task + weights! + spikes! + steps!).toBeCloseTo(first.loss, 4);
    expect(Object.keys(last.bits!.layers).toSorted()).toEqual([
      'a.conv',
      'a.spike',
      'b.conv',
      'b.spike',
      'output.linear',
    ]);
    const events = records.flatMap(({ renewals }) => renewals ?? []);
    expect(events.length).toBeGreaterThan(0);
    for (const { kind, bits, step_size } of events) {
      expect(kind).toBe('spikes');
      expect(bits.from).not.toBe(bits.to);
      expect(step_size.to).toBeGreaterThan(0);
      expect(step_size.to).not.toBe(step_size.from);
    }

    // what is compiled, bits fixed and weights integer, gives the accuracy that training measured
    const dataset = openDataset(place.data);
    const outDir = join(place.folder, 'fixed');
    const compiled = await driver.compileTarget({ path: run }, { emit: ['ir', 'onnx'], outDir });
    expect(compiled.diagnostics).toEqual([]);
    const ir = readFileSync(join(outDir, 'network.ir'), 'utf8');
    expect(ir).not.toMatch(/weight_bits_max|bits_max|steps_max|weight_step/);
    for (const [id, bits] of Object.entries(last.bits!.layers)) {
      const line = ir.split('\n').find((one) => one.startsWith(`  %${id} `))!;
      if (bits.weights !== undefined) expect(line).toContain(`weight_bits=${bits.weights}`);
      if (bits.spikes !== undefined) expect(line).toContain(`bits=${bits.spikes}`);
      if (bits.steps !== undefined) expect(line).toContain(`hold=${bits.steps}`);
    }
    const [a, b] = [
      await driver.evaluateTarget({ path: run }, { dataset, normalisation: {} }),
      await driver.evaluateTarget({ path: outDir }, { dataset, normalisation: {} }),
    ];
    expect(b.value!.accuracy).toBe(a.value!.accuracy);
    expect(b.value!.spikes_per_neuron).toBe(a.value!.spikes_per_neuron);
    const costs = await driver.costOf({ path: outDir }, {});
    expect(costs.value!.layers.map(({ weight_bits }) => weight_bits)).toEqual(
      ['a.conv', 'b.conv', 'output.linear'].map((id) => last.bits!.layers[id]!.weights),
    );
    dataset.close();
  });

  it('a resumed training gives the numbers of an unbroken one, observers of step sizes included', async () => {
    const place = workplace();
    const whole = await train(place, { run: join(place.folder, 'whole') });
    await train(place, {
      onEpoch: ({ epoch }) => {
        if (epoch === 2) throw new Error('interrupted');
      },
    }).catch(() => undefined);
    const rest = await train(place, { resume: true });
    expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(2)));
    const weights = (run: string): Buffer => readFileSync(join(run, 'weights.safetensors'));
    expect(weights(rest.run).equals(weights(whole.run))).toBe(true);
  });

  it('settled bits stay to the end, also in a training that is resumed behind it', async () => {
    const place = workplace({
      bits: `${learned}  settle 0.5`,
      settings: 'optimizer sgd(lr: 0.05, momentum: 0.9)  batch 10  epochs 8  seed 3',
    });
    const whole = await train(place, { run: join(place.folder, 'whole') });
    const settled = whole.records.flatMap((record) => (record.settled ?? []).map((one) => ({ ...one, ...record })));
    expect(settled.map(({ kind }) => kind).toSorted()).toEqual(['spikes', 'steps', 'weights']);
    const last = whole.records.at(-1)!.bits!;
    for (const { kind, mean, epoch } of settled) {
      expect(epoch).toBeGreaterThan(4);
      for (const { bits } of whole.records.slice(epoch - 1)) {
        expect(bits![kind]).toBe(mean);
        for (const [id, layer] of Object.entries(bits!.layers)) expect(layer[kind]).toBe(last.layers[id]![kind]);
      }
    }
    const stop = Math.max(...settled.map(({ epoch }) => epoch));
    expect(stop).toBeLessThan(8);
    await train(place, {
      onEpoch: ({ epoch }) => {
        if (epoch === stop) throw new Error('interrupted');
      },
    }).catch(() => undefined);
    const rest = await train(place, { resume: true });
    expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(stop)));
  });

  it('without renewal no step size is renewed; with `all` those of weights are too', async () => {
    const kinds = async (renewal: string): Promise<Set<string>> => {
      const { records } = await train(workplace({ bits: `${learned} renewal ${renewal}` }));
      return new Set(records.flatMap(({ renewals }) => (renewals ?? []).map(({ kind }) => kind)));
    };
    expect(await kinds('none')).toEqual(new Set());
    expect(await kinds('all')).toEqual(new Set(['spikes', 'weights']));
    expect(await kinds('weights')).toEqual(new Set(['weights']));
  });

  it('a fixed step size stays; renewal of it is asked for in vain, and that is said', async () => {
    const settings = 'optimizer sgd(lr: 0.05)  batch 10  epochs 2';
    const fixed = { neuron: 'Refined(theta: fixed(0.75))', settings };
    const { run, codes, records } = await train(workplace({ ...fixed, bits: `${learned} renewal spikes` }));
    expect(codes).toEqual(['train/nothing-to-renew']);
    expect(records.flatMap(({ renewals }) => renewals ?? [])).toEqual([]);
    const ir = readFileSync(join(run, 'network.ir'), 'utf8');
    expect(ir).not.toMatch(/param [ab]\.spike\.theta/);
    expect(ir).toMatch(/%a\.spike .*theta=0\.75/);
    expect((await train(workplace({ ...fixed, bits: `${learned} renewal none` }))).codes).toEqual([]);
    const free = await train(workplace({ neuron: 'Refined(theta: 0.75)', settings }));
    const theta = /param a\.spike\.theta : f32\[1\] ; (\S+)/.exec(readFileSync(join(free.run, 'network.ir'), 'utf8'));
    expect(Number(theta![1])).not.toBe(0.75);
  });

  it('the squared distance is another loss', async () => {
    const still = 'weights learn(init: 4, max: 6, target: 2, penalty: 0.5, rate: 1e-9)';
    const first = async (distance: string): Promise<number> =>
      (
        await train(
          workplace({
            bits: `${still} distance ${distance}`,
            settings: 'optimizer sgd(lr: 1e-9)  batch 10  epochs 1',
          }),
        )
      ).records[0]!.terms!.weights!;
    // B̄ stays 4, the target is 2: λ·2 and λ·4
    expect(await first('absolute')).toBeCloseTo(0.5 * 2, 5);
    expect(await first('square')).toBeCloseTo(0.5 * 4, 5);
  });

  it('layers with fixed bits are no part of what is averaged in the loss', async () => {
    const { records } = await train(
      workplace({
        bits: `weights learn(init: 4, max: 6, target: 4, penalty: 1, rate: 1e-9)  layer "output" { weights 8 }`,
        settings: 'optimizer sgd(lr: 1e-9)  batch 10  epochs 1',
      }),
    );
    expect(records[0]!.terms!.weights).toBeCloseTo(0, 6);
    expect(records[0]!.bits!.layers['output.linear']).toEqual({ weights: 8 });
    expect(records[0]!.bits!.weights).toBeGreaterThan(4);
  });
});

describe('bits that can’t be', () => {
  const cases: readonly [string, string, Setup][] = [
    ['learned steps with events', 'model/conflict', { coding: 'events(steps: 2)' }],
    ['steps without squeezing', 'model/conflict', { bits: 'steps 2 squeeze false' }],
    ['learned bits on a fixed range', 'model/conflict', { bits: `${learned} step_size max` }],
    ['spikes of a neuron without bits', 'model/conflict', { neuron: 'LIF', bits: 'spikes 4' }],
    ['a start above the bound', 'model/conflict', { bits: 'weights learn(init: 7, max: 6, target: 2)' }],
    ['a target above the bound', 'model/conflict', { bits: 'weights learn(init: 4, max: 6, target: 8)' }],
    ['a pattern without a layer', 'model/pattern', { bits: 'weights 4  layer "stem" { weights 8 }' }],
    [
      'learned bits of a neuron with `levels`',
      'model/conflict',
      {
        bits: 'spikes learn(init: 2, max: 4, target: 2)',
        neuron: 'Own',
        declarations: `neuron Own(bits: int = 2) { state u = 0  charge u = u + x
          fire s = levels(u, integer: bits, fraction: 0)  reset u = u - s  surrogate ste }`,
      },
    ],
    [
      'learned bits of a neuron whose surrogate ends inside its levels',
      'model/conflict',
      {
        bits: 'spikes learn(init: 2, max: 4, target: 2)',
        neuron: 'Own',
        declarations: `neuron Own(bits = 2) { state u = 0  charge u = u + x
          fire s = clip(floor(u), 0, 2 ^ bits - 1)  reset u = u - s  surrogate ste(lo: 0, hi: 1) }`,
      },
    ],
  ];
  it.each(cases)('%s', async (_, code, setup) => {
    const { codes, value, diagnostics } = await train(workplace(setup));
    expect(value).toBeUndefined();
    expect(codes).toEqual([code]);
    expect(diagnostics[0]!.place).toBeDefined();
  });

  it('spikes that a neuron fires anyway may be said', async () => {
    const { codes } = await train(
      workplace({ neuron: 'LIF', bits: 'spikes 1', settings: 'optimizer sgd  batch 10  epochs 1' }),
    );
    // in one epoch it learns to fire nothing, which is said
    expect(codes.filter((code) => code !== 'train/dead-layer')).toEqual([]);
  });
});

it('a squeezed train is one of the sums of its codes: 2 steps of 2 bits are 0 … 6, in 3 planes', async () => {
  const place = workplace({ bits: 'spikes 2  steps 2' });
  const { run } = await train(place);
  const outDir = join(place.folder, 'planes');
  await driver.compileTarget({ path: run }, { emit: ['ir'], planes: true, outDir });
  const text = readFileSync(join(outDir, 'network.ir'), 'utf8');
  const planes = [...text.matchAll(/= planes %\S+ \{bits=(\d+)\}/g)].map(([, bits]) => Number(bits));
  expect(planes).toEqual(planes.map(() => 3));
  expect(planes.length).toBeGreaterThan(0);
  const dataset = openDataset(place.data);
  const accuracy = async (path: string) =>
    (await driver.evaluateTarget({ path }, { dataset, normalisation: {}, engine: 'fused' })).value!.accuracy;
  expect(await accuracy(outDir)).toBe(await accuracy(run));
  dataset.close();
  // an addition a weight and plane, once an image: W·1·3
  const [, second] = (await driver.costOf({ path: run }, { planes: true })).value!.layers;
  expect([second!.input, second!.spike_bits, second!.steps]).toEqual(['spikes', 1, 3]);
});

it('a signed first layer of one bit fires −θ and θ, compiles to what was trained, and costs one bit', async () => {
  const place = workplace({ neuron: 'Refined(signed: true)', bits: 'weights 1  spikes 1' });
  const { run, codes } = await train(place);
  expect(codes).toEqual([]);
  const outDir = join(place.folder, 'compiled');
  await driver.compileTarget({ path: run }, { emit: ['ir', 'onnx'], outDir });
  const dataset = openDataset(place.data);
  const accuracy = async (path: string, engine: string) =>
    (await driver.evaluateTarget({ path }, { dataset, normalisation: {}, engine })).value!.accuracy;
  const trained = await accuracy(run, 'onnxruntime');
  expect(await accuracy(outDir, 'fused')).toBe(trained);
  dataset.close();
  const costs = (await driver.costOf({ path: outDir }, {})).value!;
  expect(costs.layers.slice(1, 2).map(({ weight_bits, spike_bits }) => [weight_bits, spike_bits])).toEqual([[1, 1]]);
});
