import { elementCount } from '../base/dtype.js';
import { mostElements, mostSteps } from '../base/limits.js';
import type { Network, Op, ValueType } from './types.js';

/** What is larger than anything that reads a network takes. */
export interface Oversized {
  readonly op: Op;
  /** A clause: `the value of %c1 over 64 steps has`. */
  readonly what: string;
  readonly size: number;
  readonly unit: 'elements' | 'steps';
  readonly limit: number;
}

/**
 * The first op whose value (over its steps, with the padding its reader adds) has more than {@link mostElements}
 * elements, or that ends behind {@link mostSteps}. Inputs of ops must exist.
 */
export function firstOversized(network: Network): Oversized | undefined {
  const types = new Map<string, ValueType>();
  for (const op of network.ops) {
    const { shape, time } = op.type;
    const steps = time?.steps ?? 1;
    const over = steps === 1 ? '' : ` over ${steps} steps`;
    const found = (what: string, size: number): Oversized => ({
      op,
      what,
      size,
      unit: 'elements',
      limit: mostElements,
    });
    const end = (time?.start ?? 1) + steps - 1;
    if (end > mostSteps) return { op, what: `%${op.id} ends after`, size: end, unit: 'steps', limit: mostSteps };
    const elements = elementCount(shape) * steps;
    if (elements > mostElements) return found(`the value of %${op.id}${over} has`, elements);
    const pads = 'pads' in op.attrs ? op.attrs.pads : undefined;
    const read = types.get(op.inputs[0] ?? '');
    if (Array.isArray(pads) && read?.shape.length === 3) {
      const [top, left, bottom, right] = pads as readonly number[];
      const [channels, height, width] = read.shape as readonly [number, number, number];
      const padded = channels * (height + top! + bottom!) * (width + left! + right!) * (read.time?.steps ?? 1);
      if (padded > mostElements) {
        return found(`what %${op.id} reads, with its padding${over}, has`, padded);
      }
    }
    types.set(op.id, op.type);
  }
  return undefined;
}
