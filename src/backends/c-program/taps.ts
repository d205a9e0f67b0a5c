import { type CTarget, accumulators, tileOf, vectorsOf } from './tiles.js';

export interface Taps {
  /** Channels that are summed over, and results. */
  readonly cin: number;
  readonly cout: number;
  /** Offsets of the taps in floats, from the first that an output position reads. */
  readonly offsets: readonly number[];
  /** Floats from one row to the next, and between neighbours that outputs read. */
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  readonly outRow: number;
  readonly outColumn: number;
}

export const up = (size: number, step: number): number => Math.ceil(size / step) * step;

/** `void NAME(const float *s, const float *w, float *d)`: sums over taps and channels for every position of an image. */
export function tapsText(name: string, taps: Taps, target: CTarget): string {
  const { lanes } = target;
  const padded = up(taps.cout, lanes);
  const vectors = padded / lanes;
  const each = vectorsOf(vectors);
  const out: string[] = [`static const int ${name}_at[${taps.offsets.length}] = {${taps.offsets.join(', ')}};`];
  const made = new Set<string>();
  const tile = (rows: number, columns: number, count: number): string => {
    const own = `${name}_${rows}_${columns}_${count}`;
    if (made.has(own)) return own;
    made.add(own);
    const lines: string[] = [];
    const all = (f: (r: number, c: number, v: number, acc: string) => string): void => {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) for (let v = 0; v < count; v++) lines.push(f(r, c, v, `a${r}_${c}_${v}`));
      }
    };
    lines.push(`static void ${own}(const float *restrict s, const float *restrict w, float *restrict d, long left) {`);
    all((_r, _c, _v, acc) => `  vec ${acc} = {0};`);
    lines.push(`  for (int t = 0; t < ${taps.offsets.length}; t++) {`);
    lines.push(`    const float *restrict p = s + ${name}_at[t];`);
    lines.push(`    const float *restrict u = w + (long)t * ${taps.cin * padded};`);
    lines.push(`    for (int c = 0; c < ${taps.cin}; c++, u += ${padded}) {`);
    for (let v = 0; v < count; v++) lines.push(`      const vec w${v} = *(const vec *)(u + ${v * lanes});`);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const sums = Array.from({ length: count }, (_, v) => `a${r}_${c}_${v} += w${v} * b;`).join(' ');
        lines.push(`      { const float b = p[c + ${r * taps.row + c * taps.column}]; ${sums} }`);
      }
    }
    lines.push('    }', '  }');
    lines.push(`  if (left >= ${count * lanes}) {`);
    all((r, c, v, acc) => `    STORE(d + ${r * taps.outRow + c * taps.outColumn + v * lanes}, ${acc});`);
    lines.push('  } else {');
    all((r, c, v, acc) => {
      const to = `d + ${r * taps.outRow + c * taps.outColumn + v * lanes}`;
      return `    store_some(${to}, ${acc}, left - ${v * lanes} < ${lanes} ? left - ${v * lanes} : ${lanes});`;
    });
    lines.push('  }', '}');
    out.push(lines.join('\n'));
    return own;
  };
  const main: string[] = [`static void ${name}(const float *s, const float *w, float *d) {`];
  const most = Math.floor(accumulators(target) / each);
  const columns = tileOf(taps.columns, most);
  const rows = Math.max(1, Math.min(taps.rows, Math.floor(most / columns)));
  const blocks = (count: number, from: number, to: number): void => {
    main.push(`  for (long o = ${from}; o < ${to}; o += ${count}) {`);
    const band = (height: number, from: string, until: number): void => {
      main.push(`    for (long r = ${from}; r < ${until}; r += ${height}) {`);
      const at = (columnText: string): string =>
        `s + r * ${taps.row} + (long)${columnText} * ${taps.column}, w + o * ${lanes}, ` +
        `d + r * ${taps.outRow} + (long)${columnText} * ${taps.outColumn} + o * ${lanes}, ${taps.cout} - o * ${lanes}`;
      const whole = Math.floor(taps.columns / columns) * columns;
      main.push(`      for (long c = 0; c < ${whole}; c += ${columns}) ${tile(height, columns, count)}(${at('c')});`);
      const rest = taps.columns - whole;
      if (rest > 0) main.push(`      ${tile(height, rest, count)}(${at(String(whole))});`);
      main.push('    }');
    };
    const whole = Math.floor(taps.rows / rows) * rows;
    band(rows, '0', whole);
    if (whole < taps.rows) band(taps.rows - whole, String(whole), taps.rows);
    main.push('  }');
  };
  const whole = Math.floor(vectors / each) * each;
  blocks(each, 0, whole);
  if (whole < vectors) blocks(vectors - whole, whole, vectors);
  main.push('}');
  return [...out, main.join('\n')].join('\n');
}
