import { DiagnosticError, type Diagnostic, diagnostic, fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { availableParallelism } from 'node:os';
import { type Engine, engineNamed, engineNames, nativeIsHere, withinMemory, workOf } from '../engines/index.js';
import type { Program } from '../tensor/index.js';

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

/** Work that an engine is chosen for. */
export interface LongWork {
  readonly program: () => Program;
  /** Samples that it will be run on. */
  readonly samples: number;
  readonly threads?: number | undefined;
}

/** Fewer samples never pay for a compiler. */
const leastSamples = 200;

/** Seconds of a processor for each element that an op makes, and each product that is added up, on the engines of `auto`. */
const perElement = 1e-10;
const perProduct = 2e-11;

/** Seconds that a C compiler takes for a program, and for each of its ops. */
const compiling = { any: 1, perOp: 0.0015 };

/** What of the time the engine `native` saves. */
const saved = 0.5;

/** Seconds that work takes on the engines that are always there, and those that `native` saves by it, its compiler's taken off. */
export function estimate({ program, samples, threads = availableParallelism() }: LongWork) {
  const made = program();
  const { elements, products } = workOf(made);
  const seconds = (samples * (elements * perElement + products * perProduct)) / threads;
  return { seconds, gain: saved * seconds - compiling.any - compiling.perOp * made.ops.length };
}

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
    const reason = error.diagnostics[0]!.message;
    note(diagnostic('engine/native-missing', { engine: fastest[purpose], seconds, reason }));
    return chooseEngine(name, purpose);
  }
}
