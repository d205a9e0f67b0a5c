import type { PrimAttrs } from '../../tensor/index.js';
import { type Emit, type EmitContext, dims, plainOp, tfTypes } from './context.js';

/**
 * Element-wise code in whichever layout the operands lie: [N,H,W,C] as soon as one of them
 * does.
 */
function pointwise(
  { js, vars, op }: EmitContext<unknown>,
  code: (names: readonly string[], step: (code: string, uses: readonly string[]) => string) => string,
): void {
  const nhwc = op.shape.length === 4 && op.inputs.some((id) => vars.type(id).shape.length === 4 && vars.isNhwc(id));
  const names = op.inputs.map((id) => (nhwc ? vars.aligned(id) : vars.plain(id)));
  const steps: string[] = [];
  const step = (text: string, uses: readonly string[]) => {
    const made = js.let(`${op.id}_part`, text, uses);
    steps.push(made);
    return made;
  };
  const text = code(names, step);
  vars.define(op.id, js.let(op.id, text, [...names, ...steps]), nhwc ? 'nhwc' : 'plain');
}

/** One call of TensorFlow.js. */
function call(name: string): Emit<unknown> {
  return (context) => pointwise(context, (names) => `tf.${name}(${names.join(', ')})`);
}

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

/** Truth values are compared as integers. */
function comparison(name: string): Emit<unknown> {
  return (context) => {
    const bools = context.vars.type(context.op.inputs[0]!).dtype === 'bool';
    pointwise(context, (names, step) => {
      const operands = bools ? names.map((x) => step(`tf.cast(${x}, 'int32')`, [x])) : names;
      return `tf.${name}(${operands.join(', ')})`;
    });
  };
}

/** The wasm backend's Select overruns truth values (it writes four bytes each): they go through logic. */
const select: Emit<unknown> = (context) => {
  if (context.op.dtype !== 'bool') {
    call('where')(context);
    return;
  }
  pointwise(context, ([c, a, b], step) => {
    const first = step(`tf.logicalAnd(${c}, ${a})`, [c!, a!]);
    const otherwise = step(`tf.logicalNot(${c})`, [c!]);
    const second = step(`tf.logicalAnd(${otherwise}, ${b})`, [otherwise, b!]);
    return `tf.logicalOr(${first}, ${second})`;
  });
};

export const elementwise = {
  detach: call('clone'),
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
  not: call('logicalNot'),
  add: call('add'),
  sub: call('sub'),
  mul: call('mul'),
  div,
  pow: call('pow'),
  min: call('minimum'),
  max: call('maximum'),
  eq: comparison('equal'),
  ne: comparison('notEqual'),
  lt: comparison('less'),
  le: comparison('lessEqual'),
  gt: comparison('greater'),
  ge: comparison('greaterEqual'),
  and: call('logicalAnd'),
  or: call('logicalOr'),
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
  pointwise(context, ([x], step) => {
    if (op.dtype === 'bool' && from !== 'bool') {
      const zero = step(`tf.scalar(0, '${tfTypes[from]}')`, []);
      return `tf.notEqual(${x}, ${zero})`;
    }
    if ((op.dtype !== 'i8' && op.dtype !== 'u8') || from === 'bool' || from === op.dtype) {
      return `tf.cast(${x}, '${tfTypes[op.dtype]}')`;
    }
    const [lo, hi] = op.dtype === 'i8' ? [-128, 127] : [0, 255];
    const bounds = [lo, hi].map((bound) => step(`tf.scalar(${bound}, '${tfTypes[from]}')`, []));
    const raised = step(`tf.maximum(${x}, ${bounds[0]})`, [x!, bounds[0]!]);
    const clipped = step(`tf.minimum(${raised}, ${bounds[1]})`, [raised, bounds[1]!]);
    return `tf.cast(${clipped}, 'int32')`;
  });
};

export const broadcast: Emit<PrimAttrs['broadcast']> = (context) => {
  plainOp(context, ([x]) => `tf.broadcastTo(${x}, ${dims(context.op.shape)})`);
};
