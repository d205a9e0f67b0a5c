import type { Pass } from '../pass.js';

/** An option as it is listed. */
export interface OptionInfo {
  readonly name: string;
  readonly doc: string;
  /** What its values are, in words. */
  readonly values: string;
  /** As a list of passes writes it. */
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
    example: type.example,
    required,
    ...(shown === undefined ? {} : { default: shown }),
  }));
}
