import { fusedEngine } from './fused/index.js';
import { onnxruntimeEngine } from './onnxruntime.js';
import type { Engine } from './types.js';

const engines: readonly Engine[] = [fusedEngine, onnxruntimeEngine];

export const engineNames: readonly string[] = ['auto', ...engines.map(({ name }) => name)];

export function engineNamed(name: string): Engine | undefined {
  return engines.find((engine) => engine.name === name);
}

export { type OnnxSource, openOnnxSource } from './onnx-source.js';
export type { CompileOptions, Engine, Executable } from './types.js';
