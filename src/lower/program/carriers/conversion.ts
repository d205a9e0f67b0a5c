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
}
