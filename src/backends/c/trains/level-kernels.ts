/** Functions of trains of levels, whose steps have a plane a bit. */

/** Writes the levels of up to 8 neurons that lie beside each other: the highest bit first. */
export function writePlanes(depth: number, signed: boolean): string {
  const planes = signed ? 2 : 1;
  const plane = (at: string): string => `      at = out + (b * ${planes}u${at}) * bytes + (i >> 3);
      at[0] |= (uint8_t)(BITS << (i & 7u));
      if (((BITS << (i & 7u)) >> 8) != 0u) at[1] |= (uint8_t)((BITS << (i & 7u)) >> 8);`;
  return `/* Levels of up to 8 neurons as bits, the highest first${signed ? '; of each bit a plane of + and one of -' : ''}. */
static void spk_planes_${depth}${signed ? '_signed' : ''}(const int32_t *levels, uint32_t n, uint32_t i, uint8_t *out, uint32_t bytes) {
  uint32_t b, j;
  for (b = 0; b < ${depth}u; b++) {
    uint8_t *at;
    uint32_t up = 0${signed ? ', down = 0' : ''};
    for (j = 0; j < n; j++) {
${
  signed
    ? `      const int32_t level = levels[j];
      up |= (((uint32_t)(level > 0 ? level : 0) >> (${depth - 1}u - b)) & 1u) << j;
      down |= (((uint32_t)(level < 0 ? -level : 0) >> (${depth - 1}u - b)) & 1u) << j;`
    : `      up |= (((uint32_t)levels[j] >> (${depth - 1}u - b)) & 1u) << j;`
}
    }
${plane('').replaceAll('BITS', 'up')}${signed ? `\n${plane(' + 1u').replaceAll('BITS', 'down')}` : ''}
  }
}`;
}

/** A level of a train: the bits of a neuron at a step. */
export const levelOf = `/* The level of neuron i: \`count\` bits of a train from plane \`first\` on. */
static int32_t spk_level(const spk_train *t, uint32_t first, uint32_t count, uint32_t i) {
  const uint8_t *bits = t->bits + first * t->bytes * t->planes + (i >> 3);
  int32_t level = 0;
  for (; count > 0u; count--, bits += t->bytes * t->planes) {
    level = level * 2 + ((*bits >> (i & 7u)) & 1);
    if (t->planes > 1) level -= (bits[t->bytes] >> (i & 7u)) & 1;
  }
  return level;
}`;

/** Sums of the levels of the first steps. */
export function squeezeKernel(name: string, planes: string): string {
  return `/* Sums over the first steps of a train. */
static void ${name}(const spk_train *t, uint32_t steps, uint32_t depth, uint32_t n, uint8_t *out, uint32_t bytes) {
  uint32_t i, j, k;
  for (i = 0; i < n; i += 8u) {
    const uint32_t count = n - i < 8u ? n - i : 8u;
    int32_t levels[8];
    for (j = 0; j < count; j++) {
      levels[j] = 0;
      for (k = 0; k < steps; k++) levels[j] += spk_level(t, k * depth, depth, i + j);
    }
    ${planes}(levels, count, i, out, bytes);
  }
}`;
}

/** The greatest level of each window, step by step. */
export function maxKernel(name: string, planes: string): string {
  return `/* The greatest level of each window. */
static void ${name}(const spk_train *t, uint32_t first, uint32_t depth, uint8_t *out, uint32_t bytes, const spk_windows *s) {
  const uint32_t n = (uint32_t)s->out_y * s->out_x * s->channels;
  uint32_t i, j;
  for (i = 0; i < n; i += 8u) {
    const uint32_t count = n - i < 8u ? n - i : 8u;
    int32_t levels[8];
    for (j = 0; j < count; j++) {
      const uint32_t c = (i + j) % s->channels, at = (i + j) / s->channels;
      int32_t ky, kx, any = 0;
      levels[j] = 0;
      for (ky = 0; ky < s->kernel_y; ky++) {
        const int32_t y = (int32_t)(at / s->out_x) * s->stride_y + ky - s->pad_y;
        for (kx = 0; kx < s->kernel_x; kx++) {
          const int32_t x = (int32_t)(at % s->out_x) * s->stride_x + kx - s->pad_x;
          int32_t level;
          if (y < 0 || y >= s->height || x < 0 || x >= s->width) continue;
          level = spk_level(t, first, depth, (uint32_t)(y * s->width + x) * s->channels + c);
          if (any == 0 || level > levels[j]) levels[j] = level;
          any = 1;
        }
      }
    }
    ${planes}(levels, count, i, out, bytes);
  }
}`;
}

/** The image through a synapse: sums of its real numbers, in double. */
export function imageConv(bits: number): string {
  const weight = bits === 8 ? '((const int8_t *)row)[o]' : `spk_bits(row, ${bits}u, o)`;
  return `/* The image through a synapse of whole weights. */
static void spk_image_${bits}(const float *image, spk_f64 *sum, const spk_windows *s, const uint8_t *w) {
  const uint32_t row_bytes = (s->outputs * ${bits}u + 7u) / 8u, n = (uint32_t)s->out_y * s->out_x * s->filters;
  uint32_t i, c, o;
  int32_t y, x, ky, kx;
  for (i = 0; i < n; i++) sum[i] = 0.0;
  for (c = 0; c < s->channels; c++) {
    for (ky = 0; ky < s->kernel_y; ky++) {
      for (kx = 0; kx < s->kernel_x; kx++) {
        const uint32_t tap = (c * s->kernel_y + (uint32_t)ky) * s->kernel_x + (uint32_t)(s->kernel_x - 1 - kx);
        const uint8_t *const row = w + tap * row_bytes;
        for (y = 0; y < s->out_y; y++) {
          const int32_t from = y * s->stride_y + ky * s->dilation_y - s->pad_y;
          if (from < 0 || from >= s->height) continue;
          for (x = 0; x < s->out_x; x++) {
            const int32_t at = x * s->stride_x + kx * s->dilation_x - s->pad_x;
            spk_f64 *const to = sum + (uint32_t)(y * s->out_x + x) * s->filters + c / s->inputs * s->outputs;
            double value;
            if (at < 0 || at >= s->width) continue;
            value = (double)image[(c * s->height + (uint32_t)from) * s->width + (uint32_t)at];
            if (value != 0.0) for (o = 0; o < s->outputs; o++) to[o] += value * (double)${weight};
          }
        }
      }
    }
  }
}`;
}
