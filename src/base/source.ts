/** A text that diagnostics can point into. `name` is what people are shown: usually a path. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** The half-open range `[start, end)` of UTF-16 offsets in a source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A place in something that has no text: an ONNX file, one of its nodes, a data file. */
export interface FilePlace {
  readonly file: string;
  /** What inside the file, in words: `node "Conv_3" (Conv)`, `initializer "w1"`, `record 17`. */
  readonly detail?: string;
}

export type Place = Span | FilePlace;

export function isSpan(place: Place): place is Span {
  return 'source' in place;
}

/** 1-based line and column of an offset. */
export function lineAndColumn(source: Source, offset: number): { line: number; column: number } {
  const at = Math.min(offset, source.text.length);
  let line = 1;
  let lineStart = 0;
  for (let i = source.text.indexOf('\n'); i !== -1 && i < at; i = source.text.indexOf('\n', i + 1)) {
    line++;
    lineStart = i + 1;
  }
  return { line, column: at - lineStart + 1 };
}

/** `file:line:column`, or the file and the detail. */
export function describePlace(place: Place): string {
  if (isSpan(place)) {
    const { line, column } = lineAndColumn(place.source, place.start);
    return `${place.source.name}:${line}:${column}`;
  }
  return place.detail === undefined ? place.file : `${place.file}: ${place.detail}`;
}
