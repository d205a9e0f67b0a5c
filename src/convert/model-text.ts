import { type AutoSilence, mostListed } from '../allocate/auto-silence.js';
import { layerLines } from '../allocate/files.js';
import { codeRangeText } from '../base/code-range.js';
import { inputShapeArgument } from '../base/input-shape.js';
import type { Normalisation } from '../data/index.js';
import { LayerPatterns } from '../model/index.js';
import type { ValueRange } from '../run/calibrate-quantisers.js';
import { type ConversionCoding, type TimedCoding, isTimedCoding } from '../workspace/types.js';
import type { ConvertOptions } from './options.js';

/** Steps of 8-bit codes, for β = 2. */
export const usualSteps = 8;

/** Steps of rate coding. */
export const usualRateSteps = 64;

/** Steps of a layer's look at its input. */
const usualLook = 4;

/** Steps of signed spikes where no quantiser says how many codes there are: codes of 4 bits (Hu et al. 2023). */
const usualSignedSteps = 15;

/** The model file of a conversion: what `convert` would otherwise hide in options. */
export function modelText(onnxName: string, options: ConvertOptions, found: Found): string {
  const lines = linesOf(options, found);
  const { use, settings } = lines;
  const only = options.output === undefined ? '' : `, output: ${JSON.stringify(options.output)}`;
  const codes = options.inputCodes === undefined ? '' : `, input_codes: "${codeRangeText(options.inputCodes)}"`;
  const shapes = inputShapeArgument(options.inputShapes);
  return [
    `// Made by spikec convert from ${JSON.stringify(onnxName)}.`,
    ...use,
    'config converted {',
    `  network onnx(${JSON.stringify(onnxName)}${only}${codes}${shapes})`,
    ...settings,
    ...normalizeLine(options.normalisation ?? {}),
    '}',
    '',
  ].join('\n');
}

/** One number a channel of both, or one for all. */
function normalizeLine({ mean, std }: Normalisation): readonly string[] {
  if (mean === undefined && std === undefined) return [];
  const count = Math.max(mean?.length ?? 1, std?.length ?? 1);
  const list = (numbers: readonly number[]): string =>
    (numbers.length === 1 ? new Array<number>(count).fill(numbers[0]!) : numbers).join(', ');
  return [`  normalize channels(mean: [${list(mean ?? [0])}], std: [${list(std ?? [1])}])`];
}

/** What is measured of a network before its model file can be written. */
export interface Found {
  readonly ranges?: ReadonlyMap<string, ValueRange>;
  /** Ranges of each channel, in the place of the layer's. */
  readonly channels?: ReadonlyMap<string, readonly number[]>;
  readonly steps?: number;
  readonly silence?: AutoSilence;
  /** The largest size of the input, where it is to come in spikes. */
  readonly input?: number;
}

interface Lines {
  readonly use: readonly string[];
  readonly settings: readonly string[];
}

function linesOf(options: ConvertOptions, found: Found): Lines {
  if (options.coding === 'sws') return swsLines(options, found);
  if (isTimedCoding(options.coding)) return timedLines(options.coding, options, found);
  if (options.coding === 'binary') return binaryLines(options, found);
  if (options.coding === 'offset') return offsetLines(options, found);
  return meanLines(options, found);
}

/** Steps of these codings where none are given, and what else `convert` may set of them. */
const timed: Readonly<Record<TimedCoding, { readonly steps: number; readonly names: readonly TimedName[] }>> = {
  phase: { steps: 64, names: ['period'] },
  burst: { steps: 64, names: ['beta', 'theta', 'longest'] },
  ttfs: { steps: 64, names: ['tau'] },
  ttfs_dynamic: { steps: 16, names: [] },
  tsc: { steps: 64, names: [] },
  pattern: { steps: 8, names: [] },
};

type TimedName = 'period' | 'beta' | 'theta' | 'longest' | 'tau';

function timedLines(coding: TimedCoding, options: ConvertOptions, { ranges = new Map(), input }: Found): Lines {
  const { steps, names } = timed[coding];
  const args = [
    `steps: ${options.steps ?? steps}`,
    ...names.flatMap((name) => (options[name] === undefined ? [] : [`${name}: ${options[name]}`])),
    ...(input === undefined ? [] : [`input: ${input}`]),
  ];
  const settings = new Map([...ranges].map(([id, range]) => [id, rangeText(range)]));
  return { use: [], settings: withLayers(`  coding  ${coding}(${args.join(', ')})`, settings) };
}

/** `coding binary(bits: B)`: a step of the train is a bit. */
function binaryLines({ steps = usualSteps }: ConvertOptions, { ranges = new Map() }: Found): Lines {
  const settings = new Map([...ranges].map(([id, range]) => [id, rangeText(range)]));
  return { use: [], settings: withLayers(`  coding  binary(bits: ${steps})`, settings) };
}

function swsLines(
  { silent, beta = 2, encoder = 'exact', threshold = 'half', ...options }: ConvertOptions,
  found: Found,
): Lines {
  const steps = options.steps ?? found.steps ?? usualSteps;
  const rest = `${encoder === 'drive' ? ', encoder: drive' : ''}${threshold === 'full' ? ', threshold: full' : ''}`;
  const coding = (period: number): string => `  coding  sws(beta: ${beta}, steps: ${steps}, silent: ${period}${rest})`;
  const layers = options.periods ?? found.silence?.layers ?? [];
  const periods = new Set(layers.map((layer) => layer.silent));
  const settings = new Map([...(found.ranges ?? [])].map(([id, range]) => [id, rangeText(range)]));
  if (periods.size <= 1) {
    const period = typeof silent === 'number' && options.periods === undefined ? silent : ([...periods][0] ?? 0);
    return { use: [], settings: withLayers(coding(period), settings) };
  }
  // of very many layers only those that differ stand in the file
  const usual = layers.length > mostListed ? mostFrequent(layers.map((layer) => layer.silent)) : undefined;
  const others = new LayerPatterns(layers.flatMap(({ id, silent }) => (silent === usual ? [] : [{ pattern: id }])));
  for (const layer of layers) {
    if (layer.silent === usual && others.of(layer.id).length === 0) continue;
    const range = settings.get(layer.id);
    settings.set(layer.id, `silent ${layer.silent}${range === undefined ? '' : `  ${range}`}`);
  }
  return { use: [], settings: withLayers(coding(usual ?? Math.min(...periods)), settings) };
}

function mostFrequent(numbers: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const n of numbers) counts.set(n, (counts.get(n) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** What a layer's quantiser covers, as its settings say it. */
function rangeText({ from, range }: ValueRange): string {
  return from === 0 ? `range ${range}` : `from ${from}  range ${range}`;
}

/** A coding with settings of layers behind it. */
function withLayers(coding: string, settings: ReadonlyMap<string, string>): readonly string[] {
  return settings.size === 0 ? [coding] : [`${coding} {`, ...layerLines(settings), '  }'];
}

/** `coding offset(steps: T, look: ρ)` */
function offsetLines(
  { steps = stepsOfMeans({ coding: 'offset' }), look = usualLook }: ConvertOptions,
  found: Found,
): Lines {
  return { use: [], settings: withLayers(`  coding  offset(steps: ${steps}, look: ${look})`, layerRanges(found)) };
}

/** Ranges of layers, and of each channel where they have their own. */
function layerRanges({ ranges = new Map(), channels = new Map() }: Found): ReadonlyMap<string, string> {
  const settings = new Map([...ranges].map(([id, range]) => [id, rangeText(range)]));
  for (const [id, list] of channels) settings.set(id, `ranges [${list.join(', ')}]`);
  return settings;
}

/** Steps of trains that carry means where none are given; `found` of the network. */
export function stepsOfMeans(
  { coding, steps }: { readonly coding: ConversionCoding; readonly steps?: number },
  found?: number,
): number {
  const usual: Readonly<Partial<Record<ConversionCoding, number>>> = { mbif: 16, ibra: 1, signed: usualSignedSteps };
  return steps ?? found ?? usual[coding] ?? usualRateSteps;
}

/** A neuron, its steps and the measured ranges; the membrane starts half a spike of the smallest kind up. */
function meanLines(options: ConvertOptions, found: Found): Lines {
  const { integer = 1, fraction = 3, largest = 5.11, perUnit = 100 } = options;
  const { name, args } = {
    rate: { name: 'IF', args: 'start: 0.5' },
    signed: { name: 'SignedIF', args: 'start: 0.5' },
    mbif: {
      name: 'MBIF',
      args: `integer: ${integer}, fraction: ${fraction}, start: ${2 ** -(fraction + 1)}`,
    },
    ibra: { name: 'IBRALIF', args: `D: ${largest}, N: ${perUnit}` },
  }[options.coding as 'rate' | 'signed' | 'mbif' | 'ibra'];
  return {
    use: [`use "spikec/neurons" { ${name} }`, ''],
    settings: [
      `  neuron  ${name}(${args})`,
      ...withLayers(`  coding  ${meanCoding(options, found)}`, layerRanges(found)),
    ],
  };
}

/** The input as a constant current, or with an encoder in spikes. */
function meanCoding(options: ConvertOptions, { input, steps: found }: Found): string {
  const steps = stepsOfMeans(options, found);
  if (!isFiring(options)) return `direct(steps: ${steps})`;
  const seed = options.seed === undefined ? '' : `, seed: ${options.seed}`;
  const encoder = options.encoder === 'regular' ? ', encoder: regular' : '';
  return `rate(steps: ${steps}${seed}${encoder}${input === undefined ? '' : `, input: ${input}`})`;
}

/** Whether an input of a coding of means comes in spikes. */
export function isFiring({ encoder }: Pick<ConvertOptions, 'encoder'>): boolean {
  return encoder === 'bernoulli' || encoder === 'regular';
}
