import type { AutoSilence } from '../allocate/auto-silence.js';
import { fail } from '../base/diagnostics/index.js';
import { readBatch } from '../data/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import { activationSites } from '../passes/index.js';
import { balance } from '../run/balance.js';
import { type Calibration, beforeSites, calibrate } from '../run/calibrate.js';
import { allowedBytes } from '../run/memory.js';
import { type ValueRange, calibrateQuantisers } from '../run/calibrate-quantisers.js';
import { conversionPlan } from '../workspace/conversion.js';
import { Findings } from '../workspace/findings.js';
import { type Source, bytesOf } from '../workspace/target.js';
import { isTimedCoding } from '../workspace/types.js';
import { type Found, isFiring, modelText, stepsOfMeans } from './model-text.js';
import type { ConvertOptions } from './options.js';
import { silenceFor, stepsFor } from './time.js';

/** A conversion's model file, with what it says of time. */
export interface MeasuredText {
  readonly text: string;
  /** Silent periods that were chosen by layer. */
  readonly silence?: AutoSilence | undefined;
}

/** The model file with everything that is measured of the network: ranges, steps and silent periods. */
export async function measuredText(
  source: Source,
  onnxName: string,
  configOf: (text: string) => Config,
  options: ConvertOptions,
  findings: Findings,
): Promise<MeasuredText> {
  const { network } = source.imported;
  if (options.coding !== 'sws') {
    const unmeasured = isFiring(options) ? { input: 1 } : {};
    conversionPlan(configOf(modelText(onnxName, options, unmeasured)), new Findings()); // a coding that can't convert is said before images are read
    return { text: modelText(onnxName, options, await measuredFor(source, options, findings)) };
  }
  const { ranges } = await measuredFor(source, options, findings);
  const found = stepsFor(network, configOf(modelText(onnxName, options, { ranges })), options, findings);
  const measured = { ranges, steps: found.steps };
  const config = configOf(modelText(onnxName, options, measured));
  // who asks for the search by name gets it, whatever it takes
  const memory = options.silent === 'auto' ? Infinity : allowedBytes(bytesOf(source));
  const silence = await silenceFor(network, config, options, found, memory, findings);
  return { text: modelText(onnxName, options, silence === undefined ? measured : { ...measured, silence }), silence };
}

/** What images, or the network's quantisers, say for a coding: ranges of activations, and of an input that comes in spikes. */
export async function measuredFor(
  source: Source,
  options: ConvertOptions,
  findings: Findings,
): Promise<Found & { readonly ranges: ReadonlyMap<string, ValueRange> }> {
  const { network } = source.imported;
  if (options.coding === 'sws') {
    refuseDynamic(source, options);
    return { ranges: await calibrateQuantisers(network, calibrationOf(options), findings) };
  }
  const measured = await calibrate(network, calibrationOf(options), findings);
  const ranges = new Map([...measured].map(([id, range]) => [id, { from: 0, range }]));
  const fires = isTimedCoding(options.coding) ? options.encoder !== 'real' : isFiring(options);
  const input = fires ? inputSize(network, options) : undefined;
  if (input === undefined && isFiring(options)) {
    const reason = 'nothing says how large the input is of which spikes are a share';
    fail('convert/calibration', { reason }, undefined, { help: 'give images with --calibrate DATA' });
  }
  const steps = options.coding === 'signed' ? mostCodes(beforeSites(network, findings)) : undefined;
  const channels =
    options.balance === undefined
      ? undefined
      : await balance(network, options.balance, calibrationOf(options), stepsOfMeans(options, steps), findings);
  return {
    ranges,
    ...(input === undefined ? {} : { input }),
    ...(steps === undefined ? {} : { steps }),
    ...(channels === undefined ? {} : { channels }),
  };
}

/** The largest code of the quantised activations, 2^b − 1 of b bits: a step for each; undefined where none are. */
function mostCodes(network: Network): number | undefined {
  const codes = activationSites(network).flatMap(({ op }) =>
    op.kind === 'quantize' ? [op.attrs.max - op.attrs.zero] : [],
  );
  return codes.length === 0 ? undefined : Math.max(...codes);
}

/** Images looked at for the largest size of the input. */
const inputImages = 1000;

/** The largest size of the input: of its quantiser, else of the calibration's images; undefined where neither is there. */
function inputSize(
  network: Network,
  { calibrate: dataset, normalisation = {}, ...options }: ConvertOptions,
): number | undefined {
  const input = network.ops.find(({ kind }) => kind === 'input');
  const quantiser = network.ops.find((op) => op.kind === 'quantize' && op.inputs[0] === input?.id);
  if (quantiser?.kind === 'quantize') {
    const { scale, zero, min, max } = quantiser.attrs;
    return Number((scale * Math.max(Math.abs(max - zero), Math.abs(min - zero))).toPrecision(6));
  }
  if (dataset === undefined) return undefined;
  let most = 0;
  const count = Math.min(dataset.length, options.calibrationLimit ?? inputImages);
  for (let start = 0; start < count; start += 100) {
    const { images } = readBatch(dataset, start, Math.min(100, count - start), normalisation);
    most = images.data.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), most);
  }
  return most > 0 && Number.isFinite(most) ? Number(most.toPrecision(6)) : undefined;
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
