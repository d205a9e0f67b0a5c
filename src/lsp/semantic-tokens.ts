import { type SemanticTokens, SemanticTokensBuilder } from 'vscode-languageserver';
import type { Span } from '../base/source.js';
import type { NameDefinition } from '../model/index.js';
import { positionAt } from './positions.js';
import type { Analysis } from './project.js';

/** The kinds of tokens, in the order of the legend. */
export const tokenTypes = ['function', 'class', 'struct', 'namespace', 'parameter', 'variable', 'property'] as const;
export const tokenModifiers = ['declaration', 'defaultLibrary'] as const;

const types: Readonly<Record<NameDefinition['kind'], (typeof tokenTypes)[number]>> = {
  block: 'function',
  network: 'class',
  neuron: 'struct',
  config: 'namespace',
  import: 'variable',
  parameter: 'parameter',
  input: 'variable',
  value: 'variable',
  state: 'property',
};

interface Token {
  readonly span: Span;
  readonly definition: NameDefinition;
  readonly declares: boolean;
}

/** What names mean; words, numbers and strings are the grammar's. */
export function semanticTokens({ source, index }: Analysis): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const tokens = [...(index?.files.values() ?? [])].flatMap(({ symbols }) =>
    symbols.flatMap((definition): Token[] => [
      { span: definition.span, definition, declares: true },
      ...definition.references.map((span) => ({ span, definition, declares: false })),
    ]),
  );
  const here = tokens
    .filter(({ span }) => span.source.name === source.name)
    .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  let last = -1;
  for (const { span, definition, declares } of here) {
    if (span.start < last) continue;
    last = span.end;
    const meant = definition.means ?? definition;
    const { line, character } = positionAt(source, span.start);
    const isLibrary = meant.span.source.name.startsWith('spikec/');
    const modifiers = (declares ? 1 : 0) + (isLibrary ? 2 : 0);
    builder.push(line, character, span.end - span.start, tokenTypes.indexOf(types[meant.kind]), modifiers);
  }
  return builder.build();
}
