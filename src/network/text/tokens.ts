import { diagnostic, type Diagnostic } from '../../base/diagnostics/index.js';
import type { Source, Span } from '../../base/source.js';

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

const pattern =
  /(?<skip>\s+|;[^\n]*)|(?<value>%(?:"(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_$./:-]+))|(?<number>(?:\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_$/:.-]*[A-Za-z_$/:]))|(?<string>"(?:[^"\\\n]|\\.)*")|(?<range>\.\.)|(?<operator><=|>=|==|!=|[-+*/^<>=@{}()[\],:])|(?<name>[A-Za-z0-9_$](?:[A-Za-z0-9_$/:-]|\.(?!\.))*)/y;

/** Splits IR text into tokens; `a.b-c/d` is one name, `1..8` a range. */
export function tokenize(source: Source): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(source.text);
    const span = { source, start: at, end: at + (match?.[0].length ?? 1) };
    if (match === null) throw new IrSyntaxError(`unexpected character ${JSON.stringify(source.text[at])}`, span);
    at = span.end;
    const groups = match.groups!;
    if (groups['skip'] !== undefined) continue;
    const text = match[0];
    if (groups['value'] !== undefined) {
      tokens.push({ kind: 'value', text: text[1] === '"' ? unquote(text.slice(1), span) : text.slice(1), span });
    } else if (groups['string'] !== undefined) tokens.push({ kind: 'string', text: unquote(text, span), span });
    else if (groups['number'] !== undefined) tokens.push({ kind: 'number', text, span });
    else if (groups['name'] !== undefined) tokens.push({ kind: 'name', text, span });
    else tokens.push({ kind: 'sign', text, span });
  }
  tokens.push({ kind: 'end', text: 'end of text', span: { source, start: at, end: at } });
  return tokens;
}

function unquote(text: string, span: Span): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new IrSyntaxError('malformed string', span);
  }
}

/** A cursor over tokens. */
export class TokenStream {
  #at = 0;
  readonly #tokens: readonly Token[];
  constructor(source: Source) {
    this.#tokens = tokenize(source);
  }

  get next(): Token {
    return this.#tokens[this.#at]!;
  }

  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  fail(expected: string): never {
    throw new IrSyntaxError(`expected ${expected}, found ${JSON.stringify(this.next.text)}`, this.next.span);
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
    if (this.next.kind !== 'number') this.fail('a number');
    const value = Number(this.take().text);
    return negative ? -value : value;
  }
}
