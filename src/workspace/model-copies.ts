import { posix } from 'node:path';
import { readText } from '../data/index.js';
import { isInside, folderOf, join } from '../model/paths.js';
import { type ModelFile, type UseDeclaration, parseText } from '../syntax/index.js';
import { diskLoader } from './files.js';

const library = 'spikec/';

interface Copied {
  /** Where it lies in the new folder. */
  readonly name: string;
  readonly text: string;
  readonly uses: readonly { readonly use: UseDeclaration; readonly path: string }[];
}

/**
 * A model file with everything it uses, directly or not, as files of one new folder, where the model file is called
 * `name`. Used files keep their place beside it; those from outside of its folder, or whose name is taken, go to
 * `used/`, and the texts name them there. Files that can't be read stay unnamed: the checker speaks of them.
 */
export function copiesOf(
  model: { readonly path: string; readonly text: string; readonly name: string },
  allowOutside: boolean,
): Map<string, string> {
  const loader = diskLoader(model.path, allowOutside);
  const root = folderOf(model.path);
  const main = join('.', model.path);
  const copies = new Map<string, Copied>([[main, { ...model, uses: usesOf(model.path, model.text) }]]);
  const taken = new Set([model.name.toLowerCase()]);
  const queue = [...copies.values()];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const { path } of file.uses) {
      if (copies.has(path) || (!allowOutside && !isInside(root, path))) continue;
      const text = loader.read(path);
      if (text === undefined) continue;
      const name = freeName(root, path, taken);
      taken.add(name.toLowerCase());
      const copy = { name, text, uses: usesOf(path, text) };
      copies.set(path, copy);
      queue.push(copy);
    }
  }
  return new Map([...copies.values()].map((copy) => [copy.name, renamed(copy, copies)]));
}

function usesOf(path: string, text: string): Copied['uses'] {
  const ast: ModelFile | undefined = parseText({ name: path, text }).value;
  return (ast?.declarations ?? []).flatMap((use) =>
    use.kind === 'use' && !use.path.value.startsWith(library)
      ? [{ use, path: join(folderOf(path), use.path.value) }]
      : [],
  );
}

/** Names that a compiled or run folder has itself. */
const reserved =
  /^(?:manifest\.json|run\.json|log\.jsonl|log\.csv|events\.out\.|network\.|weights\.|infer\.|(?:best|checkpoint)\/)/i;

/** What a training keeps: its model file as `model.spike`, what that uses, and the files of the network that it imports. */
export function keptSources(
  path: string,
  allowOutside: boolean,
  imported: ReadonlyMap<string, Uint8Array> = new Map(),
): Map<string, string | Uint8Array> {
  const copies = copiesOf({ path, text: readText(path), name: 'model.spike' }, allowOutside);
  return new Map<string, string | Uint8Array>([...copies, ...imported]);
}

/** Where a file that a model file names lies beside the model file's copy; undefined where it lies outside of its folder. */
export function nameBeside(model: string, path: string): string | undefined {
  const root = folderOf(model);
  if (!isInside(root, path)) return undefined;
  const own = root === '.' ? path : posix.relative(root, path);
  return reserved.test(own) ? undefined : own;
}

function freeName(root: string, path: string, taken: ReadonlySet<string>): string {
  if (isInside(root, path)) {
    const own = root === '.' ? path : posix.relative(root, path);
    if (!reserved.test(own) && !taken.has(own.toLowerCase())) return own;
  }
  const base = posix.basename(path);
  for (let n = 1; ; n++) {
    const name = `used/${n === 1 ? '' : `${n}-`}${base}`;
    if (!taken.has(name.toLowerCase())) return name;
  }
}

/** The text with its `use` paths as they are in the new folder; unchanged where nothing moved. */
function renamed({ name, text, uses }: Copied, copies: ReadonlyMap<string, Copied>): string {
  let changed = text;
  for (const { use, path } of uses.toReversed()) {
    const target = copies.get(path)?.name;
    const folder = folderOf(name);
    if (target === undefined || join(folder, use.path.value) === target) continue;
    const relative = posix.relative(folder, target);
    const written = relative.startsWith('.') ? relative : `./${relative}`;
    const { start, end } = use.path.span;
    changed = `${changed.slice(0, start)}${JSON.stringify(written)}${changed.slice(end)}`;
  }
  return changed;
}
