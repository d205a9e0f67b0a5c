/** The keywords of Python. */
export const keywords: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/** Names that a variable or attribute of emitted Python shouldn't hide. */
const reserved: ReadonlySet<string> = new Set([
  ...keywords,
  ...(
    'match case type self torch nn functional ' +
    'Tensor inf math layers int float bool str tuple list dict range len print sum min max abs round set map zip noise n ' +
    'per_step super property staticmethod object id input t x ' +
    // of layers.py
    'above average_pool bernoulli bit_gradient convolve convolve_transposed floor_jump frames_first grid_weight lag ' +
    'max_of_counts max_pool maximum minimum over_time read_out round_jump scaled_gradient scan sign_jump slope squeeze ' +
    'squeeze_learned step steps_apart time_step whole cast'
  ).split(' '),
]);

/**
 * Python identifiers made of anything: letters, digits and underscores only, each one once. What a model file calls things
 * reaches emitted code through this and {@link quote} alone.
 */
export class Names {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set([...reserved, ...taken]);
  }

  /** A new name like `hint`. */
  fresh(hint: string): string {
    const base = identifier(hint);
    let name = base;
    for (let i = 2; this.#taken.has(name); i++) name = `${base}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** The name may be used again. */
  release(name: string): void {
    if (!reserved.has(name)) this.#taken.delete(name);
  }
}

/** Letters, digits and underscores, a letter first. */
export function identifier(text: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 60);
  return /^[A-Za-z]/.test(plain) ? plain : `v_${plain}`;
}

/** A class name: `first.spike` is `FirstSpike`. */
export function className(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return /^[A-Z]/.test(joined) ? joined : `N${joined}`;
}

/** A string literal of ASCII, whatever the text holds. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Text for a comment or a docstring: one line of printable ASCII without quotes or backslashes. */
export function comment(text: string): string {
  return text.replace(/[^\u0020-\u007e]+/g, ' ').replace(/["\\]/g, "'");
}

/** A float literal; of a float32 the shortest that rounds to it. */
export function float(value: number, isF32 = true): string {
  if (Number.isNaN(value)) return 'math.nan';
  if (!Number.isFinite(value)) return value > 0 ? 'math.inf' : '-math.inf';
  let text = String(value);
  if (isF32 && Math.fround(value) === value) {
    for (let digits = 1; digits <= 9; digits++) {
      const short = String(Number(value.toPrecision(digits)));
      if (Math.fround(Number(short)) !== value) continue;
      text = short;
      break;
    }
  }
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** A tuple literal. */
export function tuple(items: readonly (string | number)[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/** Lines one level further in; empty ones stay empty. */
export function indented(lines: readonly string[], levels = 1): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${'    '.repeat(levels)}${line}`));
}
