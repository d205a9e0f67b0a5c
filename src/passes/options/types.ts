import type { Raw } from './raw.js';

/** What values an option takes: in words for those who read, and read from text. */
export interface OptionType<T> {
  /** `a whole number from 0 to 24` */
  readonly words: string;
  /** As a list of passes writes one. */
  readonly example: string;
  /** The value that a text means; undefined where it means none. */
  readonly read: (raw: Raw) => T | undefined;
}

/** One option of a pass. */
export interface Option<T, Required extends boolean = boolean> {
  readonly type: OptionType<T>;
  readonly doc: string;
  readonly required: Required;
  /** What holds where nothing is given. */
  readonly default?: T;
  /** The same in words. */
  readonly shown?: string;
}

/** The options of a pass, by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- any, so that options of every type stand in one schema
export type OptionSchema = Readonly<Record<string, Option<any>>>;

type Value<O> = O extends Option<infer T> ? T : never;

/** What a pass with these options is given when it runs. */
export type OptionsOf<S extends OptionSchema> = { readonly [K in keyof S]: Value<S[K]> };

type RequiredNames<S extends OptionSchema> = {
  [K in keyof S]: S[K]['required'] extends true ? K : never;
}[keyof S];

/** What has to be said to configure a pass with these options. */
export type GivenOptions<S extends OptionSchema> = {
  readonly [K in RequiredNames<S>]: Value<S[K]>;
} & { readonly [K in Exclude<keyof S, RequiredNames<S>>]?: Value<S[K]> | undefined };

/** An option that must be given. */
export function required<T>(type: OptionType<T>, doc: string): Option<T, true> {
  return { type, doc, required: true };
}

/** An option with a value of its own where none is given. */
export function defaulted<T>(type: OptionType<T>, doc: string, value: T, shown = String(value)): Option<T, false> {
  return { type, doc, required: false, default: value, shown };
}

/** An option that may be left out. */
export function optional<T>(type: OptionType<T>, doc: string): Option<T | undefined, false> {
  return { type, doc, required: false };
}
