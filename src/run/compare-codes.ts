import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import {
  type ComparedLayer,
  type Counter,
  DifferenceCounter,
  type Images,
  type LayerDifference,
  forEachBatch,
  predictedClasses,
} from './metrics/index.js';
import { exactCodes, lower } from '../lower/program/index.js';
import { type Network, numberAttr } from '../network/index.js';
import { trainCapacity } from '../passes/index.js';
import { type Running, openRunnable } from '../train/index.js';

/** A quantised network's codes in exact arithmetic beside those of its spiking network, on the same images. */
export interface ComparedCodes {
  /** Predictions of the quantised network in exact arithmetic. */
  readonly classes: Int32Array;
  /** Predictions of the spiking network. */
  readonly spiking: Int32Array;
  /** In the network's order. */
  readonly layers: readonly LayerDifference[];
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

/** Runs both networks over the images and counts, layer by layer, the codes that differ. */
export async function compareCodes(
  { quantised, spiking }: { readonly quantised: Network; readonly spiking: Network },
  images: Images,
  engine: Engine,
  counter?: Counter,
): Promise<ComparedCodes> {
  const opened: Running[] = [];
  const classes = new Int32Array(images.count);
  const spikingClasses = new Int32Array(images.count);
  const differences = new DifferenceCounter(comparedLayers(quantised, spiking));
  try {
    const probes = { codes: true };
    const exact = await openRunnable(lower(quantised, { carrier: exactCodes, probes }), engine);
    opened.push(exact);
    const snn = await openRunnable(lower(spiking, { probes }), engine);
    opened.push(snn);
    const [reference, found] = [exact.pass(), snn.pass()];
    const logits = ({ outputs }: Running, results: Awaited<ReturnType<typeof reference>>) =>
      predictedClasses(present(results[outputs.logits ?? ''], 'run: no logits'));
    const { codes, membrane } = snn.outputs.probes;
    await forEachBatch(
      images,
      1,
      async (batch) => ({
        exactly: await reference(batch),
        spiking: await found(batch),
      }),
      (results, start) => {
        classes.set(logits(exact, results.exactly), start);
        spikingClasses.set(logits(snn, results.spiking), start);
        differences.add(
          (id) => results.exactly[exact.outputs.probes.codes.get(id) ?? ''],
          (id) => results.spiking[codes.get(id) ?? ''],
          (id) => results.spiking[membrane.get(id) ?? ''],
        );
      },
      counter,
    );
  } finally {
    await Promise.all(opened.map((running) => running.dispose()));
  }
  return { classes, spiking: spikingClasses, layers: differences.result() };
}
