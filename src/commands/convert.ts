import { basename, dirname, join, resolve } from 'node:path';
import { DiagnosticError, type Outcome, fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import { writeFolder, type Dataset, type Normalisation } from '../data/index.js';
import { type Config, checkModel } from '../model/index.js';
import { artifactsWith } from '../workspace/artifacts.js';
import { calibrate } from '../run/calibrate.js';
import { type ValueRange, calibrateQuantisers } from '../run/calibrate-quantisers.js';
import { type CompileResult, describe } from './summary.js';
import type { Conversion } from '../workspace/compiled.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { diskLoader } from '../workspace/files.js';
import { artifactNames, refuseToReplace } from '../workspace/replacing.js';
import { normalisationOf } from '../workspace/train-settings.js';
import { Findings } from '../workspace/findings.js';
import { chooseConfig, importFile } from '../workspace/target.js';
import { type Verified, verifyWhereWanted } from '../run/verify-import.js';
import { type ConversionCheck, checkConversion, checkDiagnostic } from '../run/check-conversion.js';
import { chooseEngine } from '../run/engine.js';
import { packageVersion } from '../workspace/version.js';
import { type CommonOptions, verifyLevel } from '../workspace/types.js';
import type { ConversionCoding } from './choices.js';

export interface ConvertOptions extends CommonOptions {
  readonly coding: ConversionCoding;
  readonly steps?: number;
  readonly silent?: number;
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
}

export interface ConvertResult extends CompileResult {
  /** The model file that was written. */
  readonly model: string;
  /** How much of the import was compared with onnxruntime. */
  readonly verified?: Verified;
  /** What the finished network does on a few inputs. */
  readonly check?: ConversionCheck;
}

/** The model file of a conversion: what `convert` would otherwise hide in options. */
function modelText(onnxName: string, options: ConvertOptions, ranges: ReadonlyMap<string, ValueRange>): string {
  const lines = options.coding === 'sws' ? swsLines(options, ranges) : meanLines(options, ranges);
  const { use, settings } = lines;
  return [
    `// Made by spikec convert from ${JSON.stringify(onnxName)}.`,
    ...use,
    'config converted {',
    `  network onnx(${JSON.stringify(onnxName)})`,
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

interface Lines {
  readonly use: readonly string[];
  readonly settings: readonly string[];
}

function swsLines(
  { steps = 8, silent, beta = 2, encoder = 'exact' }: ConvertOptions,
  ranges: ReadonlyMap<string, ValueRange>,
): Lines {
  const quiet = silent ?? Math.min(2, steps);
  const drive = encoder === 'drive' ? ', encoder: drive' : '';
  const coding = `  coding  sws(beta: ${beta}, steps: ${steps}, silent: ${quiet}${drive})`;
  return { use: [], settings: withLayers(coding, ranges) };
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
  const coding = `  coding  direct(steps: ${options.steps ?? usual})`;
  return {
    use: [`use "spikec/neurons" { ${name} }`, ''],
    settings: [`  neuron  ${name}(${args})`, ...withLayers(coding, ranges)],
  };
}

/** A coding with the measured ranges of its layers behind it. */
function withLayers(coding: string, ranges: ReadonlyMap<string, ValueRange>): readonly string[] {
  // the longer id last: a pattern also means ids that begin with it and a dot, and later patterns win
  const layers = [...ranges]
    .sort(([a], [b]) => a.length - b.length)
    .map(([id, { from, range }]) => {
      const least = from === 0 ? '' : `from ${from}, `;
      return `    layer ${JSON.stringify(id)} { ${least}range ${range} }`;
    });
  return layers.length === 0 ? [coding] : [`${coding} {`, ...layers, '  }'];
}

/** Converts an ONNX network: writes the model file, a copy of the network, and the compiled artifacts. */
export async function convertOnnx(file: string, options: ConvertOptions): Promise<Outcome<ConvertResult>> {
  const findings = new Findings();
  const source = importFile(file, findings);
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
  let text = modelText(onnxName, options, new Map());
  const {
    calibrate: dataset,
    normalisation: normal = {},
    percentile = 99.9,
    calibrationLimit: limit,
    onProgress,
  } = options;
  const calibration = { dataset, normalisation: normal, percentile, limit, onProgress };
  const { dynamicQuantisers: dynamic } = source.imported;
  if (options.coding === 'sws' && dataset === undefined && dynamic.length > 0) {
    fail(
      'convert/dynamic-quantisers',
      { count: dynamic.length, first: dynamic[0]! },
      { file },
      {
        help: 'convert with --calibrate DATA, which makes them static, or choose --coding rate, which needs ranges only',
      },
    );
  }
  if (options.coding === 'sws') {
    const ranges = await calibrateQuantisers(source.imported.network, calibration, findings);
    text = modelText(onnxName, options, ranges);
  } else {
    conversionPlan(configOf(text), new Findings()); // a coding that can't convert is said before images are read
    const measured = await calibrate(source.imported.network, calibration, findings);
    text = modelText(onnxName, options, new Map([...measured].map(([id, range]) => [id, { from: 0, range }])));
  }
  const config = configOf(text);
  const plan = conversionPlan(config, findings);
  const { network, runs, conversion } = convertNetwork(source.imported.network, plan, findings);
  const check = await checked(present(conversion, 'convert: the pipeline ended early'), options, findings);
  const normalisation = normalisationOf(config.normalize);
  const sources = new Map([[onnxName, source.bytes]]);
  const origin = { maker: 'convert', config: config.name, normalisation, sources } as const;
  const written = new Map<string, string | Uint8Array>([[modelName, text], ...copies]);
  const files = artifactsWith(written, network, ['ir', 'json', 'onnx'], origin, packageVersion());
  writeFolder(options.outDir, files);
  const described = describe(network, runs, [...files.keys()], options);
  return {
    value: { ...described, model, ...(verified && { verified }), ...(check && { check }) },
    diagnostics: findings.all,
  };
}

/** Runs the finished network on a few inputs; what differs too much is a warning, or with `strict` an error. */
async function checked(
  conversion: Conversion,
  { calibrate: calibration, normalisation = {}, strict, onProgress, ...options }: ConvertOptions,
  findings: Findings,
): Promise<ConversionCheck | undefined> {
  const level = verifyLevel(options);
  if (level === 'none') return undefined;
  const engine = chooseEngine(undefined, 'infer');
  const check = await checkConversion(conversion, { level, calibration, normalisation, engine, onProgress });
  const warning = checkDiagnostic(check, conversion);
  if (warning === undefined) return check;
  findings.all.push(strict === true ? { ...warning, severity: 'error' } : warning);
  if (strict === true) throw new DiagnosticError(findings.all);
  return check;
}
