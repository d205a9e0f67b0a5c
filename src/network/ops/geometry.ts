/** A shape as windows see it: [C, L] is an image of one row, [C, 1, L]. */
export function asImage(shape: readonly number[]): readonly number[] {
  return shape.length === 2 ? [shape[0]!, 1, shape[1]!] : shape;
}

/** One tap of a window along an axis: the output that it belongs to, its place in the window, the input under it. */
export interface Link {
  readonly output: number;
  readonly tap: number;
  readonly input: number;
}

/** A window's attributes along H and W. */
export interface Sliding {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  readonly dilation?: readonly number[];
}

/** A window that slides over its input: output o sees input o·stride − pad + tap·dilation. */
export function sliding(
  { kernel, stride, pads, dilation = [1, 1] }: Sliding,
  axis: number,
  input: number,
  output: number,
): readonly Link[] {
  const links: Link[] = [];
  for (let o = 0; o < output; o++) {
    for (let tap = 0; tap < kernel[axis]!; tap++) {
      const at = o * stride[axis]! - pads[axis]! + tap * dilation[axis]!;
      if (at >= 0 && at < input) links.push({ output: o, tap, input: at });
    }
  }
  return links;
}

/** One window over everything. */
export function whole(_attrs: unknown, _axis: number, input: number): readonly Link[] {
  return Array.from({ length: input }, (_, at) => ({ output: 0, tap: at, input: at }));
}

/** What scatters its input: input i stands under tap k of output i·stride + k·dilation − pad. */
export interface Scattering extends Sliding {
  readonly output_padding: readonly number[];
}

/** Length along an axis: (n − 1)·stride + dilation·(kernel − 1) + 1 + output_padding − pads. */
export function scatteredLength(
  { kernel, stride, pads, dilation = [1, 1], output_padding }: Scattering,
  axis: number,
  input: number,
): number {
  const all = (input - 1) * stride[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1 + output_padding[axis]!;
  return all - pads[axis]! - pads[axis + 2]!;
}

/** The links of a transposed convolution. */
export function scattered(
  { kernel, stride, pads, dilation = [1, 1] }: Scattering,
  axis: number,
  input: number,
  output: number,
): readonly Link[] {
  const links: Link[] = [];
  for (let o = 0; o < output; o++) {
    for (let tap = 0; tap < kernel[axis]!; tap++) {
      const at = (o + pads[axis]! - tap * dilation[axis]!) / stride[axis]!;
      if (Number.isInteger(at) && at >= 0 && at < input) links.push({ output: o, tap, input: at });
    }
  }
  return links;
}
