import { basename, dirname, join, resolve } from 'node:path';
import type { Outcome } from '../base/diagnostics/index.js';
import { writeFolder, type Dataset, type Normalisation } from '../data/index.js';
import { type Config, checkModel } from '../model/index.js';
import { artifactsWith } from '../workspace/artifacts.js';
import { calibrate } from '../run/calibrate.js';
import { type CompileResult, describe } from './summary.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { diskLoader } from '../workspace/files.js';
import { artifactNames, refuseToReplace } from '../workspace/replacing.js';
import { normalisationOf } from '../workspace/train-settings.js';
import { Findings } from '../workspace/findings.js';
import { chooseConfig, importFile } from '../workspace/target.js';
import { verifyWhereWanted } from '../run/verify-import.js';
import { packageVersion } from '../workspace/version.js';
import type { CommonOptions } from '../workspace/types.js';
import type { ConversionCoding } from './choices.js';

export interface ConvertOptions extends CommonOptions {
  readonly coding: ConversionCoding;
  readonly steps?: number;
  readonly silent?: number;
  readonly beta?: number;
  readonly encoder?: 'exact' | 'drive';
  /** Data on which activation ranges are measured, for networks without quantisers. */
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
  readonly outDir: string;
}

export interface ConvertResult extends CompileResult {
  /** The model file that was written. */
  readonly model: string;
}

/** The model file of a conversion: what `convert` would otherwise hide in options. */
function modelText(onnxName: string, options: ConvertOptions, ranges: ReadonlyMap<string, number>): string {
  const lines = options.coding === 'sws' ? swsLines(options) : meanLines(options, ranges);
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

function swsLines({ steps = 8, silent, beta = 2, encoder = 'exact' }: ConvertOptions): Lines {
  const quiet = silent ?? Math.min(2, steps);
  const drive = encoder === 'drive' ? ', encoder: drive' : '';
  return { use: [], settings: [`  coding  sws(beta: ${beta}, steps: ${steps}, silent: ${quiet}${drive})`] };
}

/** A neuron, its steps and the measured ranges; the membrane starts half a spike of the smallest kind up. */
function meanLines(options: ConvertOptions, ranges: ReadonlyMap<string, number>): Lines {
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
  // the longer id last: a pattern also means ids that begin with it and a dot, and later patterns win
  const layers = [...ranges]
    .sort(([a], [b]) => a.length - b.length)
    .map(([id, range]) => `    layer ${JSON.stringify(id)} { range ${range} }`);
  const coding = `  coding  direct(steps: ${options.steps ?? usual})`;
  return {
    use: [`use "spikec/neurons" { ${name} }`, ''],
    settings: [`  neuron  ${name}(${args})`, ...(layers.length === 0 ? [coding] : [`${coding} {`, ...layers, '  }'])],
  };
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
  await verifyWhereWanted(source, options, findings);
  const model = join(options.outDir, modelName);
  const configOf = (text: string): Config => {
    const checked = findings.take(checkModel({ name: model, text }, diskLoader(model, false)));
    return chooseConfig(checked, { path: model });
  };
  let text = modelText(onnxName, options, new Map());
  if (options.coding !== 'sws') {
    conversionPlan(configOf(text), new Findings()); // a coding that can't convert is said before images are read
    const { calibrate: dataset, normalisation = {}, percentile = 99.9, calibrationLimit: limit, onProgress } = options;
    const calibration = { dataset, normalisation, percentile, limit, onProgress };
    text = modelText(onnxName, options, await calibrate(source.imported.network, calibration, findings));
  }
  const config = configOf(text);
  const { network, runs } = convertNetwork(source.imported.network, conversionPlan(config, findings), findings);
  const normalisation = normalisationOf(config.normalize);
  const sources = new Map([[onnxName, source.bytes]]);
  const origin = { maker: 'convert', config: config.name, normalisation, sources } as const;
  const written = new Map<string, string | Uint8Array>([[modelName, text], ...copies]);
  const files = artifactsWith(written, network, ['ir', 'json', 'onnx'], origin, packageVersion());
  writeFolder(options.outDir, files);
  return { value: { ...describe(network, runs, [...files.keys()], options), model }, diagnostics: findings.all };
}
