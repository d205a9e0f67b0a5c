import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Engine, Executable } from '../engines/index.js';
import { onnxruntimeEngine } from '../engines/onnxruntime.js';
import {
  type ComparedLayer,
  DifferenceCounter,
  type Images,
  type SpikingRun,
  agreement,
  classify,
  forEachBatch,
  predictedClasses,
} from './metrics/index.js';
import { lowerExactCodes } from '../lower/program/carriers/codes.js';
import { lowerNetwork, probeNames } from '../lower/program/index.js';
import { type Network, numberAttr } from '../network/index.js';
import { simplify } from '../tensor/index.js';
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
  const program = lowerNetwork(network, { precision: 'f32' });
  const executable = await onnxruntimeEngine.compile(program);
  const input = program.inputs[0]!.id;
  try {
    const logits = async (batch: Tensor<'f32'>): Promise<Tensor> =>
      present((await executable.run({ [input]: batch }))['0'], 'driver: no logits');
    return await classify({ logits, lanes: 1 }, images, (done, total) =>
      options.onProgress?.({ phase: 'imported network', done, total, unit: 'images' }),
    );
  } finally {
    await executable.dispose();
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
  const exactProgram = simplify(lowerExactCodes(quantised));
  const spikingProgram = simplify(lowerNetwork(spiking, { precision: 'f64', probes: { codes: true } }));
  const compiled: Executable[] = [];
  const classes = new Int32Array(images.count);
  const counter = new DifferenceCounter(comparedLayers(quantised, spiking));
  try {
    const exact = await engine.compile(exactProgram);
    compiled.push(exact);
    const snn = await engine.compile(spikingProgram);
    compiled.push(snn);
    await forEachBatch(
      images,
      1,
      async (batch) => ({
        reference: await exact.run({ [exactProgram.inputs[0]!.id]: batch }),
        found: await snn.run({ [spikingProgram.inputs[0]!.id]: batch }),
      }),
      ({ reference, found }, start) => {
        classes.set(predictedClasses(present(reference['0'], 'driver: no logits')), start);
        counter.add(
          (id) => reference[id],
          (id) => found[probeNames.codes(id)],
          (id) => found[probeNames.membrane(id)],
        );
      },
      (done, total) => options.onProgress?.({ phase: 'comparing codes', done, total, unit: 'images' }),
    );
  } finally {
    await Promise.all(compiled.map((executable) => executable.dispose()));
  }
  return { classes, layers: counter.result() };
}
