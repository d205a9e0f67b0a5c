import type { Network } from '../../network/index.js';
import type { Pass, PassContext } from '../pass.js';
import type { GivenOptions, OptionSchema, OptionsOf } from './types.js';

/** A pass with values for all of its options. */
export interface ConfiguredPass {
  readonly pass: Pass;
  readonly run: (network: Network, context: PassContext) => Network;
}

/** Values for the options of passes, by the name of the pass: passes that need none may be left out. */
export type GivenFor<P extends readonly Pass[]> = {
  readonly [Q in P[number] as NeedsNone<Q> extends true ? never : Q['name']]: GivenOptions<Q['options']>;
} & {
  readonly [Q in P[number] as NeedsNone<Q> extends true ? Q['name'] : never]?: GivenOptions<Q['options']>;
};

type NeedsNone<Q extends Pass> = Record<string, never> extends GivenOptions<Q['options']> ? true : false;

/** A pass with these options; throws `TypeError` where one is missing that has no default, or isn't the pass's. */
export function withOptions<N extends string, S extends OptionSchema>(
  pass: Pass<N, S>,
  given: GivenOptions<S>,
): ConfiguredPass {
  const values = given as Readonly<Record<string, unknown>>;
  const foreign = Object.keys(values).find((name) => !Object.hasOwn(pass.options, name));
  if (foreign !== undefined) throw new TypeError(`pass ${pass.name} has no option ${foreign}`);
  const options = Object.fromEntries(
    Object.entries(pass.options).map(([name, option]) => {
      const value = values[name] ?? (option.default as unknown);
      if (option.required && value === undefined) throw new TypeError(`pass ${pass.name} needs the option ${name}`);
      return [name, value];
    }),
  ) as OptionsOf<S>;
  return { pass, run: (network, context) => pass.run(network, options, context) };
}

/** The passes of a pipeline with their options. */
export function configure<const P extends readonly Pass[]>(passes: P, given: GivenFor<P>): readonly ConfiguredPass[] {
  const byName = given as Readonly<Record<string, GivenOptions<OptionSchema>>>;
  const foreign = Object.keys(byName).find((name) => !passes.some((pass) => pass.name === name));
  if (foreign !== undefined) throw new TypeError(`there is no pass ${foreign} in this pipeline`);
  return passes.map((pass) => withOptions(pass, byName[pass.name] ?? {}));
}
