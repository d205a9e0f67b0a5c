import { fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { type Engine, engineNamed, engineNames } from '../engines/index.js';

/** What `auto` means: the fastest for a purpose among those that are always there. */
const fastest = { infer: 'fused', train: 'onnxruntime' } as const;

export function chooseEngine(name: string | undefined, purpose: keyof typeof fastest): Engine {
  if (name === undefined || name === 'auto') return engineNamed(fastest[purpose])!;
  const engine = engineNamed(name);
  return engine ?? fail('engine/unknown', { engine: name }, undefined, { help: suggest(name, engineNames) });
}
