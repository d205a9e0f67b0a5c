import type { TensorValue } from '../values.js';
import { differing, remedy } from './differing.js';
import { type LayerDef, type LayerSite, boolOf, isImage, sameShape } from './layer-def.js';

const several = { min: 2, max: 64 } as const;

export const add: LayerDef = {
  doc: '`a + b + …`, of equal shapes',
  inputs: several,
  parameters: [],
  shapeWithout: ([first]) => first?.shape,
  build: (site, [first, ...rest], _args, name) =>
    rest.reduce<TensorValue | undefined>((sum, next) => sum && join(site, name, 'add', sum, next), first),
};

export const mul: LayerDef = {
  doc: '`a * b`, element by element, of equal shapes, or a factor a channel, [C, 1, 1], of [C, H, W]; of two trains a train of exact products',
  inputs: { min: 2, max: 2 },
  parameters: [],
  shapeWithout: ([first]) => first?.shape,
  build: (site, [left, right], _args, name) => join(site, name, 'mul', left, right!),
};

export const concat: LayerDef = {
  doc: 'one behind the other along the channels (or the features); height and width must be equal',
  inputs: several,
  parameters: [],
  build(site, inputs, _args, name) {
    const [first] = inputs;
    for (const other of inputs.slice(1)) {
      const fits =
        other.shape.length === first.shape.length && other.shape.every((n, i) => i === 0 || n === first.shape[i]);
      if (!fits) return site.mismatch(first, other, differing(first, other, 1), remedy(first, other, 'concat'));
    }
    const channels = inputs.reduce((sum, input) => sum + input.shape[0]!, 0);
    return site.add(name, 'concat', inputs, [channels, ...first.shape.slice(1)], { axis: 0 });
  },
};

export const matmul: LayerDef = {
  doc: 'matrix product over the last two axes, [.., m, k] by [.., k, n], or by the transposed [.., n, k]; axes before them are equal; of two trains it counts their common spikes exactly',
  inputs: { min: 2, max: 2 },
  parameters: [
    { name: 'transpose', doc: 'whether `b` is given as [.., n, k]', spec: { kind: 'bool' }, default: false },
  ],
  build(site, [left, right], args, name) {
    const transpose = boolOf(args, 'transpose')!;
    const [a, b] = [left.shape, right!.shape];
    const inner = transpose ? b.at(-1) : b.at(-2);
    const alike = a.slice(0, -2).every((n, i) => n === b[i]);
    if (a.length < 2 || a.length !== b.length || !alike || a.at(-1) !== inner)
      return site.mismatch(left, right!, unlike(a, b, transpose), turning(a, b, transpose));
    const shape = [...a.slice(0, -1), transpose ? b.at(-2)! : b.at(-1)!];
    return site.add(name, 'matmul', [left, right!], shape, { transpose });
  },
};

/** Why two shapes have no matrix product. */
function unlike(a: readonly number[], b: readonly number[], transpose: boolean): string {
  if (a.length !== b.length) return `${a.length} and ${b.length} axes`;
  if (a.length < 2) return 'vectors; it takes matrices';
  const batch = a.slice(0, -2).findIndex((n, i) => n !== b[i]);
  if (batch !== -1) return `${a[batch]} and ${b[batch]} matrices on axis ${batch}`;
  return `${a.at(-1)} columns against ${transpose ? `${b.at(-1)} columns, transposed` : `${b.at(-2)} rows`}`;
}

/** The other way round, where that fits. */
function turning(a: readonly number[], b: readonly number[], transpose: boolean): string | undefined {
  const isLike = a.length >= 2 && a.length === b.length && a.slice(0, -2).every((n, i) => n === b[i]);
  if (!isLike || a.at(-1) !== (transpose ? b.at(-2) : b.at(-1))) return undefined;
  return transpose
    ? 'without `transpose` they fit'
    : '`matmul(a, b, transpose: true)` multiplies by the second one transposed';
}

function join(
  site: LayerSite,
  name: string,
  kind: 'add' | 'mul',
  left: TensorValue,
  right: TensorValue,
): TensorValue | undefined {
  if (sameShape(left.shape, right.shape)) return site.add(name, kind, [left, right], left.shape);
  if (kind === 'mul' && scales(right.shape, left.shape)) return site.add(name, kind, [left, right], left.shape);
  if (kind === 'mul' && scales(left.shape, right.shape)) return site.add(name, kind, [right, left], right.shape);
  return site.mismatch(left, right, differing(left, right), remedy(left, right, 'add'));
}

function scales(gain: readonly number[], image: readonly number[]): boolean {
  return isImage(gain) && isImage(image) && gain[0] === image[0] && gain[1] === 1 && gain[2] === 1;
}
