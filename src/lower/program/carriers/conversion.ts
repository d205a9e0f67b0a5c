/** Arguments of a coding, by name. */
export type CodingNumbers = Readonly<Record<string, number>>;

/** How the activations of a network become layers of neurons of a coding. */
export interface Conversion {
  /** A neuron of the standard library, with its arguments. */
  readonly neuron: (args: CodingNumbers) => { readonly name: string; readonly args: CodingNumbers };
  /** The largest mean of a train, which a layer's range stands for. */
  readonly top: (args: CodingNumbers) => number;
  /** Steps for which a layer reads before it fires; 0 where missing. */
  readonly silent?: (args: CodingNumbers) => number;
  /** Why trains with these arguments can carry nothing, and what would do. */
  readonly problem?: (args: CodingNumbers) => { readonly reason: string; readonly help: string } | undefined;
  /** Why steps are of no use to these levels, and how many would be. */
  readonly useless?: (args: CodingNumbers, levels: Levels | undefined) => UselessSteps | undefined;
}

/** Levels above 0 of a network's quantisers: of that with the fewest, and of that with the most. */
export interface Levels {
  readonly least: number;
  readonly most: number;
}

export interface UselessSteps {
  readonly reason: string;
  readonly help: string;
  readonly steps: number;
}
