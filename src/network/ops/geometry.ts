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
