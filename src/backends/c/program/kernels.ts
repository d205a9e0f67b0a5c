/** Functions that expressions call, by name; each is written into the source where it is used. */
export const helpers: Readonly<Record<string, string>> = {
  ...both('abs', (t) => `static ${t} NAME(${t} x) { return x < 0 ? -x : x; }`),
  ...both('min', (t) => `static ${t} NAME(${t} a, ${t} b) { return a < b ? a : b; }`),
  ...both('max', (t) => `static ${t} NAME(${t} a, ${t} b) { return a > b ? a : b; }`),
  spk_floor_f64: `/* The greatest whole number that is not above x. */
static double spk_floor_f64(double x) {
  double whole;
  if (!(x > -4503599627370496.0 && x < 4503599627370496.0)) return x;
  whole = (double)(int64_t)x;
  return whole > x ? whole - 1.0 : whole;
}`,
  spk_floor_f32: `/* The greatest whole number that is not above x. */
static float spk_floor_f32(float x) {
  float whole;
  if (!(x > -8388608.0f && x < 8388608.0f)) return x;
  whole = (float)(int32_t)x;
  return whole > x ? whole - 1.0f : whole;
}`,
  spk_round_f64: `/* The nearest whole number, halves to the even one. */
static double spk_round_f64(double x) {
  double low = spk_floor_f64(x), rest = x - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1.0;
  return spk_floor_f64(low * 0.5) * 2.0 == low ? low : low + 1.0;
}`,
  spk_round_f32: `/* The nearest whole number, halves to the even one. */
static float spk_round_f32(float x) {
  float low = spk_floor_f32(x), rest = x - low;
  if (rest < 0.5f) return low;
  if (rest > 0.5f) return low + 1.0f;
  return spk_floor_f32(low * 0.5f) * 2.0f == low ? low : low + 1.0f;
}`,
  spk_whole: `/* Without its fraction, within bounds. */
static int32_t spk_whole(double x, double least, double most) {
  return (int32_t)(x < least ? least : x > most ? most : x);
}`,
  spk_bits: `/* Code k of codes of so many bits, two's complement, the lowest bits first. */
static int32_t spk_bits(const uint8_t *codes, unsigned bits, uint32_t k) {
  uint32_t at = k * bits, value = codes[at >> 3] >> (at & 7u);
  unsigned have = 8u - (at & 7u);
  while (have < bits) {
    value |= (uint32_t)codes[(at + have) >> 3] << have;
    have += 8u;
  }
  value &= (UINT32_C(1) << bits) - 1u;
  return (value >> (bits - 1u)) != 0u ? (int32_t)value - (int32_t)(UINT32_C(1) << bits) : (int32_t)value;
}`,
};

function both(name: string, text: (type: string) => string): Record<string, string> {
  const types = { f32: 'float', f64: 'double', i32: 'int32_t', bool: 'int32_t' };
  return Object.fromEntries(
    Object.entries(types).map(([dtype, type]) => {
      const own = `spk_${name}_${dtype}`;
      return [own, text(type).replace('NAME', own)];
    }),
  );
}

/** What a helper calls. */
export const helperNeeds: Readonly<Record<string, readonly string[]>> = {
  spk_round_f64: ['spk_floor_f64'],
  spk_round_f32: ['spk_floor_f32'],
};

/** How a kernel reads its weight: an array, or packed codes with a scale an output. */
export interface WeightForm {
  readonly key: string;
  /** Parameters of the function for it. */
  readonly params: string;
  /** Weight k, of output o. */
  readonly at: (k: string, o: string) => string;
}

export function arrayWeight(type: string): WeightForm {
  return { key: type, params: `const ${type} *w`, at: (k) => `(double)w[${k}]` };
}

export const packedWeight: WeightForm = {
  key: 'packed',
  params: 'const uint8_t *w, unsigned bits, const double *scale, uint32_t one_scale',
  at: (k, o) => `(double)(float)((double)spk_bits(w, bits, ${k}) * scale[one_scale ? 0u : ${o}])`,
};

/** The shape of a convolution, in the order of its fields. */
export const convShape = `typedef struct {
  uint16_t batch, channels, height, width, filters, kernel_y, kernel_x, out_y, out_x;
  uint16_t stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x, groups;
} spk_conv;`;

/** One output plane at a time, summed up in double, tap by tap. */
export function convKernel(name: string, x: string, weight: WeightForm, y: string): string {
  return `static void ${name}(const ${x} *x, ${weight.params}, ${y} *y, spk_f64 *sum, const spk_conv *s) {
  const uint32_t plane = (uint32_t)s->height * s->width, out = (uint32_t)s->out_y * s->out_x;
  const uint32_t inputs = s->channels / s->groups, outputs = s->filters / s->groups;
  uint32_t n, o, i, p;
  for (n = 0; n < s->batch; n++, x += s->channels * plane) {
    for (o = 0; o < s->filters; o++, y += out) {
      int32_t ky, kx, r, c;
      for (p = 0; p < out; p++) sum[p] = 0.0;
      for (ky = 0; ky < s->kernel_y; ky++) {
        for (kx = 0; kx < s->kernel_x; kx++) {
          const int32_t dy = ky * s->dilation_y - s->pad_y, dx = kx * s->dilation_x - s->pad_x;
          int32_t first = 0, last = s->out_x;
          while (first < last && first * s->stride_x + dx < 0) first++;
          while (last > first && (last - 1) * s->stride_x + dx >= s->width) last--;
          for (i = 0; i < inputs; i++) {
            const ${x} *from = x + (o / outputs * inputs + i) * plane;
            const double v = ${weight.at('((o * inputs + i) * s->kernel_y + (uint32_t)ky) * s->kernel_x + (uint32_t)kx', 'o')};
            for (r = 0; r < s->out_y; r++) {
              const int32_t in_y = r * s->stride_y + dy;
              const ${x} *line = from + in_y * s->width + dx;
              spk_f64 *to = sum + (uint32_t)r * s->out_x;
              if (in_y < 0 || in_y >= s->height) continue;
              if (s->stride_x == 1) for (c = first; c < last; c++) to[c] += v * (double)line[c];
              else for (c = first; c < last; c++) to[c] += v * (double)line[c * s->stride_x];
            }
          }
        }
      }
      for (p = 0; p < out; p++) y[p] = (${y})sum[p];
    }
  }
}`;
}

/** The transpose of a convolution: channels and filters are those of the convolution that it transposes. */
export function convInputKernel(name: string, g: string, weight: WeightForm, y: string): string {
  return `static void ${name}(const ${g} *g, ${weight.params}, ${y} *y, spk_f64 *sum, const spk_conv *s) {
  const uint32_t plane = (uint32_t)s->height * s->width, out = (uint32_t)s->out_y * s->out_x;
  const uint32_t inputs = s->channels / s->groups, outputs = s->filters / s->groups;
  uint32_t n, o, i, p;
  for (n = 0; n < s->batch; n++, g += s->filters * out, y += s->channels * plane) {
    int32_t ky, kx, r, c;
    for (p = 0; p < s->channels * plane; p++) sum[p] = 0.0;
    for (ky = 0; ky < s->kernel_y; ky++) {
      for (kx = 0; kx < s->kernel_x; kx++) {
        const int32_t dy = ky * s->dilation_y - s->pad_y, dx = kx * s->dilation_x - s->pad_x;
        for (o = 0; o < s->filters; o++) {
          for (i = 0; i < inputs; i++) {
            spk_f64 *to = sum + (o / outputs * inputs + i) * plane;
            const double v = ${weight.at('((o * inputs + i) * s->kernel_y + (uint32_t)ky) * s->kernel_x + (uint32_t)kx', 'o')};
            for (r = 0; r < s->out_y; r++) {
              const int32_t in_y = r * s->stride_y + dy;
              if (in_y < 0 || in_y >= s->height) continue;
              for (c = 0; c < s->out_x; c++) {
                const int32_t in_x = c * s->stride_x + dx;
                if (in_x >= 0 && in_x < s->width) to[in_y * s->width + in_x] += v * (double)g[o * out + (uint32_t)(r * s->out_x + c)];
              }
            }
          }
        }
      }
    }
    for (p = 0; p < s->channels * plane; p++) y[p] = (${y})sum[p];
  }
}`;
}

/** Products of matrices one after another; the second may be the same for all (a weight). */
export function matmulKernel(name: string, a: string, weight: WeightForm, y: string): string {
  return `static void ${name}(const ${a} *a, ${weight.params}, ${y} *y, uint32_t batch, uint32_t m, uint32_t k, uint32_t n,
    uint32_t a_row, uint32_t a_col, uint32_t b_row, uint32_t b_col) {
  uint32_t t, i, j, p;
  for (t = 0; t < batch; t++, a += m * k, w += k * n) {
    for (i = 0; i < m; i++) {
      for (j = 0; j < n; j++) {
        double sum = 0.0;
        for (p = 0; p < k; p++) sum += (double)a[i * a_row + p * a_col] * ${weight.at('p * b_row + j * b_col', 'j')};
        *y++ = (${y})sum;
      }
    }
  }
}`;
}

/** Windows of planes: their greatest value, or their mean (of the whole area, or of what lies inside). */
export function poolKernel(name: string, x: string, y: string, how: 'max' | 'mean' | 'mean_inside'): string {
  const step =
    how === 'max'
      ? 'if (count == 0 || (double)x[in_y * s->width + in_x] > value) value = (double)x[in_y * s->width + in_x];'
      : 'value += (double)x[in_y * s->width + in_x];';
  const end =
    how === 'max' ? 'value' : how === 'mean' ? 'value / (double)(s->kernel_y * s->kernel_x)' : 'value / (double)count';
  return `static void ${name}(const ${x} *x, ${y} *y, const spk_pool *s) {
  uint32_t p;
  for (p = 0; p < s->planes; p++, x += (uint32_t)s->height * s->width) {
    int32_t r, c, ky, kx;
    for (r = 0; r < s->out_y; r++) {
      for (c = 0; c < s->out_x; c++) {
        double value = 0.0;
        int32_t count = 0;
        for (ky = 0; ky < s->kernel_y; ky++) {
          const int32_t in_y = r * s->stride_y + ky - s->pad_y;
          for (kx = 0; kx < s->kernel_x; kx++) {
            const int32_t in_x = c * s->stride_x + kx - s->pad_x;
            if (in_y < 0 || in_y >= s->height || in_x < 0 || in_x >= s->width) continue;
            ${step}
            count++;
          }
        }
        (void)count;
        *y++ = (${y})(${end});
      }
    }
  }
}`;
}

export const poolShape = `typedef struct {
  uint32_t planes;
  uint16_t height, width, out_y, out_x, kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x;
} spk_pool;`;

/** values[number of thresholds that are at most x]. */
export function lookupKernel(name: string, x: string, t: string, v: string, result: string): string {
  return `static ${result} ${name}(${x} x, const ${t} *thresholds, const ${v} *values, uint32_t count) {
  uint32_t least = 0, most = count;
  while (least < most) {
    const uint32_t middle = (least + most) / 2;
    if (x >= (${x})thresholds[middle]) least = middle + 1;
    else most = middle;
  }
  return (${result})values[least];
}`;
}
