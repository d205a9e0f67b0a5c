import type { Pass } from '../pass.js';
import type { OptionType } from './types.js';

/** An option as it is listed. */
export interface OptionInfo {
  readonly name: string;
  readonly doc: string;
  /** What its values are, in words. */
  readonly values: string;
  /** As a list of passes gives it: `silent{"stage1.*": 2}`. */
  readonly example: string;
  readonly required: boolean;
  /** What holds where nothing is given, as text. */
  readonly default?: string;
}

/** The options of a pass, in the order of its schema. */
export function optionsOf({ options }: Pass): readonly OptionInfo[] {
  return Object.entries(options).map(([name, { type, doc, required, shown }]) => ({
    name,
    doc,
    values: type.words,
    example: exampleOf(name, type),
    required,
    ...(shown === undefined ? {} : { default: shown }),
  }));
}

/** An option with a value, as a list of passes gives it. */
export function exampleOf(name: string, { example }: OptionType<unknown>): string {
  return example.startsWith('{') ? `${name}${example}` : `${name}=${example}`;
}
