/** The type of a parameter: what its argument may be. */
export type Spec =
  | { readonly kind: 'any' }
  | { readonly kind: 'int'; readonly min?: number; readonly max?: number; readonly above?: number }
  | {
      readonly kind: 'real';
      readonly min?: number;
      readonly max?: number;
      readonly above?: number;
      readonly below?: number;
    }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string' }
  /** A bare word or a string: the name of something outside the file; `known` ones with what they are. */
  | { readonly kind: 'label'; readonly known?: Readonly<Record<string, string>> }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'list'; readonly of: Spec; readonly length?: number }
  /** An integer, or two of them: height and width. */
  | { readonly kind: 'pair'; readonly min: number }
  | { readonly kind: 'block' }
  | { readonly kind: 'neuron' }
  /** One of several named things, each with parameters. */
  | { readonly kind: 'choice'; readonly of: Choices }
  /** Named things with parameters, added up, each perhaps times a number: `a + 0.1 * b(c: 2)`. */
  | { readonly kind: 'sum'; readonly of: Choices }
  | { readonly kind: 'either'; readonly of: readonly Spec[] };

/** Named things with what each of them is, in a sentence without its subject, and its parameters. */
export type Choices = Readonly<Record<string, { readonly doc: string; readonly args: readonly Setting[] }>>;

/** A parameter that isn't required says what holds without it, or nothing. */
export interface Parameter {
  readonly name: string;
  readonly spec: Spec;
  readonly required?: boolean;
  readonly default?: number | boolean | string | readonly number[];
}

/** A parameter of the language's own tables: an argument, or a setting that stands in a block, `batch 64`. */
export interface Setting extends Parameter {
  /** What it decides: what an editor says of it, and of the words that it may be. */
  readonly doc: string;
  /** What holds without it, where that is no value of its own. */
  readonly otherwise?: string;
}

/** What a spec allows, in words: `an integer of at least 1`. */
export function describeSpec(spec: Spec): string {
  switch (spec.kind) {
    case 'any':
      return 'a value';
    case 'int':
      if (spec.above !== undefined) return `an integer greater than ${spec.above}${below(spec)}`;
      return `an integer${range(spec.min, spec.max)}`;
    case 'real': {
      if (spec.above !== undefined) return `a number greater than ${spec.above}${below(spec)}`;
      if (spec.below !== undefined) return `a number${range(spec.min, undefined)} and less than ${spec.below}`;
      return `a number${range(spec.min, spec.max)}`;
    }
    case 'bool':
      return '`true` or `false`';
    case 'string':
      return 'a string';
    case 'label':
      return 'a name or a string';
    case 'words':
      return alternatives(spec.words.map((word) => `\`${word}\``));
    case 'list':
      return `a list of ${spec.length === undefined ? '' : `${spec.length}, each `}${describeSpec(spec.of)}`;
    case 'pair':
      return `an integer${range(spec.min, undefined)}, or two of them [height, width]`;
    case 'block':
      return 'a block';
    case 'neuron':
      return 'a neuron';
    case 'choice':
      return alternatives(Object.keys(spec.of).map((word) => `\`${word}\``));
    case 'sum':
      return `${alternatives(Object.keys(spec.of).map((word) => `\`${word}\``))}, or a sum of them, each perhaps times a number`;
    case 'either':
      return alternatives(spec.of.map(describeSpec));
  }
}

function below(spec: { readonly max?: number; readonly below?: number }): string {
  if (spec.below !== undefined) return ` and less than ${spec.below}`;
  return spec.max === undefined ? '' : ` and at most ${spec.max}`;
}

function range(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` between ${min} and ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? 'nothing';
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`;
}
