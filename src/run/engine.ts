import { DiagnosticError, type Diagnostic, diagnostic, fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import {
  type Engine,
  type LongWork,
  engineNamed,
  engineNames,
  estimate,
  nativeIsHere,
  waitingEngines,
  withinMemory,
} from '../engines/index.js';

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

/**
 * The engine for a training of `memory low`: one that computes again what it doesn't keep when it is its turn. `auto` is
 * `native`, where that is here.
 */
export async function engineForLowMemory(name: string | undefined): Promise<Engine> {
  const named = name !== undefined && name !== 'auto';
  const engine = chooseEngine(named ? name : 'native', 'train');
  if (engine.waits !== true) fail('train/low-memory', { engine: engine.name, engines: waitingEngines });
  if (!named) await nativeIsHere();
  return engine;
}

/** Fewer samples never pay for a compiler. */
const leastSamples = 200;

/**
 * As `chooseEngine`; but `auto` takes `native` where that is here and saves more time than its compiler takes. Where it would
 * and isn't here, `note` hears of it.
 */
export async function engineForWork(
  name: string | undefined,
  purpose: keyof typeof fastest,
  work: LongWork,
  note: (found: Diagnostic) => void,
): Promise<Engine> {
  const named = name !== undefined && name !== 'auto';
  if (named || work.samples < leastSamples) return chooseEngine(name, purpose);
  const { seconds, gain } = estimate(work);
  if (gain <= 0) return chooseEngine(name, purpose);
  try {
    await nativeIsHere();
    return chooseEngine('native', purpose);
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    const { message: reason, help } = error.diagnostics[0]!;
    const extras = help === undefined ? {} : { help };
    note(diagnostic('engine/native-missing', { engine: fastest[purpose], seconds, reason }, undefined, extras));
    return chooseEngine(name, purpose);
  }
}
