import { type Diagnostic, type Outcome, diagnostic } from '../base/diagnostics/index.js';
import { type Dataset, type NamedInput, type Normalisation, channelProblems } from './dataset.js';
import { type Framing, type Sensor, framed } from './events/index.js';
import { idsInTables } from './ids.js';
import { channelsFirst, channelsLast, reshaped, withChannelsFirst, withChannelsLast } from './layout.js';

/** Of how many places a detector speaks, and how many numbers the distribution of a side's distance has. */
export interface Detector {
  readonly places: number;
  readonly bins: number;
}

/** What a network takes and gives. */
export interface Need {
  /** Of one sample: what its input declares, the steps in front where it takes a frame a step. */
  readonly shape: readonly number[];
  /** The first axis of a sample is time. */
  readonly frames?: boolean;
  /** How it turns recordings of events into frames. */
  readonly framing?: Framing;
  readonly outputs: number;
  /** The inputs by their names in the file that the network comes from. */
  readonly inputs?: readonly NamedInput[];
  /** Labels may be numbers to compare the outputs with. */
  readonly numbers?: boolean;
  /** The network is a detector, whose outputs are compared with boxes. */
  readonly detector?: Detector;
  /** The outputs are compared with the sample itself. */
  readonly targetIsInput?: boolean;
  readonly normalisation?: Normalisation;
}

/**
 * The data set as a network's declared input takes it: the same numbers in another shape, channels at the other end where
 * that is what the input has; whatever isn't one of these is a diagnostic with both shapes.
 */
export function fitDataset(given: Dataset, need: Need): Outcome<Dataset> {
  if (need.targetIsInput !== true) given.withoutLabels?.();
  const { inputs = [] } = need;
  const byName = inputs.length > 1 || (inputs.length === 1 && given.arrays !== undefined);
  const row = byName ? given.inARow?.(inputs, count(need.shape)) : undefined;
  if (row === undefined && given.arrays !== undefined) {
    const args = { name: given.name, arrays: given.arrays, inputs: inputs.map(({ name }) => name) };
    return { diagnostics: [diagnostic('data/no-samples', args)] };
  }
  const frames = framesOf(row ?? given, need);
  if ('code' in frames) return { diagnostics: [frames] };
  return fitSamples(frames, need);
}

/** Recordings as the frames that a network takes; other data as it is. */
function framesOf(dataset: Dataset, { framing, shape }: Need): Dataset | Diagnostic {
  const { recordings, name } = dataset;
  if (recordings === undefined) return dataset;
  const wanted = shape.slice(1);
  if (framing === undefined) return diagnostic('data/unframed', { name });
  const sensor = recordings.sensor ?? sensorOf(wanted);
  return sensor === undefined
    ? diagnostic('data/shape-mismatch', { name, data: ['steps', 2, 'rows', 'columns'], network: shape })
    : framed(dataset, recordings, framing, sensor);
}

/** The sensor whose frames an input [2, rows, columns] takes. */
function sensorOf(input: readonly number[]): Sensor | undefined {
  const [channels, rows, columns] = input;
  return input.length === 3 && channels === 2 ? { columns: columns!, rows: rows! } : undefined;
}

function fitSamples(given: Dataset, need: Need): Outcome<Dataset> {
  const diagnostics: Diagnostic[] = [];
  const dataset = scaled(given, need);
  const fit = arranged(dataset, need.shape);
  if (fit === undefined) {
    const args = { name: dataset.name, data: dataset.shape, network: need.shape };
    diagnostics.push(diagnostic('data/shape-mismatch', args, undefined, { help: remedy(dataset, need) }));
  }
  diagnostics.push(...labelProblems(dataset, need));
  if (fit !== undefined && diagnostics.length === 0) {
    diagnostics.push(...channelProblems(fit.dataset, need.normalisation ?? {}));
    if (fit.moved !== undefined && diagnostics.length === 0) {
      const args = { name: dataset.name, data: dataset.shape, network: need.shape, end: fit.moved };
      diagnostics.push(diagnostic('data/channels-moved', args));
    }
  }
  if (fit === undefined || diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics };
  const frames = need.frames === true;
  const scale = frames ? (fit.dataset.frameScale ?? fit.dataset.scale) : fit.dataset.scale;
  const mirrored = need.targetIsInput === true ? { targetIsInput: true, targets: need.outputs } : {};
  const { boxes } = fit.dataset;
  const found = boxes === undefined || need.detector === undefined ? {} : { boxes: { ...boxes, bins: need.detector.bins } };
  const value = { ...fit.dataset, scale, frames, ...mirrored, ...found };
  return { value: idsInTables(value, need), diagnostics };
}

/** Images that may be scaled, in the rows and columns that a network takes. */
function scaled(dataset: Dataset, { shape }: Need): Dataset {
  const [channels, rows, columns] = shape;
  if (dataset.letterboxed === undefined || shape.length !== 3 || same(dataset.shape, shape)) return dataset;
  return dataset.letterboxed(channels!, rows!, columns!);
}

interface Arranged {
  readonly dataset: Dataset;
  /** Where the channels went, when only the network's input says so. */
  readonly moved?: 'first' | 'last';
}

function arranged(dataset: Dataset, wanted: readonly number[]): Arranged | undefined {
  const { shape, layout } = dataset;
  if (same(shape, wanted)) return { dataset };
  if (same(squeezed(shape), squeezed(wanted))) return { dataset: reshaped(dataset, wanted) };
  const flat = flattened(dataset, wanted);
  if (flat !== undefined) return { dataset: flat };
  if (shape.length !== wanted.length || shape.length < 3) return undefined;
  const said = layout !== undefined;
  if (same(channelsLast(shape), wanted))
    return { dataset: withChannelsLast(dataset), ...(said ? {} : { moved: 'last' }) };
  if (!said && same(channelsFirst(shape), wanted)) return { dataset: withChannelsFirst(dataset), moved: 'first' };
  return undefined;
}

/** Rows of numbers for images and the other way round: of one channel, or where the order of channels is known. */
function flattened(dataset: Dataset, wanted: readonly number[]): Dataset | undefined {
  const { shape, layout } = dataset;
  if (count(shape) !== count(wanted)) return undefined;
  const [from, to] = [squeezed(shape), squeezed(wanted)];
  if (to.length <= 1 && (from.length <= 2 || (from.length === 3 && layout !== undefined)))
    return reshaped(dataset, wanted);
  if (from.length > 1) return undefined;
  if (to.length <= 2) return reshaped(dataset, wanted);
  if (to.length !== 3 || layout === undefined) return undefined;
  if (layout === 'nhwc') return withChannelsFirst(dataset, wanted);
  const inner = wanted.at(-2)! * wanted.at(-1)!;
  return { ...dataset, shape: wanted, channels: { count: wanted.at(-3)!, inner } };
}

function remedy({ shape, layout }: Dataset, need: Need): string {
  const wanted = need.shape;
  const list = (axes: readonly (string | number)[]): string => `[${axes.join(', ')}]`;
  if (need.frames === true && same(shape, wanted.slice(1)))
    return `\`coding events\` takes ${wanted[0]} frames a sample, ${list(['count', ...wanted])}; images go to \`coding direct\``;
  if (count(shape) === count(wanted) && layout === undefined && Math.min(shape.length, wanted.length) === 1)
    return 'say in which order the channels lie: --layout nchw, or --layout nhwc for channels last';
  return `save the samples as ${list(['count', ...wanted])}, or change the network's input; nothing is resized, cropped or recoloured`;
}

function labelProblems({ name, classes, classesKnown, targets, boxes }: Dataset, need: Need): readonly Diagnostic[] {
  const { outputs, detector } = need;
  if (detector !== undefined) {
    if (boxes === undefined) return [diagnostic('data/no-boxes', { name })];
    const fits = detector.places * (4 * detector.bins + classes) === outputs;
    return fits ? [] : [diagnostic('data/detector-mismatch', { name, classes, outputs, ...detector })];
  }
  // where numbers are welcome, and no detector is, nothing is compared with them
  if (boxes !== undefined && need.targetIsInput !== true) return need.numbers === true ? [] : [diagnostic('data/boxes', { name })];
  if (need.targetIsInput === true) {
    const numbers = count(need.shape);
    return numbers === outputs ? [] : [diagnostic('data/target-mismatch', { name, targets: numbers, outputs })];
  }
  if (targets !== undefined) {
    if (need.numbers !== true) return [diagnostic('data/not-classes', { name })];
    return targets === outputs ? [] : [diagnostic('data/target-mismatch', { name, targets, outputs })];
  }
  // one output tells two classes apart by its sign
  const told = outputs === 1 ? 2 : outputs;
  if (classes <= told && (!classesKnown || classes === told)) return [];
  const help =
    outputs === 1
      ? 'one output tells the classes 0 and 1 apart; numbers to be predicted are saved as float32 labels'
      : undefined;
  return [diagnostic('data/class-mismatch', { name, classes, outputs }, undefined, { help })];
}

const count = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);
const squeezed = (shape: readonly number[]): readonly number[] => shape.filter((n) => n !== 1);
const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
