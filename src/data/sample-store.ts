import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSystemError } from './files.js';

type Numbers = Uint8Array | Float32Array;

/**
 * Samples that were decoded, in a temporary file: read again they cost what a file costs. It takes half of the space that is
 * free where it lies at most; what no longer fits isn't kept, and is decoded again.
 */
export class SampleStore {
  readonly #folder: string;
  #file: { readonly path: string; readonly descriptor: number; readonly most: number } | undefined;
  #size = 0;
  #full = false;
  /** Where a sample begins, and how many bytes it has: 0 for one that isn't kept, below 0 where its numbers are bytes. */
  #places = new Float64Array(0);
  #lengths = new Int32Array(0);

  constructor(folder = temporaryFolder()) {
    this.#folder = folder;
  }

  get(sample: number): Numbers | undefined {
    const length = this.#lengths[sample] ?? 0;
    if (length === 0 || this.#file === undefined) return undefined;
    const bytes = new Uint8Array(Math.abs(length));
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#file.descriptor, bytes, done, bytes.length - done, this.#places[sample]! + done);
      if (count === 0) return undefined;
      done += count;
    }
    return length < 0 ? bytes : new Float32Array(bytes.buffer);
  }

  put(sample: number, numbers: Numbers): void {
    if (this.#full) return;
    try {
      this.#file ??= opened(this.#folder);
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      this.#full = this.#size + bytes.length > this.#file.most;
      if (this.#full) return;
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.#file.descriptor, bytes, done, bytes.length - done, this.#size + done);
      this.#mark(sample, numbers instanceof Uint8Array ? -bytes.length : bytes.length);
      this.#size += bytes.length;
    } catch (error) {
      // no place to write, or none left: samples are decoded again
      if (!isSystemError(error)) throw error;
      this.#full = true;
    }
  }

  #mark(sample: number, length: number): void {
    if (sample >= this.#lengths.length) {
      const [places, lengths] = [this.#places, this.#lengths];
      const room = Math.max(1024, 2 * sample);
      (this.#places = new Float64Array(room)).set(places);
      (this.#lengths = new Int32Array(room)).set(lengths);
    }
    this.#places[sample] = this.#size;
    this.#lengths[sample] = length;
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file.descriptor);
    rmSync(dirname(this.#file.path), { recursive: true, force: true });
    this.#file = undefined;
    this.#full = true;
  }
}

/** Large files don't belong to a folder that may lie in memory, as `/tmp` often does. */
function temporaryFolder(): string {
  const said = process.env['TMPDIR'];
  return (said === undefined || said === '') && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
}

/** A file that is gone with the process, where the system takes away the name of an open one. */
function opened(folder: string) {
  const { bavail, bsize } = statfsSync(folder);
  const path = join(mkdtempSync(join(folder, 'spikec-samples-')), 'samples');
  const descriptor = openSync(path, 'wx+', 0o600);
  if (process.platform !== 'win32') rmSync(dirname(path), { recursive: true });
  return { path, descriptor, most: (bavail * bsize) / 2 };
}
