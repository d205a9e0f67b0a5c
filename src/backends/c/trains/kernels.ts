/** Functions of networks in integers. A train of bits is, step by step, a plane of +1 and (where signed) one of −1. */

export const geometry = `/* Windows over [height, width, channels]: stride, padding and taps. */
typedef struct {
  uint16_t channels, height, width, filters, kernel_y, kernel_x, out_y, out_x;
  uint16_t stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x, inputs, outputs;
} spk_windows;

/* A train of bits: bytes of a plane, planes a step, and how much a step counts of the next. */
typedef struct {
  const uint8_t *bits;
  uint32_t bytes, planes, beta;
} spk_train;`;

/** Where neuron \`i\` is, walked to from the one before: no machine divides for it. */
const walk = 'while (i >= next) { start = next; next += s->channels; if (++x == s->width) { x = 0; y++; } }';
const fromTheFirst = 'uint32_t start = 0, next = s->channels;\n  int32_t x = 0, y = 0;';

/** Calls ON for every spike of some steps, merged: \`i\` is the neuron, \`level\` their weighted sum. */
const eachSpike = (on: string): string => `  const uint32_t size = t->bytes * t->planes;
  uint32_t byte, k, bit;
  for (byte = 0; byte < t->bytes; byte++) {
    uint8_t any = 0;
    for (k = 0; k < count; k++) {
      const uint8_t *step = t->bits + (first + k) * size + byte;
      any |= *step;
      if (t->planes > 1) any |= step[t->bytes];
    }
    for (bit = 0; any != 0; bit++, any >>= 1) {
      int32_t level = 0;
      if ((any & 1u) == 0u) continue;
      for (k = 0; k < count; k++) {
        const uint8_t *step = t->bits + (first + k) * size + byte;
        level = level * (int32_t)t->beta + ((*step >> bit) & 1);
        if (t->planes > 1) level -= (step[t->bytes] >> bit) & 1;
      }
      if (level != 0) { const uint32_t i = byte * 8u + bit; ${on} }
    }
  }`;

const row8 = `/* acc += level * a row of weights, 8 bits each. */
static void spk_row_8(spk_i32 *restrict acc, const uint8_t *restrict row, uint32_t n, int32_t level) {
  const int8_t *restrict w = (const int8_t *)row;
  uint32_t j;
  if (level == 1) {
    for (; n >= 16; n -= 16, acc += 16, w += 16) for (j = 0; j < 16; j++) acc[j] += w[j];
    for (j = 0; j < n; j++) acc[j] += w[j];
    return;
  }
  for (; n >= 16; n -= 16, acc += 16, w += 16) for (j = 0; j < 16; j++) acc[j] += level * w[j];
  for (j = 0; j < n; j++) acc[j] += level * w[j];
}`;

const row4 = `/* acc += level * a row of weights, 4 bits each: of 16 outputs the first 8 in the low nibbles; of the rest two a byte. */
static void spk_row_4(spk_i32 *restrict acc, const uint8_t *restrict row, uint32_t n, int32_t level) {
  uint32_t j;
  for (; n >= 16; n -= 16, acc += 16, row += 8) {
    for (j = 0; j < 8; j++) acc[j] += level * ((int32_t)((row[j] & 15u) ^ 8u) - 8);
    for (j = 0; j < 8; j++) acc[j + 8] += level * ((int32_t)((row[j] >> 4) ^ 8u) - 8);
  }
  for (j = 0; j < n; j++) acc[j] += level * ((int32_t)(((row[j / 2] >> (j % 2 * 4)) & 15u) ^ 8u) - 8);
}`;

/** Weights of any other number of bits. */
const rowAny = (bits: number): string => `/* acc += level * a row of weights, ${bits} bits each. */
static void spk_row_${bits}(spk_i32 *restrict acc, const uint8_t *restrict row, uint32_t n, int32_t level) {
  uint32_t j;
  for (j = 0; j < n; j++) acc[j] += level * spk_bits(row, ${bits}u, j);
}`;

export function rowKernel(bits: number): string {
  return bits === 8 ? row8 : bits === 4 ? row4 : rowAny(bits);
}

/** What one spike adds to all that it reaches. Rows of a kernel's line stand in the order of the outputs that they reach. */
export function spikeKernel(bits: number): string {
  const joined = bits === 8 ? '' : ` && s->outputs % ${bits === 4 ? 16 : 8}u == 0`;
  return `/* One spike through its synapses. */
static void spk_spike_${bits}(spk_i32 *acc, const spk_windows *s, const uint8_t *w, uint32_t c, int32_t y, int32_t x, int32_t level) {
  const uint32_t row = (s->outputs * ${bits}u + 7u) / 8u;
  const int lines = s->stride_x == 1 && s->dilation_x == 1 && s->inputs == s->channels${joined};
  const int32_t right = x + s->pad_x, start = right + 1 - s->kernel_x;
  const int32_t first = start < 0 ? 0 : start, last = right < s->out_x ? right : s->out_x - 1;
  const uint8_t *line = w + c * s->kernel_y * s->kernel_x * row;
  int32_t ky, kx;
  y += s->pad_y;
  x = right;
  if (s->inputs != s->channels) acc += c / s->inputs * s->outputs;
  for (ky = 0; ky < s->kernel_y; ky++, line += s->kernel_x * row) {
    const int32_t ty = y - ky * s->dilation_y, oy = s->stride_y == 1 ? ty : ty / s->stride_y;
    spk_i32 *to = acc + (uint32_t)(oy * s->out_x) * s->filters;
    if (ty < 0) break;
    if (oy >= s->out_y || oy * s->stride_y != ty) continue;
    if (lines) {
      if (first <= last) {
        spk_row_${bits}(to + (uint32_t)first * s->filters, line + (uint32_t)(first - start) * row,
            (uint32_t)(last - first + 1) * s->outputs, level);
      }
      continue;
    }
    for (kx = 0; kx < s->kernel_x; kx++) {
      const int32_t tx = x - kx * s->dilation_x, ox = s->stride_x == 1 ? tx : tx / s->stride_x;
      if (tx < 0) break;
      if (ox >= s->out_x || ox * s->stride_x != tx) continue;
      spk_row_${bits}(to + (uint32_t)ox * s->filters, line + (uint32_t)(s->kernel_x - 1 - kx) * row, s->outputs, level);
    }
  }
}`;
}

/** What weights of 4 bits need before their kernel. */
export const rolled = `#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define SPK_ROLLED _Pragma("GCC unroll 1")
#else
#define SPK_ROLLED
#endif`;

/** What one spike through weights adds to 16 sums of 16 bits. */
function sixteen(bits: number): readonly string[] {
  const add = (from: number, to: number, weight: string): string =>
    `for (j = ${from}; j < ${to}; j++) part[j] = (int16_t)(part[j] + level * ${weight});`;
  if (bits === 8) return [add(0, 16, '((const int8_t *)p)[j]')];
  if (bits !== 4) return [add(0, 16, `spk_bits(p, ${bits}u, j)`)];
  // halves of 8 bytes at once, in loops that stay loops: otherwise gcc packs each byte by itself
  return [
    'uint8_t low[8], high[8];',
    'uint64_t both, half_of_each;',
    'memcpy(&both, p, 8);',
    'half_of_each = both & UINT64_C(0x0f0f0f0f0f0f0f0f);',
    'memcpy(low, &half_of_each, 8);',
    'half_of_each = (both >> 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);',
    'memcpy(high, &half_of_each, 8);',
    'SPK_ROLLED',
    add(0, 8, '((low[j] ^ 8) - 8)'),
    'SPK_ROLLED',
    add(8, 16, '((high[j - 8] ^ 8) - 8)'),
  ];
}

/** The spikes of a row of pixels one after another, and where each pixel's begin. */
export const spikeLists = `/* The spikes of a row of the image, merged over some steps: where those of each pixel begin, then where its weights are and its level. */
static void spk_list(const spk_train *t, uint32_t first, uint32_t count, const spk_windows *s, uint32_t y, uint32_t row, uint32_t bits, spk_i32 *restrict starts) {
  const uint32_t size = t->bytes * t->planes, planes = t->planes, beta = t->beta, channels = s->channels, width = s->width;
  const uint32_t step = (uint32_t)s->kernel_y * s->kernel_x * row;
  const uint8_t *from = t->bits + first * size;
  spk_i32 *restrict list = starts + width + 1u;
  uint32_t i = y * width * channels, n = 0, x, k;
  for (x = 0; x < width; x++) {
    uint32_t c = 0, at = (width - x) * row;
    starts[x] = (int32_t)n;
    while (c < channels) {
      const uint8_t *byte = from + (i >> 3);
      const uint32_t skipped = i & 7u, free = 8u - skipped, left = channels - c, taken = left < free ? left : free;
      uint32_t any = 0, bit;
      for (k = 0; k < count; k++) any |= planes > 1 ? byte[k * size] | byte[k * size + t->bytes] : byte[k * size];
      if (((any >> skipped) & ((1u << taken) - 1u)) == 0u) at += step * taken;
      else for (bit = skipped; bit < skipped + taken; bit++, at += step) {
        uint32_t level = 0;
        for (k = 0; k < count; k++) {
          level = level * beta + ((byte[k * size] >> bit) & 1u);
          if (planes > 1) level -= (byte[k * size + t->bytes] >> bit) & 1u;
        }
        list[n] = (int32_t)((at << bits) + level + (1u << (bits - 1u)));
        n += level != 0u;
      }
      c += taken;
      i += taken;
    }
  }
  starts[width] = (int32_t)n;
}`;

/**
 * A dense synapse seen from its outputs: the sums of 16 of them stay in registers while the spikes of a window pass. They have 16 bits,
 * and are added to the membranes after each window, or (`eachRow`) where that could be too much for 16 bits, after each of its rows.
 */
export function gatherKernel(bits: number, eachRow: boolean): string {
  const add = 'for (j = 0; j < 16; j++) to[j] += part[j];';
  return `/* The spikes of some steps, merged to their weighted sum, through a synapse: 16 outputs at a time. */
static void ${gatherName(bits, eachRow)}(const spk_train *t, uint32_t first, uint32_t count, spk_i32 *restrict acc, const spk_windows *s, const uint8_t *restrict w, uint32_t bits, spk_i32 *events) {
  const uint32_t row = (s->outputs * ${bits}u + 7u) / 8u, line = (s->channels + 1u) * s->width + 1u;
  const uint32_t ring = (uint32_t)(s->kernel_y - 1) * s->dilation_y + 1u, outputs = s->outputs;
  const int32_t mask = (1 << bits) - 1, half = 1 << (bits - 1u), width = s->width, height = s->height, kernel_y = s->kernel_y;
  int32_t oy, ox, ky, next = 0;
  for (oy = 0; oy < s->out_y; oy++) {
    const int32_t top = oy * s->stride_y - s->pad_y;
    const uint32_t slot = (uint32_t)(top + (int32_t)ring * s->pad_y) % ring;
    for (; next < height && next < top + (int32_t)ring; next++) {
      if (next >= top) spk_list(t, first, count, s, (uint32_t)next, row, bits, events + (uint32_t)next % ring * line);
    }
    for (ox = 0; ox < s->out_x; ox++) {
      const int32_t x = ox * s->stride_x - s->pad_x, right = x + s->kernel_x;
      const int32_t begin = x < 0 ? 0 : x > width ? width : x, stop = right < 0 ? 0 : right > width ? width : right;
      /* of pixel x the weights begin (width - x) rows behind those of its channel: from the right-most tap on to the left */
      const int32_t taps = (x + s->kernel_x - 1 - width) * (int32_t)row;
      spk_i32 *to = acc + (uint32_t)(oy * s->out_x + ox) * s->filters;
      uint32_t o, j;
      for (o = 0; o < outputs; o += 16u, to += 16) {
        const uint32_t n = outputs - o < 16u ? outputs - o : 16u;
        int16_t part[16];
        for (j = 0; j < 16; j++) part[j] = 0;
        for (ky = 0; ky < kernel_y; ky++) {
          const int32_t y = top + ky * s->dilation_y;
          const uint32_t at = slot + (uint32_t)ky * s->dilation_y;
          const spk_i32 *const starts = events + (at < ring ? at : at - ring) * line;
          const spk_i32 *list, *end;
          const int32_t tap = taps + (int32_t)((uint32_t)ky * s->kernel_x * row + o / 8u * ${bits}u);
          if (y < 0 || y >= height) continue;
          list = starts + width + 1 + starts[begin];
          end = starts + width + 1 + starts[stop];
          if (n < 16u) {
            for (; list < end; list++) spk_row_${bits}(to, w + (tap + (*list >> bits)), n, (*list & mask) - half);
            continue;
          }
          for (; list < end; list++) {
            const uint8_t *const p = w + (tap + (*list >> bits));
            const int16_t level = (int16_t)((*list & mask) - half);
            ${sixteen(bits).join('\n            ')}
          }${eachRow ? `\n          ${add}\n          for (j = 0; j < 16; j++) part[j] = 0;` : ''}
        }
        ${eachRow ? '' : `if (n == 16u) ${add}`}
      }
    }
  }
}`;
}

export function gatherName(bits: number, eachRow: boolean): string {
  return `spk_gather_${bits}${eachRow ? '_row' : ''}`;
}

/** What one spike adds through a transposed convolution: its taps lie beside each other where it is scattered to. */
export function scatterKernel(bits: number): string {
  return `/* One spike through the synapses of a transposed convolution. */
static void spk_scatter_${bits}(spk_i32 *acc, const spk_windows *s, const uint8_t *w, uint32_t c, int32_t y, int32_t x, int32_t level) {
  const uint32_t row = (s->outputs * ${bits}u + 7u) / 8u;
  const int32_t top = y * s->stride_y - s->pad_y, left = x * s->stride_x - s->pad_x;
  const uint8_t *line = w + c * s->kernel_y * s->kernel_x * row;
  int32_t ky, kx;
  acc += c / s->inputs * s->outputs;
  for (ky = 0; ky < s->kernel_y; ky++, line += s->kernel_x * row) {
    const int32_t oy = top + ky * s->dilation_y;
    if (oy < 0 || oy >= s->out_y) continue;
    for (kx = 0; kx < s->kernel_x; kx++) {
      const int32_t ox = left + kx * s->dilation_x;
      if (ox < 0 || ox >= s->out_x) continue;
      spk_row_${bits}(acc + (uint32_t)(oy * s->out_x + ox) * s->filters, line + (uint32_t)(s->kernel_x - 1 - kx) * row, s->outputs, level);
    }
  }
}`;
}

export function bitsConv(name: string, spike: string): string {
  return `/* The spikes of some steps, merged to their weighted sum, through a synapse. */
static void ${name}(const spk_train *t, uint32_t first, uint32_t count, spk_i32 *acc, const spk_windows *s, const uint8_t *w) {
  ${fromTheFirst}
${eachSpike(`${walk} ${spike}(acc, s, w, i - start, y, x, level);`)}
}`;
}

export function levelsConv(name: string, spike: string, type: string): string {
  return `/* A step of spikes of several levels through a synapse. */
static void ${name}(const ${type} *levels, uint32_t n, spk_i32 *acc, const spk_windows *s, const uint8_t *w) {
  uint32_t i;
  ${fromTheFirst}
  for (i = 0; i < n; i++) {
    if (levels[i] == 0) continue;
    ${walk}
    ${spike}(acc, s, w, i - start, y, x, levels[i]);
  }
}`;
}

export function addBits(name: string, acc: string): string {
  return `/* The spikes of some steps, merged, each to its own neuron. */
static void ${name}(const spk_train *t, uint32_t first, uint32_t count, ${acc} *acc) {
${eachSpike(`acc[i] = (${acc})(acc[i] + level);`)}
}`;
}

/** The same where neurons fill their bytes. */
export function addBytes(name: string, acc: string): string {
  return `/* The spikes of some steps, merged, each to its own neuron: eight at a time. */
static void ${name}(const spk_train *t, uint32_t first, uint32_t count, ${acc} *acc) {
  const uint32_t size = t->bytes * t->planes;
  uint32_t byte, k, bit;
  for (byte = 0; byte < t->bytes; byte++, acc += 8) {
    int32_t level[8];
    for (bit = 0; bit < 8; bit++) level[bit] = 0;
    for (k = 0; k < count; k++) {
      const uint8_t *step = t->bits + (first + k) * size + byte;
      const int32_t up = *step, down = t->planes > 1 ? step[t->bytes] : 0;
      for (bit = 0; bit < 8; bit++) level[bit] = level[bit] * (int32_t)t->beta + ((up >> bit) & 1) - ((down >> bit) & 1);
    }
    for (bit = 0; bit < 8; bit++) acc[bit] = (${acc})(acc[bit] + level[bit]);
  }
}`;
}

export function addLevels(name: string, type: string, acc: string): string {
  return `static void ${name}(const ${type} *levels, uint32_t n, ${acc} *acc) {
  uint32_t i;
  for (i = 0; i < n; i++) acc[i] = (${acc})(acc[i] + levels[i]);
}`;
}

/** Sums over windows, channel by channel. */
export function poolBits(name: string, type: string): string {
  return `/* Sums over windows, spike by spike. */
static void ${name}_spike(${type} *out, const spk_windows *s, uint32_t c, int32_t y, int32_t x, int32_t level) {
  int32_t ky, kx;
  y += s->pad_y;
  x += s->pad_x;
  if (s->kernel_y <= s->stride_y && s->kernel_x <= s->stride_x) {
    const int32_t oy = y / s->stride_y, ox = x / s->stride_x;
    ${type} *to = out + (uint32_t)(oy * s->out_x + ox) * s->channels + c;
    if (oy >= s->out_y || y - oy * s->stride_y >= s->kernel_y || ox >= s->out_x || x - ox * s->stride_x >= s->kernel_x) return;
    *to = (${type})(*to + level);
    return;
  }
  for (ky = 0; ky < s->kernel_y && ky <= y; ky++) {
    const int32_t ty = y - ky, oy = ty / s->stride_y;
    if (oy >= s->out_y || oy * s->stride_y != ty) continue;
    for (kx = 0; kx < s->kernel_x && kx <= x; kx++) {
      const int32_t tx = x - kx, ox = tx / s->stride_x;
      ${type} *to = out + (uint32_t)(oy * s->out_x + ox) * s->channels + c;
      if (ox >= s->out_x || ox * s->stride_x != tx) continue;
      *to = (${type})(*to + level);
    }
  }
}
static void ${name}(const spk_train *t, uint32_t first, uint32_t count, ${type} *out, const spk_windows *s) {
  const uint32_t n = (uint32_t)s->out_y * s->out_x * s->channels;
  ${fromTheFirst}
  uint32_t j;
  for (j = 0; j < n; j++) out[j] = 0;
  {
${eachSpike(`${walk} ${name}_spike(out, s, i - start, y, x, level);`)}
  }
}`;
}

/** Running maxima of prefixes: M_k = max P_k, s_k = M_k − β·M_k−1. */
export const maxPrefix = `/* Exact max pooling of trains by their prefixes. */
static void spk_max_prefix(const spk_train *t, uint32_t steps, uint8_t *out, uint32_t out_bytes, const spk_windows *s) {
  const uint32_t size = t->bytes * t->planes;
  uint32_t j, k;
  for (j = 0; j < steps * out_bytes * 2u; j++) out[j] = 0;
  for (j = 0; j < (uint32_t)s->out_y * s->out_x * s->channels; j++) {
    const uint32_t c = j % s->channels, at = j / s->channels;
    int32_t most[32], ky, kx, before = 0, any = 0;
    for (k = 0; k < steps; k++) most[k] = 0;
    for (ky = 0; ky < s->kernel_y; ky++) {
      const int32_t y = (int32_t)(at / s->out_x) * s->stride_y + ky - s->pad_y;
      for (kx = 0; kx < s->kernel_x; kx++) {
        const int32_t x = (int32_t)(at % s->out_x) * s->stride_x + kx - s->pad_x;
        int32_t prefix = 0;
        uint32_t i;
        if (y < 0 || y >= s->height || x < 0 || x >= s->width) continue;
        i = (uint32_t)(y * s->width + x) * s->channels + c;
        for (k = 0; k < steps; k++) {
          const uint8_t *step = t->bits + k * size + (i >> 3);
          prefix = prefix * (int32_t)t->beta + ((*step >> (i & 7u)) & 1);
          if (t->planes > 1) prefix -= (step[t->bytes] >> (i & 7u)) & 1;
          if (any == 0 || prefix > most[k]) most[k] = prefix;
        }
        any = 1;
      }
    }
    for (k = 0; k < steps; k++) {
      const int32_t level = most[k] - (int32_t)t->beta * before;
      if (level > 0) out[k * out_bytes * 2u + (j >> 3)] |= (uint8_t)(1u << (j & 7u));
      if (level < 0) out[(k * 2u + 1u) * out_bytes + (j >> 3)] |= (uint8_t)(1u << (j & 7u));
      before = most[k];
    }
  }
}`;

/** Which of two numbers, by a truth value of 0 or 1. */
export const select = `static int32_t spk_select(int32_t test, int32_t a, int32_t b) {
  return (a & -test) | (b & (test - 1));
}`;

/** Digits of the quantised image, most significant first. */
export const encodeDigits = `/* The image's codes as binary digits, most significant first, channels last. */
static void spk_encode(const float *image, uint8_t *bits, uint32_t channels, uint32_t pixels, uint32_t steps, float scale, float zero,
    float least, float most, float amplitude) {
  const uint32_t n = channels * pixels, bytes = (n + 7u) / 8u;
  uint32_t i, k;
  for (i = 0; i < bytes * steps; i++) bits[i] = 0;
  for (i = 0; i < n; i++) {
    float code = spk_round_f32(image[i % channels * pixels + i / channels] / scale) + zero;
    uint32_t level;
    code = (code < least ? least : code > most ? most : code) - least;
    level = (uint32_t)(amplitude == 1.0f ? code : spk_round_f32(code / amplitude));
    if (level >> steps != 0u) level = (UINT32_C(1) << steps) - 1u;
    for (k = 0; k < steps; k++) if ((level >> (steps - 1u - k)) & 1u) bits[k * bytes + (i >> 3)] |= (uint8_t)(1u << (i & 7u));
  }
}`;
