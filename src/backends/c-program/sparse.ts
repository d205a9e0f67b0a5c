import type { ConvSizes } from './conv-sizes.js';
import { up } from './taps.js';
import { type CTarget, accumulators } from './tiles.js';

/**
 * Convolutions of images that are mostly zeros, as spikes are: work only where there is an event. Whether an image is such
 * a one is counted when it comes; above this share of values that aren't zero, dense tiles are taken. The shares are
 * estimates of where dense tiles become faster.
 */
const sparseForward = 0.3;
const sparseGradient = 0.5;

/** The plane of results around every position that an event reaches, without special cases at borders. */
interface Reach {
  readonly wide: number;
  readonly floats: number;
  /** Floats from an event's own place to where each tap meets it. */
  readonly offsets: readonly number[];
  /** First row and column that are results. */
  readonly top: number;
  readonly left: number;
}

function reachOf(s: ConvSizes, padded: number): Reach {
  const [kh, kw] = s.kernel;
  const [dy, dx] = s.dilation as [number, number];
  const [tall, wide] = [s.input[0] + (kh - 1) * dy, s.input[1] + (kw - 1) * dx];
  const [top, left] = [(kh - 1) * dy - s.pads[0]!, (kw - 1) * dx - s.pads[1]!];
  const offsets = Array.from({ length: kh * kw }, (_, t) => {
    const [ky, kx] = [Math.floor(t / kw), t % kw];
    return ((kh - 1 - ky) * dy * wide + (kw - 1 - kx) * dx) * padded;
  });
  return { wide, floats: tall * wide * padded, offsets, top, left };
}

/** Whether events pay at all: several taps side by side, and no stride. */
export function mayBeSparse(s: ConvSizes, target: CTarget): boolean {
  const taps = s.kernel[0] * s.kernel[1];
  const reaches = [0, 1].every((i) => {
    const span = (s.kernel[i]! - 1) * s.dilation[i]!;
    return s.pads[i]! <= span && s.pads[i + 2]! <= span;
  });
  return s.stride.every((step) => step === 1) && reaches && taps > 1 && taps <= accumulators(target) && s.channels >= 8;
}

/** What the task of a convolution needs for images of events: functions, and statements for one image. */
export interface SparseText {
  readonly code: string;
  /** Statements that set `sparse` for `image`. */
  readonly decide: string;
  /** Statements that do one image where `sparse` is set. */
  readonly work: string;
  /** Floats of scratch memory, from `scratch + at`. */
  readonly floats: number;
}

const integers = (s: ConvSizes): number => up(s.channels * s.input[0] * s.input[1] + 32, 16);

/** Adds, for every event, its row of weights to the results that it reaches. */
export function sparseForwardText(name: string, s: ConvSizes, at: number, target: CTarget): SparseText {
  const { lanes } = target;
  const padded = up(s.filters, lanes);
  const reach = reachOf(s, padded);
  const count = integers(s);
  const [height, width] = s.input;
  const adds = reach.offsets.map((offset, t) =>
    Array.from({ length: padded / lanes }, (_, v) => {
      const place = `o + ${offset + v * lanes}`;
      return `*(vec *)(${place}) += *(const vec *)(u + ${t * s.channels * padded + v * lanes}) * b;`;
    }).join(' '),
  );
  const code = [
    `static void ${name}_events(long count, const int *at, const int *channel, const float *value, const float *w, float *to) {`,
    '  for (long e = 0; e < count; e++) {',
    '    const float b = value[e];',
    '    const float *restrict u = w + channel[e];',
    '    float *restrict o = to + at[e];',
    ...adds.map((add) => `    ${add}`),
    '  }',
    '}',
  ].join('\n');
  const [rows, columns] = s.output;
  const row = (r: string): string => `plane + ((${r} + ${reach.top}) * ${reach.wide} + ${reach.left}) * ${padded}`;
  const copy =
    padded === s.filters
      ? `memcpy(result + r * ${columns * s.filters}, ${row('r')}, ${4 * columns * s.filters});`
      : `for (long c = 0; c < ${columns}; c++) memcpy(result + (r * ${columns} + c) * ${s.filters}, ${row('r')} + c * ${padded}, ${4 * s.filters});`;
  const lists = [
    `float *plane = scratch + ${at}, *value = plane + ${up(reach.floats, 16)};`,
    `int *at_ = (int *)(value + ${count}), *channel = at_ + ${count};`,
  ].join(' ');
  return {
    code,
    decide: `if ((b - lo) % 8 == 0) sparse = share(image, ${height * width * s.channels}) < ${sparseForward}f;`,
    work: [
      lists,
      `const long events = find_events(image, ${height}, ${width}, ${s.channels}, ${reach.wide * padded}, ${padded}, at_, channel, value);`,
      `memset(plane, 0, ${4 * reach.floats});`,
      `${name}_events(events, at_, channel, value, w, plane);`,
      `float *result = to + b * ${rows * columns * s.filters};`,
      `for (long r = 0; r < ${rows}; r++) ${copy}`,
    ].join('\n'),
    floats: up(reach.floats, 16) + 3 * count,
  };
}

/** Adds, for every event of a channel, the gradients that it meets to the channel's rows of the filter, in registers. */
export function sparseGradientText(name: string, s: ConvSizes, at: number, target: CTarget): SparseText {
  const { lanes } = target;
  const padded = up(s.filters, lanes);
  const reach = reachOf(s, padded);
  const taps = reach.offsets.length;
  const vectors = padded / lanes;
  const most = Math.max(1, Math.floor(accumulators(target) / taps));
  const positions = up(s.input[0] * s.input[1] + 16, 16);
  const [rows, columns] = s.output;
  const made = new Set<string>();
  const code: string[] = [];
  const tile = (count: number): string => {
    const own = `${name}_events_${count}`;
    if (made.has(own)) return own;
    made.add(own);
    const each = (f: (t: number, v: number) => string): string[] =>
      reach.offsets.flatMap((_, t) => Array.from({ length: count }, (_, v) => f(t, v)));
    const place = (t: number, v: number): string => `d + ${t * s.channels * padded + v * lanes}`;
    code.push(
      [
        `static void ${own}(long count, const int *restrict at, const float *restrict value, const float *restrict g, float *restrict d) {`,
        ...each((t, v) => `  vec a${t}_${v} = *(const vec *)(${place(t, v)});`),
        '  for (long e = 0; e < count; e++) {',
        '    const float b = value[e];',
        '    const float *restrict p = g + at[e];',
        ...each((t, v) => `    a${t}_${v} += *(const vec *)(p + ${reach.offsets[t]! + v * lanes}) * b;`),
        '  }',
        ...each((t, v) => `  *(vec *)(${place(t, v)}) = a${t}_${v};`),
        '}',
      ].join('\n'),
    );
    return own;
  };
  const calls: string[] = [];
  for (let v = 0; v < vectors; v += most) {
    const count = Math.min(most, vectors - v);
    calls.push(
      `${tile(count)}(counts[c], at_ + c * ${positions}, value + c * ${positions}, plane + ${v * lanes}, sums + c * ${padded} + ${v * lanes});`,
    );
  }
  const row = (r: string): string => `plane + ((${r} + ${reach.top}) * ${reach.wide} + ${reach.left}) * ${padded}`;
  const copy =
    padded === s.filters
      ? `memcpy(${row('r')}, g + r * ${columns * s.filters}, ${4 * columns * s.filters});`
      : `for (long c = 0; c < ${columns}; c++) memcpy(${row('r')} + c * ${padded}, g + (r * ${columns} + c) * ${s.filters}, ${4 * s.filters});`;
  return {
    code: code.join('\n'),
    decide: `if ((b - lo) % 8 == 0) sparse = share(image, ${s.input[0] * s.input[1] * s.channels}) < ${sparseGradient}f;`,
    work: [
      `float *plane = scratch + ${at}, *value = plane + ${up(reach.floats, 16)}; int *at_ = (int *)(value + ${s.channels * positions});`,
      `long counts[${s.channels}];`,
      `find_channel_events(image, ${s.input[0]}, ${s.input[1]}, ${s.channels}, ${reach.wide * padded}, ${padded}, ${positions}, at_, value, counts);`,
      `memset(plane, 0, ${4 * reach.floats});`,
      `for (long r = 0; r < ${rows}; r++) ${copy}`,
      `for (long c = 0; c < ${s.channels}; c++) { ${calls.join(' ')} }`,
    ].join('\n'),
    floats: up(reach.floats, 16) + 2 * s.channels * positions,
  };
}

export const sparseHelpers = `
#ifdef __AVX512F__
#include <immintrin.h>
#endif
/* the share of values that aren't zero */
static float share(const float *restrict image, long count) {
  int found = 0;
  for (long i = 0; i < count; i++) found += image[i] != 0;
  return (float)found / (float)count;
}
/* where an image isn't zero: places of its results, rows of weights, values */
static long find_events(const float *restrict image, long height, long width, long channels, long row, long column,
                        int *restrict at, int *restrict channel, float *restrict value) {
  long found = 0;
  for (long r = 0; r < height; r++)
    for (long c = 0; c < width; c++, image += channels) {
      const int place = (int)(r * row + c * column);
      long i = 0;
#ifdef __AVX512F__
      const __m512i here = _mm512_set1_epi32(place);
      __m512i weights = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                                           _mm512_set1_epi32((int)column));
      for (; i + 16 <= channels; i += 16) {
        const __m512 v = _mm512_loadu_ps(image + i);
        const __mmask16 some = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        _mm512_storeu_si512(at + found, here);
        _mm512_storeu_si512(channel + found, _mm512_maskz_compress_epi32(some, weights));
        _mm512_storeu_ps(value + found, _mm512_maskz_compress_ps(some, v));
        found += __builtin_popcount(some);
        weights = _mm512_add_epi32(weights, _mm512_set1_epi32((int)(16 * column)));
      }
#endif
      for (; i < channels; i++)
        if (image[i] != 0) {
          at[found] = place;
          channel[found] = (int)(i * column);
          value[found++] = image[i];
        }
    }
  return found;
}
/* the same, channel by channel */
static void find_channel_events(const float *restrict image, long height, long width, long channels, long row, long column,
                                long most, int *restrict at, float *restrict value, long *restrict counts) {
  for (long i = 0; i < channels; i++) counts[i] = 0;
  for (long r = 0; r < height; r++)
    for (long c = 0; c < width; c++, image += channels) {
      const int place = (int)(r * row + c * column);
      long i = 0;
#ifdef __AVX512F__
      for (; i + 16 <= channels; i += 16) {
        unsigned some = _mm512_cmp_ps_mask(_mm512_loadu_ps(image + i), _mm512_setzero_ps(), _CMP_NEQ_UQ);
        for (; some != 0; some &= some - 1) {
          const long j = i + __builtin_ctz(some), k = j * most + counts[j]++;
          at[k] = place;
          value[k] = image[j];
        }
      }
#endif
      for (; i < channels; i++)
        if (image[i] != 0) {
          const long k = i * most + counts[i]++;
          at[k] = place;
          value[k] = image[i];
        }
    }
}
`;
