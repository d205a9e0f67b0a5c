import type { Tensor } from '../base/dtype.js';
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
import { type ProbeKind, type Runnable, exactCodes, lower } from '../lower/program/index.js';
import { type Network, numberAttr } from '../network/index.js';
import { trainCapacity } from '../passes/index.js';
import { openRunnable } from '../train/index.js';

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

export interface CompareOptions {
  readonly counter?: Counter;
  /** One network after the other, which holds all reference codes but only one network at a time; without residuals. */
  readonly inTurn?: boolean;
}

/** Runs both networks over the images and counts, layer by layer, the codes that differ. */
export async function compareCodes(
  { quantised, spiking }: { readonly quantised: Network; readonly spiking: Network },
  images: Images,
  engine: Engine,
  { counter, inTurn = false }: CompareOptions = {},
): Promise<ComparedCodes> {
  const classes = new Int32Array(images.count);
  const spikingClasses = new Int32Array(images.count);
  const differences = new DifferenceCounter(comparedLayers(quantised, spiking));
  const openExact = () =>
    openSide(lower(quantised, { carrier: exactCodes, probes: { codes: true, ties: true } }), engine);
  const openSpiking = () => openSide(lower(spiking, { probes: { codes: true, membrane: !inTurn } }), engine);
  const compare = (reference: Side, found: Side, start: number): void => {
    classes.set(reference.classes, start);
    spikingClasses.set(found.classes, start);
    differences.add(
      (id) => reference.probe('codes', id),
      (id) => found.probe('codes', id),
      (id) => found.probe('membrane', id),
      (id) => reference.probe('tie', id),
    );
  };
  if (inTurn) {
    const references: Side[] = [];
    await overImages(openExact, images, (side) => references.push(side));
    await overImages(
      openSpiking,
      images,
      (side, start) => compare(references[start / images.batch]!, side, start),
      counter,
    );
  } else {
    const exact = await openExact();
    try {
      await overImages(
        async () => {
          const snn = await openSpiking();
          const run = async (batch: Tensor<'f32'>) => ({
            reference: await exact.run(batch),
            found: await snn.run(batch),
          });
          return { run, dispose: snn.dispose };
        },
        images,
        ({ reference, found }, start) => compare(reference, found, start),
        counter,
      );
    } finally {
      await exact.dispose();
    }
  }
  return { classes, spiking: spikingClasses, layers: differences.result() };
}

/** What one of the networks gives for a batch. */
interface Side {
  readonly classes: Int32Array;
  readonly probe: (kind: ProbeKind, id: string) => Tensor | undefined;
}

interface Opened<T> {
  readonly run: (batch: Tensor<'f32'>) => Promise<T>;
  readonly dispose: () => Promise<void>;
}

async function openSide(runnable: Runnable, engine: Engine): Promise<Opened<Side>> {
  const { outputs, pass, dispose } = await openRunnable(runnable, engine);
  const step = pass();
  return {
    run: async (batch) => {
      const results = await step(batch);
      return {
        classes: predictedClasses(present(results[outputs.logits ?? ''], 'run: no logits')),
        probe: (kind, id) => results[outputs.probes[kind].get(id) ?? ''],
      };
    },
    dispose,
  };
}

async function overImages<T>(
  open: () => Promise<Opened<T>>,
  images: Images,
  take: (result: T, start: number) => void,
  counter?: Counter,
): Promise<void> {
  const { run, dispose } = await open();
  try {
    await forEachBatch(images, 1, run, take, counter);
  } finally {
    await dispose();
  }
}
