import type { Diagnostic } from '../base/diagnostics/index.js';

/** What keeps a network from converting: alike diagnostics together. */
export interface Blocker {
  readonly code: string;
  /** Of the first. */
  readonly message: string;
  readonly count: number;
  /** Nodes or layers, the first few. */
  readonly places: readonly string[];
  /** How to get past it. */
  readonly remedy?: string;
}

/** How many places a group names. */
const mostPlaces = 5;

/** `53 × a message`: what the import has counted already. */
function counted({ message }: Diagnostic): { readonly count: number; readonly message: string } {
  const found = /^(\d+) × (.*)$/s.exec(message);
  return found === null ? { count: 1, message } : { count: Number(found[1]), message: found[2]! };
}

/** Diagnostics alike but for the names in them, by how many there are. */
export function blockersOf(diagnostics: readonly Diagnostic[]): readonly Blocker[] {
  const groups = new Map<string, Diagnostic[]>();
  for (const one of diagnostics.filter(({ severity }) => severity === 'error')) {
    const key = `${one.code} ${counted(one).message.replace(/%[\w./:-]+|"[^"]*"|\d+/g, '…')} ${one.help ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .map((alike) => {
      const [first] = alike as [Diagnostic, ...Diagnostic[]];
      const names = alike.flatMap(({ place, message }) => {
        const name =
          (place !== undefined && 'detail' in place ? place.detail : undefined) ?? /%[\w./:-]+/.exec(message)?.[0];
        return name === undefined ? [] : [name];
      });
      return {
        code: first.code,
        message: counted(first).message,
        count: alike.reduce((sum, one) => sum + counted(one).count, 0),
        places: [...new Set(names)].slice(0, mostPlaces),
        ...(first.help === undefined ? {} : { remedy: first.help }),
      };
    })
    .sort((a, b) => b.count - a.count);
}
