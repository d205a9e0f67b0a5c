import { fail } from '../base/diagnostics/index.js';
import { type Dataset, batchCount } from './dataset.js';
import { FileReader } from './files.js';

const imageSize = 3 * 32 * 32;

/** How records lie in the binary files: their labels (the one that counts last), then the image. */
interface Records {
  readonly labels: number;
  readonly classes: number;
}

/** CIFAR-10: one label. CIFAR-100: the coarse label, then the fine one. */
export const cifarRecords = {
  cifar10: { labels: 1, classes: 10 },
  cifar100: { labels: 2, classes: 100 },
} as const satisfies Readonly<Record<string, Records>>;

function openRecords(path: string, recordSize: number): FileReader {
  const file = new FileReader(path);
  const remainder = file.size % recordSize;
  if (file.size > 0 && remainder === 0) return file;
  file.close();
  const reason =
    file.size === 0 ? 'it is empty' : `its ${file.size} bytes are not a whole number of ${recordSize}-byte records`;
  return fail('data/bad-cifar', { file: path, reason });
}

/** CIFAR's binary records, one file after the other; images and labels are read from the disk. */
export function openCifar(
  name: string,
  paths: readonly string[],
  { labels: before, classes }: Records,
  notes: readonly string[] = [],
): Dataset {
  const recordSize = before + imageSize;
  const files: FileReader[] = [];
  const close = (): void => files.forEach((file) => file.close());
  try {
    for (const path of paths) files.push(openRecords(path, recordSize));
  } catch (error) {
    close();
    throw error;
  }
  const length = files.reduce((sum, file) => sum + file.size / recordSize, 0);
  return {
    name,
    shape: [3, 32, 32],
    layout: 'nchw',
    type: 'u1',
    classes,
    classesKnown: true,
    length,
    scale: 255,
    notes,
    read(start, wanted) {
      const count = batchCount({ length }, start, wanted);
      const images = new Uint8Array(count * imageSize);
      const labels = new Int32Array(count);
      let done = 0;
      let first = 0;
      for (const file of files) {
        const records = file.size / recordSize;
        const from = Math.max(0, start + done - first);
        const take = Math.min(count - done, records - from);
        if (take > 0) {
          const bytes = file.read(from * recordSize, take * recordSize);
          for (let i = 0; i < take; i++, done++) {
            const label = bytes[i * recordSize + before - 1] ?? classes;
            if (label >= classes) fail('data/label-out-of-range', { name, label, index: start + done, classes });
            labels[done] = label;
            images.set(bytes.subarray(i * recordSize + before, (i + 1) * recordSize), done * imageSize);
          }
        }
        first += records;
      }
      return { count, images, labels };
    },
    close,
  };
}

/** {@link openCifar} of CIFAR-10's files. */
export function openCifar10(name: string, paths: readonly string[], notes: readonly string[] = []): Dataset {
  return openCifar(name, paths, cifarRecords.cifar10, notes);
}
