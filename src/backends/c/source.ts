/** Words that a C99 or C++ program can't use for something of its own. */
const reserved = new Set(
  `alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl complex const const_cast constexpr
  continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if
  imaginary inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
  register reinterpret_cast restrict return short signed sizeof static static_assert static_cast struct switch template
  this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
  xor_eq`.split(/\s+/),
);

/** Headers of the C standard and those that a C library includes in them: a file of such a name would hide them. */
const headers = new Set(
  `alloca assert complex ctype endian errno features fenv float inttypes iso646 limits locale math newlib setjmp signal
  stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar
  wchar wctype`.split(/\s+/),
);

/** A name of a network as a C identifier and a file's stem: `resnet20-cifar10.qdq` → `resnet20_cifar10_qdq`. */
export function identifier(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^_+/, '')
    .slice(0, 40);
  const safe = /^[A-Za-z]/.test(plain) ? plain : `net_${plain}`;
  const lower = safe.toLowerCase();
  return reserved.has(lower) || headers.has(lower) ? `${safe}_net` : safe;
}

/** Text for the inside of a C comment: it ends none, begins none, and joins no lines. */
export function comment(text: string): string {
  return text.replace(/[^A-Za-z0-9 .,:;%+=()[\]<>_-]/g, '_');
}

/** A float literal that reads back as the same float. */
export function floatLiteral(x: number): string {
  const value = Math.fround(x);
  if (!Number.isFinite(value)) return value > 0 ? 'SPK_INFINITY' : value < 0 ? '-SPK_INFINITY' : 'SPK_NAN';
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return `${withPoint(Number(text))}f`;
  }
  return `${withPoint(value)}f`;
}

/** A double literal that reads back as the same double. */
export function doubleLiteral(x: number): string {
  if (!Number.isFinite(x)) return x > 0 ? '(double)SPK_INFINITY' : x < 0 ? '-(double)SPK_INFINITY' : '(double)SPK_NAN';
  return withPoint(x);
}

function withPoint(x: number): string {
  const text = Object.is(x, -0) ? '-0' : String(x);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A whole number as an `int32_t` or `int64_t` constant. */
export function integerLiteral(x: number | bigint): string {
  const value = BigInt(x);
  if (value >= -2147483647n && value <= 2147483647n) return String(value);
  return value === -(2n ** 63n) ? 'INT64_MIN' : `INT64_C(${value})`;
}

/** Items in lines of at most so many columns. */
export function wrapped(items: readonly string[], indent = '  ', width = 118): string {
  const lines: string[] = [];
  let line = indent;
  for (const item of items) {
    if (line.length + item.length + 1 > width && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${item}, `;
  }
  if (line !== indent) lines.push(line.trimEnd());
  return lines.join('\n');
}
