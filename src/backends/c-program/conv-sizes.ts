/** All sizes of a convolution in numbers, apart from the batch. */
export interface ConvSizes {
  readonly channels: number;
  readonly input: readonly [number, number];
  readonly filters: number;
  readonly kernel: readonly [number, number];
  readonly output: readonly [number, number];
  readonly stride: readonly number[];
  readonly pads: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}
