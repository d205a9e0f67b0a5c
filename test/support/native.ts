import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import type { Engine } from '../../src/engines/index.js';
import { nativeEngine } from '../../src/engines/native.js';
import { findCompiler } from '../../src/engines/native/compiler.js';
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

/** The native engine, where there are a C compiler and koffi; that there aren't is said. */
export const nativeEngines: readonly Engine[] = (await isPresent()) ? [nativeEngine] : [];
