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
import { type Network, type Op, attrsOf, isNeuronLayer, numberAttr } from '../network/index.js';
import { trainCapacity } from '../passes/index.js';
import { openRunnable } from '../train/index.js';
import { runInParts } from './in-parts.js';
import { KeptCodes } from './kept-codes.js';

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
    .filter((op) => (op.kind === 'encode' || isNeuronLayer(op)) && quantisers.has(op.id))
    .map(stepwiseTrain);
}

/** What the stepwise train of an encoder or of a layer of neurons can carry. */
export function stepwiseTrain(op: Op): ComparedLayer {
  const attrs = attrsOf(op);
  const [beta, steps] = [numberAttr(attrs, 'beta'), numberAttr(attrs, 'steps')];
  return {
    id: op.id,
    amplitude: numberAttr(attrs, 'amplitude'),
    amplification: beta ** numberAttr(attrs, 'silent', 0),
    top: numberAttr(attrs, 'limit', 0) || trainCapacity(beta, steps),
  };
}

export interface CompareOptions {
  readonly counter?: Counter;
  /** One network after the other, part by part, which holds little of either at a time; without residuals. */
  readonly inTurn?: boolean;
}

/** Runs both networks over the images and counts, layer by layer, the codes that differ. */
export async function compareCodes(
  { quantised, spiking }: { readonly quantised: Network; readonly spiking: Network },
  images: Images,
  engine: Engine,
  { counter, inTurn = false }: CompareOptions = {},
): Promise<ComparedCodes> {
  const differences = new DifferenceCounter(comparedLayers(quantised, spiking));
  const openExact = () => lower(quantised, { carrier: exactCodes, probes: { codes: true, ties: true } });
  const openSpiking = () => lower(spiking, { probes: { codes: true, membrane: !inTurn } });
  const compare = inTurn ? compareInTurn : compareTogether;
  const found = await compare(openExact, openSpiking, images, engine, differences, counter);
  return { ...found, layers: differences.result() };
}

type Compare = (
  lowerExact: () => Runnable,
  lowerSpiking: () => Runnable,
  images: Images,
  engine: Engine,
  differences: DifferenceCounter,
  counter: Counter | undefined,
) => Promise<Pick<ComparedCodes, 'classes' | 'spiking'>>;

/** Both networks on a batch, then the next batch. */
const compareTogether: Compare = async (lowerExact, lowerSpiking, images, engine, differences, counter) => {
  const classes = new Int32Array(images.count);
  const spikingClasses = new Int32Array(images.count);
  // image by image a second lane would only hold the network once more
  const threads = images.batch === 1 ? 1 : undefined;
  const exact = await openSide(lowerExact(), engine, threads);
  try {
    const snn = await openSide(lowerSpiking(), engine, threads);
    try {
      const run = async (batch: Tensor<'f32'>) => ({ reference: await exact.run(batch), found: await snn.run(batch) });
      const take = ({ reference, found }: { reference: Side; found: Side }, start: number): void => {
        classes.set(reference.classes, start);
        spikingClasses.set(found.classes, start);
        differences.add(
          (id) => reference.probe('codes', id),
          (id) => found.probe('codes', id),
          (id) => found.probe('membrane', id),
          (id) => reference.probe('tie', id),
        );
      };
      await forEachBatch(images, 1, run, take, counter);
    } finally {
      await snn.dispose();
    }
  } finally {
    await exact.dispose();
  }
  return { classes, spiking: spikingClasses };
};

/** The exact network on all images, its codes kept in few bytes, then the spiking one, layer by layer as they come. */
const compareInTurn: Compare = async (lowerExact, lowerSpiking, images, engine, differences, counter) => {
  const threads = images.batch === 1 ? 1 : undefined;
  const running = async (
    runnable: Runnable,
    take: (start: number, found: (kind: ProbeKind, id: string) => Tensor | undefined, ids: readonly string[]) => void,
    count?: Counter,
  ): Promise<Int32Array> => {
    const classes = new Int32Array(images.count);
    const { outputs } = runnable;
    await runInParts(runnable, engine, images, {
      threads,
      counter: count,
      take: (start, results) => {
        const logits = results[outputs.logits ?? ''];
        if (logits !== undefined) classes.set(predictedClasses(logits), start);
        const { codes } = outputs.probes;
        const ids = [...codes].flatMap(([id, name]) => (name in results ? [id] : []));
        take(start, (kind, id) => results[outputs.probes[kind].get(id) ?? ''], ids);
      },
    });
    return classes;
  };
  const kept = new KeptCodes(
    differences.layers.map(({ id }) => id),
    differences.tie,
  );
  const classes = await running(lowerExact(), (start, found) => kept.take(start, found));
  const spiking = await running(
    lowerSpiking(),
    (start, found, ids) => {
      differences.add(
        (id) => kept.codes(start, id),
        (id) => found('codes', id),
        () => undefined,
        (id) => kept.ties(start, id),
        new Set(ids),
      );
    },
    counter,
  );
  return { classes, spiking };
};

/** What one of the networks gives for a batch. */
interface Side {
  readonly classes: Int32Array;
  readonly probe: (kind: ProbeKind, id: string) => Tensor | undefined;
}

interface Opened<T> {
  readonly run: (batch: Tensor<'f32'>) => Promise<T>;
  readonly dispose: () => Promise<void>;
}

async function openSide(runnable: Runnable, engine: Engine, threads: number | undefined): Promise<Opened<Side>> {
  const { outputs, pass, dispose } = await openRunnable(runnable, engine, { threads });
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
