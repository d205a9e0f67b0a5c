import { fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { type Engine, engineNamed, engineNames, withinMemory } from '../engines/index.js';

/** What `auto` means: the fastest for a purpose among those that are always there. */
const fastest = { infer: 'fused', train: 'onnxruntime' } as const;

/** The engine of a name, or the fastest for a purpose; it refuses programs that can't fit into this machine's memory. */
export function chooseEngine(name: string | undefined, purpose: keyof typeof fastest): Engine {
  if (name === undefined || name === 'auto') return withinMemory(engineNamed(fastest[purpose])!);
  const engine = engineNamed(name);
  return engine === undefined
    ? fail('engine/unknown', { engine: name }, undefined, {
        help: suggest(name, purpose === 'train' ? [...engineNames, 'torch'] : engineNames),
      })
    : withinMemory(engine);
}
