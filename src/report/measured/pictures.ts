import { fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import { costOf as networkCost } from '../../cost/index.js';
import { latencyOf } from '../../network/index.js';
import { bitsOf } from '../bits.js';
import {
  type Plot,
  bitsPlot,
  boxesPlot,
  levelsPlot,
  membranesPlot,
  pixelsPlot,
  rasterPlot,
  spikesPlot,
} from '../plots/index.js';
import { type DetectedImage, detectedImages } from '../../run/detected-images.js';
import { type PixelSample, pixelSamples } from '../../run/pixel-outputs.js';
import type { SampleTrace } from '../../run/sample-trace.js';
import type { Opened } from '../../workspace/open.js';
import type { Network } from '../../network/index.js';
import { chooseEngine } from '../../run/engine.js';
import { finiteOnly } from '../../run/evaluate-finite.js';
import { chosenNormalisation } from '../../run/fit.js';
import { batchFor } from '../../run/run-network.js';
import { checkRuns } from '../../run/runnable.js';
import { chosenLayers, measureLevels, neuronLayers, spreadOver, traceSample } from '../../run/traces.js';
import type { CommonOptions } from '../../workspace/types.js';
import type { PictureKind } from './kinds.js';
import type { Dataset, Normalisation } from '../../data/index.js';

/** What is drawn, and on what. */
export interface PlotOptions extends Pick<CommonOptions, 'onProgress'> {
  readonly kind: PictureKind;
  /** All kinds but `bits` need images. */
  readonly dataset?: Dataset | undefined;
  readonly normalisation: Normalisation;
  /** Which image, from 0. */
  readonly sample?: number;
  /** Images that levels are counted over; 100 where missing. */
  readonly limit?: number;
  /** Id of a layer of neurons. */
  readonly layer?: string;
  /** Neurons of a layer, row-major from 0. */
  readonly neurons?: readonly number[];
  readonly engine?: string;
}

const levelImages = 100;
const rasterLayers = 4;
const dataHelp = 'name a data set: --data mnist:test, --data idx:IMAGES,LABELS or --data npz:FILE';

/** A target and its network as it runs. */
type Shown = Pick<Opened, 'label' | 'normalisation' | 'text' | 'source' | 'bins' | 'targetIsInput' | 'givesLogits'> & {
  readonly network: Network;
};

export function shown(opened: Opened): Shown {
  return { ...opened, network: opened.compiled({ planes: false }).network };
}

export interface Drawn {
  readonly plot: Plot;
  readonly layers: readonly string[];
}

/** The plot of a kind, with the layers in it. */
export async function plotOf(compiled: Shown, options: PlotOptions): Promise<Drawn> {
  // all others show what it does
  if (options.kind !== 'bits' && compiled.text !== undefined) checkRuns(compiled.network, compiled.text);
  switch (options.kind) {
    case 'bits': {
      const bits = bitsOf(compiled.network, networkCost(compiled.network));
      return { plot: bitsPlot(bits), layers: bits.map(({ id }) => id) };
    }
    case 'boxes':
      return { plot: boxesPlot(await detected(compiled, options), 400), layers: [] };
    case 'pixels':
      return { plot: pixelsPlot(await pixelwise(compiled, options), 240), layers: [] };
    case 'levels':
      return levels(compiled, options);
    case 'spikes': {
      const trace = await traced(compiled, options, [firstImage(compiled)]);
      const [layer] = trace.layers;
      const shape = layer!.train.shape.slice(1);
      if (shape.length !== 3) fail('report/flat-layer', { layer: layer!.id, shape });
      return { plot: spikesPlot(trace, layer!), layers: [layer!.id] };
    }
    case 'raster': {
      const { layers } = await traced(compiled, options, spreadOver(neuronIds(compiled), rasterLayers));
      const most = layers.length === 1 ? 48 : 24;
      return { plot: rasterPlot(layers, { neurons: options.neurons, most }), layers: layers.map(({ id }) => id) };
    }
    case 'membranes': {
      const { layers } = await traced(compiled, options, neuronIds(compiled).slice(0, 1));
      return { plot: membranesPlot(layers[0]!, options.neurons), layers: [layers[0]!.id] };
    }
  }
}

function neuronIds({ network }: Shown): readonly string[] {
  return neuronLayers(network).map(({ id }) => id);
}

/** The first layer of neurons that has the shape of images, or the first. */
function firstImage({ network }: Shown): string {
  const layers = neuronLayers(network);
  return (layers.find(({ type }) => type.shape.length === 3) ?? layers[0])?.id ?? '';
}

/** The network on the image that was chosen, with the layer that was chosen or the usual ones. */
async function traced(
  { network, label: name, normalisation }: Shown,
  { kind, dataset, normalisation: given, sample = 0, layer, neurons, engine }: PlotOptions,
  usual: readonly string[],
): Promise<SampleTrace> {
  const layers = chosenLayers(network, name, layer === undefined ? usual : [layer]);
  for (const op of layers) {
    const count = elementCount(op.type.shape);
    const outside = neurons?.find((neuron) => neuron >= count);
    if (outside !== undefined) fail('report/no-such-neuron', { layer: op.id, neuron: outside, count });
  }
  if (dataset === undefined) fail('report/no-data', { what: `the picture "${kind}"` }, undefined, { help: dataHelp });
  const choice = { dataset, normalisation: chosenNormalisation(given, normalisation), sample };
  return traceSample(network, choice, layers, finiteOnly(chooseEngine(engine, 'infer')));
}

/** The image that was chosen, with what a detector finds in it. */
async function detected(
  { network, label: name, normalisation, bins }: Shown,
  { dataset, normalisation: given, sample: first = 0, engine }: PlotOptions,
): Promise<readonly DetectedImage[]> {
  if (bins === undefined) return fail('report/no-detector', { name });
  if (dataset === undefined)
    return fail('report/no-data', { what: 'the picture "boxes"' }, undefined, {
      help: 'name a data set: --data coco:FOLDER,ANNOTATIONS.json',
    });
  const on = { dataset, normalisation: chosenNormalisation(given, normalisation), first, count: 1 };
  return detectedImages(network, bins, on, finiteOnly(chooseEngine(engine, 'infer')));
}

/** The image that was chosen, with what is wanted of its pixels and what the network gives. */
async function pixelwise(
  { network, label: name, normalisation, ...meaning }: Shown,
  { dataset, normalisation: given, sample: first = 0, engine }: PlotOptions,
): Promise<readonly PixelSample[]> {
  if (dataset === undefined)
    return fail('report/no-data', { what: 'the picture "pixels"' }, undefined, { help: dataHelp });
  const on = { dataset, normalisation: chosenNormalisation(given, normalisation), first, count: 1 };
  const found = await pixelSamples(network, meaning, on, finiteOnly(chooseEngine(engine, 'infer')));
  if (found.length === 0) fail('report/no-pixels', { name, data: dataset.name });
  return found;
}

async function levels(compiled: Shown, options: PlotOptions): Promise<Drawn> {
  const { network, label: name } = compiled;
  const { dataset, limit = levelImages, layer } = options;
  const wanted = chosenLayers(network, name, layer === undefined ? neuronIds(compiled) : [layer]).map(({ id }) => id);
  if (dataset === undefined) fail('report/no-data', { what: 'the picture "levels"' }, undefined, { help: dataHelp });
  const all = await measureLevels(
    network,
    {
      dataset,
      normalisation: chosenNormalisation(options.normalisation, compiled.normalisation),
      count: Math.min(dataset.length, limit),
      batch: latencyOf(network) === 0 ? 1 : batchFor(network, { ...options, dataset, activity: true }),
    },
    finiteOnly(chooseEngine(options.engine, 'infer')),
    (done, total) => options.onProgress?.({ phase: 'counting levels', done, total, unit: 'images' }),
  );
  const shown = all.filter(({ id }) => wanted.includes(id));
  return { plot: levelsPlot(shown), layers: shown.map(({ id }) => id) };
}
