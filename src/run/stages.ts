import type { Engine } from '../engines/index.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import { type Images, type SpikingRun, agreement, classesOf, outputsOf } from './metrics/index.js';
import type { Network } from '../network/index.js';
import type { Source } from '../workspace/target.js';
import { type StageDifference, difference, inSum, stageCodes } from './exact-source.js';
import { openLogits } from './logits.js';
import { realBatch } from './memory.js';
import type { Conversion } from '../workspace/compiled.js';
import type { EvalOptions, EvalResult } from './types.js';

interface Known {
  readonly source: Source;
  readonly labels: Int32Array;
  /** The source's predictions. */
  readonly expected: Int32Array;
  readonly run: SpikingRun;
  readonly engine: Engine;
  readonly options: EvalOptions;
}

/**
 * Where accuracy goes: the source file in onnxruntime, the imported network there, the source in exact arithmetic, the codes
 * of the conversion's network, the SNN, each also against the one before (the exact source against the file); and layer by
 * layer, how many of the SNN's codes differ from the quantised network's.
 */
export async function evaluateStages(
  { imported, quantised, spiking }: Conversion,
  images: Images,
  { source, labels, expected, run, engine, options }: Known,
): Promise<Pick<EvalResult, 'stages' | 'layers'>> {
  const importedClasses = await classifyImported(imported, images, options);
  const counter = (done: number, total: number): void =>
    options.onProgress?.({ phase: 'comparing codes', done, total, unit: 'images' });
  const found = await stageCodes(source, { quantised, spiking }, images, engine, counter);
  const { exact, classes: codes, layers } = found;
  const stage = (name: string, classes: Int32Array, before?: StageDifference): Stage => ({
    stage: name,
    accuracy: agreement(classes, labels),
    agreement: agreement(classes, expected),
    ...(before === undefined ? {} : { before }),
  });
  return {
    stages: [
      stage('source', expected),
      stage('imported', importedClasses, difference(expected, importedClasses, {})),
      stage('exact', exact, difference(expected, exact, found.fromSource)),
      stage('codes', codes, difference(exact, codes, found.toCodes)),
      stage('snn', run.classes, difference(codes, run.classes, inSum(layers))),
    ],
    layers,
  };
}

type Stage = NonNullable<EvalResult['stages']>[number];

/** The imported network as a float program, in onnxruntime. */
async function classifyImported(network: Network, images: Images, options: EvalOptions): Promise<Int32Array> {
  const logits = await openLogits(network, onnxruntimeEngine);
  try {
    const batch = realBatch(network, images.batch);
    const outputs = await outputsOf(logits.begin(), 1, { ...images, batch }, (done, total) =>
      options.onProgress?.({ phase: 'imported network', done, total, unit: 'images' }),
    );
    return classesOf(outputs);
  } finally {
    await logits.dispose();
  }
}
