import { DiagnosticError, fail } from '../../base/diagnostics/index.js';
import { FileReader } from '../files.js';
import { fromHalf } from './half.js';
import { closeHdf5, hdf5Reason, importHdf5, readingHdf5 } from '../packages.js';

/** What is used of the package h5wasm. */
interface Library {
  readonly File: new (path: string, mode: 'r') => H5Group & { readonly close: () => void };
}

interface H5Group {
  readonly get: (path: string) => unknown;
  readonly keys: () => readonly string[];
}

interface H5Type {
  type: number;
  readonly size: number;
  readonly signed?: boolean;
  readonly vlen_type?: H5Type;
}

interface H5Dataset {
  readonly shape: readonly number[];
  readonly metadata: H5Type;
  readonly slice: (
    ranges: readonly (readonly [number, number])[],
  ) => ArrayLike<number | bigint> | ArrayLike<ArrayLike<number | bigint>> | null;
}

const integerClass = 0;
const floatClass = 1;

let library: Library | undefined;

/** Loads the package that reads HDF5, before a file of it is opened. */
export async function loadHdf5(): Promise<void> {
  if (library !== undefined) return;
  library = (await importHdf5('HDF5 files')) as Library;
}

/** An HDF5 file, open for reading; arrays by path and range. */
export class Hdf5File {
  readonly #file: H5Group & { readonly close: () => void };
  /** Of the file, in bytes. */
  readonly #size: number;

  constructor(readonly path: string) {
    if (library === undefined) throw new TypeError('hdf5: loadReaders comes before a file is opened');
    const { File } = library;
    // says what is wrong with the path
    const reader = new FileReader(path);
    this.#size = reader.size;
    reader.close();
    try {
      this.#file = readingHdf5(this.#size, () => new File(path, 'r'));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The length of an array of one axis. */
  lengthOf(name: string): number {
    const { shape } = this.#dataset(name);
    return shape.length === 1 ? shape[0]! : this.bad(`"${name}" has the shape [${shape.join(', ')}], not [samples]`);
  }

  /** Whole numbers of one axis. */
  integers(name: string): Int32Array {
    const dataset = this.#dataset(name);
    const values = this.#read(() => dataset.slice([[0, this.lengthOf(name)]])) as unknown as ArrayLike<number | bigint>;
    const numbers = Float64Array.from(values, Number);
    const at = numbers.findIndex((value) => !Number.isInteger(value));
    if (at !== -1) this.bad(`"${name}" has ${numbers[at]} at ${at}, which is no whole number`);
    return Int32Array.from(numbers, (value) => Math.max(-1, Math.min(value, 2 ** 31 - 1)));
  }

  /** An array of numbers: its shape, its type as NumPy abbreviates it, and rows of it. */
  array(name: string): { readonly shape: readonly number[]; readonly type: string; readonly rows: Rows } {
    const dataset = this.#dataset(name);
    const { shape, metadata } = dataset;
    const { type, size, signed = true, vlen_type: rows } = metadata;
    const letter = type === floatClass ? 'f' : signed ? 'i' : 'u';
    const known = rows === undefined && (type === integerClass || (type === floatClass && size >= 4));
    if (!known || size > 8) return this.bad(`"${name}" holds no integers or floats of 32 or 64 bits`);
    return {
      shape,
      type: `${letter}${size}`,
      rows: (start, count) => {
        const ranges = shape.map((n, axis): [number, number] => (axis === 0 ? [start, start + count] : [0, n]));
        return (this.#read(() => dataset.slice(ranges)) ?? []) as ArrayLike<number | bigint>;
      },
    };
  }

  /** The arrays at the top of the file. */
  names(): readonly string[] {
    return this.#read(() => this.#file.keys().filter((name) => this.#arrayAt(name) !== undefined));
  }

  /** Row i of an array of rows of any length, and whether its numbers have half precision. */
  row(name: string, i: number): { readonly values: Float64Array; readonly half: boolean } {
    const dataset = this.#dataset(name);
    const row = dataset.metadata.vlen_type;
    if (row === undefined) return this.bad(`"${name}" has no rows of variable length`);
    const half = row.size === 2 && (row.type === floatClass || halves.has(dataset.metadata));
    if (half) {
      // the library has no numbers of half precision; their bits are whole numbers of 16 bits
      halves.add(dataset.metadata);
      row.type = integerClass;
    }
    const rows = this.#read(() => dataset.slice([[i, i + 1]])) as ArrayLike<ArrayLike<number | bigint>> | null;
    const [found] = Array.from(rows ?? []);
    const numbers = Float64Array.from(found ?? [], Number);
    return { values: half ? numbers.map(fromHalf) : numbers, half };
  }

  #dataset(name: string): H5Dataset {
    return this.#read(() => this.#arrayAt(name)) ?? this.bad(`it has no array "${name}"`);
  }

  #arrayAt(name: string): H5Dataset | undefined {
    const one = this.#file.get(name) as Partial<H5Dataset> | null;
    // the library reads these when they are asked for
    const { slice, metadata, shape } = one ?? {};
    return typeof slice === 'function' && metadata !== undefined && shape !== undefined ? (one as H5Dataset) : undefined;
  }

  #read<T>(read: () => T): T {
    try {
      return readingHdf5(this.#size, read);
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    if (error instanceof DiagnosticError || error instanceof TypeError) throw error;
    return this.bad(hdf5Reason(error));
  }

  bad(reason: string): never {
    return fail('data/bad-hdf5', { file: this.path, reason });
  }

  close(): void {
    closeHdf5(this.#file);
  }
}

/** Numbers of rows `start … start + count − 1`. */
export type Rows = (start: number, count: number) => ArrayLike<number | bigint>;

/** Types whose bits are read as whole numbers. */
const halves = new WeakSet<H5Type>();
