/** What the C compiler generates code for: floats in one vector, and vector registers. */
export interface CTarget {
  readonly lanes: number;
  readonly registers: number;
}

/** Floats that a vector holds at most: loops over a multiple of it are as good as longer ones. */
export const widest = 16;

/** Sums that fit the registers beside operands. */
export function accumulators({ registers }: CTarget): number {
  return registers >= 32 ? 28 : 12;
}

/** How many vectors of channels a tile takes at once. */
export function vectorsOf(vectors: number): number {
  if (vectors % 2 === 0) return 2;
  return vectors === 1 ? 1 : vectors % 3 === 0 ? 3 : 2;
}

/** A divisor of `size` of at most `most`, if one is large enough not to waste registers; otherwise `most`. */
export function tileOf(size: number, most: number): number {
  if (size <= most) return size;
  for (let tile = most; tile * 2 >= most; tile--) if (size % tile === 0) return tile;
  return most;
}

export const vectorText = ({ lanes }: CTarget): string => `#define LANES ${lanes}
typedef float vec __attribute__((vector_size(${4 * lanes})));
typedef float loose __attribute__((vector_size(${4 * lanes}), aligned(4)));
#define LOAD(at) ((vec)*(const loose *)(at))
#define STORE(at, v) (*(loose *)(at) = (loose)(v))
`;

/** Stores of the first numbers of a vector. */
export const partText = `
#if defined(__AVX512F__) && LANES == 16
#include <immintrin.h>
static inline void store_some(float *to, vec v, long count) {
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
}
#else
static inline void store_some(float *to, vec v, long count) {
  for (long i = 0; i < count; i++) to[i] = v[i];
}
#endif
`;
