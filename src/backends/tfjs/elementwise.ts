import type { PrimAttrs } from '../../tensor/index.js';
import { type Comparison, compare } from './comparisons.js';
import { type Emit, type EmitContext, dims, plainOp, tfTypes } from './context.js';

type Step = (code: string, uses: readonly string[]) => string;

/**
 * Element-wise code in whichever layout the operands lie: [N,H,W,C] as soon as one of them
 * does. `step` makes an intermediate tensor.
 */
function pointwise(context: EmitContext<unknown>, code: (names: readonly string[], step: Step) => string): void {
  const { js, vars, op } = context;
  const { names, layout } = operands(context);
  const steps: string[] = [];
  const step = (text: string, uses: readonly string[]) => {
    const made = js.let(`${op.id}_part`, text, uses);
    steps.push(made);
    return made;
  };
  const text = code(names, step);
  vars.define(op.id, js.let(op.id, text, [...names, ...steps]), layout);
}

function operands({ vars, op }: EmitContext<unknown>) {
  const nhwc = op.shape.length === 4 && op.inputs.some((id) => vars.type(id).shape.length === 4 && vars.isNhwc(id));
  const names = op.inputs.map((id) => (nhwc ? vars.aligned(id) : vars.plain(id)));
  return { names, layout: nhwc ? 'nhwc' : 'plain' } as const;
}

/** One call of TensorFlow.js. */
function call(name: string): Emit<unknown> {
  return (context) => pointwise(context, (names) => `tf.${name}(${names.join(', ')})`);
}

/** The same tensor under another name. */
const alias: Emit<unknown> = (context) => {
  const { names, layout } = operands(context);
  context.vars.define(context.op.id, names[0]!, layout);
};

/** TensorFlow.js divides integers towards −∞; the primitive truncates towards 0. */
const div: Emit<unknown> = (context) => {
  if (context.op.dtype !== 'i32') {
    call('div')(context);
    return;
  }
  pointwise(context, ([a, b], step) => {
    const sizes = [step(`tf.abs(${a})`, [a!]), step(`tf.abs(${b})`, [b!])];
    const quotient = step(`tf.floorDiv(${sizes.join(', ')})`, sizes);
    const signs = [step(`tf.sign(${a})`, [a!]), step(`tf.sign(${b})`, [b!])];
    const sign = step(`tf.mul(${signs.join(', ')})`, signs);
    return `tf.mul(${quotient}, ${sign})`;
  });
};

/** 1 − x. */
function complement(x: string, step: Step): string {
  return `tf.sub(${step('tf.scalar(1)', [])}, ${x})`;
}

/** Comparisons of floats go through a function of the module (`comparisons`); integers have few elements and are compared directly. */
function comparison(name: Comparison): Emit<unknown> {
  return (context) => {
    const { dtype } = context.vars.type(context.op.inputs[0]!);
    pointwise(context, ([a, b], step) => {
      if (dtype !== 'f32' && dtype !== 'bool') {
        return `tf.cast(${step(`tf.${name}(${a}, ${b})`, [a!, b!])}, 'float32')`;
      }
      return `${compare}.${name}(${a}, ${b})`;
    });
  };
}

/** Against a constant, clipping; otherwise a·c + b·(1 − c) with c = [a > b] or [a < b]. */
function extremum(name: 'maximum' | 'minimum'): Emit<unknown> {
  return (context) => {
    const { vars, op } = context;
    if (op.dtype !== 'f32') {
      call(name)(context);
      return;
    }
    const bounds = op.inputs.map((id) => vars.number(id));
    const at = bounds.findIndex((bound) => bound !== undefined);
    const other = vars.type(op.inputs[1 - at] ?? '')?.shape.length === op.shape.length;
    pointwise(context, ([a, b], step) => {
      if (at >= 0 && other) {
        const range = name === 'maximum' ? `${bounds[at]}, Infinity` : `-Infinity, ${bounds[at]}`;
        return `tf.clipByValue(${at === 0 ? b : a}, ${range})`;
      }
      const holds = name === 'maximum' ? 'greater' : 'less';
      return blend(step(`${compare}.${holds}(${a}, ${b})`, [a!, b!]), a!, b!, step);
    });
  };
}

/** c·a + (1 − c)·b for c of 0 and 1: exact where a and b are finite. */
function blend(c: string, a: string, b: string, step: Step): string {
  const otherwise = step(complement(c, step), [c]);
  return `tf.add(${step(`tf.mul(${c}, ${a})`, [c, a])}, ${step(`tf.mul(${otherwise}, ${b})`, [otherwise, b])})`;
}

/** Products with the condition, rather than tf.where. A branch that is zero costs nothing. */
const select: Emit<unknown> = (context) => {
  const { vars, op } = context;
  const zero = op.inputs.map((id) => vars.number(id) === 0);
  pointwise(context, ([c, a, b], step) => {
    if (op.dtype !== 'f32' && op.dtype !== 'bool') {
      return `tf.where(${step(`tf.cast(${c}, 'bool')`, [c!])}, ${a}, ${b})`;
    }
    if (zero[2]) return `tf.mul(${c}, ${a})`;
    if (zero[1]) return `tf.mul(${step(complement(c!, step), [c!])}, ${b})`;
    return blend(c!, a!, b!, step);
  });
};

const or: Emit<unknown> = (context) => {
  pointwise(context, ([a, b], step) => `tf.clipByValue(${step(`tf.add(${a}, ${b})`, [a!, b!])}, 0, 1)`);
};

export const elementwise = {
  detach: alias,
  neg: call('neg'),
  abs: call('abs'),
  sign: call('sign'),
  floor: call('floor'),
  round: call('round'),
  exp: call('exp'),
  log: call('log'),
  sqrt: call('sqrt'),
  sigmoid: call('sigmoid'),
  tanh: call('tanh'),
  atan: call('atan'),
  not: (context: EmitContext<unknown>) => pointwise(context, ([x], step) => complement(x!, step)),
  add: call('add'),
  sub: call('sub'),
  mul: call('mul'),
  div,
  pow: call('pow'),
  min: extremum('minimum'),
  max: extremum('maximum'),
  eq: comparison('equal'),
  ne: comparison('notEqual'),
  lt: comparison('less'),
  le: comparison('lessEqual'),
  gt: comparison('greater'),
  ge: comparison('greaterEqual'),
  and: call('mul'),
  or,
  select,
} as const;

export const constant: Emit<PrimAttrs['const']> = ({ js, vars, op, attrs: { value } }) => {
  const type = tfTypes[op.dtype];
  const numbers = Array.from(value.data, (v) => (Object.is(v, -0) ? '-0' : String(v)));
  const code =
    value.shape.length === 0
      ? `tf.scalar(${numbers[0]}, '${type}')`
      : `tf.tensor([${numbers.join(', ')}], ${dims(value.shape)}, '${type}')`;
  vars.define(op.id, js.let(op.id, code, []));
};

export const cast: Emit<PrimAttrs['cast']> = (context) => {
  const { op, vars } = context;
  const from = vars.type(op.inputs[0]!).dtype;
  if (tfTypes[from] === tfTypes[op.dtype] && (from === 'bool' || (from === 'u8' && op.dtype === 'i32'))) {
    alias(context);
    return;
  }
  pointwise(context, ([x], step) => {
    if (op.dtype === 'bool') {
      const real = tfTypes[from] === 'int32' ? step(`tf.cast(${x}, 'float32')`, [x!]) : x!;
      return `${compare}.nonzero(${real})`;
    }
    if ((op.dtype !== 'i8' && op.dtype !== 'u8') || from === 'bool' || from === op.dtype) {
      return `tf.cast(${x}, '${tfTypes[op.dtype]}')`;
    }
    const [lo, hi] = op.dtype === 'i8' ? [-128, 127] : [0, 255];
    const real = tfTypes[from] === 'int32' ? step(`tf.cast(${x}, 'float32')`, [x!]) : x!;
    return `tf.cast(${step(`tf.clipByValue(${real}, ${lo}, ${hi})`, [real])}, 'int32')`;
  });
};

export const broadcast: Emit<PrimAttrs['broadcast']> = (context) => {
  plainOp(context, ([x]) => `tf.broadcastTo(${x}, ${dims(context.op.shape)})`);
};
