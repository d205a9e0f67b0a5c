import { diagnostic, type Diagnostic } from './diagnostics/index.js';
import type { Source, Span } from './source.js';

export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'value' | 'sign' | 'end';
  readonly text: string;
  readonly span: Span;
}

/** Thrown inside the IR parser only; caught by {@link parseNetwork}. */
export class IrSyntaxError extends Error {
  readonly diagnostic: Diagnostic;
  constructor(problem: string, span: Span) {
    super(problem);
    this.diagnostic = diagnostic('network/ir-syntax', { problem }, span);
  }
}

const number = /\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?/y;
/** A number is a name instead where letters follow; looking only so far keeps the time linear. */
const nameFollows = /[A-Za-z0-9_$/:.-]{0,200}[A-Za-z_$/:]/y;
const pattern =
  /(?<skip>\s+|;[^\n]*)|(?<value>%(?:"(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_$./:-]+))|(?<string>"(?:[^"\\\n]|\\.)*")|(?<range>\.\.)|(?<operator><=|>=|==|!=|[-+*/^<>=@{}()[\],:])|(?<name>[A-Za-z0-9_$](?:[A-Za-z0-9_$/:-]|\.(?!\.))*)/y;

function matchAt(regexp: RegExp, text: string, at: number): RegExpExecArray | null {
  regexp.lastIndex = at;
  return regexp.exec(text);
}

/** The token at or behind `at`: `a.b-c/d` is one name, `1..8` a range. */
function tokenAt(source: Source, from: number): Token {
  const { text } = source;
  for (let at = from; at < text.length;) {
    const digits = matchAt(number, text, at)?.[0];
    if (digits !== undefined && matchAt(nameFollows, text, at + digits.length) === null) {
      return { kind: 'number', text: digits, span: { source, start: at, end: at + digits.length } };
    }
    const match = matchAt(pattern, text, at);
    const span = { source, start: at, end: at + (match?.[0].length ?? 1) };
    if (match === null) throw new IrSyntaxError(`unexpected character ${JSON.stringify(text[at])}`, span);
    const groups = match.groups!;
    const found = match[0];
    if (groups['skip'] !== undefined) at = span.end;
    else if (groups['value'] !== undefined) {
      return { kind: 'value', text: found[1] === '"' ? unquote(found.slice(1), span) : found.slice(1), span };
    } else if (groups['string'] !== undefined) return { kind: 'string', text: unquote(found, span), span };
    else return { kind: groups['name'] === undefined ? 'sign' : 'name', text: found, span };
  }
  return { kind: 'end', text: 'end of text', span: { source, start: text.length, end: text.length } };
}

function unquote(text: string, span: Span): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new IrSyntaxError('malformed string', span);
  }
}

/** A cursor over tokens, which are made as they are asked for: a long text costs no more memory than its length. */
export class TokenStream {
  readonly #source: Source;
  /** The next tokens, as far as someone has looked. */
  readonly #ahead: Token[] = [];

  constructor(source: Source) {
    this.#source = source;
    this.#ahead.push(tokenAt(source, 0));
  }

  get next(): Token {
    return this.#ahead[0]!;
  }

  peek(ahead: number): Token {
    while (this.#ahead.length <= ahead) this.#ahead.push(tokenAt(this.#source, this.#ahead.at(-1)!.span.end));
    return this.#ahead[ahead]!;
  }

  take(): Token {
    const token = this.next;
    if (token.kind === 'end') return token;
    this.peek(1);
    this.#ahead.shift();
    return token;
  }

  fail(expected: string): never {
    throw new IrSyntaxError(`expected ${expected}, found ${JSON.stringify(shortened(this.next.text))}`, this.next.span);
  }

  is(text: string): boolean {
    return this.next.text === text && (this.next.kind === 'sign' || this.next.kind === 'name');
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.take();
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`"${text}"`);
  }

  name(): string {
    if (this.next.kind === 'number' && /^\d+$/.test(this.next.text)) return this.take().text;
    if (this.next.kind !== 'name' && this.next.kind !== 'string') this.fail('a name');
    return this.take().text;
  }

  value(): string {
    if (this.next.kind !== 'value') this.fail('a value such as %input');
    return this.take().text;
  }

  number(): number {
    const negative = this.accept('-');
    if (this.next.kind !== 'number' && !this.is('Infinity') && !this.is('NaN')) this.fail('a number');
    const value = Number(this.take().text);
    return negative ? -value : value;
  }

  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number {
    const token = this.next;
    const value = this.number();
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new IrSyntaxError(`expected a whole number from ${least} to ${most}, found ${value}`, token.span);
  }
}

/** A text of the file as a message may hold it. */
export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
