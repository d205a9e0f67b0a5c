import type { Position, Range } from 'vscode-languageserver';
import { type Source, type Span, lineAndColumn } from '../base/source.js';

/** The zero-based line and character (UTF-16) of an offset. */
export function positionAt(source: Source, offset: number): Position {
  const { line, column } = lineAndColumn(source, offset);
  return { line: line - 1, character: column - 1 };
}

export function rangeOf({ source, start, end }: Span): Range {
  return { start: positionAt(source, start), end: positionAt(source, end) };
}

/** The offset of a position; one behind its line or the text is the end of these. */
export function offsetAt(text: string, { line, character }: Position): number {
  let start = 0;
  for (let i = 0; i < line; i++) {
    const next = text.indexOf('\n', start);
    if (next === -1) return text.length;
    start = next + 1;
  }
  const end = text.indexOf('\n', start);
  return Math.min(start + character, end === -1 ? text.length : end);
}

export function holds({ start, end }: Pick<Span, 'start' | 'end'>, offset: number): boolean {
  return start <= offset && offset <= end;
}
