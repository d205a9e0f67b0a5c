import { readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { isFile, isFolder } from './files.js';

/** A file and the class that its folder says. */
export interface Labelled {
  readonly path: string;
  readonly label: number;
}

/** Files that hold a sample each. */
export interface FileKind {
  /** What stands in front of the colon of such a data set. */
  readonly form: string;
  /** How their names end, in small letters. */
  readonly ends: readonly string[];
  /** What is said where there are none. */
  readonly none: 'data/no-recordings' | 'data/no-files';
}

/** Files of samples in folders, one a class. */
export interface ClassFolders {
  readonly files: readonly Labelled[];
  readonly classes: readonly string[];
}

/** Whether a name is that of such a file. */
export function isOfKind({ ends }: FileKind, name: string): boolean {
  return ends.includes(extname(name).toLowerCase());
}

/**
 * Classes are the folders in the order of their names, by number where all are numbers; their files in the order of their
 * names (torchvision's, whose folders 10 and 2 come as texts). Names that start with a dot are passed over.
 */
export function classFolders(name: string, root: string, kind: FileKind): ClassFolders {
  const entries = visible(root);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const numbers = folders.every((folder) => /^\d+$/.test(folder));
  folders.sort(numbers ? (a, b) => Number(a) - Number(b) : order);
  const files = folders.flatMap((folder, label) =>
    filesIn(join(root, folder), kind).map((path) => ({ path, label })),
  );
  if (files.length > 0) return { files, classes: folders };
  const inside = folders.filter((folder) => visible(join(root, folder)).some((entry) => entry.isDirectory()));
  const help =
    inside.length > 0
      ? `name one of the folders in it: ${inside.slice(0, 4).map((one) => `${kind.form}:${join(root, one)}`).join(', ')}`
      : `they lie in folders, one a class, as ${kind.ends.join(', ')}`;
  return fail(kind.none, { name, folder: root }, undefined, { help });
}

/** Whether a file is of a kind, or a folder holds such files, by class or not. */
export function holdsKind(path: string, kind: FileKind): boolean {
  if (isFile(path)) return isOfKind(kind, path);
  if (!isFolder(path)) return false;
  const folders = visible(path).filter((entry) => entry.isDirectory());
  return filesIn(path, kind).length > 0 || folders.some(({ name }) => filesIn(join(path, name), kind).length > 0);
}

/** The classes by turns: the first file of each, then the second, so that the first files are of all classes. */
export function byTurns(files: readonly Labelled[]): readonly Labelled[] {
  const seen = new Map<number, number>();
  const turns = files.map((file) => {
    const turn = seen.get(file.label) ?? 0;
    seen.set(file.label, turn + 1);
    return { file, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn || a.file.label - b.file.label).map(({ file }) => file);
}

/** Files of a kind that lie in a folder, by name. */
export function filesIn(folder: string, kind: FileKind): readonly string[] {
  return visible(folder)
    .filter((entry) => isOfKind(kind, entry.name) && isFile(join(folder, entry.name)))
    .map((entry) => join(folder, entry.name))
    .sort((a, b) => order(basename(a), basename(b)));
}

function visible(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.'));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
