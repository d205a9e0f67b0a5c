import type { SpikeLevels } from '../../equations/index.js';
import type { ValueType } from '../value-types.js';
import type { Attr, AttrSchema, AttrsOf } from './attributes.js';
import type { OpLowering } from './lowering.js';
import type { Link } from './geometry.js';
import type { OpTraits } from './traits.js';

/** What a type rule sees of an op. */
export interface TypeRequest<A = unknown> {
  readonly inputs: readonly ValueType[];
  readonly attrs: A;
  /** The levels that the equations of a layer of neurons give, where they are known and finitely many. */
  readonly levels?: SpikeLevels | undefined;
  /** Shape of the parameter in a role, if it is there. */
  readonly param: (role: string) => readonly number[] | undefined;
}

/** A result type, or a sentence saying what is wrong. */
export type TypeAnswer = ValueType | string;

/** The row of a kind of layer: all that the compiler knows of it. */
export interface OpDef<S extends AttrSchema = AttrSchema> {
  /** One line for the IR reference. */
  readonly doc: string;
  /** Least and greatest number of inputs. */
  readonly arity: readonly [number, number];
  readonly attrs: S;
  /** Its input may stand later than itself: it holds values of earlier time steps. */
  readonly readsAhead?: true;
  /** Attributes of any further name. */
  readonly otherAttrs?: Attr;
  /** Parameter roles; a name ending in `?` may be missing, `*` is any further one. */
  readonly params: readonly string[];
  /** Those that training doesn't change by gradient: running statistics, given constants. */
  fixedParams?(this: void, attrs: AttrsOf<NoInfer<S>>): readonly string[];
  readonly traits: OpTraits;
  /** Of windows: which inputs are under which taps of which outputs, along an axis (0: H, 1: W); outputs and taps in order. */
  links?(this: void, attrs: AttrsOf<NoInfer<S>>, axis: number, input: number, output: number): readonly Link[];
  /** Of values in another order, or some of them: where in an input of a shape the value at a position of the result was. */
  source?(this: void, attrs: AttrsOf<NoInfer<S>>, shape: readonly number[], at: readonly number[]): readonly number[];
  /** Along which axis of the result its parameters have one number each: 0, the channels, where missing. */
  channelAxis?(this: void, attrs: AttrsOf<NoInfer<S>>, shape: readonly number[]): number;
  /** Of encoders: whether the result is the same at every step. */
  steady?(this: void, attrs: AttrsOf<NoInfer<S>>): boolean;
  /** Of the role `bound`: between what it holds values. */
  bounds?(this: void, attrs: AttrsOf<NoInfer<S>>): readonly [number, number];
  /** How it acts on tensors, whatever a coding makes of trains. */
  readonly lowering: OpLowering<AttrsOf<NoInfer<S>>>;
  /** The result's type; the attributes have been checked. */
  type(this: void, request: TypeRequest<AttrsOf<S>>): TypeAnswer;
}

/** A row, its attributes typed by its schema. */
export function defineOp<S extends AttrSchema, const T extends OpTraits>(
  def: OpDef<S> & { readonly traits: T },
): OpDef<S> & { readonly traits: T } {
  return def;
}
