import { basename, join, resolve } from 'node:path';
import { DiagnosticError, type Outcome } from '../base/diagnostics/index.js';
import { writeFolder } from '../data/index.js';
import { checkModel, memoryLoader } from '../model/index.js';
import { artifactFiles } from './artifacts.js';
import { describe } from './compile.js';
import { convertNetwork, swsOptions } from './conversion.js';
import { Findings, chooseConfig, importFile, notLowered } from './target.js';
import type { ConvertOptions, ConvertResult } from './types.js';
import { verifyWhereWanted } from './verify-import.js';
import { packageVersion } from './version.js';

/** The model file of a conversion: what `convert` would otherwise hide in options. */
function modelText(onnxName: string, { steps = 8, silent, beta = 2, encoder = 'exact' }: ConvertOptions): string {
  const quiet = silent ?? Math.min(2, steps);
  const drive = encoder === 'drive' ? ', encoder: drive' : '';
  return [
    `// Made by spikec convert from ${JSON.stringify(onnxName)}.`,
    'config converted {',
    `  network onnx(${JSON.stringify(onnxName)})`,
    `  coding  sws(beta: ${beta}, steps: ${steps}, silent: ${quiet}${drive})`,
    '}',
    '',
  ].join('\n');
}

/** Converts an ONNX network: writes the model file, a copy of the network, and the compiled artifacts. */
export async function convertOnnx(file: string, options: ConvertOptions): Promise<Outcome<ConvertResult>> {
  const findings = new Findings();
  if (options.coding !== 'sws') throw new DiagnosticError(notLowered(`\`--coding ${options.coding}\``, { file }));
  const source = importFile(file, findings);
  await verifyWhereWanted(source, options, findings);
  const onnxName = basename(file);
  const modelName = `${onnxName.replace(/\.onnx$/i, '')}.spike`;
  const model = join(options.outDir, modelName);
  const text = modelText(onnxName, options);
  const checked = findings.take(checkModel({ name: model, text }, memoryLoader({})));
  const config = chooseConfig(checked, { path: model });
  const { last, runs } = convertNetwork(source.imported.network, swsOptions(config), findings);
  const origin = { config: config.name, sources: new Map([[onnxName, source.bytes]]) };
  const files = artifactFiles(last, ['ir', 'json', 'onnx'], origin, packageVersion());
  files.set(modelName, text);
  if (resolve(file) !== resolve(options.outDir, onnxName)) files.set(onnxName, source.bytes);
  for (const [name, bytes] of source.external) files.set(name, bytes);
  writeFolder(options.outDir, files);
  return { value: { ...describe(last, runs, [...files.keys()], options), model }, diagnostics: findings.all };
}
