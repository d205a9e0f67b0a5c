import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type Tensor, elementCount, tensor } from '../../src/base/dtype.js';
import type { Dataset } from '../../src/data/index.js';
import { type Engine } from '../../src/engines/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { stepsOfNetwork } from '../../src/lower/program/index.js';
import { checkModel } from '../../src/model/index.js';
import type { Network } from '../../src/network/index.js';
import { type EpochRecord, Samples, trainLoop, traineeOf } from '../../src/train/index.js';
import { bitTraining } from '../../src/workspace/bit-training.js';
import { diskLoader } from '../../src/workspace/files.js';
import { trainingFolder } from '../../src/workspace/torch-folder.js';
import { trainSettings } from '../../src/workspace/train-settings.js';
import { random } from '../tensor/cases.js';
import { readTensors, runPython, writeTensors } from './pytorch.js';
import { temporaryFolder } from './temporary-folder.js';

export interface Trained {
  /** Mean loss of the epoch so far, after each step. */
  readonly losses: readonly number[];
  readonly states: ReadonlyMap<string, Tensor>;
  readonly records: readonly EpochRecord[];
}

/** Bars and diagonals in noise, as bytes; with `numbers` each has three from 0 to 1. */
export function pictures(shape: readonly number[], count: number, numbers = false): Dataset {
  const next = random(5);
  const size = elementCount(shape);
  const [height, width] = shape.slice(-2) as [number, number];
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const images = Uint8Array.from({ length: count * size }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const bright = [x < width / 3, y < height / 3, Math.abs(x - y) < 2][labels[Math.floor(i / size)]!]!;
    return Math.floor((bright ? 180 : 20) + 70 * Math.abs(next()));
  });
  const targets = Float32Array.from({ length: 3 * count }, () => Math.abs(next()));
  return {
    ...(numbers ? { targets: 3 } : {}),
    name: 'pictures',
    shape,
    classes: numbers ? 0 : 3,
    classesKnown: false,
    length: count,
    scale: 255,
    notes: [],
    read: (start, n) => ({
      count: n,
      images: images.slice(start * size, (start + n) * size),
      labels: labels.slice(start, start + n),
      ...(numbers ? { targets: targets.slice(3 * start, 3 * (start + n)) } : {}),
    }),
    close: () => undefined,
  };
}

/** Of one sample: event frames have their time in front. */
function sampleShape(network: Network): readonly number[] {
  const { shape } = network.ops.find(({ kind }) => kind === 'input')!.type;
  const frames = network.ops.some((op) => op.kind === 'encode' && op.attrs.coding === 'events');
  return frames ? [stepsOfNetwork(network), ...shape] : shape;
}

function opened(text: string, numbers = false) {
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, diskLoader('model.spike', false));
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  const config = [...value.configs.values()][0]!;
  const { settings: plain } = trainSettings(config, {});
  const { value: network } = lowerModel(config, { seed: plain.seed });
  const bits = bitTraining(config, network!, plain.rate);
  const labels = numbers ? { labels: 'numbers' as const } : {};
  return { network: network!, config, settings: { ...plain, ...(bits === undefined ? {} : { bits }), ...labels } };
}

export async function trainedHere(
  text: string,
  count: number,
  engine: Engine = onnxruntimeEngine,
  numbers = false,
): Promise<Trained> {
  const { network, settings } = opened(text, numbers);
  const trainee = traineeOf(network, settings);
  const own = settings.labels === 'input' ? { targetIsInput: true as const } : {};
  const data = { ...pictures(sampleShape(network), count, numbers), ...own };
  const samples = Samples.load(data, count, settings.normalisation);
  const losses: number[] = [];
  let states: ReadonlyMap<string, Tensor> = new Map();
  const { records } = await trainLoop({
    trainee,
    samples,
    settings,
    engine,
    onEpoch: (_, state) => (states = state.states),
    onProgress: ({ done, loss }) => void (done > 0 && losses.push(loss)),
    now: () => 0,
    placeOf: () => undefined,
  });
  return { losses, states, records };
}

/** Writes the folder of a training and its samples. */
export function folderOf(text: string, count: number, numbers = false): string {
  const { network, config, settings } = opened(text, numbers);
  const folder = temporaryFolder();
  const files = trainingFolder({
    network,
    config: config.name,
    settings,
    data: 'pictures',
    sources: new Map([['model.spike', text]]),
  });
  for (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const shape = sampleShape(network);
  const { images, labels, targets } = pictures(shape, count, numbers).read(0, count);
  const metadata = { scale: '255' };
  writeTensors(
    folder,
    'samples.safetensors',
    {
      images: tensor('u8', [count, ...shape], images),
      labels: tensor('i32', [count], labels),
      ...(targets === undefined ? {} : { numbers: tensor('f32', [count, 3], targets) }),
    },
    metadata,
  );
  return folder;
}

export function trainedInPyTorch(text: string, count: number, numbers = false): Trained {
  const folder = folderOf(text, count, numbers);
  const said = runPython(folder, ['train.py', '--samples', 'samples.safetensors', '--said']);
  return resultOf(folder, said);
}

/**
 * `train.py` as it is, but every number of it is a float64: parameters, activations, and the numbers of the config as
 * float32 rounds them, which are those of a program here.
 */
export const inDouble = `
import json, re, struct, sys
from pathlib import Path
import torch

def rounded(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0]

model = Path("model.py")
code = re.sub(r"(?<![\\w.])\\d+\\.?\\d*e-?\\d+|(?<![\\w.])\\d+\\.\\d+", lambda found: repr(rounded(found[0])), model.read_text())
model.write_text(code)
single = torch.Tensor.float
torch.set_default_dtype(torch.float64)
import bits, data, train
scaled, rate = data.Samples._scaled, train.learning_rate

def images_of_float32(self, raw):
    torch.Tensor.float = single
    try:
        return scaled(self, raw).double()
    finally:
        torch.Tensor.float = torch.Tensor.double

data.Samples._scaled = images_of_float32
torch.Tensor.float = torch.Tensor.double
begin = bits.initial_step
bits.initial_step = lambda *values: rounded(begin(*values))
train.learning_rate = lambda *at: rounded(rate(*at))
recipe = json.loads(Path("training.json").read_text())
for key, value in recipe["settings"]["optimizer"].items():
    if isinstance(value, float):
        recipe["settings"]["optimizer"][key] = rounded(value)
Path("training.json").write_text(json.dumps(recipe))
sys.argv = ["train.py", "--samples", "samples.safetensors", "--said"]
train.main()
`;

export function trainedInDouble(text: string, count: number, numbers = false): Trained {
  const folder = folderOf(text, count, numbers);
  return resultOf(folder, runPython(folder, ['-c', inDouble]));
}

export function resultOf(folder: string, said: string): Trained {
  const lines = said
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { progress?: { loss: number }; record?: EpochRecord });
  return {
    losses: lines.flatMap(({ progress }) => (progress === undefined ? [] : [progress.loss])),
    records: lines.flatMap(({ record }) => (record === undefined ? [] : [record])),
    states: readTensors(readFileSync(join(folder, 'run', 'checkpoint', 'state.safetensors'))),
  };
}

/** Losses and states as close to each other as is said, by their size, and the same events of learned bits. */
export function expectSame(found: Trained, wanted: Trained, within = { losses: 1e-5, states: 3e-5 }): void {
  expect(found.losses).toHaveLength(wanted.losses.length);
  wanted.losses.forEach((loss, i) =>
    expect(Math.abs(found.losses[i]! - loss) / Math.abs(loss), `loss ${i + 1}`).toBeLessThan(within.losses),
  );
  expect([...found.states.keys()].sort()).toEqual([...wanted.states.keys()].sort());
  for (const [name, { data }] of wanted.states) {
    const scale = Math.max(1, ...Array.from(data, Math.abs));
    const other = found.states.get(name)!.data;
    for (let i = 0; i < data.length; i++)
      expect(Math.abs(other[i]! - data[i]!) / scale, `${name}[${i}]`).toBeLessThan(within.states);
  }
  const figures = ['rate', 'accuracy', 'mae', 'val_accuracy', 'val_mae', 'val_loss'] as const;
  for (const [i, record] of wanted.records.entries())
    for (const figure of figures) {
      const found_ = found.records[i]![figure];
      if (record[figure] === undefined) expect(found_, figure).toBeUndefined();
      else expect(Math.abs(found_! - record[figure]), figure).toBeLessThan(3e-5);
    }
  const events = ({ records }: Trained) =>
    records.map(({ renewals = [], settled = [], bits }) => ({
      bits,
      settled,
      steps: renewals.map(({ step, layer, bits: b }) => ({ step, layer, ...b })),
    }));
  expect(events(found)).toEqual(events(wanted));
}
