import { DiagnosticError, type Outcome } from '../base/diagnostics/index.js';
import { readText } from '../data/index.js';
import { passes } from '../passes/index.js';
import { formatText } from '../syntax/index.js';
import { compileTarget } from './compile.js';
import { convertOnnx } from './convert.js';
import { costOf } from './cost.js';
import { evaluateTarget } from './evaluate.js';
import { loadModel } from './target.js';
import type { Driver } from './types.js';

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

/** Everything commands ask of the compiler. */
export const driver: Driver = {
  checkFile(path, options) {
    const { value, diagnostics } = loadModel(path, options);
    if (value === undefined) return { diagnostics };
    const { configs, networks, neurons } = value;
    return { value: { configs: [...configs.keys()], networks: [...networks.keys()], neurons: [...neurons.keys()] }, diagnostics };
  },
  formatFile(path) {
    const text = readText(path);
    const { value, diagnostics } = formatText({ name: path, text });
    return value === undefined ? { diagnostics } : { value: { text: value, changed: value !== text }, diagnostics };
  },
  compileTarget: (target, options) => reported(() => compileTarget(target, options)),
  convertOnnx: (file, options) => reported(() => convertOnnx(file, options)),
  evaluateTarget: (target, options) => reported(() => evaluateTarget(target, options)),
  costOf: (target, options) => reported(() => costOf(target, options)),
  listPasses: () => passes.map(({ name, doc }) => ({ name, doc })),
};
