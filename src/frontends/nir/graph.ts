/** An array of a NIR file; numbers of any type as doubles. */
export interface NirArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** Whole numbers, that are written as such. */
  readonly integer?: boolean;
  /** Of one byte each. */
  readonly narrow?: boolean;
}

export interface NirNode {
  readonly type: string;
  readonly fields: ReadonlyMap<string, NirArray | string>;
  /** Numbers and texts beside what NIR says of it. */
  readonly metadata?: ReadonlyMap<string, NirArray | string>;
  /** Of a NIRGraph. */
  readonly graph?: NirGraph;
}

/** A graph as a file holds it: nodes by name, in no order, and edges between names. */
export interface NirGraph {
  readonly nodes: ReadonlyMap<string, NirNode>;
  readonly edges: readonly (readonly [string, string])[];
  /** Numbers and texts that tools put beside the graph. */
  readonly metadata?: ReadonlyMap<string, NirArray | string>;
}

/** A node with its place in nested graphs in front of its name: `block.lif`. */
export interface FlatGraph {
  readonly nodes: ReadonlyMap<string, NirNode>;
  /** Name → the names that it reads, in the order of the edges, none twice. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
}
