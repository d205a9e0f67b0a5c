import type * as TensorFlow from '@tensorflow/tfjs';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import type { Program } from '../tensor/index.js';
import { installCommand, packagesOf } from './packages.js';
import { openOnTfjs, refuseUnsupported } from './tfjs-program.js';
import type { Engine, OpenOptions, Opened } from './types.js';

type Tf = typeof TensorFlow;
export type TfjsBackend = 'tensorflow' | 'wasm' | 'cpu';

/** Runs programs through the TensorFlow.js module that we emit, on one of its backends. */
export function tfjsEngine(backend: TfjsBackend): Engine {
  return { name: `tfjs-${backend}`, waits: true, open: (program, options) => openTfjs(program, backend, options) };
}

/** The fastest backend of TensorFlow.js that there is. */
export const fastestTfjsEngine: Engine = {
  name: 'tfjs',
  waits: true,
  open: async (program, options) => openTfjs(program, (await availableTfjsBackends())[0] ?? 'cpu', options),
};

async function openTfjs(program: Program, backend: TfjsBackend, options: OpenOptions = {}): Promise<Opened> {
  refuseUnsupported(program, `tfjs-${backend}`);
  return openOnTfjs(program, await loadTensorFlow(backend), backend, options);
}

/** Loads TensorFlow.js and the backend's package on first use. */
export async function loadTensorFlow(backend: TfjsBackend): Promise<Tf> {
  try {
    const tf = await imported<Tf>('@tensorflow/tfjs');
    for (const name of packagesOf(`tfjs-${backend}`).slice(1)) await imported(name);
    if (!(await tf.setBackend(backend))) throw new Error(`it has no backend "${backend}" here`);
    await tf.ready();
    return tf;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    const help = `install TensorFlow.js, which is optional: \`${installCommand(`tfjs-${backend}`)}\``;
    return fail('engine/unavailable', { engine: `tfjs-${backend}`, reason }, undefined, { help });
  }
}

/** Imports a CommonJS or ES package by name. */
async function imported<T>(name: string): Promise<T> {
  const module = (await import(/* @vite-ignore */ name)) as { readonly default?: T };
  return module.default ?? (module as T);
}

/** The backends that can be loaded on this machine, fastest first. */
export async function availableTfjsBackends(): Promise<TfjsBackend[]> {
  const found: TfjsBackend[] = [];
  for (const backend of ['tensorflow', 'wasm', 'cpu'] as const) {
    try {
      await loadTensorFlow(backend);
      found.push(backend);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
    }
  }
  return found;
}
