import { type ProgramBuilder, type Value, stepsOf } from '../../tensor/index.js';
import { boolean, number, optional, pair } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, matrixProductShape, productLevels, shapeText, withTime } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const matmul = defineOp({
  doc: 'Matrix product of two values at the same steps, over their last two axes: a [.., m, k], b [.., k, n], with `transpose` [.., n, k]; axes before are equal. Of two trains: exact counts, k·levels·levels of them; beyond 2²⁴, where float32 has no exact integers, a potential. With `planes` the operand `on` (0 or 1) comes as so many binary planes a step (`unary`: ones that count alike) of codes in `levels`: Σ_b 2^b·(A_b·B) adds values of the other operand alone.',
  arity: [2, 2],
  attrs: {
    transpose: boolean(),
    planes: optional(number()),
    unary: optional(boolean()),
    on: optional(number()),
    levels: optional(pair()),
  },
  params: [],
  traits: {
    ...realTraits,
    role: 'product',
    // [.., m, n] of k products each; k is the first operand's last axis
    macs: ({ input, output }) => output.reduce((all, n) => all * n, input.at(-1)!),
    join: true,
    reach: 'own',
  },
  lowering: {
    role: 'product',
    act: ({ builder }, { attrs }, [a, b]) => {
      const { transpose, planes, on = 0, unary = false } = attrs;
      const multiplied = (x: Value, y: Value): Value => builder.matmul(x, y, { transB: transpose });
      if (planes === undefined) return multiplied(a!, b!);
      const split = Array.from({ length: planes }, (_, plane) => {
        const bits = planeOf(builder, [a!, b!][on]!, planes, plane);
        const sum = on === 0 ? multiplied(bits, b!) : multiplied(a!, bits);
        return unary || plane === 0 ? sum : builder.mul(sum, 2 ** plane);
      });
      return split.reduce((sum, one) => builder.add(sum, one));
    },
  },
  type: ({ inputs, attrs: { transpose, planes, on = 0, levels } }) => {
    const [a, b] = inputs as [(typeof inputs)[number], (typeof inputs)[number]];
    const shape = matrixProductShape(a.shape, b.shape, transpose);
    if (typeof shape === 'string') return shape;
    if (planes !== undefined) {
      const [split, other] = on === 0 ? [a, b] : [b, a];
      if (levels === undefined || (on !== 0 && on !== 1)) return '`planes` go with `levels` and with `on`, 0 or 1';
      if (split.code.kind !== 'spike' || split.time === undefined)
        return `planes are spikes, not ${shapeText(split.shape)}`;
      if (split.time.start !== other.time?.start || split.time.steps !== planes * other.time.steps)
        return `needs ${planes} planes of one operand at each step of the other`;
      if (other.code.kind !== 'spike') return linearResult(other, shape);
      const code = { ...split.code, min: levels[0], max: levels[1] };
      return withTime({ shape, code: productLevels(code, other.code, a.shape.at(-1)!) }, other.time);
    }
    if (a.code.kind !== 'spike' || b.code.kind !== 'spike') return linearResult(a, shape);
    return withTime({ shape, code: productLevels(a.code, b.code, a.shape.at(-1)!) }, a.time);
  },
});

/** One plane of all steps of a train [T·planes·N, …]: [T·N, …]. */
function planeOf(builder: ProgramBuilder, train: Value, planes: number, plane: number): Value {
  const steps = Array.from({ length: stepsOf(train) / planes }, (_, t) => builder.step(train, t * planes + plane));
  return steps.length === 1 ? steps[0]! : builder.concat(steps, 0);
}
