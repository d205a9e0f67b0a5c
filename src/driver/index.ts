import { DiagnosticError, type Outcome } from '../base/diagnostics/index.js';
import { passes } from '../passes/index.js';
import { checkFile, formatFile } from './check.js';
import { starterModel } from './starter.js';
import type { Driver } from './types.js';
import { packageVersion } from './version.js';

export type * from './types.js';

/** Turns a thrown report into an outcome; anything else thrown is a bug and passes on. */
async function reported<T>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiagnosticError) return { diagnostics: error.diagnostics };
    throw error;
  }
}

/** Everything commands ask of the compiler. What brings an engine is loaded when it is first asked for. */
export const driver: Driver = {
  checkFile,
  formatFile,
  compileTarget: (target, options) =>
    reported(async () => (await import('./compile.js')).compileTarget(target, options)),
  convertOnnx: (file, options) => reported(async () => (await import('./convert.js')).convertOnnx(file, options)),
  evaluateTarget: (target, options) =>
    reported(async () => (await import('./evaluate.js')).evaluateTarget(target, options)),
  trainTarget: (target, options) => reported(async () => (await import('./train.js')).trainTarget(target, options)),
  allocateTarget: (target, options) =>
    reported(async () => (await import('./allocate.js')).allocateTarget(target, options)),
  costOf: (target, options) => reported(async () => (await import('./cost.js')).costOf(target, options)),
  drawPicture: (target, options) => reported(async () => (await import('./picture.js')).drawPicture(target, options)),
  reportTargets: (targets, options) =>
    reported(async () => (await import('./report.js')).reportTargets(targets, options)),
  diffTargets: (from, to, options) => reported(async () => (await import('./diff.js')).diffTargets(from, to, options)),
  diffConfigs: (base, options) => reported(async () => (await import('./diff.js')).diffConfigs(base, options)),
  diffPage: async (documents) => (await import('../report/diff/page.js')).diffPage(documents, packageVersion()),
  listPasses: () => passes.map(({ name, doc }) => ({ name, doc })),
  starterModel,
};
