import { basename, dirname, join, resolve } from 'node:path';
import type { AutoSilence } from '../allocate/auto-silence.js';
import type { Outcome } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import type { FileContent } from '../base/pieces.js';
import { checkWhereWanted } from '../convert/check.js';
import { measuredText } from '../convert/measured-text.js';
import type { ConvertOptions } from '../convert/options.js';
import { unwritten } from '../convert/unwritten.js';
import { writeFolder } from '../data/index.js';
import type { Config } from '../model/index.js';
import type { ConversionCheck } from '../run/check-conversion.js';
import { type Verified, verifyWhereWanted } from '../run/verify-import.js';
import { affordable, artifactsWith } from '../workspace/artifacts.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { refuseModules } from '../workspace/emitters.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { artifactNames, refuseToReplace } from '../workspace/replacing.js';
import { bytesOf, importFile } from '../workspace/target.js';
import { convertedFolder } from '../workspace/torch-folder.js';
import { normalisationOf } from '../workspace/train-settings.js';
import { packageVersion } from '../workspace/version.js';
import { type CompileResult, Facts, describe } from './summary.js';

export type { ConvertOptions } from '../convert/options.js';

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

/** Converts an ONNX network: writes the model file, a copy of the network, and the compiled artifacts. */
export async function convertOnnx(file: string, given: ConvertOptions): Promise<Outcome<ConvertResult>> {
  const findings = new Findings();
  await prepare([], given.emit);
  const source = importFile(file, findings, given);
  const { inputCodes = given.inputCodes } = source.imported;
  const options = { ...given, ...(inputCodes && { inputCodes }) };
  const onnxName = basename(file);
  const modelName = `${onnxName.replace(/\.onnx$/i, '')}.spike`;
  const copies = new Map<string, FileContent>(source.external);
  if (resolve(file) !== resolve(options.outDir, onnxName)) copies.set(onnxName, source.bytes);
  const inputs = [file, ...[...source.external.keys()].map((name) => join(dirname(file), name))];
  refuseModules(options.emit ?? []);
  refuseToReplace({
    folder: options.outDir,
    maker: 'convert',
    files: new Map([...artifactNames, modelName].map((name) => [name, undefined])),
    copies,
    inputs,
  });
  const verified = await verifyWhereWanted(source, options, findings);
  const model = join(options.outDir, modelName);
  const configOf = (text: string): Config => unwritten(model, text, findings).config;
  const { text, silence } = await measuredText(source, onnxName, configOf, options, findings);
  const config = configOf(text);
  const plan = conversionPlan(config, findings, { network: source.imported.network });
  const { network, runs, conversion } = convertNetwork(source.imported.network, plan, findings, {
    after: ({ pass }) => options.onProgress?.({ phase: 'converting', done: 0, detail: `after ${pass}`, passing: true }),
  });
  const whole = present(conversion, 'convert: the pipeline ended early');
  const check = await checkWhereWanted(whole, options, bytesOf(source), findings);
  const normalisation = normalisationOf(config.normalize);
  const sources = new Map([[onnxName, source.bytes]]);
  const origin = { maker: 'convert', config: config.name, normalisation, sources } as const;
  const written = new Map<string, FileContent>([[modelName, text], ...copies]);
  const emit = affordable(options.emit ?? ['ir', 'json', 'onnx'], network, findings);
  const facts = new Facts();
  const torch = (): Map<string, string | Uint8Array> => convertedFolder(network, config.name);
  const files = artifactsWith(written, network, emit, origin, packageVersion(), {
    torch,
    said: facts.take,
    onProgress: options.onProgress,
  });
  refuseToReplace({ folder: options.outDir, maker: 'convert', files, inputs });
  writeFolder(options.outDir, files);
  return {
    value: {
      ...describe(network, runs, [...files.keys()], options, facts),
      model,
      ...(verified && { verified }),
      ...(check && { check }),
      ...(silence && { silence }),
    },
    diagnostics: findings.all,
  };
}
