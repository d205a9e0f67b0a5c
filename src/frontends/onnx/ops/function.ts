import type { FunctionName } from '../../../network/functions.js';
import type { Attrs } from '../../../network/types.js';
import type { NodeContext } from '../context.js';
import { type RealValue, type Value, inAxesOf } from '../values.js';
import type { OnnxOpDef, OnnxOpTable } from './define.js';

/** An ONNX function of one activation under our name, with the attributes that it has and their defaults. */
function plain(name: FunctionName, defaults: { readonly alpha?: number; readonly beta?: number } = {}): OnnxOpDef {
  return {
    inputs: [1, 1],
    run: (context) => {
      const attrs = Object.fromEntries(
        Object.entries(defaults).map(([key, fallback]) => [key, numberOf(context, key, fallback)]),
      );
      return [applied(context, name, context.realInAnyLayout(0), attrs)];
    },
  };
}

function numberOf(context: NodeContext, key: string, fallback: number): number {
  // Selu's gain is called gamma
  const value = context.float(context.node.opType === 'Selu' && key === 'beta' ? 'gamma' : key, fallback);
  if (!Number.isFinite(value)) context.badAttribute(key, value);
  return value;
}

/** A function of an activation, whatever its axes: the node's result, or with a suffix a helper of it. */
export function applied(
  context: NodeContext,
  name: FunctionName,
  x: RealValue,
  attrs: Attrs = {},
  suffix?: string,
): RealValue {
  const named = suffix === undefined ? { origin: context.output } : { suffix };
  const made = context.emit({ kind: 'function', inputs: [x], attrs: { name, ...attrs }, ...named });
  if (name === 'sqrt') context.graph.roots.set(made.op, x.op);
  return inAxesOf(x, made);
}

/** Functions of one activation: exact as tables wherever a quantiser follows them (docs/sws.md). */
export const functionOps: OnnxOpTable = {
  HardSwish: plain('hardswish'),
  HardSigmoid: plain('hardsigmoid', { alpha: 0.2, beta: 0.5 }),
  Swish: plain('swish', { alpha: 1 }),
  Tanh: plain('tanh'),
  Erf: plain('erf'),
  Gelu: { inputs: [1, 1], run: gelu },
  LeakyRelu: plain('leaky_relu', { alpha: 0.01 }),
  Elu: plain('elu', { alpha: 1 }),
  Selu: plain('selu', { alpha: 1.6732631921768188, beta: 1.0507010221481323 }),
  Celu: plain('celu', { alpha: 1 }),
  ThresholdedRelu: plain('thresholded_relu', { alpha: 1 }),
  Softplus: plain('softplus'),
  Softsign: plain('softsign'),
  Mish: plain('mish'),
  Exp: plain('exp'),
  Log: plain('log'),
  Sqrt: plain('sqrt'),
  Reciprocal: plain('reciprocal'),
  Abs: plain('abs'),
  Sign: plain('sign'),
  Neg: { inputs: [1, 1], run: negated },
};

/** onnxruntime's own. */
export const microsoftFunctionOps: OnnxOpTable = {
  Gelu: plain('gelu'),
  QuickGelu: plain('swish', { alpha: 1.702 }),
};

function gelu(context: NodeContext): readonly Value[] {
  const approximate = context.string('approximate', 'none');
  if (approximate !== 'none' && approximate !== 'tanh') context.badAttribute('approximate', approximate);
  return [applied(context, approximate === 'tanh' ? 'gelu_tanh' : 'gelu', context.realInAnyLayout(0))];
}

function negated(context: NodeContext): readonly Value[] {
  return [negative(context, context.realInAnyLayout(0))];
}

/** −x: the node's result, or with a suffix a helper of it. */
export function negative(context: NodeContext, x: RealValue, suffix?: string): RealValue {
  const scale = { tensor: { dtype: 'f64' as const, shape: [1], data: Float64Array.of(-1) } };
  const named = suffix === undefined ? { origin: context.output } : { suffix };
  const made = context.emit({ kind: 'affine', inputs: [x], params: { scale }, ...named });
  return inAxesOf(x, made);
}

/** max(x, 0): the node's result, or with a suffix a helper of it. */
export function rectified(context: NodeContext, x: RealValue, suffix?: string): RealValue {
  const named = suffix === undefined ? { origin: context.output } : { suffix };
  return inAxesOf(x, context.emit({ kind: 'relu', inputs: [x], ...named }));
}
