import { inputShapeArgument } from '../base/input-shape.js';
import { basename, dirname, join, relative } from 'node:path';
import { DiagnosticError } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { realPath, readText } from '../data/index.js';
import { type CodingChoice, type Config, type Model, checkModel } from '../model/index.js';
import type { Network } from '../network/index.js';
import type { AllocationTarget, FromFolder, FromImport } from './target.js';
import { modelOfRun } from './target.js';
import { affordable, artifactsWith } from '../workspace/artifacts.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { diskLoader } from '../workspace/files.js';
import { copiesOf } from '../workspace/model-copies.js';
import { type Planned, artifactNames } from '../workspace/replacing.js';
import { runFiles } from '../workspace/run-folder.js';
import type { Findings } from '../workspace/findings.js';
import { packageVersion } from '../workspace/version.js';

/** What is written: files of one folder, and how the result is named. */
export interface AllocationFiles {
  readonly files: ReadonlyMap<string, FileContent>;
  /** `NAME.spike#CONFIG` in the folder, or nothing where the folder itself is the target. */
  readonly model?: string;
}

/** Settings of layers, one line a layer, short ids first: a pattern also means ids that begin with it and a dot. */
export function layerLines(settings: ReadonlyMap<string, string>): string[] {
  return [...settings]
    .sort(([a], [b]) => a.length - b.length)
    .map(([id, text]) => `    layer ${JSON.stringify(id)} { ${text} }`);
}

/** `bits { … }` for bits by layer: the most frequent for all, unless what is extended names layers of its own. */
export function bitLines(bits: ReadonlyMap<string, number>, base: Config | undefined): string[] {
  const counts = new Map<number, number>();
  for (const n of bits.values()) counts.set(n, (counts.get(n) ?? 0) + 1);
  const [usual] = [...counts].sort(([a, x], [b, y]) => y - x || a - b).map(([n]) => n);
  const inherited = (base?.bits?.layers.length ?? 0) > 0;
  const others = [...bits].filter(([id, n]) => inherited || n !== usual || coveredByLonger(id, bits, usual));
  const layers = layerLines(new Map(others.map(([id, n]) => [id, `weights ${n}`])));
  return ['  bits {', `    weights ${usual}`, ...layers, '  }'];
}

/** Whether another layer's pattern, the start of this id, says other bits. */
function coveredByLonger(id: string, bits: ReadonlyMap<string, number>, usual: number | undefined): boolean {
  return [...bits].some(([other, n]) => n !== usual && id.startsWith(`${other}.`));
}

/** `coding sws(…) { layer "…" { silent N } }`. */
export function silentLines({ name, args }: CodingChoice, silent: ReadonlyMap<string, number>): string[] {
  const said = Object.entries(args).map(([key, value]) => `${key}: ${value}`);
  const lines = layerLines(new Map([...silent].map(([id, steps]) => [id, `silent ${steps}`])));
  return [`  coding ${name}(${said.join(', ')}) {`, ...lines, '  }'];
}

/** The model file with one more config, which extends the target's. */
function extended(
  text: string,
  model: Model,
  config: Config,
  lines: readonly string[],
): { text: string; name: string } {
  const taken = new Set(model.file.declarations.flatMap((d) => (d.kind === 'use' ? [] : [d.name.text])));
  let name = `${config.name}_allocated`;
  for (let n = 2; taken.has(name); n++) name = `${config.name}_allocated${n}`;
  const added = [`config ${name} extends ${config.name} {`, ...lines, '}', ''].join('\n');
  return { name, text: `${text.trimEnd()}\n\n// Made by spikec allocate.\n${added}` };
}

/** Files for a target: the model file with the allocation, what it needs, and the compiled network. */
export function allocationFiles(
  { from }: AllocationTarget,
  lines: readonly string[],
  allocated: Network,
  findings: Findings,
): AllocationFiles {
  return from.kind === 'folder' ? folderFiles(from, lines, allocated) : importFiles(from, lines, findings);
}

/** Files that are written as they are, known before anything is measured; the model file isn't among them. */
function copiedFiles(from: FromImport | FromFolder): Map<string, FileContent> {
  const copies = new Map<string, FileContent>();
  if (from.kind === 'folder') {
    if (from.run === undefined) return copies;
    copies.set(runFiles.run, readText(`${from.folder}/${runFiles.run}`));
    const text = modelOfRun(from.folder);
    if (text === undefined) return copies;
    for (const [name, used] of copiesOf({ path: `${from.folder}/model.spike`, text, name: 'model.spike' }, false))
      if (name !== 'model.spike') copies.set(name, used);
    return copies;
  }
  const { source, model } = from;
  if (model !== undefined) {
    const name = modelNameOf(from);
    for (const [used, text] of copiesOf({ ...model, name }, model.allowOutside))
      if (used !== name) copies.set(used, text);
  }
  const onnxPath = onnxPathOf(from);
  copies.set(onnxPath, source.bytes);
  const beside = dirname(onnxPath);
  for (const [name, bytes] of source.external) copies.set(beside === '.' ? name : `${beside}/${name}`, bytes);
  return copies;
}

function modelNameOf({ source, model }: FromImport): string {
  return model === undefined ? `${basename(source.path).replace(/\.onnx$/i, '')}.spike` : basename(model.path);
}

/** Where the ONNX file lies beside the model file. */
function onnxPathOf({ source, model }: FromImport): string {
  if (model === undefined) return basename(source.path);
  const folder = dirname(model.path);
  return relative(realPath(folder) ?? folder, realPath(source.path) ?? source.path).replaceAll('\\', '/');
}

/** Everything that will be written for a target, and what it reads: what must not be lost. */
export function plannedFiles({ from }: AllocationTarget, folder: string): Planned {
  const copies = copiedFiles(from);
  const made = [...artifactNames];
  if (from.kind === 'import') made.push(modelNameOf(from));
  else if (from.run !== undefined && modelOfRun(from.folder) !== undefined) made.push('model.spike');
  const inputs =
    from.kind === 'folder'
      ? made.map((name) => `${from.folder}/${name}`)
      : [from.source.path, from.model?.path ?? '', ...externalPaths(from)];
  return {
    folder,
    maker: 'allocate',
    files: new Map(made.map((name) => [name, undefined])),
    copies,
    inputs,
  };
}

function externalPaths({ source }: FromImport): string[] {
  return [...source.external.keys()].map((name) => join(dirname(source.path), name));
}

function importFiles(from: FromImport, lines: readonly string[], findings: Findings): AllocationFiles {
  const { source, model } = from;
  const onnxName = basename(source.path);
  const modelName = modelNameOf(from);
  const made =
    model === undefined
      ? {
          name: 'allocated',
          text: [
            `// Made by spikec allocate from ${JSON.stringify(onnxName)}.`,
            'config allocated {',
            `  network onnx(${JSON.stringify(onnxName)}${inputShapeArgument(source.inputShapes)})`,
            ...lines,
            '}',
            '',
          ].join('\n'),
        }
      : extended(model.text, model.model, model.config, lines);
  const path = model?.path ?? modelName;
  const allowOutside = model?.allowOutside === true;
  const config = checkedConfig(made, path, allowOutside, findings);
  const { network } = convertNetwork(source.imported.network, conversionPlan(config, findings), findings);
  const text = copiesOf({ path, text: made.text, name: modelName }, allowOutside).get(modelName)!;
  const copies = copiedFiles(from).set(modelName, text);
  const origin = { maker: 'allocate', config: made.name, sources: new Map([[onnxName, source.bytes]]) } as const;
  const files = artifactsWith(
    copies,
    network,
    affordable(['ir', 'json', 'onnx'], network, findings),
    origin,
    packageVersion(),
  );
  return { files, model: `${modelName}#${made.name}` };
}

/** The new config, checked as if the text lay in the place of the old file. */
function checkedConfig(
  made: { readonly name: string; readonly text: string },
  path: string,
  allowOutside: boolean,
  findings: Findings,
): Config {
  const checked = checkModel({ name: path, text: made.text }, diskLoader(path, allowOutside), { allowOutside });
  if (checked.value === undefined) throw new DiagnosticError(checked.diagnostics);
  findings.all.push(...checked.diagnostics);
  return checked.value.configs.get(made.name)!;
}

/** A compiled folder with the weights, and the run's model file with the allocation, to train from it. */
function folderFiles(from: FromFolder, lines: readonly string[], allocated: Network): AllocationFiles {
  const { folder, run } = from;
  const text = modelOfRun(folder);
  const copies = copiedFiles(from);
  const config = run?.config ?? allocated.name;
  if (text !== undefined && run !== undefined) {
    const path = `${folder}/model.spike`;
    const checked = checkModel({ name: path, text }, diskLoader(path, false)).value;
    const base = checked?.configs.get(config);
    copies.set('model.spike', base === undefined ? text : extended(text, checked!, base, lines).text);
  }
  const sources = new Map(text === undefined ? [] : [['model.spike', new TextEncoder().encode(text)]]);
  const origin = { maker: 'allocate', config, sources } as const;
  return { files: artifactsWith(copies, allocated, ['ir', 'json', 'onnx'], origin, packageVersion()) };
}
