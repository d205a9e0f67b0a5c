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
