import { type CTarget, accumulators } from './tiles.js';

/** Matrix products: panels packed for tiles of registers. */
export function matmulText(target: CTarget): string {
  const { lanes } = target;
  const rows = Math.floor(accumulators(target) / 2);
  const columns = 2 * lanes;
  const acc = Array.from({ length: rows }, (_, r) => r);
  return `
#define MR ${rows}
#define NR ${columns}
#define KC 256
#define MC ${rows * 8}
typedef struct { long m, n, k; const float *a; long ar, ac; const float *b; long br, bc; float *c; int by_rows; } Product;
static void product_tile(long k, const float *restrict a, const float *restrict b, float *restrict c, long stride, int add) {
${acc.map((r) => `  vec a${r}_0 = {0}, a${r}_1 = {0};`).join('\n')}
  for (long i = 0; i < k; i++, a += MR, b += NR) {
    const vec b0 = *(const vec *)b, b1 = *(const vec *)(b + LANES);
${acc.map((r) => `    { const float s = a[${r}]; a${r}_0 += b0 * s; a${r}_1 += b1 * s; }`).join('\n')}
  }
  if (add) {
${acc.map((r) => `    a${r}_0 += LOAD(c + ${r} * stride); a${r}_1 += LOAD(c + ${r} * stride + LANES);`).join('\n')}
  }
${acc.map((r) => `  STORE(c + ${r} * stride, a${r}_0); STORE(c + ${r} * stride + LANES, a${r}_1);`).join('\n')}
}
static void product_task(const Context *x, long part, long parts, long worker) {
  const Product *g = (const Product *)x->job;
  float *bp = (float *)(x->scratch + worker * x->scratch_bytes), *ap = bp + KC * 512, *edge = ap + KC * MC;
  const long step = g->by_rows ? MR : NR, size = g->by_rows ? g->m : g->n, panels = (size + step - 1) / step;
  const long from = panels * part / parts * step;
  const long until = panels * (part + 1) / parts * step < size ? panels * (part + 1) / parts * step : size;
  const long m0 = g->by_rows ? from : 0, m1 = g->by_rows ? until : g->m, n0 = g->by_rows ? 0 : from,
             n1 = g->by_rows ? g->n : until;
  for (long j0 = n0; j0 < n1; j0 += 512) {
    const long nc = n1 - j0 < 512 ? n1 - j0 : 512;
    for (long k0 = 0; k0 < g->k; k0 += KC) {
      const long kc = g->k - k0 < KC ? g->k - k0 : KC;
      for (long j = 0; j < nc; j += NR) {
        float *restrict to = bp + j * kc;
        const float *restrict b = g->b + k0 * g->br + (j0 + j) * g->bc;
        const long w = nc - j < NR ? nc - j : NR;
        if (w == NR && g->bc == 1) {
          for (long i = 0; i < kc; i++) memcpy(to + i * NR, b + i * g->br, sizeof(float) * NR);
        } else {
          for (long i = 0; i < kc; i++)
            for (long l = 0; l < NR; l++) to[i * NR + l] = l < w ? b[i * g->br + l * g->bc] : 0;
        }
      }
      for (long i0 = m0; i0 < m1; i0 += MC) {
        const long mc = m1 - i0 < MC ? m1 - i0 : MC;
        for (long i = 0; i < mc; i += MR) {
          float *restrict to = ap + i * kc;
          const float *restrict a = g->a + (i0 + i) * g->ar + k0 * g->ac;
          const long h = mc - i < MR ? mc - i : MR;
          for (long l = 0; l < MR; l++)
            for (long k = 0; k < kc; k++) to[k * MR + l] = l < h ? a[l * g->ar + k * g->ac] : 0;
        }
        for (long j = 0; j < nc; j += NR)
          for (long i = 0; i < mc; i += MR) {
            float *c = g->c + (i0 + i) * g->n + j0 + j;
            const long h = mc - i < MR ? mc - i : MR, w = nc - j < NR ? nc - j : NR;
            if (h == MR && w == NR) product_tile(kc, ap + i * kc, bp + j * kc, c, g->n, k0 > 0);
            else {
              product_tile(kc, ap + i * kc, bp + j * kc, edge, NR, 0);
              for (long r = 0; r < h; r++)
                for (long l = 0; l < w; l++) c[r * g->n + l] = edge[r * NR + l] + (k0 > 0 ? c[r * g->n + l] : 0);
            }
          }
      }
    }
  }
}
/* few columns: rows times each of them, in vectors */
static void thin_task(const Context *x, long part, long parts, long worker) {
  const Product *g = (const Product *)x->job; (void)worker;
  for (long i = g->m * part / parts; i < g->m * (part + 1) / parts; i++) {
    const float *restrict a = g->a + i * g->ar;
    vec sums[8] = {{0}};
    double left[8] = {0};
    long p = 0;
    for (; p + LANES <= g->k; p += LANES) {
      const vec v = LOAD(a + p);
      for (long j = 0; j < g->n; j++) sums[j] += v * LOAD(g->b + j * g->k + p);
    }
    for (; p < g->k; p++) for (long j = 0; j < g->n; j++) left[j] += (double)a[p] * g->b[j * g->k + p];
    for (long j = 0; j < g->n; j++) {
      for (long l = 0; l < LANES; l++) left[j] += sums[j][l];
      g->c[i * g->n + j] = (float)left[j];
    }
  }
}
static void product_thin(Context *x, long m, long n, long k, const float *a, long ar, const float *b, long br, long bc,
                         float *c) {
  float *turned = NULL;
  if (br != 1 || (n > 1 && bc != k)) {
    turned = malloc(sizeof(float) * n * k);
    if (turned == NULL) abort();
    for (long j = 0; j < n; j++) for (long p = 0; p < k; p++) turned[j * k + p] = b[p * br + j * bc];
  }
  const Product g = {m, n, k, a, ar, 1, turned != NULL ? turned : b, 1, k, c, 1};
  x->job = &g;
  run(x, thin_task, m * n * k < 100000 || m < x->threads ? 1 : x->threads);
  free(turned);
}
#define PRODUCT_SCRATCH (4 * (KC * 512 + KC * MC + MR * NR))
/* c [m, n] = a · b */
static void product_f32(Context *x, long m, long n, long k, const float *a, long ar, long ac, const float *b, long br,
                        long bc, float *c) {
  if (m == 0 || n == 0) return;
  if (k == 0) { memset(c, 0, sizeof(float) * m * n); return; }
  if (n <= 8 && ac == 1 && k >= LANES) { product_thin(x, m, n, k, a, ar, b, br, bc, c); return; }
  const Product g = {m, n, k, a, ar, ac, b, br, bc, c, m * NR > n * MR};
  x->job = &g;
  run(x, product_task, m * n * k < 100000 ? 1 : x->threads);
}
#define PLAIN_PRODUCT(name, type, total) \\
  static void product_##name(Context *x, long m, long n, long k, const type *a, long ar, long ac, const type *b, long br, \\
                             long bc, type *c) { \\
    (void)x; \\
    for (long i = 0; i < m; i++) \\
      for (long j = 0; j < n; j++) { \\
        total sum = 0; \\
        for (long p = 0; p < k; p++) sum += (total)a[i * ar + p * ac] * b[p * br + j * bc]; \\
        c[i * n + j] = (type)sum; \\
      } \\
  }
PLAIN_PRODUCT(f64, double, double)
PLAIN_PRODUCT(i32, int32_t, int64_t)
`;
}

export function productScratch(target: CTarget): number {
  const rows = Math.floor(accumulators(target) / 2);
  return 4 * (256 * 512 + 256 * rows * 8 + rows * 2 * target.lanes);
}
