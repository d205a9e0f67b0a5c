import { Script } from 'node:vm';

const key = Symbol.for('spikec.timed');
const script = new Script(`globalThis[Symbol.for('spikec.timed')]()`);

/** What was done took longer than it may. */
export class TimeLimit extends Error {}

/**
 * Does `work`, which may be a loop without end in code that isn't ours (damaged HDF5 in WebAssembly), within so many
 * milliseconds.
 *
 * @throws {TimeLimit} behind them; what `work` used is then in no state to be used again.
 */
export function withinTime<T>(milliseconds: number, work: () => T): T {
  const place = globalThis as unknown as Record<symbol, unknown>;
  const outer = place[key];
  place[key] = work;
  try {
    return script.runInThisContext({ timeout: milliseconds }) as T;
  } catch (error) {
    const { code } = error as { readonly code?: string };
    throw code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? new TimeLimit('reading it doesn’t end') : error;
  } finally {
    place[key] = outer;
  }
}

/** What is used of WebAssembly's memories. */
interface Growing {
  grow: (pages: number) => number;
}

const { Memory } = (
  globalThis as unknown as { readonly WebAssembly: { readonly Memory: { readonly prototype: Growing } } }
).WebAssembly;
const pageBytes = 2 ** 16;

/**
 * Does `work` while memories of WebAssembly grow by so many bytes at most, all together. Code in it meets what it meets where
 * the machine has no more.
 */
export function withinMemory<T>(bytes: number, work: () => T): T {
  const { prototype } = Memory;
  const { grow } = prototype;
  let left = bytes;
  prototype.grow = function (this: Growing, pages) {
    if (pages * pageBytes > left) throw new RangeError('there is no more memory');
    left -= pages * pageBytes;
    return grow.call(this, pages);
  };
  try {
    return work();
  } finally {
    prototype.grow = grow;
  }
}


/** Does `work` while what it writes to stderr is left out: a library's own words about what its caller says as a diagnostic. */
export function withoutWords<T>(work: () => T): T {
  const { stderr } = process;
  const write = stderr.write.bind(stderr);
  stderr.write = () => true;
  try {
    return work();
  } finally {
    stderr.write = write;
  }
}
