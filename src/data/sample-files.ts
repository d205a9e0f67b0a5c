import { fail } from '../base/diagnostics/index.js';
import { type ClassFolders, type FileKind, byTurns, classFolders, filesIn, isOfKind } from './class-folders.js';
import { type Dataset, batchCount } from './dataset.js';
import { isFile, isFolder } from './files.js';

/** What one file holds. */
export interface Sample {
  readonly shape: readonly number[];
  readonly values: Uint8Array | Float32Array;
}

interface SampleFiles extends Pick<Dataset, 'type' | 'scale' | 'frameScale' | 'layout'> {
  readonly read: (path: string) => Sample;
  /** Steps, the first axis, that each sample is cut to or filled up to with zeros; without it all have as many as the first. */
  readonly steps?: number | undefined;
}

/** Samples in a file each: one file, a folder of them without labels, or folders, one a class. */
export function openSampleFiles(name: string, path: string, kind: FileKind, how: SampleFiles): Dataset {
  if (isFile(path)) {
    if (!isOfKind(kind, path)) fail(kind.none, { name, folder: path, ends: kind.ends });
    return { ...sampleFiles(name, alone([path]), how), labelled: false };
  }
  if (!isFolder(path)) fail('file/missing', { path });
  const flat = filesIn(path, kind);
  if (flat.length > 0) return { ...sampleFiles(name, alone(flat), how), labelled: false };
  return sampleFiles(name, classFolders(name, path, kind), how);
}

const alone = (paths: readonly string[]): ClassFolders => ({
  files: paths.map((path) => ({ path, label: 0 })),
  classes: ['all'],
});

/** All files have the shape of the first, or of so many steps. */
export function sampleFiles(name: string, found: ClassFolders, { read, steps, ...how }: SampleFiles): Dataset {
  const files = byTurns(found.files);
  const { length } = files;
  const first = files[0]!.path;
  const start = read(first);
  const shape = steps === undefined ? start.shape : [steps, ...start.shape.slice(1)];
  const size = shape.reduce((all, n) => all * n, 1);
  if (size === 0) fail('data/empty', { name });
  const bytes = start.values instanceof Uint8Array;
  const labels = Int32Array.from(files, ({ label }) => label);
  const axes = (one: readonly number[]): string => (steps === undefined ? one : one.slice(1)).join();
  return {
    ...how,
    name,
    shape,
    classes: found.classes.length,
    classesKnown: false,
    length,
    decoded: true,
    notes: [],
    labels: (from, count) => labels.slice(from, from + batchCount({ length }, from, count)),
    read(from, wanted) {
      const count = batchCount({ length }, from, wanted);
      const images = bytes ? new Uint8Array(count * size) : new Float32Array(count * size);
      for (let i = 0; i < count; i++) {
        const { path } = files[from + i]!;
        const sample = read(path);
        if (sample.shape.length !== shape.length || axes(sample.shape) !== axes(shape))
          fail('data/ragged', { file: path, found: sample.shape, first, expected: shape });
        images.set(sample.values.subarray(0, size), i * size);
      }
      return { count, images, labels: labels.slice(from, from + count) };
    },
    close: () => undefined,
  };
}
