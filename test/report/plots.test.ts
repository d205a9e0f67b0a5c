import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { spikeEntropy } from '../../src/cost/index.js';
import type { LayerActivity } from '../../src/run/metrics/index.js';
import { configPoints } from '../../src/report/plots/configs.js';
import { levelBars } from '../../src/report/plots/levels.js';
import { membranePoints } from '../../src/report/plots/membranes.js';
import { rasterMarks } from '../../src/report/plots/raster.js';
import { levelsPlot, membranesPlot, rasterPlot, renderPlot, spikesPlot, trainingPlot } from '../../src/report/index.js';
import { entropyOf, shownFormats, spikesOf, variedChannels } from '../../src/report/plots/spikes.js';
import { chooseNeurons, neuronName } from '../../src/report/plots/traces.js';
import { bitPoints, curvePoints } from '../../src/report/plots/training.js';
import { encodePng, greyUri, imageUri } from '../../src/report/png.js';
import type { LayerTrace } from '../../src/run/sample-trace.js';
import type { Measured } from '../../src/report/types.js';

/** Width, height, colour type and pixels of a PNG that has one IDAT and no filters. */
function decode(png: Uint8Array): { width: number; height: number; colour: number; pixels: number[] } {
  const bytes = Buffer.from(png);
  const [width, height, colour] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[25]!];
  const length = bytes.readUInt32BE(33);
  expect(bytes.toString('latin1', 37, 41)).toBe('IDAT');
  const lines = inflateSync(bytes.subarray(41, 41 + length));
  const row = lines.length / height;
  const pixels: number[] = [];
  for (let y = 0; y < height; y++) {
    expect(lines[y * row]).toBe(0);
    pixels.push(...lines.subarray(y * row + 1, (y + 1) * row));
  }
  return { width, height, colour, pixels };
}

const ofUri = (uri: string): Uint8Array => Buffer.from(uri.replace('data:image/png;base64,', ''), 'base64');

it('a PNG holds the pixels that went in, with the checksums of the format', () => {
  const png = encodePng(2, 2, Uint8Array.from([0, 1, 254, 255]));
  expect(decode(png)).toEqual({ width: 2, height: 2, colour: 0, pixels: [0, 1, 254, 255] });
  // the end of every PNG: length 0, IEND, its CRC as the standard prints it
  expect([...png.slice(-12)]).toEqual([0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
  expect(() => encodePng(2, 2, new Uint8Array(5))).toThrow(TypeError);
});

it('grey images go from black to white, images keep their colours', () => {
  expect(decode(ofUri(greyUri([-1, 0, 1, 9], 4, 1, 0, 2))).pixels).toEqual([0, 0, 128, 255]);
  expect(decode(ofUri(greyUri([3, 3], 2, 1, 3, 3))).pixels).toEqual([0, 0]);
  const red = tensor('f32', [3, 1, 2], [1, 0.5, 0, 0, 0, 1]);
  expect(decode(ofUri(imageUri(red)))).toMatchObject({ colour: 2, pixels: [255, 0, 0, 128, 0, 255] });
  expect(decode(ofUri(imageUri(tensor('f32', [3], [1, 0.5, 0]))))).toMatchObject({ colour: 0, pixels: [255, 128, 0] });
  const volume = tensor('f32', [1, 2, 1, 2], [1, 0, 0.5, 0.5]);
  expect(decode(ofUri(imageUri(volume)))).toMatchObject({ width: 2, pixels: [255, 0] });
});

it('spikes of m+n bits are 2^-n·clip(floor(2^n·u/θ), 0, 2^(m+n)-1)', () => {
  const membranes = [-1, 0.29, 0.3, 0.59, 0.6, 0.9, 1.2, 2.1, 9];
  expect([...spikesOf(membranes, 0.6, [1, 0])]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1]);
  expect([...spikesOf(membranes, 0.6, [2, 0])]).toEqual([0, 0, 0, 0, 1, 1, 2, 3, 3]);
  expect([...spikesOf(membranes, 0.6, [1, 1])]).toEqual([0, 0, 0.5, 0.5, 1, 1.5, 1.5, 1.5, 1.5]);
  expect([...spikesOf(membranes, 0.6, [2, 1])]).toEqual([0, 0, 0.5, 0.5, 1, 1.5, 2, 3.5, 3.5]);
});

it('entropies of normal membranes come to those of the formula', () => {
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const normal = Array.from(
    { length: 60_000 },
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
  for (const [m, n] of shownFormats) {
    expect(entropyOf(spikesOf(normal, 0.6, [m, n])), `${m}+${n}`).toBeCloseTo(spikeEntropy(m, n, 0.6).entropy, 1);
  }
  expect(entropyOf([1, 1, 2, 2])).toBe(1);
  expect(entropyOf([5, 5])).toBe(0);
});

it('the channels drawn are those whose membranes vary most', () => {
  expect(variedChannels([1, 1, 0, 5, 0, 1, 0, 9], 2, 2)).toEqual([1, 3]);
});

function layer(train: number[][], membranes: number[][], shape: number[], silent = 0): LayerTrace {
  return {
    id: 'a.spike',
    train: tensor('f32', [train.length, ...shape], train.flat()),
    membranes: tensor('f32', [membranes.length, ...shape], membranes.flat()),
    silent,
    state: 'u',
    threshold: 1,
  };
}

const small = layer(
  [
    [0, 1, 0, 0],
    [0, 1, 2, 0],
  ],
  [
    [0.1, 0.2, 0.3, 0.4],
    [0.5, 0.6, 0.7, 0.8],
    [0.9, 1, 1.1, 1.2],
  ],
  [1, 2, 2],
  1,
);

it('neurons that fire are chosen before silent ones', () => {
  expect(chooseNeurons(small, 2)).toEqual([1, 2]);
  expect(chooseNeurons(small, 3)).toEqual([0, 1, 2]);
  expect(chooseNeurons(small, 9)).toEqual([0, 1, 2, 3]);
});

it('neurons are named by their place in the layer', () => {
  expect(neuronName(7, [2, 2, 3])).toBe('[1,0,1]');
  expect(neuronName(7, [10])).toBe('7');
});

it('a raster has a mark for every spike, at the local step after the silent ones', () => {
  expect(rasterMarks(small)).toEqual([
    { layer: 'a.spike', neuron: '[0,0,1]', step: 2, level: 1 },
    { layer: 'a.spike', neuron: '[0,0,1]', step: 3, level: 1 },
    { layer: 'a.spike', neuron: '[0,1,0]', step: 3, level: 2 },
  ]);
  expect(rasterMarks(small, { neurons: [0, 2] })).toHaveLength(1);
});

it('membranes have a point a step, with what is fired there', () => {
  expect(membranePoints(small, [2])).toEqual([
    { neuron: '[0,1,0]', step: 1, membrane: Math.fround(0.3), level: 0 },
    { neuron: '[0,1,0]', step: 2, membrane: Math.fround(0.7), level: 0 },
    { neuron: '[0,1,0]', step: 3, membrane: Math.fround(1.1), level: 2 },
  ]);
});

it('the threshold of membranes is named where it is one number, and drawn where it moves', () => {
  const moving = { ...small, thresholds: tensor('f32', [3, 1, 2, 2], [1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1]) };
  expect(membranePoints(moving, [2]).map(({ threshold }) => threshold)).toEqual([1, 2, 3]);
  const subtitle = (layer: LayerTrace): unknown => membranesPlot(layer)['title'];
  expect(subtitle(small)).toMatchObject({ subtitle: 'dots: spikes; dashed: threshold 1' });
  expect(subtitle(moving)).toMatchObject({ subtitle: 'dots: spikes; dashed: threshold' });
});

const activity = (count: number): LayerActivity => ({
  id: 'a',
  entropy: 1,
  firing_rate: 0.5,
  levels: Array.from({ length: count }, (_, i) => ({ value: i, probability: 1 / count })),
});

it('levels beyond 32 share bars, and nothing is lost', () => {
  expect(levelBars(activity(8)).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const many = levelBars(activity(512));
  expect(many).toHaveLength(32);
  expect(many.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  expect(many.map(({ silent }) => silent).filter(Boolean)).toHaveLength(1);
});

it('configs are compared by energy where all have one, else by operations', () => {
  const measured = (opf: number, energy?: number): Measured => ({
    data: 'd',
    samples: 1,
    accuracy: 0.5,
    spikes_per_neuron: 1,
    opf,
    latency_steps: 4,
    activity: [],
    ...(energy === undefined ? {} : { energy_joules: energy }),
  });
  const both = configPoints([
    ['a', measured(10, 1e-6)],
    ['b', measured(20, 2e-6)],
  ]);
  expect(both).toMatchObject({ effort: 'energy', points: [{ effort: 1e-6 }, { effort: 2e-6 }] });
  const one = configPoints([
    ['a', measured(10, 1e-6)],
    ['b', measured(20)],
  ]);
  expect(one).toMatchObject({ effort: 'operations', points: [{ effort: 10 }, { effort: 20 }] });
});

const record = { loss: 2, accuracy: 0.1, rate: 0.1, seconds: 1, firing: { a: 0.5 } };

it('curves have validation points where images were held back', () => {
  const records = [
    { ...record, epoch: 1 },
    { ...record, epoch: 2, val_loss: 3, val_accuracy: 0.2 },
  ];
  expect(curvePoints(records, 'loss')).toEqual([
    { epoch: 1, curve: 'training', value: 2 },
    { epoch: 2, curve: 'training', value: 2 },
    { epoch: 2, curve: 'validation', value: 3 },
  ]);
});

it('learned bits have curves of their averages', () => {
  const learned = { ...record, epoch: 3, bits: { weights: 2.5, steps: 1.5, layers: {} } };
  expect(bitPoints([{ ...record, epoch: 2 }, learned])).toEqual([
    { epoch: 3, curve: 'weights', value: 2.5 },
    { epoch: 3, curve: 'steps', value: 1.5 },
  ]);
});

it('plots render as SVG with escaped names, alike each time, and no id of one is that of another', async () => {
  const hostile = '"><script>alert(1)</script>&amp;';
  const named = { ...small, id: hostile };
  const trace = { image: tensor('f32', [1, 2, 2], [0, 0.5, 1, 1]), data: hostile, sample: 0, label: 0, predicted: 1 };
  const plots = [
    levelsPlot([{ ...activity(4), id: hostile }]),
    rasterPlot([named]),
    membranesPlot(named),
    spikesPlot({ ...trace, layers: [named] }, named),
    trainingPlot([{ ...record, epoch: 1, firing: { [hostile]: 1 } }]),
  ];
  const ids = new Set<string>();
  for (const plot of plots) {
    const svg = await renderPlot(plot);
    expect(svg).toMatch(/^<svg [^]*<\/svg>$/);
    expect(svg).not.toMatch(/<script|NaN|undefined|Infinity/);
    expect(await renderPlot(plot)).toBe(svg);
    for (const [, id] of svg.matchAll(/ id="([^"]+)"/g)) {
      expect(ids.has(id!)).toBe(false);
      ids.add(id!);
    }
  }
});
