import { type ProgramBuilder, type Value, isBatch } from '../../tensor/index.js';
import { list } from './attributes.js';
import { defineOp } from './define.js';
import { shapeText } from './type-rules.js';
import { rearrangingTraits } from './row-traits.js';

export const resample = defineOp({
  doc: 'Rows and columns of [C,H,W] chosen, some several times: y[c,i,j] = x[c, rows[i], columns[j]] (a nearest-neighbour resize).',
  arity: [1, 1],
  attrs: { rows: list(), columns: list() },
  params: [],
  traits: rearrangingTraits,
  source: ({ rows, columns }, _, [channel, row, column]) => [channel!, rows[row!]!, columns[column!]!],
  lowering: {
    role: 'moves',
    act: ({ builder }, { attrs: { rows, columns } }, [x]) => {
      const repeated = repeatedPixels(builder, x!, rows, columns);
      return repeated ?? chosen(builder, chosen(builder, x!, rows, 2), columns, 3);
    },
  },
  type: ({ inputs, attrs: { rows, columns } }) => {
    const { shape } = inputs[0]!;
    if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
    const fits = (places: readonly number[], size: number): boolean =>
      places.length > 0 && places.every((place) => Number.isInteger(place) && place >= 0 && place < size);
    if (!fits(rows, shape[1]!) || !fits(columns, shape[2]!))
      return `chooses rows or columns that ${shapeText(shape)} lacks`;
    return { ...inputs[0]!, shape: [shape[0]!, rows.length, columns.length] };
  },
});

/** How often each of `size` places is repeated, in their order; undefined where it isn't so. */
function factorOf(places: readonly number[], size: number): number | undefined {
  const factor = places.length / size;
  return Number.isInteger(factor) && places.every((place, i) => place === Math.floor(i / factor)) ? factor : undefined;
}

/** Every pixel repeated alike: backends know the pattern. */
function repeatedPixels(
  builder: ProgramBuilder,
  x: Value,
  rows: readonly number[],
  columns: readonly number[],
): Value | undefined {
  const [batch, channels, height, width] = x.shape;
  if (batch === undefined || !isBatch(batch)) return undefined;
  const [down, across] = [factorOf(rows, height as number), factorOf(columns, width as number)];
  if (down === undefined || across === undefined) return undefined;
  const apart = builder.reshape(x, [batch, channels!, height!, 1, width!, 1]);
  const repeated = builder.broadcast(apart, [batch, channels!, height!, down, width!, across]);
  return builder.reshape(repeated, [batch, channels!, rows.length, columns.length]);
}

/** Places of an axis, in runs of neighbours. */
function chosen(builder: ProgramBuilder, x: Value, places: readonly number[], axis: number): Value {
  const runs: { start: number; end: number }[] = [];
  for (const place of places) {
    const last = runs.at(-1);
    if (last?.end === place) last.end++;
    else runs.push({ start: place, end: place + 1 });
  }
  const parts = runs.map(({ start, end }) => builder.sliceAxis(x, axis, start, end));
  return parts.length === 1 ? parts[0]! : builder.concat(parts, axis);
}
