import type { ConvSizes } from './conv-sizes.js';
import { literal } from './expressions.js';
import { mayBeSparse, sparseForwardText, sparseGradientText } from './sparse.js';
import { type Taps, tapsText, up } from './taps.js';
import { type CTarget, accumulators, tileOf, vectorsOf } from './tiles.js';

/** One convolution as C: helper functions, a task that works on images, and sizes of what it needs. */
export interface ConvText {
  readonly code: string;
  /** Floats of packed weights; 0 where there are none. */
  readonly packed: number;
  /** Floats of all parts' sums of a filter gradient. */
  readonly partial: number;
  /** Bytes of scratch memory of a thread. */
  readonly scratch: number;
  /** The statements of a step, over `x`. */
  readonly call: string;
}

export interface ConvPlaces {
  readonly name: string;
  /** Images, as C. */
  readonly batch: string;
  readonly x: number;
  readonly w: number;
  readonly y: number;
  readonly packed: number;
  readonly partial: number;
  /** Whether the weight never changes: it is packed in the first run only. */
  readonly fixed: boolean;
  /** What a byte of the image counts, where it lies as bytes. */
  readonly unit?: number;
}

/** Parts of a filter gradient's sum over images. */
const gradientParts = 8;

/** Few channels are gathered with their neighbours first. */
const fewChannels = 8;

/** How images are copied with a border of zeros, so that no tap is a special case. */
interface Border {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly top: number;
  readonly left: number;
  readonly tall: number;
  readonly wide: number;
}

const floatsOf = ({ tall, wide, channels }: Border): number => tall * wide * channels;
const isPlain = ({ height, width, top, left, tall, wide }: Border): boolean =>
  top === 0 && left === 0 && tall <= height && wide <= width;

/** Statements that copy the image at `from` into the border at `to`. */
function copyText(b: Border, from: string, to: string): string {
  const rows = Math.min(b.height, b.tall - b.top);
  const columns = Math.min(b.width, b.wide - b.left);
  return (
    `for (long r = 0; r < ${rows}; r++) memcpy(${to} + (r + ${b.top}) * ${b.wide * b.channels} + ` +
    `${b.left * b.channels}, ${from} + r * ${b.width * b.channels}, ${4 * columns * b.channels});`
  );
}

function inputBorder(s: ConvSizes): Border {
  const reach = (i: number): number => (s.output[i]! - 1) * s.stride[i]! + (s.kernel[i]! - 1) * s.dilation[i]! + 1;
  const [tall, wide] = [reach(0), reach(1)];
  const border = {
    height: s.input[0],
    width: s.input[1],
    channels: s.channels,
    top: s.pads[0]!,
    left: s.pads[1]!,
    tall,
    wide,
  };
  // an image without pads is read where it lies
  return isPlain(border) ? { ...border, tall: s.input[0], wide: s.input[1] } : border;
}

function inputTaps(s: ConvSizes, border: Border): number[] {
  const [kh, kw] = s.kernel;
  return Array.from(
    { length: kh * kw },
    (_, t) => (Math.floor(t / kw) * s.dilation[0]! * border.wide + (t % kw) * s.dilation[1]!) * s.channels,
  );
}

/** The type of an image's elements; statements that give image `b` as floats; how many of them from `scratch + at` that takes. */
function imageOf(s: ConvSizes, { unit }: ConvPlaces, at: number): { type: string; take: string; floats: number } {
  const count = s.input[0] * s.input[1] * s.channels;
  if (unit === undefined) return { type: 'float', take: `const float *image = from + b * ${count};`, floats: 0 };
  const copy = `of_bytes(scratch + ${at}, from + b * ${count}, ${count}, ${literal('f32', unit)});`;
  return { type: 'uint8_t', take: `${copy} const float *image = scratch + ${at};`, floats: up(count, 16) };
}

/** Gathers the neighbours of every position side by side, where channels are few. */
function gatherText(s: ConvSizes, border: Border, from: string, to: string): string {
  const offsets = inputTaps(s, border);
  const k = offsets.length * s.channels;
  const copies = offsets.map((offset, t) =>
    Array.from({ length: s.channels }, (_, c) => `q[${t * s.channels + c}] = p[${offset + c}];`).join(' '),
  );
  return [
    `for (long r = 0; r < ${s.output[0]}; r++) for (long c = 0; c < ${s.output[1]}; c++) {`,
    `  const float *restrict p = ${from} + (r * ${s.stride[0]! * border.wide} + c * ${s.stride[1]!}) * ${s.channels};`,
    `  float *restrict q = ${to} + (r * ${s.output[1]} + c) * ${k};`,
    ...copies.map((copy) => `  ${copy}`),
    '}',
  ].join('\n');
}

const isGathered = (s: ConvSizes): boolean => s.channels < fewChannels && s.kernel[0] * s.kernel[1] > 1;

const task = (name: string): string => `static void ${name}(const Context *x, long part, long parts, long worker)`;

function range(batch: string): string {
  return `const long N = x->n; (void)N; const long count = ${batch}, lo = count * part / parts, hi = count * (part + 1) / parts;`;
}

/** y = conv(x, w), images with channels innermost. */
export function forwardText(s: ConvSizes, at: ConvPlaces, target: CTarget): ConvText {
  const border = inputBorder(s);
  const gathered = isGathered(s);
  const taps = s.kernel[0] * s.kernel[1];
  const k = taps * s.channels;
  const padded = up(s.filters, target.lanes);
  const [rows, columns] = s.output;
  const common = { cout: s.filters, rows, columns, outRow: columns * s.filters, outColumn: s.filters };
  const kernel: Taps = gathered
    ? { ...common, cin: k, offsets: [0], row: columns * k, column: k }
    : {
        ...common,
        cin: s.channels,
        offsets: inputTaps(s, border),
        row: s.stride[0]! * border.wide * s.channels,
        column: s.stride[1]! * s.channels,
      };
  const plain = isPlain(border);
  const floats = up(floatsOf(border), 16);
  const floatsBefore = floats + (gathered ? rows * columns * k : 0);
  const image = imageOf(s, at, up(floatsBefore, 16));
  const own = up(floatsBefore, 16) + image.floats;
  const sparse = mayBeSparse(s, target) ? sparseForwardText(at.name, s, own, target) : undefined;
  const lines = [
    sparse?.code ?? '',
    tapsText(`${at.name}_image`, kernel, target),
    `${task(at.name)} {`,
    range(at.batch),
    `const ${image.type} *from = (const ${image.type} *)x->p[${at.x}]; float *to = (float *)x->p[${at.y}];`,
    `const float *w = (const float *)x->p[${at.packed}];`,
    `float *scratch = (float *)(x->scratch + worker * x->scratch_bytes); (void)scratch;`,
    plain ? '' : `memset(scratch, 0, ${4 * floatsOf(border)});`,
    sparse === undefined ? '' : 'int sparse = 0;',
    'for (long b = lo; b < hi; b++) {',
    image.take,
    sparse === undefined ? '' : `${sparse.decide}\nif (sparse) {\n${sparse.work}\ncontinue;\n}`,
    plain ? '' : `${copyText(border, 'image', 'scratch')} image = scratch;`,
    gathered ? `{ ${gatherText(s, border, 'image', `(scratch + ${floats})`)} } image = scratch + ${floats};` : '',
    `${at.name}_image(image, w, to + b * ${rows * columns * s.filters});`,
    '}',
    '}',
  ];
  const order = Array.from({ length: taps }, (_, t) => t);
  const kk = taps;
  const call = [
    `{ static const int taps[] = {${order.join(', ')}};`,
    `${at.fixed ? 'if (x->fresh) ' : ''}pack_weights((float *)x->p[${at.packed}], (const float *)x->p[${at.w}], taps, ${taps}, ${s.channels}, ${kk}, ${s.filters}, ${s.channels * kk}, ${padded});`,
    `const long N = x->n; (void)N; run(x, ${at.name}, parts_of(${at.batch})); }`,
  ].join(' ');
  const scratch = 4 * (own + (sparse?.floats ?? 0));
  return { code: lines.join('\n'), packed: k * padded, partial: 0, scratch, call };
}

/** ∂/∂input: for each of stride × stride phases of positions a convolution of the result's gradient. */
export function inputGradientText(s: ConvSizes, at: ConvPlaces, target: CTarget): ConvText {
  const [kh, kw] = s.kernel;
  const axisTaps = (axis: 0 | 1, phase: number): { k: number; offset: number }[] =>
    Array.from({ length: s.kernel[axis] }, (_, k) => ({
      k,
      offset: (phase + s.pads[axis]! - k * s.dilation[axis]!) / s.stride[axis]!,
    })).filter(({ offset }) => Number.isInteger(offset));
  const phases = Array.from({ length: s.stride[0]! * s.stride[1]! }, (_, i) => {
    const [py, px] = [Math.floor(i / s.stride[1]!), i % s.stride[1]!];
    const taps = axisTaps(0, py).flatMap((y) => axisTaps(1, px).map((x) => ({ y, x })));
    const rows = Math.ceil((s.input[0] - py) / s.stride[0]!);
    const columns = Math.ceil((s.input[1] - px) / s.stride[1]!);
    return { py, px, taps, rows, columns };
  }).filter(({ rows, columns }) => rows > 0 && columns > 0);
  const used = phases.filter(({ taps }) => taps.length > 0);
  const least = (pick: (phase: (typeof used)[number]) => number[]): number =>
    Math.max(0, -Math.min(0, ...used.flatMap(pick)));
  const top = least(({ taps }) => taps.map(({ y }) => y.offset));
  const left = least(({ taps }) => taps.map(({ x }) => x.offset));
  const reach = (size: number, before: number, pick: (phase: (typeof used)[number]) => number[]): number =>
    before + Math.max(size, ...used.flatMap(pick));
  const border: Border = {
    height: s.output[0],
    width: s.output[1],
    channels: s.filters,
    top,
    left,
    tall: reach(s.output[0], top, ({ taps, rows }) => taps.map(({ y }) => y.offset + rows)),
    wide: reach(s.output[1], left, ({ taps, columns }) => taps.map(({ x }) => x.offset + columns)),
  };
  const plain = isPlain(border);
  const padded = up(s.channels, target.lanes);
  const [height, width] = s.input;
  const calls: string[] = [];
  const kernels: string[] = [];
  const order: number[] = [];
  for (const [i, { py, px, taps, rows, columns }] of used.entries()) {
    const name = `${at.name}_phase${i}`;
    const offsets = taps.map(({ y, x }) => ((y.offset + top) * border.wide + x.offset + left) * s.filters);
    const kernel: Taps = {
      cin: s.filters,
      cout: s.channels,
      offsets,
      row: border.wide * s.filters,
      column: s.filters,
      rows,
      columns,
      outRow: s.stride[0]! * width * s.channels,
      outColumn: s.stride[1]! * s.channels,
    };
    kernels.push(tapsText(name, kernel, target));
    calls.push(`${name}(image, w + ${order.length * s.filters * padded}, result + ${(py * width + px) * s.channels});`);
    order.push(...taps.map(({ y, x }) => y.k * kw + x.k));
  }
  const lines = [
    ...kernels,
    `${task(at.name)} {`,
    range(at.batch),
    `const float *from = (const float *)x->p[${at.y}]; float *to = (float *)x->p[${at.x}];`,
    `const float *w = (const float *)x->p[${at.packed}]; (void)w;`,
    `float *scratch = (float *)(x->scratch + worker * x->scratch_bytes); (void)scratch;`,
    plain ? '' : `memset(scratch, 0, ${4 * floatsOf(border)});`,
    'for (long b = lo; b < hi; b++) {',
    `const float *image = from + b * ${s.output[0] * s.output[1] * s.filters}; (void)image;`,
    plain ? '' : `${copyText(border, 'image', 'scratch')} image = scratch;`,
    `float *result = to + b * ${height * width * s.channels};`,
    used.length < phases.length ? `memset(result, 0, ${4 * height * width * s.channels});` : '',
    ...calls,
    '}',
    '}',
  ];
  const kk = kh * kw;
  const call = [
    `{ static const int taps[] = {${[...order, 0].join(', ')}};`,
    `${at.fixed ? 'if (x->fresh) ' : ''}pack_weights((float *)x->p[${at.packed}], (const float *)x->p[${at.w}], taps, ${order.length}, ${s.filters}, ${s.channels * kk}, ${s.channels}, ${kk}, ${padded});`,
    `const long N = x->n; (void)N; run(x, ${at.name}, parts_of(${at.batch})); }`,
  ].join(' ');
  const scratch = plain ? 0 : 4 * floatsOf(border);
  return { code: lines.join('\n'), packed: Math.max(1, order.length) * s.filters * padded, partial: 0, scratch, call };
}

/** ∂/∂weight: sums over positions of inputs times gradients, in registers for an image at a time. */
export function weightGradientText(s: ConvSizes, at: ConvPlaces, target: CTarget): ConvText {
  const { lanes } = target;
  const border = inputBorder(s);
  const gathered = isGathered(s);
  const plain = isPlain(border);
  const [rows, columns] = s.output;
  const kk = s.kernel[0] * s.kernel[1];
  const cin = gathered ? kk * s.channels : s.channels;
  const offsets = gathered ? [0] : inputTaps(s, border);
  const row = gathered ? columns * cin : s.stride[0]! * border.wide * s.channels;
  const column = gathered ? cin : s.stride[1]! * s.channels;
  const padded = up(s.filters, lanes);
  const vectors = padded / lanes;
  const each = vectorsOf(vectors);
  const tall = tileOf(cin, Math.floor(accumulators(target) / each));
  const kernels: string[] = [];
  const made = new Set<string>();
  const tile = (height: number, count: number): string => {
    const own = `${at.name}_${height}_${count}`;
    if (made.has(own)) return own;
    made.add(own);
    const lines = [`static void ${own}(const float *restrict s, const float *restrict g, float *restrict d) {`];
    const all = (f: (r: number, v: number) => string): void => {
      for (let r = 0; r < height; r++) for (let v = 0; v < count; v++) lines.push(f(r, v));
    };
    all((r, v) => `  vec a${r}_${v} = *(const vec *)(d + ${r * padded + v * lanes});`);
    lines.push(`  for (int r = 0; r < ${rows}; r++, s += ${row - columns * column}) {`);
    lines.push(`    for (int c = 0; c < ${columns}; c++, s += ${column}, g += ${padded}) {`);
    for (let v = 0; v < count; v++) lines.push(`      const vec g${v} = LOAD(g + ${v * lanes});`);
    for (let r = 0; r < height; r++) {
      const sums = Array.from({ length: count }, (_, v) => `a${r}_${v} += g${v} * b;`).join(' ');
      lines.push(`      { const float b = s[${r}]; ${sums} }`);
    }
    lines.push('    }', '  }');
    all((r, v) => `  *(vec *)(d + ${r * padded + v * lanes}) = a${r}_${v};`);
    lines.push('}');
    kernels.push(lines.join('\n'));
    return own;
  };
  const main: string[] = [`static void ${at.name}_image(const float *s, const float *g, float *d) {`];
  main.push(`for (int t = 0; t < ${offsets.length}; t++) {`);
  const blocks = (count: number, from: number, to: number): void => {
    main.push(`  for (long o = ${from}; o < ${to}; o += ${count}) {`);
    const whole = Math.floor(cin / tall) * tall;
    const at_ = (c: string): string =>
      `s + ${at.name}_at[t] + ${c}, g + o * ${lanes}, d + ((long)t * ${cin} + ${c}) * ${padded} + o * ${lanes}`;
    main.push(`    for (long c = 0; c < ${whole}; c += ${tall}) ${tile(tall, count)}(${at_('c')});`);
    if (whole < cin) main.push(`    ${tile(cin - whole, count)}(${at_(String(whole))});`);
    main.push('  }');
  };
  const whole = Math.floor(vectors / each) * each;
  blocks(each, 0, whole);
  if (whole < vectors) blocks(vectors - whole, whole, vectors);
  main.push('}', '}');
  const floats = up(floatsOf(border), 16);
  const gatheredFloats = gathered ? up(rows * columns * cin, 16) : 0;
  const gradient = padded === s.filters ? 0 : rows * columns * padded;
  const total = kk * s.channels * padded;
  const image = imageOf(s, at, up(floats + gatheredFloats + gradient, 16));
  const floatsBefore = up(floats + gatheredFloats + gradient, 16) + image.floats;
  const sparse = mayBeSparse(s, target) ? sparseGradientText(at.name, s, floatsBefore, target) : undefined;
  const lines = [
    sparse?.code ?? '',
    `static const int ${at.name}_at[] = {${offsets.join(', ')}};`,
    ...kernels,
    main.join('\n'),
    `${task(at.name)} {`,
    range(at.batch),
    `const ${image.type} *from = (const ${image.type} *)x->p[${at.x}]; const float *grads = (const float *)x->p[${at.y}];`,
    `float *sums = (float *)x->p[${at.partial}] + part * ${total};`,
    `float *scratch = (float *)(x->scratch + worker * x->scratch_bytes); (void)scratch;`,
    `memset(sums, 0, ${4 * total});`,
    plain ? '' : `memset(scratch, 0, ${4 * floatsOf(border)});`,
    sparse === undefined ? '' : 'int sparse = 0;',
    'for (long b = lo; b < hi; b++) {',
    image.take,
    `const float *g = grads + b * ${rows * columns * s.filters};`,
    sparse === undefined ? '' : `${sparse.decide}\nif (sparse) {\n${sparse.work}\ncontinue;\n}`,
    plain ? '' : `${copyText(border, 'image', 'scratch')} image = scratch;`,
    gathered ? `{ ${gatherText(s, border, 'image', `(scratch + ${floats})`)} } image = scratch + ${floats};` : '',
    gradient === 0
      ? ''
      : `{ float *wide = scratch + ${floats + gatheredFloats}; for (long i = 0; i < ${rows * columns}; i++) for (long o = 0; o < ${padded}; o++) wide[i * ${padded} + o] = o < ${s.filters} ? g[i * ${s.filters} + o] : 0; g = wide; }`,
    `${at.name}_image(image, g, sums);`,
    '}',
    '}',
  ];
  const call =
    `{ const long N = x->n; (void)N; const long count = ${at.batch}, parts = count < ${gradientParts} ? count : ${gradientParts}; ` +
    `run(x, ${at.name}, parts); ` +
    `unpack_gradient((float *)x->p[${at.w}], (const float *)x->p[${at.partial}], parts, ${kk}, ${s.channels}, ${s.filters}, ${padded}); }`;
  return {
    code: lines.join('\n'),
    packed: 0,
    partial: gradientParts * total,
    scratch: 4 * (floatsBefore + (sparse?.floats ?? 0)),
    call,
  };
}

export const convolutionHelpers = `
static inline void of_bytes(float *restrict to, const uint8_t *restrict from, long count, float unit) {
  for (long i = 0; i < count; i++) to[i] = (float)from[i] * unit;
}
static inline long parts_of(long count) { return count < 16 ? (count > 0 ? count : 1) : 16; }
/* w[t][i][j] = given[i * a + j * b + taps[t]], j padded with zeros */
static void pack_weights(float *restrict w, const float *restrict given, const int *taps, long count, long rows, long a,
                         long columns, long b, long padded) {
  for (long t = 0; t < count; t++)
    for (long i = 0; i < rows; i++)
      for (long j = 0; j < padded; j++)
        w[(t * rows + i) * padded + j] = j < columns ? given[i * a + j * b + taps[t]] : 0;
}
static void unpack_gradient(float *restrict w, const float *restrict sums, long parts, long taps, long channels,
                            long filters, long padded) {
  const long total = taps * channels * padded;
  for (long t = 0; t < taps; t++)
    for (long c = 0; c < channels; c++)
      for (long o = 0; o < filters; o++) {
        float sum = 0;
        for (long p = 0; p < parts; p++) sum += sums[p * total + (t * channels + c) * padded + o];
        w[(o * channels + c) * taps + t] = sum;
      }
}
`;
