import type { Op } from '../../../network/index.js';
import type { Lowering } from '../context.js';
import { type Unrolled, lowerNeurons } from '../neurons.js';
import type { Timed } from '../trains.js';
import type { Trace } from './carrier.js';

/** Layers of neurons by their equations, and what those that are traced give out. */
export class Neurons {
  readonly #traces = new Map<string, Trace>();

  constructor(readonly lowering: Lowering) {}

  lower(op: Op<'neuron'>, input: Timed, more: readonly Timed[] = []): Unrolled {
    const { lowering } = this;
    const membranes = lowering.options.traced?.has(op.id) === true;
    const unrolled = lowerNeurons(lowering, op, input, { membranes, more });
    if (membranes) {
      const over = (name: 'membranes' | 'thresholds') => lowering.builder.at(op.id).as(name).concat(unrolled[name], 0);
      const thresholds = unrolled.thresholds.length === 0 ? undefined : over('thresholds');
      this.#traces.set(op.id, { membranes: over('membranes'), thresholds });
    }
    return unrolled;
  }

  /** What a layer gave out that was lowered elsewhere. */
  record(id: string, trace: Trace): void {
    this.#traces.set(id, trace);
  }

  trace(op: Op): Trace | undefined {
    return this.#traces.get(op.id);
  }
}
