import { type NetworkBuilder, type Op, realValues } from '../../network/index.js';

/** Whether all numbers of a value are integers, whatever the input: products and sums of integer codes. */
export function hasIntegers(builder: NetworkBuilder, id: string): boolean {
  const op = builder.opOf(id);
  const inputs = (): boolean => op.inputs.every((input) => hasIntegers(builder, input));
  switch (op.kind) {
    case 'quantize':
      return Number.isInteger(op.attrs.scale) && Number.isInteger(op.attrs.zero * op.attrs.scale);
    case 'maxpool':
    case 'flatten':
    case 'reshape':
    case 'identity':
    case 'dropout':
    case 'concat':
    case 'add':
    case 'relu':
      return inputs();
    case 'clip':
      return [op.attrs.min, op.attrs.max].every((bound) => Number.isInteger(bound)) && inputs();
    case 'pad':
      return Number.isInteger(op.attrs.value) && inputs();
    case 'affine':
      return integerParams(builder, op, ['scale', 'shift']) && inputs();
    case 'conv':
    case 'linear':
      return integerParams(builder, op, ['weight', 'bias']) && inputs();
    default:
      return false;
  }
}

function integerParams(builder: NetworkBuilder, op: Op, roles: readonly string[]): boolean {
  return roles.every((role) => {
    const name = op.params[role];
    return name === undefined || realValues(builder.paramOf(name)).every((value) => Number.isInteger(value));
  });
}
