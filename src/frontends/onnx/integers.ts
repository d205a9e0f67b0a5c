import { foldBack } from '../../base/fold-back.js';
import { type Interval, type NetworkBuilder, type Op, intervalOf, realValues } from '../../network/index.js';
import type { GraphContext } from './graph-context.js';

/** Whether all numbers of a value are integers, whatever the input: products and sums of integer codes. */
export function hasIntegers({ builder, integers }: GraphContext, id: string): boolean {
  const others = new Set<string>();
  const readBy = (one: string): readonly string[] => {
    const op = builder.opOf(one);
    if (!keepsIntegers(builder, op)) others.add(one);
    return others.has(one) || op.kind === 'quantize' || op.kind === 'table' ? [] : op.inputs;
  };
  return foldBack(id, readBy, (one, inputs: readonly boolean[]) => !others.has(one) && inputs.every(Boolean), integers);
}

/** Whether an op gives integers where it reads integers. */
function keepsIntegers(builder: NetworkBuilder, op: Op): boolean {
  switch (op.kind) {
    case 'quantize':
    case 'table':
      return Number.isInteger(op.attrs.scale) && Number.isInteger(op.attrs.zero * op.attrs.scale);
    case 'maxpool':
    case 'flatten':
    case 'reshape':
    case 'transpose':
    case 'slice':
    case 'identity':
    case 'dropout':
    case 'concat':
    case 'add':
    case 'relu':
      return true;
    case 'clip':
      return [op.attrs.min, op.attrs.max].every((bound) => Number.isInteger(bound));
    case 'pad':
      return Number.isInteger(op.attrs.value);
    case 'affine':
      return integerParams(builder, op, ['scale', 'shift']);
    case 'conv':
    case 'linear':
      return integerParams(builder, op, ['weight', 'bias']);
    default:
      return false;
  }
}

/** What the numbers of a value can be; undefined without bounds. */
export function boundsOf({ builder, intervals }: GraphContext, id: string): Interval | undefined {
  return intervalOf(builder, id, intervals);
}

function integerParams(builder: NetworkBuilder, op: Op, roles: readonly string[]): boolean {
  return roles.every((role) => {
    const name = op.params[role];
    return name === undefined || realValues(builder.paramOf(name)).every((value) => Number.isInteger(value));
  });
}
