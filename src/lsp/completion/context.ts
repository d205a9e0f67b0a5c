import { type IToken, Lexer } from 'chevrotain';
import * as words from '../../../grammar/tokens.js';

/** What may be written at an offset of a text, as far as the words in front of it say. The text may be half written. */
export type Context =
  | { readonly kind: 'declaration' }
  | { readonly kind: 'path' }
  /** In the braces of a `use`. */
  | { readonly kind: 'imports'; readonly path: string; readonly taken: readonly string[] }
  | { readonly kind: 'base' }
  | { readonly kind: 'type' }
  /** A statement of a graph or a neuron begins. */
  | { readonly kind: 'statement'; readonly of: 'graph' | 'neuron'; readonly local: readonly string[] }
  /** An expression of a graph; behind `|` only layers and blocks are meant. */
  | { readonly kind: 'graph'; readonly piped: boolean; readonly local: readonly string[]; readonly call?: Call }
  | { readonly kind: 'equation'; readonly local: readonly string[]; readonly call?: Call }
  /** Behind `surrogate` or `planes` of a neuron. */
  | { readonly kind: 'word'; readonly of: 'surrogate' | 'planes' }
  /** The name of a setting; `blocks` are the settings around it, outermost first. */
  | {
      readonly kind: 'setting';
      readonly config: string;
      readonly blocks: readonly string[];
      readonly taken: readonly string[];
    }
  | {
      readonly kind: 'value';
      readonly config: string;
      readonly blocks: readonly string[];
      readonly setting: string;
      readonly call?: Call;
    }
  /** In the string of `layer "…"`. */
  | { readonly kind: 'pattern'; readonly config: string }
  | { readonly kind: 'nothing' };

/** The call around an offset. */
export interface Call {
  readonly callee: string;
  /** Arguments that are named already. */
  readonly named: readonly string[];
  /** The parameter whose value is wanted, by name; nothing where an argument begins. */
  readonly argument?: string;
}

const lexer = new Lexer(words.tokens, { positionTracking: 'onlyOffset' });
const quote = '"';

export function contextAt(text: string, offset: number): Context {
  const before = text.slice(0, offset);
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const { tokens, groups } = lexer.tokenize(before);
  const comment = groups['comments']?.at(-1);
  if (comment !== undefined && comment.startOffset + comment.image.length === offset) return { kind: 'nothing' };
  if (inString(line)) return stringContext(tokens);
  const last = tokens.at(-1);
  // the word that is being written says nothing yet
  const touching = last !== undefined && last.startOffset + last.image.length === offset;
  const isWord = touching && /^[A-Za-z_]/.test(last.image);
  if (touching && last.tokenType === words.NumberLiteral) return { kind: 'nothing' };
  return contextOf(isWord ? tokens.slice(0, -1) : tokens);
}

/** Whether a string is open at the end of a line. */
function inString(line: string): boolean {
  const code = line.replaceAll(/\\./g, '  ');
  const comment = /^(?:[^"]|"[^"]*")*?\/\//.test(code);
  return !comment && code.split(quote).length % 2 === 0;
}

function stringContext(tokens: readonly IToken[]): Context {
  // the open string is the last token
  const front = tokens.slice(0, -1);
  const before = front.at(-1)?.image;
  if (before === 'use') return { kind: 'path' };
  const { frames } = nested(front);
  const [top] = frames;
  if (before === 'layer' && top?.head[0]?.image === 'config')
    return { kind: 'pattern', config: top.head[1]?.image ?? '' };
  return { kind: 'nothing' };
}

/** What is open: the sign that opened it, the words in front of it, what stands in it so far. */
interface Frame {
  readonly open: string;
  readonly head: readonly IToken[];
  readonly inner: IToken[];
}

/** A closing sign, with what stood between it and its opening one. */
type Closed = IToken & { readonly between?: readonly IToken[] };

const closing: Readonly<Record<string, string>> = { '}': '{', ')': '(', ']': '[' };
const declaring = new Set(['use', 'block', 'network', 'neuron', 'config']);

/** The open frames, outermost first, and what stands behind the last complete declaration. */
function nested(tokens: readonly IToken[]): { readonly frames: readonly Frame[]; readonly outside: readonly IToken[] } {
  const frames: Frame[] = [];
  let outside: IToken[] = [];
  for (const token of tokens) {
    const { image } = token;
    const top = frames.at(-1);
    if (image === '{' || image === '(' || image === '[') {
      frames.push({ open: image, head: [...(top?.inner ?? outside)], inner: [] });
    } else if (image in closing) {
      // an opening sign that is missing doesn't close what is around it
      if (top === undefined || top.open !== closing[image]) continue;
      frames.pop();
      const around = frames.at(-1)?.inner ?? outside;
      around.push({ ...token, between: top.inner } as Closed);
      if (frames.length === 0 && image === '}') outside = [];
    } else {
      if (top === undefined && declaring.has(image)) outside = [];
      (top?.inner ?? outside).push(token);
    }
  }
  return { frames, outside };
}

function contextOf(tokens: readonly IToken[]): Context {
  const { frames, outside } = nested(tokens);
  const [top, ...rest] = frames;
  if (top === undefined) {
    if (outside.length === 0) return { kind: 'declaration' };
    return outside.at(-1)!.image === 'extends' ? { kind: 'base' } : { kind: 'nothing' };
  }
  const [what, name] = top.head.map(({ image }) => image);
  if (top.open !== '{')
    return top.open === '(' && top.inner.at(-1)?.image === ':' ? { kind: 'type' } : { kind: 'nothing' };
  if (what === 'use') return { kind: 'imports', path: unquoted(top.head[1]?.image), taken: wordsIn(top.inner) };
  if (what === 'config') return settingContext(name ?? '', [], top.inner, rest);
  if (what === 'neuron') return bodyContext('neuron', top, rest);
  return what === 'block' || what === 'network' ? bodyContext('graph', top, rest) : { kind: 'nothing' };
}

function unquoted(text: string | undefined): string {
  return text?.replaceAll(quote, '') ?? '';
}

function wordsIn(tokens: readonly IToken[]): string[] {
  return tokens.flatMap(({ image }) => (/^[A-Za-z_]\w*$/.test(image) ? [image] : []));
}

const operators = new Set([
  '|',
  '=',
  '+',
  '-',
  '*',
  '/',
  '^',
  '<',
  '<=',
  '>',
  '>=',
  '==',
  '!=',
  'and',
  'or',
  'not',
  ',',
  '.',
]);

function bodyContext(of: 'graph' | 'neuron', top: Frame, rest: readonly Frame[]): Context {
  const local = [...parametersIn(top.head), ...boundIn(top.inner)];
  const call = callIn(rest);
  const last = (rest.at(-1)?.inner ?? top.inner).at(-1)?.image;
  if (rest.length === 0) {
    const begins = last === undefined || !(operators.has(last) || last === 'repeat' || last === 'output');
    if (last === ':') return { kind: 'type' };
    if (of === 'neuron' && (last === 'surrogate' || last === 'planes')) return { kind: 'word', of: last };
    if (begins) return { kind: 'statement', of, local };
  }
  const inCall = call === undefined ? {} : { call };
  return of === 'graph'
    ? { kind: 'graph', piped: last === '|', local, ...inCall }
    : { kind: 'equation', local, ...inCall };
}

/** `(a: int, b = 2)` behind a declaration's name. */
function parametersIn(head: readonly IToken[]): string[] {
  const between = (head.find(({ image }) => image === ')') as Closed | undefined)?.between ?? [];
  return between.flatMap(({ image }, i) => {
    const first = i === 0 || between[i - 1]!.image === ',';
    return first && /^[A-Za-z_]\w*$/.test(image) ? [image] : [];
  });
}

/** Names that stand in front of `=`, or behind `input` and `state`. */
function boundIn(tokens: readonly IToken[]): string[] {
  return tokens.flatMap(({ image }, i) => {
    const before = tokens[i - 1]?.image;
    const isBound = tokens[i + 1]?.image === '=' || before === 'input' || before === 'state';
    return isBound && /^[A-Za-z_]\w*$/.test(image) ? [image] : [];
  });
}

function callIn(frames: readonly Frame[]): Call | undefined {
  const top = frames.at(-1);
  if (top?.open !== '(') return undefined;
  const callee = top.head.at(-1)?.image;
  if (callee === undefined || !/^[A-Za-z_]\w*$/.test(callee)) return undefined;
  const named = top.inner.flatMap(({ image }, i) => (top.inner[i + 1]?.image === ':' ? [image] : []));
  const [colon, argument] = [top.inner.at(-1)?.image, top.inner.at(-2)?.image];
  return { callee, named, ...(colon === ':' && argument !== undefined ? { argument } : {}) };
}

function settingContext(
  config: string,
  blocks: readonly string[],
  inner: readonly IToken[],
  rest: readonly Frame[],
): Context {
  const [next, ...others] = rest;
  const { setting, taken } = settingsIn(next?.head ?? inner);
  if (next?.open === '{') return settingContext(config, [...blocks, setting ?? taken.at(-1) ?? ''], next.inner, others);
  if (next === undefined) {
    return setting === undefined
      ? { kind: 'setting', config, blocks, taken }
      : { kind: 'value', config, blocks, setting };
  }
  const call = callIn(rest);
  const of = setting ?? taken.at(-1) ?? '';
  return { kind: 'value', config, blocks, setting: of, ...(call === undefined ? {} : { call }) };
}

/** The settings so far, and the one whose value is still to come. */
function settingsIn(tokens: readonly IToken[]): { readonly setting?: string; readonly taken: readonly string[] } {
  const taken: string[] = [];
  let state: 'name' | 'value' | 'more' = 'name';
  for (const { image } of tokens) {
    if (operators.has(image)) state = 'more';
    else if (state === 'more') state = 'name';
    else if (image in closing) state = 'name';
    else if (state === 'name') {
      taken.push(image);
      state = 'value';
    } else state = 'name';
  }
  const last = taken.at(-1);
  return state === 'name' || last === undefined ? { taken } : { setting: last, taken };
}
