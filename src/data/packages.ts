import { createRequire } from 'node:module';
import { fail } from '../base/diagnostics/index.js';
import { withinMemory, withinTime, withoutWords } from './events/time-limit.js';

/** A package that is installed only where it is needed; `what` can't be read without it. */
export async function importPackage(name: string, what: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    return missing(error, name, what);
  }
}

/** The package that reads and writes HDF5; what is wrong with a file it throws, and prints nothing. */
export async function importHdf5(what: string): Promise<unknown> {
  const { default: library } = (await importPackage('h5wasm/node', what)) as {
    readonly default: { readonly ready: Promise<{ readonly activate_throwing_error_handler: () => unknown }> };
  };
  (await library.ready).activate_throwing_error_handler();
  return library;
}

/**
 * Reads so many bytes of HDF5, or of a part of them, within 4 seconds and one a megabyte, and while the library's memory grows by four
 * times as much and 134 MB at most: damaged files can make it a loop without end.
 */
export function readingHdf5<T>(bytes: number, read: () => T): T {
  const inTime = (): T => withinTime(Math.round(4000 + bytes / 1000), read);
  return withoutWords(() => withinMemory(4 * bytes + 2 ** 27, inTime));
}

/** What an error of that package says is wrong: the innermost of the calls that it lists. */
export function hdf5Reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return [...text.matchAll(/^ *#\d+: .* in \w+\(\): (.+)$/gm)].at(-1)?.[1] ?? text;
}

/** Closes a file of HDF5, of which nothing is wanted any more: what is damaged was said. */
export function closeHdf5(file: { readonly close: () => void }): void {
  try {
    file.close();
  } catch {
    // what is open of a damaged file ends with the process
  }
}

/** A package that is installed only where it is needed, at once, as it can be required. */
export function requirePackage(name: string, what: string): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch (error) {
    return missing(error, name, what);
  }
}

function missing(error: unknown, path: string, what: string): never {
  if (!(error instanceof Error && 'code' in error)) throw error;
  const [name = path] = path.split('/');
  return fail('data/package-missing', { what, name }, undefined, { help: `npm install ${name}` });
}
