import type { ConvSizes } from './conv-sizes.js';
import type { ConvPlaces, ConvText } from './convolutions.js';
import { up } from './taps.js';
import { type CTarget, accumulators, tileOf, vectorsOf } from './tiles.js';

/** Bytes that are multiplied and added at once. */
const together = 4;

/** The whole products of one image, or of one block of rows: what a tile of registers walks over. */
interface ByteTaps {
  /** Rows of a window, and quads of bytes in each. */
  readonly lines: number;
  readonly quads: number;
  /** Bytes from one line to the next, and between positions that outputs read. */
  readonly line: number;
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
}

/** `void NAME(const uint8_t *s, const int8_t *w, const int32_t *start, float *d)`: sums for every position. */
function byteTapsText(name: string, taps: ByteTaps, target: CTarget): string {
  const { lanes } = target;
  const padded = up(taps.outputs, lanes);
  const vectors = padded / lanes;
  const each = vectorsOf(vectors);
  const out: string[] = [];
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
    lines.push(
      `static void ${own}(const uint8_t *restrict s, const int8_t *restrict w, const int32_t *restrict start, float *restrict d, long left) {`,
    );
    all((_r, _c, v, acc) => `  quads ${acc} = *(const quads *)(start + ${v * lanes});`);
    lines.push(`  for (int t = 0; t < ${taps.lines}; t++) {`);
    lines.push(`    const uint8_t *restrict p = s + (long)t * ${taps.line};`);
    lines.push(`    for (int g = 0; g < ${taps.quads}; g++, p += ${together}, w += ${padded * together}) {`);
    for (let v = 0; v < count; v++) lines.push(`      const quads w${v} = QUADS(w + ${v * lanes * together});`);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const sums = Array.from({ length: count }, (_, v) => `ADD_QUADS(a${r}_${c}_${v}, b, w${v});`).join(' ');
        lines.push(`      { const quads b = FOUR(p + ${r * taps.row + c * taps.column}); ${sums} }`);
      }
    }
    lines.push('    }', '  }');
    const at = (r: number, c: number, v: number): string =>
      `d + ${(r * taps.columns + c) * taps.outputs + v * lanes}, __builtin_convertvector(a${r}_${c}_${v}, vec)`;
    lines.push(`  if (left >= ${count * lanes}) {`);
    all((r, c, v) => `    STORE(${at(r, c, v)});`);
    lines.push('  } else {');
    all((r, c, v) => {
      const some = `left - ${v * lanes}`;
      return `    store_some(${at(r, c, v)}, ${some} < ${lanes} ? ${some} : ${lanes});`;
    });
    lines.push('  }', '}');
    out.push(lines.join('\n'));
    return own;
  };
  const main: string[] = [`static void ${name}(const uint8_t *s, const int8_t *w, const int32_t *start, float *d) {`];
  const most = Math.floor(accumulators(target) / each);
  const columns = tileOf(taps.columns, most);
  const rows = Math.max(1, Math.min(taps.rows, Math.floor(most / columns)));
  const blocks = (count: number, from: number, to: number): void => {
    main.push(`  for (long o = ${from}; o < ${to}; o += ${count}) {`);
    const band = (height: number, from: number, until: number): void => {
      main.push(`    for (long r = ${from}; r < ${until}; r += ${height}) {`);
      const at = (column: string): string =>
        `s + r * ${taps.row} + (long)${column} * ${taps.column}, w + o * ${lanes * together}, start + o * ${lanes}, ` +
        `d + (r * ${taps.columns} + ${column}) * ${taps.outputs} + o * ${lanes}, ${taps.outputs} - o * ${lanes}`;
      const whole = Math.floor(taps.columns / columns) * columns;
      main.push(`      for (long c = 0; c < ${whole}; c += ${columns}) ${tile(height, columns, count)}(${at('c')});`);
      const rest = taps.columns - whole;
      if (rest > 0) main.push(`      ${tile(height, rest, count)}(${at(String(whole))});`);
      main.push('    }');
    };
    const whole = Math.floor(taps.rows / rows) * rows;
    band(rows, 0, whole);
    if (whole < taps.rows) band(taps.rows - whole, whole, taps.rows);
    main.push('  }');
  };
  const whole = Math.floor(vectors / each) * each;
  blocks(each, 0, whole);
  if (whole < vectors) blocks(vectors - whole, whole, vectors);
  main.push('}');
  return [...out, main.join('\n')].join('\n');
}

/** Floats of the buffer that holds where sums start and the weights. */
const packedFloats = (padded: number, lines: number, quads: number): number => padded * (1 + lines * quads);

/**
 * y = conv(x, w), without groups and dilation, where x, plus `zero`, are integers in 0…255, w integers in −128…127 that never change, and all sums are
 * exact in float32: bytes are multiplied, sums start with what `zero` adds. A row of a window lies in a row of bytes.
 */
export function byteConvText(s: ConvSizes, at: ConvPlaces, zero: number, target: CTarget): ConvText {
  const [kh, kw] = s.kernel;
  const [rows, columns] = s.output;
  const tall = Math.max((rows - 1) * s.stride[0]! + kh, s.pads[0]! + 1);
  const wide = Math.max((columns - 1) * s.stride[1]! + kw, s.pads[1]! + 1);
  const run = kw * s.channels;
  const quads = up(run, together) / together;
  const padded = up(s.filters, target.lanes);
  const line = wide * s.channels;
  const taps: ByteTaps = {
    lines: kh,
    quads,
    line: line,
    row: s.stride[0]! * line,
    column: s.stride[1]! * s.channels,
    rows,
    columns,
    outputs: s.filters,
  };
  const copied = [Math.min(s.input[0], tall - s.pads[0]!), Math.min(s.input[1], wide - s.pads[1]!)] as const;
  const bytes = up(tall * line + together, 64);
  const start = `(const int32_t *)x->p[${at.packed}]`;
  const lines = [
    byteTapsText(`${at.name}_image`, taps, target),
    `static void ${at.name}(const Context *x, long part, long parts, long worker) {`,
    `const long N = x->n; (void)N; const long count = ${at.batch}, lo = count * part / parts, hi = count * (part + 1) / parts;`,
    `const float *from = (const float *)x->p[${at.x}]; float *to = (float *)x->p[${at.y}];`,
    `uint8_t *codes = (uint8_t *)(x->scratch + worker * x->scratch_bytes);`,
    `memset(codes, ${zero}, ${bytes});`,
    'for (long b = lo; b < hi; b++) {',
    `const float *image = from + b * ${s.input[0] * s.input[1] * s.channels};`,
    copied[1] === s.input[1] && wide === s.input[1]
      ? `to_bytes(codes + ${s.pads[0]! * line}, image, ${copied[0] * line}, ${zero});`
      : `for (long r = 0; r < ${copied[0]}; r++) to_bytes(codes + (r + ${s.pads[0]!}) * ${line} + ` +
        `${s.pads[1]! * s.channels}, image + r * ${s.input[1] * s.channels}, ${copied[1] * s.channels}, ${zero});`,
    `${at.name}_image(codes, (const int8_t *)(${start} + ${padded}), ${start}, to + b * ${rows * columns * s.filters});`,
    '}',
    '}',
  ];
  const call =
    `{ if (x->fresh) pack_bytes((int32_t *)x->p[${at.packed}], (const float *)x->p[${at.w}], ${kh}, ${kw}, ` +
    `${s.channels}, ${s.filters}, ${s.channels * kh * kw}, 1, ${kh * kw}, ${padded}, ${zero}); ` +
    `const long N = x->n; (void)N; run(x, ${at.name}, parts_of(${at.batch})); }`;
  return { code: lines.join('\n'), packed: packedFloats(padded, kh, quads), partial: 0, scratch: bytes, call };
}

/** Sizes of y [rows, outputs] = x [rows, k] · w, `units` rows a sample. */
export interface ByteProduct {
  readonly units: number;
  readonly k: number;
  readonly outputs: number;
  /** Floats between weights of neighbouring outputs, and of neighbouring inputs. */
  readonly byOutput: number;
  readonly byInput: number;
}

/** The same of a matrix product: blocks of rows in the place of images. */
export function byteProductText(p: ByteProduct, at: ConvPlaces, zero: number, target: CTarget): ConvText {
  const padded = up(p.outputs, target.lanes);
  const quads = up(p.k, together) / together;
  const most = Math.floor(accumulators(target) / vectorsOf(padded / target.lanes));
  const block = p.units <= most ? Math.floor(most / p.units) * p.units : most;
  const row = quads * together;
  const taps: ByteTaps = {
    lines: 1,
    quads,
    line: row,
    row: block * row,
    column: row,
    rows: 1,
    columns: block,
    outputs: p.outputs,
  };
  const [bytes, floats] = [up(block * row + together, 64), up(block * p.outputs, 16)];
  const start = `(const int32_t *)x->p[${at.packed}]`;
  const lines = [
    byteTapsText(`${at.name}_image`, taps, target),
    `static void ${at.name}(const Context *x, long part, long parts, long worker) {`,
    `const long N = x->n; (void)N; const long all = ${at.batch}, count = (all + ${block - 1}) / ${block};`,
    'const long lo = count * part / parts, hi = count * (part + 1) / parts;',
    `const float *from = (const float *)x->p[${at.x}]; float *to = (float *)x->p[${at.y}];`,
    'uint8_t *codes = (uint8_t *)(x->scratch + worker * x->scratch_bytes);',
    `float *sums = (float *)(codes + ${bytes});`,
    `memset(codes, ${zero}, ${bytes});`,
    'for (long b = lo; b < hi; b++) {',
    `const long rows = all - b * ${block} < ${block} ? all - b * ${block} : ${block};`,
    `for (long r = 0; r < rows; r++) to_bytes(codes + r * ${row}, from + (b * ${block} + r) * ${p.k}, ${p.k}, ${zero});`,
    `float *result = to + b * ${block * p.outputs};`,
    `${at.name}_image(codes, (const int8_t *)(${start} + ${padded}), ${start}, rows < ${block} ? sums : result);`,
    `if (rows < ${block}) memcpy(result, sums, rows * ${4 * p.outputs});`,
    '}',
    '}',
  ];
  const call =
    `{ if (x->fresh) pack_bytes((int32_t *)x->p[${at.packed}], (const float *)x->p[${at.w}], 1, 1, ${p.k}, ` +
    `${p.outputs}, ${p.byOutput}, 0, ${p.byInput}, ${padded}, ${zero}); ` +
    `const long N = x->n; (void)N; run(x, ${at.name}, parts_of((${at.batch} + ${block - 1}) / ${block})); }`;
  return {
    code: lines.join('\n'),
    packed: packedFloats(padded, 1, quads),
    partial: 0,
    scratch: bytes + 4 * floats,
    call,
  };
}

/** Sums of products of four unsigned and four signed bytes by the instruction that there is, or in C. */
export const byteHelpers = `
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif
typedef int32_t quads __attribute__((vector_size(4 * LANES)));
typedef int32_t loose_quads __attribute__((vector_size(4 * LANES), aligned(4)));
#define QUADS(at) ((quads)*(const loose_quads *)(at))
static inline quads four_bytes(const uint8_t *at) {
  int32_t four;
  memcpy(&four, at, 4);
  return (quads){0} + four;
}
#define FOUR(at) four_bytes(at)
#if defined(__AVX512VNNI__) && LANES == 16
#define ADD_QUADS(a, b, w) (a = (quads)_mm512_dpbusd_epi32((__m512i)a, (__m512i)b, (__m512i)w))
#elif defined(__AVX512BW__) && LANES == 16
#define ADD_QUADS(a, b, w) \\
  (a += (quads)_mm512_madd_epi16(_mm512_maddubs_epi16((__m512i)b, (__m512i)w), _mm512_set1_epi16(1)))
#elif defined(__AVXVNNI__) && LANES == 8
#define ADD_QUADS(a, b, w) (a = (quads)_mm256_dpbusd_avx_epi32((__m256i)a, (__m256i)b, (__m256i)w))
#elif defined(__AVX2__) && LANES == 8
#define ADD_QUADS(a, b, w) \\
  (a += (quads)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)b, (__m256i)w), _mm256_set1_epi16(1)))
#elif defined(__SSSE3__) && LANES == 4
#define ADD_QUADS(a, b, w) \\
  (a += (quads)_mm_madd_epi16(_mm_maddubs_epi16((__m128i)b, (__m128i)w), _mm_set1_epi16(1)))
#else
static inline quads add_quads(quads a, quads b, quads w) {
  uint8_t p[4 * LANES];
  int8_t q[4 * LANES];
  memcpy(p, &b, sizeof p);
  memcpy(q, &w, sizeof q);
  for (int i = 0; i < LANES; i++) {
    int32_t sum = 0;
    for (int j = 0; j < 4; j++) sum += (int32_t)p[4 * i + j] * q[4 * i + j];
    a[i] += sum;
  }
  return a;
}
#define ADD_QUADS(a, b, w) (a = add_quads(a, b, w))
#endif
/* to[i] = from[i] + zero */
static inline void to_bytes(uint8_t *restrict to, const float *restrict from, long count, int zero) {
  long i = 0;
#if defined(__AVX512F__) && LANES == 16
  for (; i + 16 <= count; i += 16) {
    const __m512i v = _mm512_add_epi32(_mm512_cvttps_epi32(_mm512_loadu_ps(from + i)), _mm512_set1_epi32(zero));
    _mm_storeu_si128((__m128i *)(to + i), _mm512_cvtepi32_epi8(v));
  }
#endif
  for (; i < count; i++) to[i] = (uint8_t)((int)from[i] + zero);
}
/* Where sums start, then rows of windows: four bytes of each output side by side. Outputs are padded. */
static void pack_bytes(int32_t *start, const float *given, long kh, long kw, long channels, long outputs, long by_output,
                       long by_place, long by_channel, long padded, int zero) {
  const long quads = (kw * channels + 3) / 4;
  int8_t *w = (int8_t *)(start + padded);
  memset(w, 0, kh * quads * 4 * padded);
  memset(start, 0, 4 * padded);
  for (long o = 0; o < outputs; o++)
    for (long y = 0; y < kh; y++)
      for (long x = 0; x < kw; x++)
        for (long c = 0; c < channels; c++) {
          const int32_t v = (int32_t)given[o * by_output + c * by_channel + (y * kw + x) * by_place];
          const long i = x * channels + c;
          w[((y * quads + i / 4) * padded + o) * 4 + i % 4] = (int8_t)v;
          start[o] -= zero * v;
        }
}
`;
