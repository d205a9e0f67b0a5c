import { DiagnosticError, diagnostic, fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Dataset, type Normalisation, readBatch } from '../data/dataset.js';
import type { Engine } from '../engines/index.js';
import { type Images, type LayerActivity, LevelCounter, forEachBatch, predictedClasses } from './metrics/index.js';
import { type ProbeKind, lower } from '../lower/program/index.js';
import { type Network, type Op, optionalParam } from '../network/index.js';
import type { LayerTrace, SampleTrace } from './sample-trace.js';
import { type Running, openRunnable } from '../train/index.js';
import { fitToNetwork } from './fit.js';
import { Findings } from '../workspace/findings.js';
import { countedLayers } from './run-network.js';

/** Samples of a data set that are shown one by one. */
export interface ShownSamples {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  readonly first: number;
  readonly count: number;
}

/** Layers of neurons of a network, in its order. */
export function neuronLayers(network: Network): readonly Op<'neuron'>[] {
  return network.ops.filter((op) => op.kind === 'neuron');
}

/** At most so many of a list, evenly over it, the first and the last among them. */
export function spreadOver<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, k) => list[Math.round((k * (list.length - 1)) / Math.max(1, most - 1))]!);
}

/** The layers of neurons named; a wrong name or a network without neurons is an error. */
export function chosenLayers(network: Network, name: string, wanted: readonly string[]): readonly Op<'neuron'>[] {
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
function openTraced(
  network: Network,
  { trains, membranes }: { readonly trains: readonly string[]; readonly membranes: readonly string[] },
  engine: Engine,
): Promise<Running> {
  return openRunnable(lower(network, { probes: { trains: (id) => trains.includes(id), membranes } }), engine);
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
  { dataset: given, normalisation, sample }: SampleChoice,
  layers: readonly Op<'neuron'>[],
  engine: Engine,
): Promise<SampleTrace> {
  const dataset = fitToNetwork(network, given, new Findings(), { numbers: true, normalisation });
  const { name, length } = dataset;
  if (sample >= length) fail('report/no-such-sample', { name, sample, length });
  const ids = layers.map(({ id }) => id);
  const running = await openTraced(network, { trains: ids, membranes: ids }, engine);
  const { logits = '', probes } = running.outputs;
  try {
    const { images, labels } = readBatch(dataset, sample, 1, normalisation);
    const results = await running.pass()(images);
    const given = (kind: ProbeKind, id: string): Tensor | undefined => results[probes[kind].get(id) ?? ''];
    const result = (kind: ProbeKind, id: string): Tensor => present(given(kind, id), `run: no ${kind} of ${id}`);
    return {
      image: pictureOf(dataset, sample),
      data: name,
      sample,
      label: labels[0]!,
      predicted: predictedClasses(present(results[logits], 'run: no logits'))[0]!,
      layers: layers.map((op) =>
        layerTrace(network, op, result('train', op.id), result('membranes', op.id), given('thresholds', op.id)),
      ),
    };
  } finally {
    await running.dispose();
  }
}

function layerTrace(
  network: Network,
  op: Op<'neuron'>,
  train: Tensor,
  membranes: Tensor,
  thresholds?: Tensor,
): LayerTrace {
  const def = present(network.neurons.get(op.attrs.neuron), `driver: ${op.id} names no neuron`);
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
export function pictureOf(dataset: Dataset, sample: number): Tensor {
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
  const { dataset, normalisation } = images;
  const fit = fitToNetwork(network, dataset, new Findings(), { numbers: true, normalisation });
  const layers = countedLayers(network);
  const counter = new LevelCounter(layers);
  const running = await openTraced(network, { trains: layers.map(({ id }) => id), membranes: [] }, engine);
  const { train } = running.outputs.probes;
  try {
    await forEachBatch(
      { ...images, dataset: fit },
      running.lanes,
      running.pass(),
      (results) => counter.add((id) => present(results[train.get(id) ?? ''], `run: no train of ${id}`)),
      onProgress,
    );
    return counter.result();
  } finally {
    await running.dispose();
  }
}
