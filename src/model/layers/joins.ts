import type { TensorValue } from '../values.js';
import { type LayerDef, type LayerSite, isImage, sameShape } from './layer-def.js';

const several = { min: 2, max: 64 } as const;

/** `add(a, b, …)`, which is `a + b + …`: equal shapes. */
export const add: LayerDef = {
  inputs: several,
  parameters: [],
  shapeWithout: ([first]) => first?.shape,
  build: (site, [first, ...rest], _args, name) =>
    rest.reduce<TensorValue | undefined>((sum, next) => sum && join(site, name, 'add', sum, next), first),
};

/** `mul(a, b)`, which is `a * b`: equal shapes, or [C, 1, 1] against [C, H, W]. */
export const mul: LayerDef = {
  inputs: { min: 2, max: 2 },
  parameters: [],
  shapeWithout: ([first]) => first?.shape,
  build: (site, [left, right], _args, name) => join(site, name, 'mul', left, right!),
};

/** `concat(a, b, …)` along the channels (or the features). */
export const concat: LayerDef = {
  inputs: several,
  parameters: [],
  build(site, inputs, _args, name) {
    const [first] = inputs;
    for (const other of inputs.slice(1)) {
      const fits =
        other.shape.length === first.shape.length && other.shape.every((n, i) => i === 0 || n === first.shape[i]);
      if (!fits) return site.mismatch(first, other);
    }
    const channels = inputs.reduce((sum, input) => sum + input.shape[0]!, 0);
    return site.add(name, 'concat', inputs, [channels, ...first.shape.slice(1)], { axis: 0 });
  },
};

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
  return site.mismatch(left, right);
}

function scales(gain: readonly number[], image: readonly number[]): boolean {
  return isImage(gain) && isImage(image) && gain[0] === image[0] && gain[1] === 1 && gain[2] === 1;
}
