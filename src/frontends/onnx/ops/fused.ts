import type { NodeContext } from '../context.js';
import type { FunctionName } from '../../../network/functions.js';
import type { Attrs } from '../../../network/types.js';
import { asSpace } from '../image.js';
import { type RealValue, type Value, inAxesOf } from '../values.js';
import { addition, timesNumber } from './arithmetic.js';
import { affine } from './with-constant.js';
import { productOf } from './attention.js';
import type { OnnxOpTable } from './define.js';
import { applied } from './function.js';
import { convolution, gemmPlan } from './synapse.js';

/** What onnxruntime makes of several operators of a float graph: the operators one after the other. */
export const fusedOps: OnnxOpTable = {
  BiasGelu: { inputs: [2, 2], run: (c) => [applied(c, 'gelu', biased(c))] },
  FastGelu: { inputs: [1, 2], run: (c) => [applied(c, 'gelu_tanh', biased(c))] },
  FusedConv: { inputs: [2, 4], run: (c) => [fusedConv(c)] },
  FusedGemm: { inputs: [2, 3], run: (c) => [fusedGemm(c)] },
  FusedMatMul: { inputs: [2, 2], run: (c) => [fusedMatMul(c)] },
};

/** The first input and the bias that is the second. */
function biased(context: NodeContext): RealValue {
  const bias = context.optionalConstant(1, 'the bias');
  const x = context.realInAnyLayout(0);
  return bias === undefined ? x : affine(context, 'Add', x, bias, false, undefined, 'biased');
}

function fusedConv(context: NodeContext): Value {
  const image = asSpace(context, context.realInAnyLayout(0));
  const plan = convolution(context, image, context.constant(1, 'the weight'), context.optionalConstant(2, 'the bias'));
  const sum = plan.emit({});
  const added =
    context.optional(3) === undefined ? sum : addition(context, sum, context.realInAnyLayout(3), undefined, 'sum');
  return activated(context, added, context.string('activation', ''), context.floats('activation_params'));
}

function fusedGemm(context: NodeContext): Value {
  const sum = gemmPlan(context).plan.emit({});
  const params = ['activation_alpha', 'activation_beta', 'activation_gamma'].flatMap((name) =>
    context.node.attributes.has(name) ? [context.float(name, 0)] : [],
  );
  return activated(context, sum, context.string('activation', ''), params);
}

/** alpha·A·B of two activations, transposed or not. */
function fusedMatMul(context: NodeContext): Value {
  for (const name of ['transBatchA', 'transBatchB'])
    if (context.int(name, 0) !== 0) context.badForm(`${name} is set`, 'export without onnxruntime’s fusions');
  const [a, b] = [0, 1].map((i) => {
    const x = context.realInAnyLayout(i);
    if (context.int(i === 0 ? 'transA' : 'transB', 0) === 0) return x;
    const axes = Array.from({ length: context.onnxShape(x).length }, (_, axis) => x.perm?.[axis] ?? axis);
    const perm = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
    return { kind: 'real', op: x.op, ...(x.grid === undefined ? {} : { grid: x.grid }), perm } as const;
  });
  const alpha = context.float('alpha', 1);
  const made = productOf(context, a!, b!, alpha === 1 ? context.output : undefined);
  return alpha === 1 ? made : timesNumber(context, made, alpha, context.output);
}

const functions: Readonly<Record<string, readonly [FunctionName, readonly string[]]>> = {
  LeakyRelu: ['leaky_relu', ['alpha']],
  HardSigmoid: ['hardsigmoid', ['alpha', 'beta']],
  Tanh: ['tanh', []],
};

/** The activation that a fused operator ends with. */
function activated(context: NodeContext, x: RealValue, name: string, params: readonly number[]): RealValue {
  const known = functions[name];
  if (known !== undefined) {
    const [own, keys] = known;
    if (params.length < keys.length) context.badAttribute('activation_params', `[${params.join(', ')}]`);
    const attrs: Attrs = Object.fromEntries(keys.map((key, i) => [key, params[i]!]));
    return applied(context, own, x, attrs);
  }
  const named = { inputs: [x], suffix: 'activation', origin: context.output };
  switch (name) {
    case 'Relu':
      return inAxesOf(x, context.emit({ kind: 'relu', ...named }));
    case 'Sigmoid':
      return inAxesOf(x, context.emit({ kind: 'sigmoid', ...named }));
    case 'Clip': {
      const [min, max] = params;
      if (min === undefined || max === undefined || !(min <= max))
        context.badAttribute('activation_params', `[${params.join(', ')}]`);
      return inAxesOf(x, context.emit({ kind: 'clip', attrs: { min, max }, ...named }));
    }
    default:
      return context.badAttribute('activation', name);
  }
}
