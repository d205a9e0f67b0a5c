import { fusedEngine } from './fused/index.js';
import { nativeEngine } from './native.js';
import { nativeIsHere } from './native/compiler.js';
import { onnxruntimeEngine } from './onnxruntime.js';
import { fastestTfjsEngine, tfjsEngine } from './tfjs.js';
import type { Engine } from './types.js';

const engines: readonly Engine[] = [
  fusedEngine,
  onnxruntimeEngine,
  nativeEngine,
  fastestTfjsEngine,
  ...(['tensorflow', 'wasm', 'cpu'] as const).map(tfjsEngine),
];

export const engineNames: readonly string[] = ['auto', ...engines.map(({ name }) => name)];

/** Names of the engines that compute what waits when it is its turn. */
export const waitingEngines: readonly string[] = engines.flatMap(({ name, waits }) => (waits === true ? [name] : []));

export function engineNamed(name: string): Engine | undefined {
  return engines.find((engine) => engine.name === name);
}

export { type OnnxSource, openOnnxSource } from './onnx-source.js';
export type { Engine, OpenOptions, Opened } from './types.js';
export { type OpenedInParts, openInParts, partBytes } from './in-parts.js';
export { nativeIsHere };
export { type LongWork, estimate, threadsHere } from './work.js';
export { withinMemory } from './within-memory.js';
