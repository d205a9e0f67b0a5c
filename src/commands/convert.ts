import { basename, dirname, join, resolve } from 'node:path';
import { DiagnosticError, type Outcome, diagnostic, fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { writeFolder, type Dataset, type Normalisation } from '../data/index.js';
import { type Config, checkModel } from '../model/index.js';
import { affordable, artifactsWith } from '../workspace/artifacts.js';
import { mostUnrolledSteps, sampleShape, unrolledSteps } from '../lower/program/index.js';
import { mostDrawnValues } from '../run/drawn-inputs.js';
import { type AutoSilence, type Kept, autoSilence, certainSilence } from '../allocate/auto-silence.js';
import { layerLines } from '../allocate/files.js';
import { type Network, numberAttr } from '../network/index.js';
import { trainCapacity } from '../passes/index.js';
import { type Calibration, calibrate } from '../run/calibrate.js';
import { type ValueRange, calibrateQuantisers } from '../run/calibrate-quantisers.js';
import { type CompileResult, describe } from './summary.js';
import type { Conversion } from '../workspace/compiled.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { diskLoader } from '../workspace/files.js';
import { artifactNames, refuseToReplace } from '../workspace/replacing.js';
import { normalisationOf } from '../workspace/train-settings.js';
import { Findings } from '../workspace/findings.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { type Source, importFile } from '../workspace/target.js';
import { type Verified, verifyWhereWanted } from '../run/verify-import.js';
import { type ConversionCheck, checkConversion, checkDiagnostic } from '../run/check-conversion.js';
import { chooseEngine } from '../run/engine.js';
import { packageVersion } from '../workspace/version.js';
import { type CommonOptions, verifyLevel } from '../workspace/types.js';
import type { ConversionCoding } from './choices.js';

export interface ConvertOptions extends CommonOptions {
  readonly coding: ConversionCoding;
  readonly steps?: number;
  /** Silent steps of every layer; `auto` (where missing) by layer, the least on a few inputs; `proven` right for all. */
  readonly silent?: number | 'auto' | 'proven';
  /** With `auto`: what must not differ on these inputs; `codes` where missing. */
  readonly keep?: Kept;
  /** With `auto`: how much more than on these inputs may come in late; 1.5 where missing, 2 on fewer than 4 inputs. */
  readonly margin?: number;
  readonly beta?: number;
  readonly encoder?: 'exact' | 'drive';
  /** Data on which the network is checked, and activation ranges are measured where there are no quantisers. */
  readonly calibrate?: Dataset;
  /** Of the positive activations, in (0, 100]; the default takes 99.9. */
  readonly percentile?: number;
  /** How many calibration images, from the first; 1000 where missing. */
  readonly calibrationLimit?: number;
  /** Bits of MBIF, or D and N of IBRALIF. */
  readonly integer?: number;
  readonly fraction?: number;
  readonly largest?: number;
  readonly perUnit?: number;
  readonly normalisation?: Normalisation;
  /** A network that doesn't pass its check is an error, and nothing is written. */
  readonly strict?: boolean;
  readonly outDir: string;
  /** The output to take, of several. */
  readonly output?: string;
}

export interface ConvertResult extends CompileResult {
  /** The model file that was written. */
  readonly model: string;
  /** How much of the import was compared with onnxruntime. */
  readonly verified?: Verified;
  /** What the finished network does on a few inputs. */
  readonly check?: ConversionCheck;
  /** Silent periods that were chosen by layer. */
  readonly silence?: AutoSilence;
}

/** The model file of a conversion: what `convert` would otherwise hide in options. */
export function modelText(onnxName: string, options: ConvertOptions, found: Found): string {
  const lines = options.coding === 'sws' ? swsLines(options, found) : meanLines(options, found.ranges ?? new Map());
  const { use, settings } = lines;
  const only = options.output === undefined ? '' : `, output: ${JSON.stringify(options.output)}`;
  return [
    `// Made by spikec convert from ${JSON.stringify(onnxName)}.`,
    ...use,
    'config converted {',
    `  network onnx(${JSON.stringify(onnxName)}${only})`,
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
  readonly steps?: number;
  readonly silence?: AutoSilence;
}

interface Lines {
  readonly use: readonly string[];
  readonly settings: readonly string[];
}

function swsLines({ silent, beta = 2, encoder = 'exact', ...options }: ConvertOptions, found: Found): Lines {
  const steps = options.steps ?? found.steps ?? usualSteps;
  const drive = encoder === 'drive' ? ', encoder: drive' : '';
  const coding = (period: number): string => `  coding  sws(beta: ${beta}, steps: ${steps}, silent: ${period}${drive})`;
  const { layers } = found.silence ?? { layers: [] };
  const periods = new Set(layers.map((layer) => layer.silent));
  const settings = new Map([...(found.ranges ?? [])].map(([id, range]) => [id, rangeText(range)]));
  if (periods.size <= 1) {
    const untried = found.silence === undefined ? Math.min(usualSilence, steps) : 0;
    const period = typeof silent === 'number' ? silent : ([...periods][0] ?? untried);
    return { use: [], settings: withLayers(coding(period), settings) };
  }
  for (const layer of layers) {
    const range = settings.get(layer.id);
    settings.set(layer.id, `silent ${layer.silent}${range === undefined ? '' : `  ${range}`}`);
  }
  return { use: [], settings: withLayers(coding(Math.min(...periods)), settings) };
}

/** What a layer's quantiser covers, as its settings say it. */
function rangeText({ from, range }: ValueRange): string {
  return from === 0 ? `range ${range}` : `from ${from}  range ${range}`;
}

/** A coding with settings of layers behind it. */
function withLayers(coding: string, settings: ReadonlyMap<string, string>): readonly string[] {
  return settings.size === 0 ? [coding] : [`${coding} {`, ...layerLines(settings), '  }'];
}

/** A neuron, its steps and the measured ranges; the membrane starts half a spike of the smallest kind up. */
function meanLines(options: ConvertOptions, ranges: ReadonlyMap<string, ValueRange>): Lines {
  const { integer = 1, fraction = 3, largest = 5.11, perUnit = 100 } = options;
  const { name, args, usual } = {
    rate: { name: 'IF', args: 'start: 0.5', usual: 64 },
    mbif: {
      name: 'MBIF',
      args: `integer: ${integer}, fraction: ${fraction}, start: ${2 ** -(fraction + 1)}`,
      usual: 16,
    },
    ibra: { name: 'IBRALIF', args: `D: ${largest}, N: ${perUnit}`, usual: 1 },
  }[options.coding as 'rate' | 'mbif' | 'ibra'];
  const settings = new Map([...ranges].map(([id, range]) => [id, rangeText(range)]));
  const coding = `  coding  direct(steps: ${options.steps ?? usual})`;
  return {
    use: [`use "spikec/neurons" { ${name} }`, ''],
    settings: [`  neuron  ${name}(${args})`, ...withLayers(coding, settings)],
  };
}

/** Converts an ONNX network: writes the model file, a copy of the network, and the compiled artifacts. */
export async function convertOnnx(file: string, options: ConvertOptions): Promise<Outcome<ConvertResult>> {
  const findings = new Findings();
  const source = importFile(file, findings, options.output);
  const onnxName = basename(file);
  const modelName = `${onnxName.replace(/\.onnx$/i, '')}.spike`;
  const copies = new Map<string, string | Uint8Array>(source.external);
  if (resolve(file) !== resolve(options.outDir, onnxName)) copies.set(onnxName, source.bytes);
  refuseToReplace({
    folder: options.outDir,
    maker: 'convert',
    files: new Map([...artifactNames, modelName].map((name) => [name, undefined])),
    copies,
    inputs: [file, ...[...source.external.keys()].map((name) => join(dirname(file), name))],
  });
  const verified = await verifyWhereWanted(source, options, findings);
  const model = join(options.outDir, modelName);
  const configOf = (text: string): Config => {
    const checked = findings.take(checkModel({ name: model, text }, diskLoader(model, false)));
    return chooseConfig(checked, { path: model });
  };
  let text = modelText(onnxName, options, {});
  let silence: AutoSilence | undefined;
  const calibration = calibrationOf(options);
  if (options.coding === 'sws') {
    refuseDynamic(source, options);
    const ranges = await calibrateQuantisers(source.imported.network, calibration, findings);
    text = modelText(onnxName, options, { ranges });
    const steps = stepsFor(source.imported.network, configOf(text), options, findings);
    text = modelText(onnxName, options, { ranges, steps });
    silence = await silenceFor(source.imported.network, configOf(text), options, findings);
    if (silence !== undefined) text = modelText(onnxName, options, { ranges, steps, silence });
  } else {
    conversionPlan(configOf(text), new Findings()); // a coding that can't convert is said before images are read
    const measured = await calibrate(source.imported.network, calibration, findings);
    const ranges = new Map([...measured].map(([id, range]) => [id, { from: 0, range }]));
    text = modelText(onnxName, options, { ranges });
  }
  const config = configOf(text);
  const plan = conversionPlan(config, findings);
  const { network, runs, conversion } = convertNetwork(source.imported.network, plan, findings);
  const check = await checked(present(conversion, 'convert: the pipeline ended early'), options, findings);
  const normalisation = normalisationOf(config.normalize);
  const sources = new Map([[onnxName, source.bytes]]);
  const origin = { maker: 'convert', config: config.name, normalisation, sources } as const;
  const written = new Map<string, string | Uint8Array>([[modelName, text], ...copies]);
  const emit = affordable(['ir', 'json', 'onnx'], network, findings);
  const files = artifactsWith(written, network, emit, origin, packageVersion());
  writeFolder(options.outDir, files);
  const described = describe(network, runs, [...files.keys()], options);
  return {
    value: {
      ...described,
      model,
      ...(verified && { verified }),
      ...(check && { check }),
      ...(silence && { silence }),
    },
    diagnostics: findings.all,
  };
}

function calibrationOf(options: ConvertOptions): Calibration {
  const { calibrate: dataset, normalisation = {}, percentile = 99.9, calibrationLimit: limit, onProgress } = options;
  return { dataset, normalisation, percentile, limit, onProgress };
}

/** Dynamic quantisers have no fixed codes: without data to make them static they are refused by name. */
function refuseDynamic(
  { path, imported: { dynamicQuantisers } }: Source,
  { calibrate: dataset }: ConvertOptions,
): void {
  const [first] = dynamicQuantisers;
  if (first === undefined || dataset !== undefined) return;
  const help =
    'convert with --calibrate DATA, which makes them static, or choose --coding rate, which needs ranges only';
  fail('convert/dynamic-quantisers', { count: dynamicQuantisers.length, first }, { file: path }, { help });
}

/** Silent steps of the layers of networks that are too long to choose them. */
const usualSilence = 2;
/** Of networks with more time steps of layers together no silent periods are chosen: that takes their square. */
const mostTriedSteps = 2 ** 11;

/** Steps of 8-bit codes, for β = 2. */
const usualSteps = 8;

/** Coding steps that carry every code, 8 at least; of steps that were asked for, what they lose is said. */
function stepsFor(
  network: Network,
  config: Config,
  { beta = 2, ...options }: ConvertOptions,
  findings: Findings,
): number {
  const plan = conversionPlan(config, new Findings(), { silent: () => 0 });
  const { quantised, spiking } = converted(network, plan, findings);
  const trains = new Set(spiking.ops.flatMap(({ id, attrs }) => (numberAttr(attrs, 'amplitude', 1) > 1 ? [id] : [])));
  const ranges = quantised.ops.flatMap(({ id, type: { code } }) =>
    trains.has(id) && code.kind === 'quant' ? [code.max - code.min] : [],
  );
  const range = Math.max(0, ...ranges);
  let steps = options.steps ?? usualSteps;
  if (ranges.length === 0) return steps;
  while (trainCapacity(beta, steps) < range) steps++;
  if (options.steps === undefined) return steps;
  const amplitude = Math.ceil(range / trainCapacity(beta, options.steps));
  const args = { layers: trains.size, steps: options.steps, amplitude };
  const help = `--steps ${steps} carries every code`;
  findings.all.push(diagnostic('convert/coarse-codes', args, config.coding?.place, { help }));
  return options.steps;
}

/** Silent periods by layer, unless the options say how long all are. */
async function silenceFor(
  network: Network,
  config: Config,
  {
    silent = 'auto',
    keep: kept = 'codes',
    margin,
    calibrate: calibration,
    normalisation = {},
    onProgress,
  }: ConvertOptions,
  findings: Findings,
): Promise<AutoSilence | undefined> {
  if (typeof silent === 'number') return undefined;
  const convert = (periods: (id: string) => number): Conversion =>
    converted(network, conversionPlan(config, new Findings(), { silent: periods }), findings);
  // each layer's period is tried with conversions of the whole network
  const steps = unrolledSteps(convert(() => usualSilence).spiking);
  if (steps > mostTriedSteps) {
    const what = `each layer has the usual ${usualSilence} silent steps, none are chosen`;
    findings.all.push(diagnostic('convert/too-long', { what, steps, most: mostTriedSteps }));
    return undefined;
  }
  if (silent === 'proven') return certainSilence(convert);
  const engine = chooseEngine(undefined, 'infer');
  return autoSilence(convert, { kept, margin, calibration, normalisation, engine, onProgress });
}

/** A conversion tried on the way; what its passes have to say, the last one says again. */
function converted(network: Network, plan: ReturnType<typeof conversionPlan>, findings: Findings): Conversion {
  const said = findings.all.length;
  const { conversion } = convertNetwork(network, plan, findings);
  findings.all.length = said;
  return present(conversion, 'convert: the pipeline ended early');
}

/** Runs the finished network on a few inputs; what differs too much is a warning, or with `strict` an error. */
async function checked(
  conversion: Conversion,
  { calibrate: calibration, normalisation = {}, strict, onProgress, ...options }: ConvertOptions,
  findings: Findings,
): Promise<ConversionCheck | undefined> {
  const level = verifyLevel(options);
  if (level === 'none') return undefined;
  const values = elementCount(sampleShape(conversion.spiking));
  if (values > mostDrawnValues) {
    const what = 'the spiking network isn’t run for a check';
    findings.all.push(diagnostic('convert/large-input', { what, values, most: mostDrawnValues }));
    return undefined;
  }
  const steps = unrolledSteps(conversion.spiking);
  if (steps > mostUnrolledSteps) {
    const what = 'the spiking network not run for a check';
    findings.all.push(diagnostic('convert/too-long', { what, steps, most: mostUnrolledSteps }));
    return undefined;
  }
  const engine = chooseEngine(undefined, 'infer');
  const check = await checkConversion(conversion, { level, calibration, normalisation, engine, onProgress });
  const chosen = options.coding === 'sws' && (options.silent ?? 'auto') === 'auto';
  const warning = checkDiagnostic(check, conversion, chosen);
  if (warning === undefined) return check;
  findings.all.push(strict === true ? { ...warning, severity: 'error' } : warning);
  if (strict === true) throw new DiagnosticError(findings.all);
  return check;
}
