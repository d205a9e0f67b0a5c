import { roundHalfEven } from '../base/rounding.js';
import { attrsOf, numberAttr } from './ops/index.js';
import { paramOf, realValues } from './params.js';
import type { Network, Op } from './types.js';

/**
 * A number of bits or steps of an op as it stands: round(B̂) within 1 … N of a learned one (parameter NAME, bound
 * NAME_max; ABA eq. 9-11), otherwise the attribute NAME. Undefined where the op has neither.
 */
export function wholeOf(network: Pick<Network, 'params'>, op: Op, name: string): number | undefined {
  if (op.params[name] === undefined) {
    const given = attrsOf(op)[name];
    return typeof given === 'number' ? given : undefined;
  }
  return roundedWithin(realValues(paramOf(network, op, name))[0]!, mostOf(op, name));
}

/** The bound of a number of bits or steps that an op learns: its attribute NAME_max. */
export function mostOf(op: Op, name: string): number {
  return numberAttr(attrsOf(op), `${name}_max`);
}

/** Whether a layer learns how many bits it fires. A `bits` that its neuron itself learns is a number like others. */
export function learnsBits(op: Op): boolean {
  return op.params['bits'] !== undefined && 'bits_max' in op.attrs;
}

/** round(x), halves to even, within 1 … most. */
export function roundedWithin(x: number, most: number): number {
  return Math.min(most, Math.max(1, roundHalfEven(x)));
}
