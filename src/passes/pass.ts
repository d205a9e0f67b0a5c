import type { Code, ArgsOf, DiagnosticExtras } from '../base/diagnostics/index.js';
import type { NeuronDef } from '../equations/index.js';
import type { Network, Op } from '../network/index.js';
import type { OptionSchema, OptionsOf } from './options/types.js';

/** An op, or anything else that stands at a place. */
export type Placed = Pick<Op, 'place'>;

/** What a pass may ask and say beside the network and its options. */
export interface PassContext extends Surroundings {
  report<C extends Code>(code: C, args: ArgsOf<C>, op?: Placed, extras?: DiagnosticExtras): void;
}

/** What all passes of a run find. */
export interface Surroundings {
  /** Neuron types by name: the standard library's and the model file's. */
  readonly neurons: ReadonlyMap<string, NeuronDef>;
}

/** A step from valid IR to valid IR. Pure: nothing is shared that it changes. */
export interface Pass<N extends string = string, S extends OptionSchema = OptionSchema> {
  readonly name: N;
  /** One sentence for `--passes` and the pass reference. */
  readonly doc: string;
  /** What can be set, by name. */
  readonly options: S;
  run(network: Network, options: OptionsOf<S>, context: PassContext): Network;
}

/** A pass whose options have the types that its schema says. */
export function definePass<const N extends string, const S extends OptionSchema>(pass: Pass<N, S>): Pass<N, S> {
  return pass;
}
