import type { Source, Span } from './source.js';

/** Copies of what was already looked at; what holds no place is its own copy. */
export type Replaced = Map<object, unknown>;

/**
 * Plain data (objects, arrays, maps) with other places in it. Whatever holds no place that changes is not copied, and what
 * is there several times is copied once.
 */
export function replacePlaces<T>(value: T, replace: (span: Span) => Span, done: Replaced = new Map()): T {
  return copy(value, replace, done) as T;
}

function copy(value: unknown, replace: (span: Span) => Span, done: Replaced): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  const made = copyObject(value, replace, done);
  done.set(value, made);
  return made;
}

function copyObject(value: object, replace: (span: Span) => Span, done: Replaced): unknown {
  if (isPlace(value)) return replace(value);
  if (Array.isArray(value)) {
    if (value.length > 0 && typeof value[0] === 'number') return value;
    const items = value.map((item: unknown) => copy(item, replace, done));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [key, copy(item, replace, done)] as const);
    return entries.some(([key, item]) => item !== value.get(key)) ? new Map(entries) : value;
  }
  const record = value as Record<string, unknown>;
  let made: Record<string, unknown> | undefined;
  for (const key in record) {
    const was = record[key];
    const is = copy(was, replace, done);
    if (is !== was) (made ??= { ...record })[key] = is;
  }
  return made ?? value;
}

function isPlace(value: object): value is Span {
  const { source, start, end } = value as Partial<Span>;
  return typeof start === 'number' && typeof end === 'number' && isSource(source);
}

function isSource(value: Source | undefined): value is Source {
  return typeof value?.text === 'string' && typeof value.name === 'string';
}
