import type { Engine } from '../engines/index.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { type Images, type SpikingRun, agreement, classesOf, outputsOf } from './metrics/index.js';
import type { Network } from '../network/index.js';
import { compareCodes } from './compare-codes.js';
import { openLogits } from './logits.js';
import type { Conversion } from '../workspace/compiled.js';
import type { EvalOptions, EvalResult } from './types.js';

interface Known {
  readonly labels: Int32Array;
  /** The source's predictions. */
  readonly expected: Int32Array;
  readonly run: SpikingRun;
  readonly engine: Engine;
  readonly options: EvalOptions;
}

/**
 * Where accuracy goes: the source file, the imported network, its codes in exact arithmetic, the SNN; and
 * layer by layer, how many of the SNN's codes differ from the quantised network's.
 */
export async function evaluateStages(
  { imported, quantised, spiking }: Conversion,
  images: Images,
  { labels, expected, run, engine, options }: Known,
): Promise<Pick<EvalResult, 'stages' | 'layers'>> {
  const importedClasses = await classifyImported(imported, images, options);
  const { classes: exactClasses, layers } = await compareCodes({ quantised, spiking }, images, engine, (done, total) =>
    options.onProgress?.({ phase: 'comparing codes', done, total, unit: 'images' }),
  );
  const stage = (name: string, classes: Int32Array): NonNullable<EvalResult['stages']>[number] => ({
    stage: name,
    accuracy: agreement(classes, labels),
    agreement: agreement(classes, expected),
  });
  return {
    stages: [
      stage('source', expected),
      stage('imported', importedClasses),
      stage('codes', exactClasses),
      stage('snn', run.classes),
    ],
    layers,
  };
}

/** The imported network as a float program, in onnxruntime. */
async function classifyImported(network: Network, images: Images, options: EvalOptions): Promise<Int32Array> {
  const logits = await openLogits(network, onnxruntimeEngine);
  try {
    const outputs = await outputsOf(logits.begin(), 1, images, (done, total) =>
      options.onProgress?.({ phase: 'imported network', done, total, unit: 'images' }),
    );
    return classesOf(outputs);
  } finally {
    await logits.dispose();
  }
}
