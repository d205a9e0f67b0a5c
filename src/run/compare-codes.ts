import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import { type Runnable, alongName, exactCodes, exactCodesAlong, lower } from '../lower/program/index.js';
import { type Network, type Op, attrsOf, isFiringLayer, isNeuronLayer, numberAttr, roleOf } from '../network/index.js';
import { trainCapacity } from '../passes/index.js';
import { KeptCodes } from './kept-codes.js';
import { type Portion, portionsOf, runLayers } from './layer-codes.js';
import {
  type ComparedLayer,
  type Counter,
  DifferenceCounter,
  floatTie,
  type Images,
  type LayerDifference,
} from './metrics/index.js';

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
  /** Whether residuals are counted: membranes at the end. */
  readonly residuals?: boolean;
  /** Codes that are kept at once, at most. */
  readonly mostKept?: number;
}

/** Runs both networks over the images and counts, layer by layer, the codes that differ. */
export async function compareCodes(
  networks: { readonly quantised: Network; readonly spiking: Network },
  images: Images,
  engine: Engine,
  { counter, residuals = false, mostKept }: CompareOptions = {},
): Promise<ComparedCodes> {
  const comparison = new CodeComparison(networks, images.count, residuals);
  for (const portion of portionsOf(images, codesOf(networks.spiking), mostKept)) {
    await comparison.run(portion, engine, {
      counter: (done, total) =>
        counter?.(portion.first + Math.floor((portion.images.count * done) / total), images.count),
    });
  }
  return comparison.result();
}

/** Codes of a network that are compared, of one sample. */
export function codesOf({ ops }: Network): number {
  const kept = ops.filter((op) => roleOf(op) === 'encoder' || isFiringLayer(op));
  return kept.reduce((sum, { type }) => sum + elementCount(type.shape), 1);
}

export interface ComparisonOptions {
  readonly counter?: Counter | undefined;
  /** Sees the quantised network's codes. */
  readonly seen?: (start: number, id: string, codes: Tensor) => void;
}

/**
 * Both networks on portions of images, one after the other: the exact one, whose codes are kept in few bytes, then the spiking
 * one, layer by layer as they come. Where something lies so near a tie that float32 decides it, much behind it may differ: the
 * exact one then runs once more, along the spiking one's codes there, and only what differs by itself is counted.
 */
export class CodeComparison {
  readonly #differences: DifferenceCounter;
  readonly #exact: Runnable;
  readonly #layers: readonly ComparedLayer[];
  readonly #along: () => Runnable;
  readonly #spiking: Runnable;
  readonly #classes: Int32Array;
  readonly #spikingClasses: Int32Array;

  constructor(
    { quantised, spiking }: { readonly quantised: Network; readonly spiking: Network },
    count: number,
    residuals: boolean,
  ) {
    this.#layers = comparedLayers(quantised, spiking);
    this.#differences = new DifferenceCounter(this.#layers);
    const ids = new Set(this.#layers.map(({ id }) => id));
    const carrier = exactCodesAlong(ids, floatTie);
    this.#along = () => lower(quantised, { carrier, probes: { codes: true, ties: true } });
    this.#exact = lower(quantised, { carrier: exactCodes, probes: { codes: true, ties: true } });
    this.#spiking = lower(spiking, { probes: { codes: true, membrane: residuals } });
    this.#classes = new Int32Array(count);
    this.#spikingClasses = new Int32Array(count);
  }

  async run({ first, images }: Portion, engine: Engine, { counter, seen }: ComparisonOptions): Promise<void> {
    const kept = new KeptCodes(floatTie);
    const exact = await runLayers(this.#exact, engine, images, {
      counter: (done, total) => counter?.(done, 2 * total),
      take: (start, id, found) => {
        kept.take(start, id, found);
        seen?.(start, id, found('codes')!);
      },
    });
    this.#classes.set(exact, first);
    const [differences, own] = [new DifferenceCounter(this.#layers), new KeptCodes(floatTie)];
    const mayFollow = kept.hasTies;
    const spiking = await runLayers(this.#spiking, engine, images, {
      counter: (done, total) => counter?.(total + done, 2 * total),
      take: (start, id, found) => {
        if (!differences.has(id)) return;
        if (mayFollow) own.take(start, id, found);
        differences.add(id, {
          expected: kept.codes(start, id).data,
          found: found('codes')!.data,
          membrane: found('membrane')?.data,
          nearness: kept.nearness(start, id),
        });
      },
    });
    this.#spikingClasses.set(spiking, first);
    const alone = mayFollow && differences.differs ? await this.#byThemselves(own, images, engine) : differences;
    this.#differences.absorb(alone, differences);
  }

  /** What differs by itself: the exact network along the spiking one's codes where float32 decides. */
  async #byThemselves(own: KeptCodes, images: Images, engine: Engine): Promise<DifferenceCounter> {
    const differences = new DifferenceCounter(this.#layers);
    const asCodes = ({ id, amplitude }: ComparedLayer, start: number): [string, Tensor] => {
      const { shape, data } = own.codes(start, id);
      return [
        alongName(id),
        tensor(
          'f32',
          shape,
          Float32Array.from(data, (level) => amplitude * level),
        ),
      ];
    };
    await runLayers(this.#along(), engine, images, {
      fed: (start) => Object.fromEntries(this.#layers.map((layer) => asCodes(layer, start))),
      take: (start, id, found) => {
        if (!differences.has(id)) return;
        const distances = found('tie')!.data;
        differences.add(id, {
          expected: found('codes')!.data,
          found: own.codes(start, id).data,
          nearness: (i) => distances[i]!,
        });
      },
    });
    return differences;
  }

  result(): ComparedCodes {
    return { classes: this.#classes, spiking: this.#spikingClasses, layers: this.#differences.result() };
  }
}
