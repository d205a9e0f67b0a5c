import { type Diagnostic, type Outcome, diagnostic } from '../base/diagnostics/index.js';
import { arranged, count, same } from './arranged.js';
import { type Dataset, type NamedInput, type Normalisation, channelProblems } from './dataset.js';
import { type Framing, type Sensor, framed } from './events/index.js';
import { idsInTables } from './ids.js';
import { inARow } from './in-a-row.js';

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
  const { inputs = [] } = need;
  const byName = inputs.length > 1 || given.unnamed === true;
  const parts = byName ? given.ofInputs?.(inputs.map(({ name }) => name)) : undefined;
  const isNamed = given.unnamed === true || (byName && count(given.shape) !== count(need.shape));
  if (parts === undefined && given.arrays !== undefined && isNamed) {
    const args = { name: given.name, arrays: given.arrays, inputs: inputs.map(({ name }) => name) };
    return { diagnostics: [diagnostic('data/no-samples', args)] };
  }
  const [first = given, ...others] = parts ?? [];
  if (need.targetIsInput !== true) first.withoutLabels?.();
  const row = others.length > 0 ? inARow(given.name, [first, ...others], { ...need, inputs }) : undefined;
  if (row !== undefined && row.value === undefined) return row;
  const frames = framesOf(row?.value ?? first, need);
  if ('code' in frames) return { diagnostics: [frames] };
  const { value, diagnostics } = fitSamples(frames, need);
  const all = [...(row?.diagnostics ?? []), ...diagnostics];
  return value === undefined ? { diagnostics: all } : { value, diagnostics: all };
}

/** Recordings as the frames that a network takes; other data as it is. */
function framesOf(dataset: Dataset, { framing, shape }: Need): Dataset | Diagnostic {
  const { recordings, name } = dataset;
  if (recordings === undefined) return dataset;
  const wanted = shape.slice(1);
  if (framing === undefined) return diagnostic('data/unframed', { name });
  const sensor = recordings.sensor ?? sensorOf(wanted, recordings.channels);
  return sensor === undefined
    ? diagnostic('data/shape-mismatch', { name, data: recordings.channels === true ? ['steps', 'channels'] : ['steps', 2, 'rows', 'columns'], network: shape })
    : framed(dataset, recordings, framing, sensor);
}

/** The sensor whose frames an input [2, rows, columns] takes; of a cochlea [channels]. */
function sensorOf(input: readonly number[], isRow = false): Sensor | undefined {
  const [channels, rows, columns] = input;
  if (isRow) return input.length === 1 ? { columns: channels! } : undefined;
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

function remedy({ shape, layout }: Dataset, need: Need): string {
  const wanted = need.shape;
  const list = (axes: readonly (string | number)[]): string => `[${axes.join(', ')}]`;
  if (need.frames === true && same(shape, wanted.slice(1)))
    return `\`coding events\` takes ${wanted[0]} frames a sample, ${list(['count', ...wanted])}; images go to \`coding direct\` (of a NIR file: NET.nir#coding=direct)`;
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
