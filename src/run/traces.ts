import { DiagnosticError, diagnostic, fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Dataset, type Normalisation, readBatch } from '../data/dataset.js';
import type { Engine, Executable } from '../engines/index.js';
import { type Images, type LayerActivity, LevelCounter, forEachBatch, predictedClasses } from './metrics/index.js';
import { layerNames, lowerForInference } from '../lower/program/training.js';
import { lowerNetwork, probeNames } from '../lower/program/index.js';
import { type Network, type Op, optionalParam } from '../network/index.js';
import type { LayerTrace, SampleTrace } from './sample-trace.js';
import { simplify } from '../tensor/index.js';
import { refuseMisfits } from './images.js';
import { isOfLayers } from '../workspace/own-network.js';
import { countedLayers, fedWith } from './run-layers.js';

/** Layers of neurons of a network, in its order. */
export function neuronLayers(network: Network): readonly Op[] {
  return network.ops.filter((op) => op.kind === 'neuron');
}

/** At most so many of a list, evenly over it, the first and the last among them. */
export function spreadOver<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, k) => list[Math.round((k * (list.length - 1)) / Math.max(1, most - 1))]!);
}

/** The layers of neurons named; a wrong name or a network without neurons is an error. */
export function chosenLayers(network: Network, name: string, wanted: readonly string[]): readonly Op[] {
  const layers = neuronLayers(network);
  if (layers.length === 0) fail('report/no-neurons', { name });
  const ids = layers.map(({ id }) => id);
  const unknown = wanted.filter((id) => !ids.includes(id));
  if (unknown.length > 0) {
    throw new DiagnosticError(
      unknown.map((layer) =>
        diagnostic('report/unknown-layer', { name, layer }, undefined, { help: suggest(layer, ids) }),
      ),
    );
  }
  return layers.filter(({ id }) => wanted.includes(id));
}

/** A network that gives out trains and membranes of some of its layers. */
interface Traced {
  readonly executable: Executable;
  readonly input: string;
  readonly train: (id: string) => string;
  readonly membranes: (id: string) => string;
}

async function compileTraced(
  network: Network,
  probes: { readonly trains: readonly string[]; readonly membranes: readonly string[] },
  engine: Engine,
): Promise<Traced> {
  if (isOfLayers(network)) {
    const lowered = lowerForInference(network, { ...probes, trains: (id) => probes.trains.includes(id) });
    const executable = await engine.compile(simplify(lowered.program));
    const { train, membranes } = layerNames;
    return { executable: fedWith(executable, lowered), input: lowered.image, train, membranes };
  }
  const program = simplify(lowerNetwork(network, { precision: 'f64', probes: { ...probes, trains: true } }));
  const { train, membranes } = probeNames;
  return { executable: await engine.compile(program), input: program.inputs[0]!.id, train, membranes };
}

export interface SampleChoice {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** From 0. */
  readonly sample: number;
}

/** Runs a network on one image and keeps what some of its layers of neurons do. */
export async function traceSample(
  network: Network,
  { dataset, normalisation, sample }: SampleChoice,
  layers: readonly Op[],
  engine: Engine,
): Promise<SampleTrace> {
  refuseMisfits(dataset, network);
  const { name, length } = dataset;
  if (sample >= length) fail('report/no-such-sample', { name, sample, length });
  const ids = layers.map(({ id }) => id);
  const { executable, input, train, membranes } = await compileTraced(network, { trains: ids, membranes: ids }, engine);
  try {
    const { images, labels } = readBatch(dataset, sample, 1, normalisation);
    const results = await executable.run({ [input]: images });
    const result = (key: string): Tensor => present(results[key], `driver: no ${key}`);
    return {
      image: pictureOf(dataset, sample),
      data: name,
      sample,
      label: labels[0]!,
      predicted: predictedClasses(result('0'))[0]!,
      layers: layers.map((op) =>
        layerTrace(network, op, result(train(op.id)), result(membranes(op.id)), results[layerNames.thresholds(op.id)]),
      ),
    };
  } finally {
    await executable.dispose();
  }
}

function layerTrace(network: Network, op: Op, train: Tensor, membranes: Tensor, thresholds?: Tensor): LayerTrace {
  const def = present(network.neurons.get(String(op.attrs['neuron'])), `driver: ${op.id} names no neuron`);
  const learned = optionalParam(network, op, 'theta')?.tensor.data;
  const fixed = op.attrs['theta'] ?? def.params.find(({ name }) => name === 'theta')?.default;
  const theta = learned?.length === 1 ? learned[0] : fixed;
  return {
    id: op.id,
    train,
    membranes,
    silent: membranes.shape[0]! - train.shape[0]!,
    state: present(def.states[0], `driver: ${def.name} has no state`).name,
    ...(typeof theta === 'number' ? { threshold: theta } : {}),
    ...(thresholds === undefined ? {} : { thresholds }),
  };
}

/** An image as the data set has it, in 0…1; of events the mean over the frames, brightest at 1. */
function pictureOf(dataset: Dataset, sample: number): Tensor {
  const { images } = dataset.read(sample, 1);
  const shape = dataset.shape.slice(-3);
  const size = elementCount(shape);
  if (images.length === size)
    return tensor(
      'f32',
      shape,
      Float32Array.from(images, (v) => v / dataset.scale),
    );
  const sum = new Float32Array(size);
  for (let i = 0; i < images.length; i++) sum[i % size]! += images[i]!;
  const most = sum.reduce((a, b) => Math.max(a, b), 0) || 1;
  return tensor(
    'f32',
    shape,
    sum.map((v) => v / most),
  );
}

/** Levels of every layer of neurons over images, whatever the coding. */
export async function measureLevels(
  network: Network,
  images: Images,
  engine: Engine,
  onProgress: (done: number, total: number) => void,
): Promise<readonly LayerActivity[]> {
  refuseMisfits(images.dataset, network);
  const layers = countedLayers(network);
  const counter = new LevelCounter(layers);
  const { executable, input, train } = await compileTraced(
    network,
    { trains: layers.map(({ id }) => id), membranes: [] },
    engine,
  );
  try {
    await forEachBatch(
      images,
      executable.lanes ?? 1,
      (batch) => executable.run({ [input]: batch }),
      (results) => counter.add((id) => present(results[train(id)], `driver: no train of ${id}`)),
      onProgress,
    );
    return counter.result();
  } finally {
    await executable.dispose();
  }
}
