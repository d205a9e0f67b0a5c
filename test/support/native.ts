import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import type { Engine } from '../../src/engines/index.js';
import { nativeEngine, openNative } from '../../src/engines/native.js';
import { findCompiler } from '../../src/engines/native/find-compiler.js';
import { requireKoffi } from '../../src/engines/native/library.js';

async function isPresent(): Promise<boolean> {
  try {
    await Promise.all([findCompiler(), requireKoffi()]);
    return true;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    console.warn(`SKIPPED: native: ${error.message}`);
    return false;
  }
}

/** The native engine as users have it, where there are a C compiler and koffi; that there aren't is said. */
export const optimisedEngines: readonly Engine[] = (await isPresent()) ? [nativeEngine] : [];

/**
 * The same, compiled in a third of the time without an optimiser. The emitted C is the same, and so is what it computes;
 * tests of its kernels have them as users do.
 */
export const nativeEngines: readonly Engine[] = optimisedEngines.map((engine) => ({
  ...engine,
  async open(program, options) {
    const compiler = await findCompiler();
    return openNative(program, options, { compiler: { ...compiler, flags: [...compiler.flags, '-O0'] } });
  },
}));
