import type { OpBuilder, Value } from '../op-builder.js';
import { ShapeError } from '../dims.js';
import type { SurrogateAttrs } from '../types.js';

/** The attributes of an op that may carry a surrogate. */
export const surrogateAttrs = [
  'surrogate',
  'surrogate_width',
  'surrogate_slope',
  'surrogate_alpha',
  'surrogate_lo',
  'surrogate_hi',
] as const satisfies readonly (keyof SurrogateAttrs)[];

/** The names a `surrogate` attribute may have. */
export const surrogates = ['rectangle', 'triangle', 'sigmoid', 'atan', 'fast_sigmoid', 'ste'] as const;

/**
 * The derivative that stands in for a unit step at v = 0 (all but `ste` integrate to 1,
 * except fast_sigmoid, which is 1 at 0):
 *
 * - rectangle(width = 1):   1/width where |v| < width/2
 * - triangle(width = 1):    max(0, 1 − |v|/width) / width
 * - sigmoid(slope = 4):     slope·σ(slope·v)·(1 − σ(slope·v))
 * - atan(alpha = 2):        (alpha/2) / (1 + (π/2·alpha·v)²)
 * - fast_sigmoid(slope = 25): 1 / (1 + slope·|v|)²
 * - ste(lo = −∞, hi = ∞):   1 where lo ≤ v ≤ hi
 */
export function surrogateGradient(b: OpBuilder, v: Value, attrs: SurrogateAttrs): Value {
  const one = b.scalar(v.dtype, 1);
  const zero = b.scalar(v.dtype, 0);
  switch (attrs.surrogate) {
    case 'rectangle': {
      const width = attrs.surrogate_width ?? 1;
      return b.select(b.lt(b.abs(v), width / 2), b.scalar(v.dtype, 1 / width), zero);
    }
    case 'triangle': {
      const width = attrs.surrogate_width ?? 1;
      return b.max(b.sub(1 / width, b.mul(b.abs(v), 1 / (width * width))), zero);
    }
    case 'sigmoid': {
      const slope = attrs.surrogate_slope ?? 4;
      const s = b.sigmoid(b.mul(v, slope));
      return b.mul(b.mul(s, b.sub(one, s)), slope);
    }
    case 'atan': {
      const alpha = attrs.surrogate_alpha ?? 2;
      const scaled = b.mul(v, (Math.PI / 2) * alpha);
      return b.div(b.scalar(v.dtype, alpha / 2), b.add(b.mul(scaled, scaled), one));
    }
    case 'fast_sigmoid': {
      const root = b.add(b.mul(b.abs(v), attrs.surrogate_slope ?? 25), one);
      return b.div(one, b.mul(root, root));
    }
    case 'ste': {
      const { surrogate_lo: lo = -Infinity, surrogate_hi: hi = Infinity } = attrs;
      const above = lo === -Infinity ? undefined : b.ge(v, lo);
      const below = hi === Infinity ? undefined : b.le(v, hi);
      if (above === undefined && below === undefined) return one;
      const inside = above === undefined ? below! : below === undefined ? above : b.and(above, below);
      return b.cast(inside, v.dtype);
    }
    default:
      throw new ShapeError(`surrogate "${attrs.surrogate}" is not one of ${surrogates.join(', ')}`);
  }
}
