import { basename, dirname, relative } from 'node:path';
import { DiagnosticError } from '../base/diagnostics/index.js';
import { realPath, readText } from '../data/index.js';
import { type CodingChoice, type Config, type Model, type ModelLoader, checkModel } from '../model/index.js';
import type { Network } from '../network/index.js';
import type { AllocationTarget, FromFolder, FromImport } from './allocation-target.js';
import { modelOfRun } from './allocation-target.js';
import { artifactFiles } from './artifacts.js';
import { conversionOptions, convertNetwork } from './conversion.js';
import { diskLoader } from './files.js';
import { runFiles } from './run-folder.js';
import type { Findings } from './target.js';
import { packageVersion } from './version.js';

/** What is written: files of one folder, and how the result is named. */
export interface AllocationFiles {
  readonly files: ReadonlyMap<string, string | Uint8Array>;
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
  const said = Object.entries(args).map(([key, value]) => `${key}: ${value as string | number | boolean}`);
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

function importFiles({ source, model }: FromImport, lines: readonly string[], findings: Findings): AllocationFiles {
  const files = new Map<string, string | Uint8Array>();
  const onnxName = basename(source.path);
  const modelName = model === undefined ? `${onnxName.replace(/\.onnx$/i, '')}.spike` : basename(model.path);
  const folder = dirname(model?.path ?? source.path);
  const made =
    model === undefined
      ? {
          name: 'allocated',
          text: [
            `// Made by spikec allocate from ${JSON.stringify(onnxName)}.`,
            'config allocated {',
            `  network onnx(${JSON.stringify(onnxName)})`,
            ...lines,
            '}',
            '',
          ].join('\n'),
        }
      : extended(model.text, model.model, model.config, lines);
  const within = (path: string): string =>
    relative(realPath(folder) ?? folder, realPath(path) ?? path).replaceAll('\\', '/');
  const used = new Map<string, string>();
  const config = checkedConfig(made, model?.path ?? modelName, used, findings);
  const { last } = convertNetwork(source.imported.network, conversionOptions(config, findings), findings);
  const origin = { config: made.name, sources: new Map([[onnxName, source.bytes]]) };
  for (const [name, bytes] of artifactFiles(last, ['ir', 'json', 'onnx'], origin, packageVersion())) {
    files.set(name, bytes);
  }
  for (const [path, text] of used) files.set(within(path), text);
  files.set(modelName, made.text);
  const onnxPath = model === undefined ? onnxName : within(source.path);
  files.set(onnxPath, source.bytes);
  const beside = dirname(onnxPath);
  for (const [name, bytes] of source.external) files.set(beside === '.' ? name : `${beside}/${name}`, bytes);
  return { files, model: `${modelName}#${made.name}` };
}

/** The new config, checked as if the text lay in the place of the old file; `used` gets every other file it reads. */
function checkedConfig(
  made: { readonly name: string; readonly text: string },
  path: string,
  used: Map<string, string>,
  findings: Findings,
): Config {
  const disk = diskLoader(path, false);
  const loader: ModelLoader = {
    ...disk,
    read: (file) => {
      const text = disk.read(file);
      if (text !== undefined) used.set(file, text);
      return text;
    },
  };
  const checked = checkModel({ name: path, text: made.text }, loader);
  if (checked.value === undefined) throw new DiagnosticError(checked.diagnostics);
  findings.all.push(...checked.diagnostics);
  return checked.value.configs.get(made.name)!;
}

/** A compiled folder with the weights, and the run's model file with the allocation, to train from it. */
function folderFiles({ folder, run }: FromFolder, lines: readonly string[], allocated: Network): AllocationFiles {
  const text = modelOfRun(folder);
  const files = new Map<string, string | Uint8Array>();
  const config = run?.config ?? allocated.name;
  if (run !== undefined) files.set(runFiles.run, readText(`${folder}/${runFiles.run}`));
  if (text !== undefined && run !== undefined) {
    const checked = checkModel({ name: 'model.spike', text }, diskLoader(`${folder}/model.spike`, false)).value;
    const base = checked?.configs.get(config);
    files.set('model.spike', base === undefined ? text : extended(text, checked!, base, lines).text);
  }
  const sources = new Map(text === undefined ? [] : [['model.spike', new TextEncoder().encode(text)]]);
  for (const [name, bytes] of artifactFiles(allocated, ['ir', 'json', 'onnx'], { config, sources }, packageVersion())) {
    files.set(name, bytes);
  }
  return { files };
}
