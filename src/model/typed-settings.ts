import type { Span } from '../base/source.js';
import type { Choices, Parameter, Spec } from './schema.js';

/** What fits a spec, as plain data: the type of a setting follows from its row. Of a spec that isn't known it is anything. */
export type ValueOf<S extends Spec> = Spec extends S ? unknown : KnownValueOf<S>;

type KnownValueOf<S extends Spec> = S extends { readonly kind: 'int' | 'real' }
  ? number
  : S extends { readonly kind: 'bool' }
    ? boolean
    : S extends { readonly kind: 'string' | 'label' }
      ? string
      : S extends { readonly kind: 'words'; readonly words: readonly (infer W)[] }
        ? W
        : S extends { readonly kind: 'list'; readonly of: infer T extends Spec }
          ? readonly ValueOf<T>[]
          : S extends { readonly kind: 'choice'; readonly of: infer C extends Choices }
            ? ChoiceOf<C>
            : S extends { readonly kind: 'sum'; readonly of: infer C extends Choices }
              ? readonly TermOf<C>[]
              : S extends { readonly kind: 'either'; readonly of: readonly (infer T extends Spec)[] }
                ? ValueOf<T>
                : never;

/** A term of a sum: `factor` times what it names. */
export interface TermOf<C extends Choices> {
  readonly factor: number;
  readonly term: ChoiceOf<C>;
}

/** One of several named things with their arguments; `name` says which arguments there are. */
export type ChoiceOf<C extends Choices> = {
  readonly [K in keyof C & string]: { readonly name: K; readonly args: ArgsOf<C[K]['args']>; readonly place: Span };
}[keyof C & string];

type Filled = { readonly required: true } | { readonly default: Parameter['default'] & {} };

/** Values by parameter: those that are required or have a default are there. */
export type ArgsOf<P extends readonly Parameter[]> = {
  readonly [Q in P[number] as Q extends Filled ? Q['name'] : never]: ValueOf<Q['spec']>;
} & {
  readonly [Q in P[number] as Q extends Filled ? never : Q['name']]?: ValueOf<Q['spec']>;
};

/** Settings as they are written: any may be missing. */
export type Written<P extends readonly Parameter[]> = {
  readonly [Q in P[number] as Q['name']]?: ValueOf<Q['spec']>;
};

/** Settings with the defaults of those that nobody wrote. */
export function withDefaults<const P extends readonly Parameter[]>(parameters: P, written: Written<P>): ArgsOf<P> {
  const defaults = parameters.flatMap((one) => (one.default === undefined ? [] : [[one.name, one.default] as const]));
  return { ...Object.fromEntries(defaults), ...written } as ArgsOf<P>;
}
