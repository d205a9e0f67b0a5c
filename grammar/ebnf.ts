import type { ISerializedGast, TokenType } from 'chevrotain';
import type { SpikeParser } from './parser.js';
import * as t from './tokens.js';

/** What the serialised grammar's nodes carry beside their type. */
interface Production extends ISerializedGast {
  readonly name?: string;
  readonly definition?: Production[];
}

const named: Readonly<Record<string, string>> = {
  Word: 'WORD',
  Identifier: 'IDENTIFIER',
  NumberLiteral: 'NUMBER',
  StringLiteral: 'STRING',
  Comparison: 'COMPARISON',
};

const header = `(* The grammar of Spike, in the EBNF of ISO 14977 with regular expressions between slashes for tokens.
   Generated from the parser by \`npm run grammar\`; do not edit. *)
`;

/** The parser's rules and the tokens as EBNF. */
export function grammarToEbnf(parser: SpikeParser): string {
  const rules = (parser.getSerializedGastProductions() as Production[]).map(
    ({ name, definition }) => `${kebab(name!)} = ${sequence(definition!)} ;`,
  );
  return [header, ...rules, '', ...terminals(), ''].join('\n');
}

function terminals(): string[] {
  const pattern = (token: TokenType): string => `/${(token.PATTERN as RegExp).source}/`;
  return [
    '(* Tokens. Spaces, line breaks and comments may stand between any two. *)',
    `IDENTIFIER = ${pattern(t.Identifier)} - keyword ;`,
    `NUMBER = ${pattern(t.NumberLiteral)} ;`,
    `STRING = ${pattern(t.StringLiteral)} ;`,
    `COMPARISON = ${pattern(t.Comparison)} ;`,
    `COMMENT = ${pattern(t.LineComment)} ;`,
    `WORD = IDENTIFIER | ${alternatives(t.keywords.filter((word) => word.CATEGORIES?.includes(t.Word)))} ;`,
    `keyword = ${alternatives(t.keywords)} ;`,
  ];
}

function alternatives(words: readonly TokenType[]): string {
  return words.map((word) => quoted(String(word.LABEL))).join(' | ');
}

function sequence(parts: readonly Production[]): string {
  return parts.map(part).join(', ');
}

function part({ type, name, definition = [] }: Production): string {
  switch (type) {
    case 'NonTerminal':
      return kebab(name!);
    case 'Terminal':
      return terminal(name!);
    case 'Option':
      return `[ ${sequence(definition)} ]`;
    case 'Repetition':
      return `{ ${sequence(definition)} }`;
    case 'RepetitionMandatory':
      return `${sequence(definition)}, { ${sequence(definition)} }`;
    case 'Alternation':
      return `( ${definition.map((alternative) => sequence(alternative.definition!)).join(' | ')} )`;
    default:
      throw new Error(`grammarToEbnf: no form for ${type}`);
  }
}

function terminal(name: string): string {
  if (name === 'EOF') return '(* end of file *)';
  const token = t.tokens.find((one) => one.name === name);
  return named[name] ?? quoted(String(token?.LABEL));
}

/** The label of a keyword or sign is its text between backquotes. */
function quoted(label: string): string {
  return `"${label.replaceAll('`', '')}"`;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
