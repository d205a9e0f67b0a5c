import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { type TfjsBackend, loadTensorFlow } from '../../src/engines/tfjs.js';

async function hasNative(): Promise<boolean> {
  try {
    await loadTensorFlow('tensorflow');
    return true;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    console.warn('SKIPPED: tfjs-tensorflow: @tensorflow/tfjs-node is not installed (node .ci/tfjs-node.mjs)');
    return false;
  }
}

/** Backends of TensorFlow.js to test: the native one where it is installed; that it isn't is said. */
export const tfjsBackends: readonly TfjsBackend[] = [
  'wasm',
  'cpu',
  ...((await hasNative()) ? (['tensorflow'] as const) : []),
];
