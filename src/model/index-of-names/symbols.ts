import type { Span } from '../../base/source.js';
import type { Declaration, Name } from '../../syntax/index.js';

export type SymbolKind = Exclude<Declaration['kind'], 'use'> | 'import' | 'parameter' | 'input' | 'value' | 'state';

/** A name that a file defines. */
export interface NameDefinition {
  readonly name: string;
  readonly kind: SymbolKind;
  /** Of the name itself; its source says which file it is in. */
  readonly span: Span;
  /** The declaration it stands in; nothing for declarations and imports. */
  readonly within?: NameDefinition;
  /** Where its file mentions it, in the order of the text, its definition not included; parameters: all files. */
  readonly references: readonly Span[];
  /** What an import stands for, where its file is known. */
  readonly means?: NameDefinition;
  /** Where an import with another name (`A as B`) says what it imports. */
  readonly original?: Span;
}

/** A definition while references to it are being collected. */
export type Draft = Omit<NameDefinition, 'references' | 'within' | 'means'> & {
  readonly references: Span[];
  readonly within?: Draft;
  means?: Draft;
};

export type Scope = ReadonlyMap<string, Draft>;

export function draftOf({ text, span }: Name, kind: SymbolKind, within?: Draft): Draft {
  return { name: text, kind, span, references: [], ...(within === undefined ? {} : { within }) };
}
