import { createToken, Lexer, type ITokenConfig, type TokenType } from 'chevrotain';

/**
 * The words and signs of the language. Comments start with `//` and are kept in the group
 * `comments`; line breaks mean nothing.
 *
 * `Word` is an abstract category: anything that may stand as the name of an argument or a
 * setting (`neuron LIF`, `state: 1`), be it an identifier or one of the reserved words.
 */
export const Word = createToken({ name: 'Word', label: 'a name', pattern: Lexer.NA });

export const Identifier = createToken({
  name: 'Identifier',
  label: 'a name',
  pattern: /[A-Za-z_][A-Za-z0-9_]*/,
  categories: [Word],
});

function keyword(word: string, asName = true): TokenType {
  const config: ITokenConfig = { name: titleCase(word), label: `\`${word}\``, pattern: word, longer_alt: Identifier };
  return createToken(asName ? { ...config, categories: [Word] } : config);
}

function sign(name: string, text: string): TokenType {
  return createToken({ name, label: `\`${text}\``, pattern: text });
}

function titleCase(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export const Use = keyword('use');
export const As = keyword('as');
export const Block = keyword('block');
export const Network = keyword('network');
export const Neuron = keyword('neuron');
export const Config = keyword('config');
export const Extends = keyword('extends');
export const Input = keyword('input');
export const Output = keyword('output');
export const State = keyword('state');
export const Charge = keyword('charge');
export const Fire = keyword('fire');
export const Reset = keyword('reset');
export const Detached = keyword('detached');
export const Surrogate = keyword('surrogate');
/** Begins a statement of a neuron; a name like any other elsewhere. */
export const Planes = createToken({
  name: 'Planes',
  label: '`planes`',
  pattern: 'planes',
  longer_alt: Identifier,
  categories: [Identifier],
});
// These would be ambiguous as names: they stand inside expressions.
export const Repeat = keyword('repeat', false);
export const True = keyword('true', false);
export const False = keyword('false', false);
export const And = keyword('and', false);
export const Or = keyword('or', false);
export const Not = keyword('not', false);

export const LeftBrace = sign('LeftBrace', '{');
export const RightBrace = sign('RightBrace', '}');
export const LeftParen = sign('LeftParen', '(');
export const RightParen = sign('RightParen', ')');
export const LeftBracket = sign('LeftBracket', '[');
export const RightBracket = sign('RightBracket', ']');
export const Comma = sign('Comma', ',');
export const Colon = sign('Colon', ':');
export const Dot = sign('Dot', '.');
export const Pipe = sign('Pipe', '|');
export const Equals = sign('Equals', '=');
export const Plus = sign('Plus', '+');
export const Minus = sign('Minus', '-');
export const Star = sign('Star', '*');
export const Slash = sign('Slash', '/');
export const Caret = sign('Caret', '^');

/** `<  <=  >  >=  ==  !=` */
export const Comparison = createToken({ name: 'Comparison', label: 'a comparison', pattern: /[<>]=?|==|!=/ });

export const NumberLiteral = createToken({
  name: 'NumberLiteral',
  label: 'a number',
  pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/,
});

/** Double quotes, on one line; `\"`, `\\`, `\n` and `\t` are the escapes. */
export const StringLiteral = createToken({
  name: 'StringLiteral',
  label: 'a string',
  pattern: /"(?:[^"\\\n\r]|\\["\\nt])*"/,
});

/**
 * A string that breaks the rules above, so that the parser can go on behind it. Never in a file
 * without errors.
 */
export const BrokenString = createToken({
  name: 'BrokenString',
  label: 'a string',
  pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*(?:"|\\?)/,
  categories: [StringLiteral],
});

export const LineComment = createToken({ name: 'LineComment', pattern: /\/\/[^\n\r]*/, group: 'comments' });
const Space = createToken({ name: 'Space', pattern: /[ \t\r\n\uFEFF]+/, group: Lexer.SKIPPED, line_breaks: true });

export const keywords: readonly TokenType[] = [
  ...[Use, As, Block, Network, Neuron, Config, Extends, Input, Output, State, Charge, Fire, Reset, Detached],
  ...[Surrogate, Repeat, True, False, And, Or, Not],
];

/** In the order the lexer tries them: keywords before identifiers, long signs before short ones. */
export const tokens: TokenType[] = [
  Space,
  LineComment,
  ...keywords,
  Planes,
  Word,
  Identifier,
  NumberLiteral,
  StringLiteral,
  BrokenString,
  ...[LeftBrace, RightBrace, LeftParen, RightParen, LeftBracket, RightBracket, Comma, Colon, Dot, Pipe],
  ...[Comparison, Equals, Plus, Minus, Star, Slash, Caret],
];
