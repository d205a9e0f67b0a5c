import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import {
  type ComparedLayer,
  DifferenceCounter,
  type Images,
  type SpikingRun,
  agreement,
  classesOf,
  forEachBatch,
  outputsOf,
  predictedClasses,
} from './metrics/index.js';
import { exactCodes, lower } from '../lower/program/index.js';
import { type Network, numberAttr } from '../network/index.js';
import { type Running, openRunnable } from '../train/index.js';
import { openLogits } from './logits.js';
import { trainCapacity } from '../passes/index.js';
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
  const { classes: exactClasses, layers } = await compareCodes(quantised, spiking, images, engine, options);
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

/** Layers that carry the code of a quantiser: encoder and neurons, which have the quantiser's id. */
function comparedLayers(quantised: Network, spiking: Network): readonly ComparedLayer[] {
  const quantisers = new Set(quantised.ops.filter((op) => op.kind === 'quantize').map((op) => op.id));
  return spiking.ops
    .filter((op) => (op.kind === 'encode' || op.kind === 'neuron') && quantisers.has(op.id))
    .map((op) => ({
      id: op.id,
      amplitude: numberAttr(op.attrs, 'amplitude'),
      amplification: numberAttr(op.attrs, 'beta') ** numberAttr(op.attrs, 'silent', 0),
      top:
        numberAttr(op.attrs, 'limit', 0) || trainCapacity(numberAttr(op.attrs, 'beta'), numberAttr(op.attrs, 'steps')),
    }));
}

async function compareCodes(
  quantised: Network,
  spiking: Network,
  images: Images,
  engine: Engine,
  options: EvalOptions,
): Promise<{ classes: Int32Array; layers: NonNullable<EvalResult['layers']> }> {
  const opened: Running[] = [];
  const classes = new Int32Array(images.count);
  const counter = new DifferenceCounter(comparedLayers(quantised, spiking));
  try {
    const probes = { codes: true };
    const exact = await openRunnable(lower(quantised, { carrier: exactCodes, probes }), engine);
    opened.push(exact);
    const snn = await openRunnable(lower(spiking, { probes }), engine);
    opened.push(snn);
    const { logits = '' } = exact.outputs;
    const [reference, found] = [exact.pass(), snn.pass()];
    const { codes, membrane } = snn.outputs.probes;
    await forEachBatch(
      images,
      1,
      async (batch) => ({
        exactly: await reference(batch),
        spiking: await found(batch),
      }),
      (results, start) => {
        classes.set(predictedClasses(present(results.exactly[logits], 'run: no logits')), start);
        counter.add(
          (id) => results.exactly[exact.outputs.probes.codes.get(id) ?? ''],
          (id) => results.spiking[codes.get(id) ?? ''],
          (id) => results.spiking[membrane.get(id) ?? ''],
        );
      },
      (done, total) => options.onProgress?.({ phase: 'comparing codes', done, total, unit: 'images' }),
    );
  } finally {
    await Promise.all(opened.map((running) => running.dispose()));
  }
  return { classes, layers: counter.result() };
}
