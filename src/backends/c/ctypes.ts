/** How numbers lie in memory. */
export const ctypes = {
  u8: { name: 'uint8_t', bytes: 1, min: 0, max: 255 },
  i8: { name: 'int8_t', bytes: 1, min: -128, max: 127 },
  i16: { name: 'spk_i16', bytes: 2, min: -32768, max: 32767 },
  i32: { name: 'spk_i32', bytes: 4, min: -2147483648, max: 2147483647 },
  i64: { name: 'spk_i64', bytes: 8, min: -(2 ** 63), max: 2 ** 63 },
  f32: { name: 'spk_f32', bytes: 4, min: -Infinity, max: Infinity },
  f64: { name: 'spk_f64', bytes: 8, min: -Infinity, max: Infinity },
} as const;

export type CType = keyof typeof ctypes;

/** The narrowest integer type for the numbers from `lo` to `hi`. */
export function integerType(lo: number, hi: number): CType {
  for (const type of ['u8', 'i8', 'i16', 'i32'] as const) {
    if (lo >= ctypes[type].min && hi <= ctypes[type].max) return type;
  }
  return 'i64';
}

/** What both files of a network need of types; the working memory is reused, so its types may alias. */
export const typeDefinitions = `#if defined(__GNUC__)
#define SPK_ALIAS __attribute__((__may_alias__))
#else
#define SPK_ALIAS
#endif
typedef float SPK_ALIAS spk_f32;
typedef double SPK_ALIAS spk_f64;
typedef int16_t SPK_ALIAS spk_i16;
typedef int32_t SPK_ALIAS spk_i32;
typedef int64_t SPK_ALIAS spk_i64;
`;
