import { elementCount } from '../../base/dtype.js';
import type { LayerTrace } from '../../run/sample-trace.js';

/** What single neurons of a layer do, step by step. */
export interface NeuronSeries {
  /** Row-major index in the layer. */
  readonly neuron: number;
  readonly spikes: readonly number[];
  /** One value a local step, silent steps included. */
  readonly membranes: readonly number[];
  /** What the membrane is compared with at these steps, where it is known. */
  readonly thresholds?: readonly number[];
}

/** Series of the neurons named, those of the layer alone. */
export function seriesOf(
  { train, membranes, thresholds }: LayerTrace,
  neurons: readonly number[],
): readonly NeuronSeries[] {
  const size = elementCount(train.shape.slice(1));
  const column = (data: ArrayLike<number>, steps: number, neuron: number): number[] =>
    Array.from({ length: steps }, (_, t) => data[t * size + neuron]!);
  return neurons
    .filter((neuron) => neuron < size)
    .map((neuron) => ({
      neuron,
      spikes: column(train.data, train.shape[0]!, neuron),
      membranes: column(membranes.data, membranes.shape[0]!, neuron),
      ...(thresholds === undefined ? {} : { thresholds: column(thresholds.data, thresholds.shape[0]!, neuron) }),
    }));
}

/**
 * Neurons worth looking at, in their order: from those that fire, evenly by how much they fire; silent ones only
 * where too few fire.
 */
export function chooseNeurons({ train }: LayerTrace, most: number): readonly number[] {
  const size = elementCount(train.shape.slice(1));
  const fired = new Float64Array(size);
  for (let i = 0; i < train.data.length; i++) fired[i % size]! += Math.abs(train.data[i]!);
  const byFiring = Array.from({ length: size }, (_, i) => i).sort((a, b) => fired[b]! - fired[a]! || a - b);
  const active = byFiring.filter((i) => fired[i]! > 0);
  const pool = active.length >= most ? active : byFiring.slice(0, most);
  const many = Math.min(most, pool.length);
  const chosen = Array.from({ length: many }, (_, k) => pool[Math.floor((k * pool.length) / many)]!);
  return chosen.sort((a, b) => a - b);
}

/** `[3, 12, 7]` for a layer of shape [C,H,W]; the index alone for a flat layer. */
export function neuronName(neuron: number, shape: readonly number[]): string {
  if (shape.length < 2) return String(neuron);
  const place: number[] = [];
  let rest = neuron;
  for (const length of shape.toReversed()) {
    place.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `[${place.join(',')}]`;
}
