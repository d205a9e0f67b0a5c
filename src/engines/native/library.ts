import type * as Koffi from 'koffi';
import { fail } from '../../base/diagnostics/index.js';
import { installCommand } from '../packages.js';
import type { TypedArray } from '../../base/dtype.js';

/** A pointer of the library; NULL is null. */
export type Pointer = object;

/** The functions of a compiled program. */
export interface Library {
  readonly allocate: (bytes: number) => Pointer | null;
  readonly free: (memory: Pointer) => void;
  readonly open: (buffers: number, threads: number, scratch: number, sums: number) => Pointer | null;
  readonly close: (context: Pointer) => void;
  readonly place: (context: Pointer, buffer: number, memory: Pointer, offset: number) => void;
  readonly write: (context: Pointer, buffer: number, from: TypedArray, bytes: number) => void;
  readonly read: (context: Pointer, buffer: number, to: TypedArray, bytes: number) => void;
  /** Runs the program on a thread of its own. */
  readonly step: (context: Pointer, n: number) => Promise<void>;
  /** Begins to measure so many steps. */
  readonly measure: (context: Pointer, steps: number) => void;
  readonly times: (context: Pointer, to: Float64Array, bytes: number) => void;
  readonly unload: () => void;
}

async function loadKoffi(): Promise<typeof Koffi> {
  try {
    const module = (await import('koffi')) as typeof Koffi & { readonly default?: typeof Koffi };
    return module.default ?? module;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    const help = `install koffi, which is optional: \`${installCommand('native')}\``;
    return fail('engine/unavailable', { engine: 'native', reason }, undefined, { help });
  }
}

/** Whether koffi is there; fails with how to install it where it isn't. */
export async function requireKoffi(): Promise<void> {
  await loadKoffi();
}

/** Loads a compiled program. */
export async function openLibrary(path: string): Promise<Library> {
  const koffi = await loadKoffi();
  const library = koffi.load(path);
  const step = library.func('void spikec_step(void *context, int64_t n)');
  return {
    allocate: library.func('void *spikec_allocate(int64_t bytes)'),
    free: library.func('void spikec_free(void *memory)'),
    open: library.func('void *spikec_open(int64_t buffers, int64_t threads, int64_t scratch, int64_t sums)'),
    close: library.func('void spikec_close(void *context)'),
    place: library.func('void spikec_place(void *context, int64_t buffer, void *memory, int64_t offset)'),
    write: library.func('void spikec_write(void *context, int64_t buffer, const void *from, int64_t bytes)'),
    read: library.func('void spikec_read(void *context, int64_t buffer, void *to, int64_t bytes)'),
    step: (context, n) =>
      new Promise<void>((resolve, reject) => {
        step.async(context, n, (error: Error | null) => (error === null ? resolve() : reject(error)));
      }),
    measure: library.func('void spikec_measure(void *context, int64_t steps)'),
    times: library.func('void spikec_times(void *context, void *to, int64_t bytes)'),
    unload: () => library.unload(),
  };
}
