import { type NetworkBuilder, type Op, realValues } from '../../network/index.js';

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** What the numbers of a value can be, whatever the input, by interval arithmetic from the quantisers on; undefined without bounds. */
export function boundsOf(builder: NetworkBuilder, id: string): Bounds | undefined {
  const op = builder.opOf(id);
  const [first, ...others] = op.inputs.map((input) => boundsOf(builder, input));
  switch (op.kind) {
    case 'quantize': {
      const { scale, zero, min, max } = op.attrs;
      return { min: (min - zero) * scale, max: (max - zero) * scale };
    }
    case 'relu':
      return { min: Math.max(0, first?.min ?? 0), max: Math.max(0, first?.max ?? Infinity) };
    case 'clip': {
      const held = (x: number): number => Math.min(op.attrs.max, Math.max(op.attrs.min, x));
      return { min: held(first?.min ?? -Infinity), max: held(first?.max ?? Infinity) };
    }
    case 'maxpool':
    case 'globalavgpool':
    case 'flatten':
    case 'reshape':
    case 'identity':
    case 'dropout':
      return first;
    case 'avgpool':
      return first === undefined ? undefined : { min: Math.min(0, first.min), max: Math.max(0, first.max) };
    case 'pad':
      return first === undefined ? undefined : withValue(first, op.attrs.value);
    case 'concat':
      return others.reduce(union, first);
    case 'add': {
      const [second] = others;
      if (first === undefined || second === undefined) return undefined;
      return { min: first.min + second.min, max: first.max + second.max };
    }
    case 'affine':
      return first === undefined ? undefined : affine(builder, op, first);
    case 'conv':
    case 'linear':
      return first === undefined ? undefined : weighted(builder, op, first);
    default:
      return undefined;
  }
}

function union(a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined {
  return a === undefined || b === undefined ? undefined : { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

function withValue({ min, max }: Bounds, value: number): Bounds {
  return { min: Math.min(min, value), max: Math.max(max, value) };
}

function valuesOf(builder: NetworkBuilder, op: Op, role: string): Float64Array | undefined {
  const name = op.params[role];
  return name === undefined ? undefined : realValues(builder.paramOf(name));
}

function affine(builder: NetworkBuilder, op: Op, { min, max }: Bounds): Bounds {
  const scales = valuesOf(builder, op, 'scale') ?? Float64Array.of(1);
  const shifts = valuesOf(builder, op, 'shift') ?? Float64Array.of(0);
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < Math.max(scales.length, shifts.length); i++) {
    const a = scales[scales.length === 1 ? 0 : i]!;
    const b = shifts[shifts.length === 1 ? 0 : i]!;
    low = Math.min(low, a * (a > 0 ? min : max) + b);
    high = Math.max(high, a * (a > 0 ? max : min) + b);
  }
  return { min: low, max: high };
}

/** Σ of what every weight can contribute; where a border of zeros is padded, it may be nothing. */
function weighted(builder: NetworkBuilder, op: Op, input: Bounds): Bounds {
  const padded = op.kind === 'conv' && op.attrs.pads.some((n) => n !== 0);
  const { min, max } = padded ? withValue(input, 0) : input;
  const weights = valuesOf(builder, op, 'weight')!;
  const bias = valuesOf(builder, op, 'bias');
  const out = builder.paramOf(op.params['weight']!).tensor.shape[0]!;
  const row = weights.length / Math.max(1, out);
  let [low, high] = [Infinity, -Infinity];
  for (let o = 0; o < out; o++) {
    let [least, most] = [bias?.[o] ?? 0, bias?.[o] ?? 0];
    for (let i = 0; i < row; i++) {
      const w = weights[o * row + i]!;
      least += w * (w > 0 ? min : max);
      most += w * (w > 0 ? max : min);
    }
    low = Math.min(low, least);
    high = Math.max(high, most);
  }
  return { min: low, max: high };
}
