import { totalmem } from 'node:os';
import { fail } from '../base/diagnostics/index.js';
import { peakBytes } from '../tensor/index.js';
import type { Engine } from './types.js';

/**
 * The engine, refusing programs of which a single sample needs more than `bytes`: what a file of a stranger asks for is
 * known before the first array is made.
 */
export function withinMemory(engine: Engine, bytes = memory()): Engine {
  return {
    ...engine,
    open: async (program, options) => {
      const needed = peakBytes(program, 1);
      if (needed <= bytes) return engine.open(program, options);
      const gib = (count: number): number => count / 2 ** 30;
      return fail('engine/too-much-memory', { program: program.name, needed: gib(needed), present: gib(bytes) });
    },
  };
}

/** Bytes of this machine, or what the process is held to. */
function memory(): number {
  const held = process.constrainedMemory();
  return held > 0 ? Math.min(held, totalmem()) : totalmem();
}
