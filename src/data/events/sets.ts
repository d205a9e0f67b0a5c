import { extname, join } from 'node:path';
import { fail } from '../../base/diagnostics/index.js';
import { isFile, isFolder } from '../files.js';
import type { Dataset } from '../dataset.js';
import { type ClassFolders, type FileKind, byTurns, classFolders, filesIn, isOfKind } from '../class-folders.js';
import type { Sensor } from './events.js';
import { holdsFrames, openFrameFiles } from './frame-files.js';
import { openGesture } from './gesture.js';
import { dvs128, readRecording, recordingEnds } from './readers.js';
import { recordingSet } from './recordings.js';
import { openSpokenEvents } from './shd.js';
import { type Part, parseSplit, partOfSet } from './splits.js';
import type { addresses } from './aedat2.js';

/** A set of recordings that has a name. */
export interface NamedRecordings {
  readonly folders: readonly string[];
  /** Parts by name, where the set has some; of others the name says how it is cut: `cifar10dvs-tebn`. */
  readonly parts: readonly string[];
  readonly cut?: boolean;
  /** Where to get it. */
  readonly source: string;
  readonly open: (name: string, folder: string, part: string, options: readonly string[]) => Dataset | undefined;
}

/** Files of recordings, by their ends. */
const recordingFiles: FileKind = { form: 'events', ends: recordingEnds, none: 'data/no-recordings' };

const nmnistSensor: Sensor = { columns: 34, rows: 34 };
const caltechSensor: Sensor = { columns: 240, rows: 180 };

/** Sets of event recordings by name. */
export const namedRecordings: Readonly<Record<string, NamedRecordings>> = {
  nmnist: {
    folders: ['.', 'nmnist', 'N-MNIST', 'NMNIST', 'NMNIST/extract'],
    parts: ['train', 'test'],
    source: 'N-MNIST: https://www.garrickorchard.com/datasets/n-mnist, folders Train/0 … Train/9 and Test/0 …',
    open: (name, folder, part) => {
      const root = join(folder, part === 'train' ? 'Train' : 'Test');
      return isFolder(root) ? ofFolders(name, classFolders(name, root, recordingFiles), { sensor: nmnistSensor, known: 10 }) : undefined;
    },
  },
  ncaltech101: {
    folders: ['Caltech101', 'ncaltech101/Caltech101', 'N-Caltech101/Caltech101', 'ncaltech101'],
    parts: ['train', 'test'],
    cut: true,
    source: 'N-Caltech101: https://www.garrickorchard.com/datasets/n-caltech101, folders Caltech101/CLASS',
    open: (name, folder, part, options) => cutSet(name, folder, part as Part, options, caltechSensor),
  },
  dvs128gesture: {
    folders: ['.', 'dvs128gesture', 'DVS128Gesture', 'DvsGesture', 'DVS128Gesture/DvsGesture'],
    parts: ['train', 'test'],
    source: 'DVS128 Gesture: https://research.ibm.com/interactive/dvsgesture, trials_to_train.txt beside userNN_LIGHT.aedat',
    open: (name, folder, part) =>
      isFile(join(folder, `trials_to_${part}.txt`)) ? openGesture(name, folder, part as Part) : undefined,
  },
  cifar10dvs: {
    folders: ['cifar10dvs', 'CIFAR10DVS', 'CIFAR10-DVS', 'CIFAR10DVS/extract', 'cifar10-dvs', '.'],
    parts: ['train', 'test'],
    cut: true,
    source: 'CIFAR10-DVS: https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671, folders airplane … truck of .aedat',
    open: (name, folder, part, options) => {
      if (!isFolder(join(folder, 'airplane'))) return undefined;
      const layout = options.includes('tonic') ? 'cifar10dvsTonic' : 'cifar10dvs';
      return cutSet(name, folder, part as Part, options.filter((one) => one !== 'tonic'), dvs128, layout);
    },
  },
  shd: spoken('SHD', 'shd', ['train', 'test'], 20),
  ssc: spoken('SSC', 'ssc', ['train', 'valid', 'test'], 35),
};

function spoken(title: string, stem: string, parts: readonly string[], classes: number): NamedRecordings {
  return {
    folders: ['.', stem, title, `${title}/extract`],
    parts,
    source: `${title}: https://zenkelab.org/datasets, ${stem}_train.h5 unpacked (or .h5.gz through gunzip)`,
    open: (name, folder, part) => {
      const path = join(folder, `${stem}_${part}.h5`);
      return isFile(path) ? openSpokenEvents(name, path, classes) : undefined;
    },
  };
}

function cutSet(
  name: string,
  folder: string,
  part: Part,
  options: readonly string[],
  sensor: Sensor,
  layout?: keyof typeof addresses,
): Dataset | undefined {
  if (!isFolder(folder)) return undefined;
  const split = options.length === 1 ? parseSplit(options[0]!) : undefined;
  const [set = ''] = name.split(/[-:]/);
  if (split === undefined) return fail('data/no-split', { name, set });
  const { files, classes } = classFolders(name, folder, recordingFiles);
  const chosen = { files: partOfSet(files, split, part), classes };
  if (chosen.files.length === 0) fail('data/empty', { name });
  return ofFolders(name, chosen, { sensor, known: classes.length, layout });
}

interface Known {
  readonly sensor?: Sensor | undefined;
  /** Number of classes of a known set. */
  readonly known?: number;
  readonly layout?: keyof typeof addresses | undefined;
}

function ofFolders(name: string, found: ClassFolders, { sensor, known, layout }: Known): Dataset {
  const { classes } = found;
  const files = byTurns(found.files);
  const labels = Int32Array.from(files, ({ label }) => label);
  return recordingSet({
    name,
    ...(sensor === undefined ? {} : { sensor }),
    labels,
    classes: known ?? classes.length,
    classesKnown: known !== undefined,
    events: (i) => readRecording(files[i]!.path, layout).events,
  });
}

/** `events:PATH`: a file of one recording or of SHD's layout, or a folder of recordings, by class or without labels. */
export function openRecordings(name: string, path: string): Dataset {
  const end = extname(path).toLowerCase();
  if (isFile(path)) {
    if (end === '.h5' || end === '.hdf5') return openSpokenEvents(name, path);
    if (!isOfKind(recordingFiles, path)) fail('data/no-recordings', { name, folder: path });
    return unlabelled(name, [path]);
  }
  if (!isFolder(path)) fail('file/missing', { path });
  const flat = filesIn(path, recordingFiles);
  if (flat.length > 0) return unlabelled(name, flat);
  const found = classFolders(name, path, recordingFiles);
  const [first] = found.files;
  if (extname(first!.path).toLowerCase() === '.npz' && holdsFrames(first!.path)) return openFrameFiles(name, found);
  return ofFolders(name, found, { sensor: readSensor(first!.path) });
}

function unlabelled(name: string, files: readonly string[]): Dataset {
  const sensor = readSensor(files[0]!);
  return recordingSet({
    name,
    ...(sensor === undefined ? {} : { sensor }),
    labels: new Int32Array(files.length),
    classes: 1,
    classesKnown: false,
    labelled: false,
    events: (i) => readRecording(files[i]!).events,
  });
}

/** The sensor, where the first file says it. */
function readSensor(path: string): Sensor | undefined {
  return extname(path).toLowerCase() === '.aedat4' ? readRecording(path).sensor : undefined;
}

/** Whether a data set lies in HDF5 files. */
export function needsHdf5(spec: string): boolean {
  return /^(shd|ssc|hdf5):/.test(spec) || /^events:.*\.(h5|hdf5)$/i.test(spec);
}
