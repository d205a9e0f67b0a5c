import { DiagnosticError, type Outcome } from '../base/diagnostics/index.js';

/** Turns a thrown report into an outcome; anything else thrown is a bug and passes on. */
export function reporting<T>(work: () => Outcome<T>): Outcome<T> {
  try {
    return work();
  } catch (error) {
    if (error instanceof DiagnosticError) return { diagnostics: error.diagnostics };
    throw error;
  }
}

/** The same of work that takes its time. */
export async function reported<T>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiagnosticError) return { diagnostics: error.diagnostics };
    throw error;
  }
}
