import type { AttrValue, Attrs } from '../value-types.js';

/**
 * What an attribute may be: the TypeScript type `T` of those that read it, and the same thing at run time, for
 * attributes that come out of a text.
 */
export interface Attr<T extends AttrValue = AttrValue, Optional extends boolean = boolean> {
  /** What it must be, behind "must be a": `number`, `list of 2 numbers`. */
  readonly what: string;
  readonly optional: Optional;
  readonly accepts: (value: AttrValue) => value is T;
}

/** The attributes of a kind of layer, by name. */
export type AttrSchema = Readonly<Record<string, Attr>>;

type TypeOf<A> = A extends Attr<infer T> ? T : never;

type Needed<S extends AttrSchema> = { [K in keyof S]: S[K] extends Attr<AttrValue, true> ? never : K }[keyof S];

/** The type of attributes that fit a schema. */
export type AttrsOf<S extends AttrSchema> = { readonly [K in Needed<S>]: TypeOf<S[K]> } & {
  readonly [K in Exclude<keyof S, Needed<S>>]?: TypeOf<S[K]>;
};

function isNumber(value: AttrValue | undefined): value is number {
  return typeof value === 'number';
}

export function number(): Attr<number, false> {
  return { what: 'number', optional: false, accepts: isNumber };
}

export function boolean(): Attr<boolean, false> {
  return { what: 'boolean', optional: false, accepts: (value) => typeof value === 'boolean' };
}

export function string(): Attr<string, false> {
  return { what: 'string', optional: false, accepts: (value) => typeof value === 'string' };
}

/** One of these words. */
export function word<T extends string>(words: readonly T[]): Attr<T, false> {
  const accepts = (value: AttrValue): value is T => (words as readonly AttrValue[]).includes(value);
  return { what: `word of ${words.join(', ')}`, optional: false, accepts };
}

/** Numbers, any number of them. */
export function list(): Attr<readonly number[], false> {
  return { what: 'list', optional: false, accepts: isNumbers };
}

/** Two numbers: [H, W] of a window, [least, greatest]. */
export function pair(): Attr<readonly [number, number], false> {
  return {
    what: 'list of 2 numbers',
    optional: false,
    accepts: (value): value is readonly [number, number] => isNumbers(value) && value.length === 2,
  };
}

/** Four numbers: top, left, bottom, right. */
export function border(): Attr<readonly [number, number, number, number], false> {
  return {
    what: 'list of 4 numbers',
    optional: false,
    accepts: (value): value is readonly [number, number, number, number] => isNumbers(value) && value.length === 4,
  };
}

/** An attribute that may be missing. */
export function optional<T extends AttrValue>({ what, accepts }: Attr<T>): Attr<T, true> {
  return { what, accepts, optional: true };
}

function isNumbers(value: AttrValue): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => isNumber(item));
}

/** What is wrong with attributes: missing, of another kind, or of a name that the schema doesn't have. */
export function attrProblems(schema: AttrSchema, others: Attr | undefined, attrs: Attrs): readonly string[] {
  const problems: string[] = [];
  for (const name in schema) {
    const attr = schema[name]!;
    const value = attrs[name];
    if (value === undefined) {
      if (!attr.optional) problems.push(`misses its attribute ${name}`);
    } else if (!attr.accepts(value)) problems.push(`attribute ${name} must be a ${attr.what}`);
  }
  for (const name of Object.keys(attrs)) {
    if (Object.hasOwn(schema, name)) continue;
    const value = attrs[name]!;
    if (others === undefined) problems.push(`has no attribute ${name}`);
    else if (!others.accepts(value)) problems.push(`attribute ${name} must be a ${others.what}`);
  }
  return problems;
}

/** An attribute of an op of any kind that must be a number: for those that don't know its kind. */
export function numberAttr(attrs: Attrs, name: string, fallback?: number): number {
  const value = attrs[name] ?? fallback;
  if (typeof value !== 'number') throw new TypeError(`attribute ${name} must be a number, is ${String(value)}`);
  return value;
}
