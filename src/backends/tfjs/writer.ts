/** Statements of the emitted function: `const target = code;`, a loop that makes several tensors, or a comment. */
type Line =
  | {
      readonly kind: 'block';
      readonly targets: readonly string[];
      readonly code: readonly string[];
      readonly uses: readonly string[];
    }
  | { readonly kind: 'let'; readonly target: string; readonly code: string; readonly uses: readonly string[] }
  | { readonly kind: 'comment'; readonly text: string };

const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected ' +
    'public return static super switch this throw true try typeof var void while with yield undefined NaN Infinity ' +
    'tf given N native compare comparisons'
  ).split(' '),
);

/**
 * Collects the statements of one function over tensors. Every tensor has its own variable,
 * so that each can be disposed of right after its last use.
 */
export class JsWriter {
  readonly #lines: Line[] = [];
  /** Each name with the number of the last one made of it. */
  readonly #names: Map<string, number>;
  readonly #owned = new Set<string>();

  constructor(names: Map<string, number> = new Map(Array.from(reserved, (name) => [name, 0]))) {
    this.#names = names;
  }

  /** A writer for the inside of a block of this function: its names are unlike all others. */
  block(): JsWriter {
    return new JsWriter(this.#names);
  }

  /** Statements that make new tensors `targets` out of the variables `uses`. */
  place(code: readonly string[], targets: readonly string[], uses: readonly string[]): void {
    for (const target of targets) this.#owned.add(target);
    this.#lines.push({ kind: 'block', targets, code, uses });
  }

  /** The variables from outside of the block that its statements use. */
  reads(): string[] {
    const uses = this.#lines.flatMap((line) => (line.kind === 'comment' ? [] : line.uses));
    return [...new Set(uses)].filter((name) => !this.#owned.has(name));
  }

  /** A variable name after `hint`: letters, digits and underscores only. */
  identifier(hint: string): string {
    const plain = hint
      .replace(/^#/, 'c')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .slice(0, 60);
    const base = /^[A-Za-z]/.test(plain) ? plain : `v_${plain}`;
    let name = base;
    let last = this.#names.get(base) ?? 0;
    while (this.#names.has(name)) name = `${base}_${++last}`;
    this.#names.set(base, last);
    this.#names.set(name, this.#names.get(name) ?? 0);
    return name;
  }

  /** `const hint = code;`, where `code` makes one new tensor out of the variables `uses`. */
  let(hint: string, code: string, uses: readonly string[]): string {
    const target = this.identifier(hint);
    this.#owned.add(target);
    this.#lines.push({ kind: 'let', target, code, uses });
    return target;
  }

  /** A variable for a tensor that belongs to the caller: it is never disposed of. */
  borrow(hint: string, code: string): string {
    const target = this.identifier(hint);
    this.#lines.push({ kind: 'let', target, code, uses: [] });
    return target;
  }

  comment(text: string): void {
    this.#lines.push({ kind: 'comment', text: text.replace(/[\r\n\u2028\u2029]+/g, ' ') });
  }

  /** Whether the function made the tensor itself, and may therefore give it away. */
  owns(variable: string): boolean {
    return this.#owned.has(variable);
  }

  /**
   * The statements that `kept` needs, with `dispose` after each last use of a tensor that is
   * not in `kept`.
   */
  statements(kept: readonly string[]): string[] {
    const live = new Set(kept);
    const out: string[][] = [];
    for (const line of this.#lines.toReversed()) {
      if (line.kind === 'comment') {
        // A heading over nothing is left out.
        if (/^(const|let) /.test(out.at(-1)?.[0] ?? '')) out.push([`// ${line.text}`]);
        continue;
      }
      const targets = line.kind === 'let' ? [line.target] : line.targets;
      if (!targets.some((target) => live.has(target))) continue;
      // Backwards, the first time a name is seen is its last use.
      const ended = [...new Set([...line.uses, ...targets])].filter((name) => this.#owned.has(name) && !live.has(name));
      for (const name of line.uses) live.add(name);
      const dispose = ended.length === 0 ? [] : [`tf.dispose([${ended.join(', ')}]);`];
      out.push([...(line.kind === 'let' ? [`const ${line.target} = ${line.code};`] : line.code), ...dispose]);
    }
    return out.toReversed().flat();
  }
}

/** A JavaScript string literal, safe inside a script element and in any encoding. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
