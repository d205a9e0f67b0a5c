import type { IToken, TokenType } from 'chevrotain';
import { tokens as t } from '../../grammar/index.js';
import type { Source } from '../base/source.js';

/** The tokens of one declaration, or of something that stands where a declaration should. */
export interface Section {
  readonly tokens: readonly IToken[];
  /** Whether it begins like a declaration. */
  readonly proper: boolean;
  /** Whether it has a `}` that closes nothing. */
  readonly overclosed: boolean;
}

const starts: readonly TokenType[] = [t.Use, t.Block, t.Network, t.Neuron, t.Config];
const closing: ReadonlyMap<TokenType, TokenType> = new Map([
  [t.RightBrace, t.LeftBrace],
  [t.RightParen, t.LeftParen],
  [t.RightBracket, t.LeftBracket],
]);
const opening = new Set(closing.values());

/**
 * Cuts a file where its declarations begin, so that each can be read on its own and damage stays in the declaration that
 * has it. A declaration ends with the `}` of its body. Where brackets don't match (`recovering`), one begins wherever
 * the text looks like nothing else: `config NAME`, `block NAME`, `use "…"`, and `network NAME … {` or `neuron NAME … {`
 * on a line of its own that isn't indented more than the declaration before.
 */
export function sectionsOf(source: Source, tokens: readonly IToken[], recovering: boolean): Section[] {
  const sections: { tokens: IToken[]; proper: boolean; overclosed: boolean }[] = [];
  const open: TokenType[] = [];
  let closed = true;
  let margin = 0;
  tokens.forEach((token, i) => {
    const line = lineStart(source.text, token.startOffset);
    const atMargin = line !== undefined && line <= margin;
    const isStart = starts.includes(token.tokenType);
    const looksRight = isStart && (open.length === 0 || recovering) && isHeader(tokens, i);
    const begins =
      open.length === 0
        ? isStart && (looksRight || atMargin || sections.length === 0)
        : recovering && isStart && ((looksRight && (!isNamedSetting(token) || atMargin)) || isBareStart(token, line));
    if (begins || (closed && sections.at(-1)?.proper !== false)) {
      if (begins) margin = line ?? margin;
      sections.push({ tokens: [], proper: begins, overclosed: false });
      open.length = 0;
      closed = false;
    }
    const section = sections.at(-1)!;
    section.tokens.push(token);
    const partner = closing.get(token.tokenType);
    if (opening.has(token.tokenType)) open.push(token.tokenType);
    if (partner === undefined) return;
    const isStray = open.length === 0;
    if (isStray && token.tokenType === t.RightBrace) section.overclosed = true;
    // Go on with whatever this bracket does close.
    while (open.length > 0 && open.at(-1) !== partner) open.pop();
    open.pop();
    if (!isStray && open.length === 0 && token.tokenType === t.RightBrace) closed = true;
  });
  return sections;
}

/** `network` and `neuron` also name settings. */
function isNamedSetting({ tokenType }: IToken): boolean {
  return tokenType === t.Network || tokenType === t.Neuron;
}

/** Other declarations begin at the very start of a line, whatever follows. */
function isBareStart(token: IToken, line: number | undefined): boolean {
  return line === 0 && !isNamedSetting(token);
}

/** Whether the tokens from `i` on are a declaration's beginning and can't be anything else. */
function isHeader(tokens: readonly IToken[], i: number): boolean {
  const [word, name, next] = [tokens[i]!, tokens[i + 1], tokens[i + 2]];
  if (word.tokenType === t.Use) return name?.tokenType === t.StringLiteral || name?.tokenType === t.BrokenString;
  if (name?.tokenType !== t.Identifier) return false;
  if (!isNamedSetting(word)) return true;
  if (next?.tokenType === t.LeftBrace) return true;
  if (next?.tokenType !== t.LeftParen) return false;
  let depth = 0;
  for (let j = i + 2; j < Math.min(tokens.length, i + 400); j++) {
    const { tokenType } = tokens[j]!;
    if (tokenType === t.LeftParen) depth++;
    if (tokenType === t.RightParen) depth--;
    if (depth === 0) return tokens[j + 1]?.tokenType === t.LeftBrace;
    if (tokenType === t.LeftBrace || tokenType === t.RightBrace) return false;
  }
  return false;
}

/** How far the offset is indented, where only blanks stand before it on its line. */
function lineStart(text: string, offset: number): number | undefined {
  let at = offset;
  while (at > 0 && (text[at - 1] === ' ' || text[at - 1] === '\t' || text[at - 1] === '\uFEFF')) at--;
  return at === 0 || text[at - 1] === '\n' || text[at - 1] === '\r' ? offset - at : undefined;
}

/** What a section that couldn't be read would have declared, as far as it says. */
export interface Damaged {
  /** The word it begins with; nothing where that is what is wrong. */
  readonly kind?: 'use' | 'block' | 'network' | 'neuron' | 'config';
  readonly names: readonly { readonly text: string; readonly start: number; readonly end: number }[];
  /** Whether it may declare something under a name that can't be read. */
  readonly nameless: boolean;
}

export function damagedBy({ tokens, proper }: Section): Damaged {
  const identifiers = (some: readonly IToken[]): IToken[] => some.filter(({ tokenType }) => tokenType === t.Identifier);
  const named = (some: readonly IToken[]): Damaged['names'] =>
    some.map(({ image, startOffset }) => ({ text: image, start: startOffset, end: startOffset + image.length }));
  const bracket = tokens.findIndex(({ tokenType }) => opening.has(tokenType));
  const header = bracket === -1 ? tokens : tokens.slice(0, bracket);
  const isString = ({ tokenType }: IToken): boolean => tokenType === t.StringLiteral || tokenType === t.BrokenString;
  if (!proper && tokens.slice(0, 2).some(isString)) {
    return { kind: 'use', names: named(identifiers(tokens)), nameless: true };
  }
  if (!proper) {
    const behind = tokens.filter((_, i) => i > 0 && starts.includes(tokens[i - 1]!.tokenType));
    return { names: named([...identifiers(header), ...identifiers(behind)]), nameless: false };
  }
  const kind = tokens[0]!.image as NonNullable<Damaged['kind']>;
  if (kind === 'use') {
    const names = identifiers(tokens);
    return { kind, names: named(names), nameless: true };
  }
  const end = header.findIndex(({ tokenType }) => tokenType === t.Extends);
  const own = identifiers(end === -1 ? header : header.slice(0, end));
  return { kind, names: named(own), nameless: own.length !== 1 };
}
