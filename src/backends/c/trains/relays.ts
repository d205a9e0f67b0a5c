import { type Op, sourceOf } from '../../../network/index.js';
import { NotInteger } from '../not-integer.js';
import type { Source } from '../unit.js';
import { type Bits, type Extent, type Term, type Train, type Value, extentOf, planeBytes, planesOf } from './values.js';

/** What writes trains elsewhere in memory: makes a train of an op, and reads one. */
export interface Relaying {
  readonly source: Source;
  readonly bits: (op: Op, extent: Extent, signed: boolean, form: Pick<Bits, 'depth' | 'top' | 'unit'>) => Bits;
  readonly train: (train: Bits) => string;
}

/** Trains beside each other, channel behind channel: their bits are copied, each to its place. */
export function writeConcat({ source, bits, train }: Relaying, op: Op, inputs: readonly Value[]): Bits {
  const parts = inputs.map((value) => {
    if (value.kind !== 'bits') throw new NotInteger(op.id, 'it puts sums side by side, not trains');
    return value;
  });
  const [first] = parts as [Bits, ...Bits[]];
  const { unit, extent, steps } = first;
  const [, height, width] = extent;
  if (parts.some((one) => one.unit !== unit)) throw new NotInteger(op.id, 'its spikes are of different sizes');
  if (parts.some((one) => one.extent[1] !== height || one.extent[2] !== width))
    throw new NotInteger(op.id, 'it puts together what lies differently in memory');
  if (parts.some((one) => one.steps !== steps)) throw new NotInteger(op.id, 'its trains are of different lengths');
  const channels = parts.reduce((sum, one) => sum + one.extent[0], 0);
  const [depth, top] = [Math.max(...parts.map((one) => one.depth)), Math.max(...parts.map((one) => one.top))];
  const signed = parts.some((one) => one.signed);
  const made = bits(op, [channels, height, width], signed, { depth, top, unit });
  const to = source.address(made.buffer, 0);
  source.define('spk_beside', beside);
  source.line(`{ uint32_t i; for (i = 0; i < ${made.buffer.count}u; i++) ${to}[i] = 0; }`);
  let at = 0;
  for (const part of parts) {
    const from = [`${steps}u`, `${part.depth}u`, `${height * width}u`, `${part.extent[0]}u`];
    const place = [`${planeBytes(made.extent)}u`, `${signed ? 2 : 1}u`, `${depth}u`, `${channels}u`, `${at}u`];
    source.line(`{ ${train(part)} spk_beside(&t, ${[...from, to, ...place].join(', ')}); }`);
    at += part.extent[0];
  }
  return made;
}

/** A train that comes some steps later, in the same window: its first steps are empty, its last ones are cut off. */
export function writeLag(writer: Relaying, op: Op<'lag'>, value: Value | undefined): Value {
  const later = (train: Train | Term['train']): Train => {
    if (train.kind === 'real') throw new NotInteger(op.id, 'it delays real numbers');
    // windows of the steps before are the windows before
    if (train.kind === 'pooled') return { ...train, from: laterBits(writer, op, train.from) };
    return laterBits(writer, op, train);
  };
  if (value?.kind === 'bits' || value?.kind === 'pooled') return later(value);
  if (value?.kind !== 'potential') throw new NotInteger(op.id, 'it delays real numbers');
  if (value.bias !== undefined) throw new NotInteger(op.id, 'it delays a constant');
  return { ...value, terms: value.terms.map((term) => ({ ...term, train: later(term.train) })) };
}

/** Rows, columns and channels of a train that are chosen, some of them several times, each axis by itself. */
export function writeChosen({ source, bits, train }: Relaying, op: Op, value: Value | undefined): Bits {
  if (value?.kind !== 'bits') throw new NotInteger(op.id, 'it moves what is no train in bits');
  const { shape } = op.type;
  const [height, width] = value.extent.slice(1) as [number, number];
  const extent = extentOf(shape);
  // in memory flattened values stand in another order
  if (extent === undefined || (shape.length === 1 && height * width > 1))
    throw new NotInteger(op.id, 'it moves what lies differently in memory');
  const own = shape.length === 2 ? [value.extent[0], width] : value.extent.slice(0, shape.length);
  const places = [0, 1, 2].map((axis) => {
    const at = shape.length === 2 ? [0, -1, 1][axis]! : axis;
    if (at < 0 || at >= shape.length) return [0];
    const zero = shape.map(() => 0);
    return Array.from({ length: extent[axis]! }, (_, i) => sourceOf(op, own, zero.with(at, i))[at]!);
  });
  if (places.flat().some((i) => i > 32767)) throw new NotInteger(op.id, 'it is too large');
  const made = bits(op, extent, value.signed, value);
  const to = source.address(made.buffer, 0);
  source.define('spk_chosen', chosenKernel);
  source.line(`{ uint32_t i; for (i = 0; i < ${made.buffer.count}u; i++) ${to}[i] = 0; }`);
  const tables = places.map(
    (table, axis) => source.numbers('i16', table, `${['channels', 'rows', 'columns'][axis]!} of ${op.id}`).name,
  );
  const sizes = [...extent, value.extent[0], width].map((n) => `${n}u`);
  const planes = value.steps * value.depth * (value.signed ? 2 : 1);
  const args = [`${planes}u`, ...sizes, ...tables, to, `${planeBytes(extent)}u`].join(', ');
  source.line(`{ ${train(value)} spk_chosen(&t, ${args}); }`);
  return made;
}

function laterBits({ source, bits, train }: Relaying, op: Op<'lag'>, from: Bits): Bits {
  const { extent, signed, steps } = from;
  const made = bits(op, extent, signed, from);
  const step = planeBytes(extent) * planesOf(from) * (signed ? 2 : 1);
  const late = Math.min(op.attrs.steps, steps) * step;
  source.define('spk_later', laterKernel);
  source.line(`{ ${train(from)} spk_later(t.bits, ${source.address(made.buffer, 0)}, ${steps * step}u, ${late}u); }`);
  return made;
}

/** A plane of a step has its channels last; each bit goes to where the channels of its train begin. */
const beside = `/* The channels of a train from channel \`at\` of another on, plane by plane. */
static void spk_beside(const spk_train *t, uint32_t steps, uint32_t depth, uint32_t pixels, uint32_t channels, uint8_t *out, uint32_t bytes,
    uint32_t planes, uint32_t out_depth, uint32_t out_channels, uint32_t at) {
  const int whole = channels % 8u == 0u && out_channels % 8u == 0u && at % 8u == 0u;
  uint32_t k, b, p, x, c;
  for (k = 0; k < steps; k++) for (b = 0; b < depth; b++) for (p = 0; p < t->planes; p++) {
    const uint8_t *const from = t->bits + ((k * depth + b) * t->planes + p) * t->bytes;
    uint8_t *const to = out + ((k * out_depth + out_depth - depth + b) * planes + p) * bytes;
    for (x = 0; x < pixels; x++) {
      const uint32_t i = x * channels, j = x * out_channels + at;
      if (whole) for (c = 0; c < channels / 8u; c++) to[j / 8u + c] = from[i / 8u + c];
      else for (c = 0; c < channels; c++)
        to[(j + c) >> 3] |= (uint8_t)(((uint32_t)(from[(i + c) >> 3] >> ((i + c) & 7u)) & 1u) << ((j + c) & 7u));
    }
  }
}`;

const chosenKernel = `/* Channels, rows and columns of a train that are chosen, plane by plane. */
static void spk_chosen(const spk_train *t, uint32_t planes, uint32_t channels, uint32_t height, uint32_t width, uint32_t in_channels,
    uint32_t in_width, const spk_i16 *channel, const spk_i16 *row, const spk_i16 *column, uint8_t *out, uint32_t bytes) {
  uint32_t p, y, x, c;
  for (p = 0; p < planes; p++, out += bytes) {
    const uint8_t *const from = t->bits + p * t->bytes;
    uint32_t i = 0;
    for (y = 0; y < height; y++) for (x = 0; x < width; x++) {
      const uint32_t pixel = ((uint32_t)row[y] * in_width + (uint32_t)column[x]) * in_channels;
      for (c = 0; c < channels; c++, i++) {
        const uint32_t j = pixel + (uint32_t)channel[c];
        out[i >> 3] |= (uint8_t)(((uint32_t)(from[j >> 3] >> (j & 7u)) & 1u) << (i & 7u));
      }
    }
  }
}`;

const laterKernel = `/* A train some steps later. */
static void spk_later(const uint8_t *from, uint8_t *out, uint32_t bytes, uint32_t late) {
  uint32_t i;
  for (i = 0; i < late; i++) out[i] = 0;
  for (; i < bytes; i++) out[i] = from[i - late];
}`;
