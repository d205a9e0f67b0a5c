import { InvariantError } from '../../base/invariant.js';
import {
  type Dim,
  type PrimAttrs,
  type PrimKind,
  type SurrogateAttrs,
  type TensorOp,
  type ValueInfo,
  isBatch,
  surrogateArguments,
} from '../../tensor/index.js';
import { type Expression, atom, binding, infix, within } from './expression.js';
import { float, tuple } from './python.js';

/** What the emission of one primitive sees. */
export interface Emission<A> {
  readonly op: TensorOp;
  readonly attrs: A;
  readonly inputs: readonly Expression[];
  readonly types: readonly ValueInfo[];
  /** A function of `layers.py`: it is imported. */
  readonly helper: (name: string) => string;
  /** A tensor constant of more than one value. */
  readonly constant: (op: TensorOp) => string;
  /** The batch size N, as code. */
  readonly batch: () => string;
  /** A tensor on the device of all others, as code. */
  readonly like: () => string;
  /** A tensor of a shape, where one is at hand. */
  readonly whole: (shape: readonly Dim[]) => string | undefined;
}

export type Emit<A> = (emission: Emission<A>) => Expression;

/** A shape for a reshape or an expansion; the batch size where nothing else can be left open. */
export function shapeCode(shape: readonly Dim[], batch: () => string, open = false): string {
  const dims = shape.map((dim) => {
    if (!isBatch(dim)) return String(dim);
    if (open) return '-1';
    return dim.batch === 1 ? batch() : `${dim.batch} * ${batch()}`;
  });
  return dims.join(', ');
}

function call(code: string): Expression {
  return atom(code);
}

/** A method call on a tensor operand. */
function method(x: Expression, code: string): Expression {
  return call(`${x.number === undefined ? within(x, binding.atom) : `torch.tensor(${x.code})`}.${code}`);
}

/** A soft truth value as floats, a hard one made so. */
function numbers(x: Expression): Expression {
  return x.form === 'hard' ? method(x, 'float()') : { ...x, form: 'number' };
}

/** A condition for `torch.where`. */
function condition(x: Expression): string {
  return x.form === 'soft' ? `${within(x, binding.sum)} > 0.5` : x.code;
}

/** 1 - x. */
function complement(x: Expression, form: Expression['form']): Expression {
  return { ...infix(atom('1.0'), '-', x, binding.sum), form };
}

function arithmetic(operator: string, binds: number): Emit<unknown> {
  return ({ op, inputs: [a, b] }) => {
    if (op.dtype === 'i32' && operator === '/') return call(`torch.div(${a!.code}, ${b!.code}, rounding_mode="trunc")`);
    return infix(numbers(a!), operator, numbers(b!), binds);
  };
}

function unary(name: string): Emit<unknown> {
  return ({ inputs: [x] }) => call(`torch.${name}(${numbers(x!).code})`);
}

/** `"rectangle", 1.0`: the arguments in the order of their table, which `layers.py` takes them in. */
function surrogateCode(attrs: SurrogateAttrs): string {
  const values = Object.values(surrogateArguments(attrs)).map((value) => float(value, false));
  return [`"${attrs.surrogate}"`, ...values].join(', ');
}

function comparison(operator: string, jump: 'step' | 'above', negated: boolean): Emit<SurrogateAttrs> {
  return ({ attrs, inputs: [a, b], types, helper }) => {
    const real = types[0]!.dtype === 'f32' || types[0]!.dtype === 'f64';
    if (attrs.surrogate === undefined || !real)
      return infix(numbers(a!), operator, numbers(b!), binding.comparison, 'hard');
    // a ≥ b is a − b ≥ 0 in every float; a < b is its opposite, gradient included
    const difference = b!.number === 0 ? numbers(a!) : infix(numbers(a!), '-', numbers(b!), binding.sum);
    const fired = atom(`${helper(jump)}(${difference.code}, ${surrogateCode(attrs)})`, 'soft');
    return negated ? complement(fired, 'soft') : fired;
  };
}

function equality(operator: string): Emit<SurrogateAttrs> {
  return ({ inputs: [a, b] }) => infix(numbers(a!), operator, numbers(b!), binding.comparison, 'hard');
}

/** `floor` and its like: with a surrogate a function of `layers.py`. */
function jump(name: string): Emit<SurrogateAttrs> {
  return ({ attrs, inputs: [x], helper }) =>
    attrs.surrogate === undefined
      ? call(`torch.${name}(${numbers(x!).code})`)
      : call(`${helper(`${name}_jump`)}(${numbers(x!).code}, ${surrogateCode(attrs)})`);
}

function logical(hard: string, soft: (a: Expression, b: Expression) => Expression): Emit<unknown> {
  return ({ inputs: [a, b] }) => {
    if (a!.form === 'hard' && b!.form === 'hard')
      return { code: `${within(a!, binding.sign)} ${hard} ${within(b!, binding.sign)}`, binds: 3.5, form: 'hard' };
    return { ...soft(numbers(a!), numbers(b!)), form: 'soft' };
  };
}

/** The smaller or larger: against a literal a clamp, whose gradient at the bound is halved as that of two tensors is. */
function extremum(name: 'minimum' | 'maximum'): Emit<unknown> {
  return ({ inputs: [a, b], helper }) => {
    const [x, y] = [numbers(a!), numbers(b!)];
    if (x.number === undefined && y.number === undefined) return call(`torch.${name}(${x.code}, ${y.code})`);
    const [tensor, literal] = x.number === undefined ? [x, y] : [y, x];
    return call(`${helper(name)}(${tensor.code}, ${literal.code})`);
  };
}

/** A value chosen element by element; of a soft condition as c·a + (1 − c)·b, which is exact for 0 and 1. */
const select: Emit<unknown> = ({ op, inputs: [c, a, b] }) => {
  const [x, y] = op.dtype === 'bool' ? [a!, b!] : [numbers(a!), numbers(b!)];
  const real = op.dtype === 'f32' || op.dtype === 'f64';
  if (c!.form !== 'soft' || !real) {
    if (op.dtype === 'bool' && (x.form === 'soft' || y.form === 'soft'))
      return atom(`torch.where(${condition(c!)}, ${numbers(x).code}, ${numbers(y).code})`, 'soft');
    const form = op.dtype === 'bool' ? 'hard' : 'number';
    return atom(`torch.where(${condition(c!)}, ${x.code}, ${y.code})`, form);
  }
  const when = numbers(c!);
  const taken = x.number === 1 ? when : infix(when, '*', x, binding.product);
  if (y.number === 0) return taken;
  const not = complement(when, 'number');
  const other = y.number === 1 ? not : infix(not, '*', y, binding.product);
  return x.number === 0 ? other : infix(taken, '+', other, binding.sum);
};

const cast: Emit<PrimAttrs['cast']> = ({ attrs: { to }, inputs: [x], types }) => {
  const from = types[0]!.dtype;
  if (to === 'bool') return x!.form === 'number' ? infix(x!, '!=', atom('0'), binding.comparison, 'hard') : x!;
  const value = x!;
  if (to === 'f32') {
    if (value.form === 'soft') return { ...value, form: 'number' };
    return method(value, 'float()');
  }
  if (to === 'f64') return method(value, 'double()');
  if (to === 'i32') return method(value, 'int()');
  const [lo, hi] = to === 'i8' ? [-128, 127] : [0, 255];
  const held = from === 'bool' ? value : method(value, `clamp(${lo}, ${hi})`);
  return method(held, `to(torch.${to === 'i8' ? 'int8' : 'uint8'})`);
};

const broadcast: Emit<PrimAttrs['broadcast']> = ({ op, attrs: { shape }, inputs: [x], batch, like, whole }) => {
  const same = whole(shape);
  if (same !== undefined && op.dtype === 'f32')
    return x!.number === undefined
      ? atom(`${within(x!, binding.atom)}.expand_as(${same})`, x!.form)
      : call(`torch.full_like(${same}, ${x!.code})`);
  const dims = shapeCode(shape, batch);
  if (x!.number !== undefined) {
    const dtype = op.dtype === 'f64' ? ', dtype=torch.float64' : op.dtype === 'i32' ? ', dtype=torch.int32' : '';
    return call(`torch.full((${dims}${shape.length === 1 ? ',' : ''}), ${x!.code}${dtype}, device=${like()}.device)`);
  }
  return atom(`${within(x!, binding.atom)}.expand(${dims})`, x!.form);
};

const slice: Emit<PrimAttrs['slice']> = ({ attrs: { starts, ends, steps }, inputs: [x], types, batch }) => {
  const { shape } = types[0]!;
  const whole = shape.map(
    (dim, i) => starts[i] === 0 && ends[i] === (isBatch(dim) ? dim.batch : dim) && steps[i] === 1,
  );
  const last = whole.lastIndexOf(false);
  const counted = (count: number, dim: Dim): string => {
    if (!isBatch(dim)) return String(count);
    return count === 0 ? '0' : count === 1 ? batch() : `${count} * ${batch()}`;
  };
  const ranges = shape.slice(0, last + 1).map((dim, i) => {
    if (whole[i]) return ':';
    if (isBatch(dim) && steps[i] !== 1) throw new InvariantError('torch: steps of time are cut with a stride');
    return `${counted(starts[i]!, dim)} : ${counted(ends[i]!, dim)}${steps[i] === 1 ? '' : ` : ${steps[i]}`}`;
  });
  return atom(`${within(x!, binding.atom)}[${ranges.join(', ')}]`, x!.form);
};

const pad: Emit<PrimAttrs['pad']> = ({ attrs: { before, after, value }, inputs: [x], types, batch }) => {
  const { shape } = types[0]!;
  const sides = shape.flatMap((_, i) => {
    const axis = shape.length - 1 - i;
    return [before[axis]!, after[axis]!].map((count) => {
      if (!isBatch(shape[axis]!) || count === 0) return String(count);
      return `${count} * ${batch()}`;
    });
  });
  while (sides.length > 2 && sides.at(-1) === '0' && sides.at(-2) === '0') sides.splice(-2);
  return call(`functional.pad(${numbers(x!).code}, (${sides.join(', ')}), value=${float(value)})`);
};

function window(
  attrs: Readonly<Record<string, readonly number[] | number | boolean>>,
  ...of: readonly string[]
): string {
  return of
    .map((name) => {
      const value = attrs[name]!;
      if (typeof value === 'boolean') return `${name}=${value ? 'True' : 'False'}`;
      return `${name}=${typeof value === 'number' ? value : tuple(value)}`;
    })
    .join(', ');
}

const onlyOfGradients: Emit<unknown> = ({ op }) => {
  throw new InvariantError(`torch: ${op.kind} stands in gradients, which PyTorch takes itself`);
};

/** Every primitive as PyTorch; its gradient is that of the primitive. */
export const torchPrimitives: { readonly [K in PrimKind]: Emit<PrimAttrs[K]> } = {
  const: ({ op, attrs: { value }, constant, like }) => {
    const first = value.data[0];
    const uniform = first !== undefined && value.data.every((x) => x === first);
    if (!uniform) return atom(constant(op), op.dtype === 'bool' ? 'hard' : 'number');
    if (op.dtype === 'bool')
      return atom(`torch.tensor(${first === 1 ? 'True' : 'False'}, device=${like()}.device)`, 'hard');
    if (op.dtype === 'i32')
      return { code: String(first), binds: first < 0 ? binding.sign : 0, form: 'number', number: first };
    const code = float(first, op.dtype === 'f32');
    return { code, binds: code.startsWith('-') ? binding.sign : 0, form: 'number', number: first };
  },
  cast,
  detach: ({ inputs: [x] }) => (x!.number === undefined ? atom(`${within(x!, 0)}.detach()`, x!.form) : x!),
  neg: ({ inputs: [x] }) => ({ code: `-${within(numbers(x!), binding.sign)}`, binds: binding.sign, form: 'number' }),
  abs: unary('abs'),
  sign: jump('sign'),
  floor: jump('floor'),
  round: jump('round'),
  exp: unary('exp'),
  log: unary('log'),
  sqrt: unary('sqrt'),
  sigmoid: unary('sigmoid'),
  tanh: unary('tanh'),
  atan: unary('atan'),
  not: ({ inputs: [x] }) =>
    x!.form === 'soft'
      ? complement(x!, 'soft')
      : { code: `~${within(x!, binding.atom)}`, binds: binding.sign, form: 'hard' },
  add: arithmetic('+', binding.sum),
  sub: arithmetic('-', binding.sum),
  mul: arithmetic('*', binding.product),
  div: arithmetic('/', binding.product),
  pow: ({ inputs: [a, b] }) => call(`torch.pow(${numbers(a!).code}, ${numbers(b!).code})`),
  min: extremum('minimum'),
  max: extremum('maximum'),
  eq: equality('=='),
  ne: equality('!='),
  lt: comparison('<', 'step', true),
  le: comparison('<=', 'above', true),
  gt: comparison('>', 'above', false),
  ge: comparison('>=', 'step', false),
  and: logical('&', (a, b) => infix(a, '*', b, binding.product)),
  or: logical('|', (a, b) => infix(infix(a, '+', b, binding.sum), '-', infix(a, '*', b, binding.product), binding.sum)),
  select,
  sum: ({ attrs: { axes, keepdims }, inputs: [x] }) =>
    method(numbers(x!), axes.length === 0 ? 'clone()' : `sum(${tuple(axes)}${keepdims ? ', keepdim=True' : ''})`),
  reduce_max: ({ attrs: { axes, keepdims }, inputs: [x] }) =>
    method(numbers(x!), `amax(${tuple(axes)}${keepdims ? ', keepdim=True' : ''})`),
  argmax: ({ attrs: { axis }, inputs: [x] }) => method(numbers(x!), `argmax(${axis}).int()`),
  reshape: ({ attrs: { shape }, inputs: [x], batch }) =>
    x!.number === undefined
      ? atom(`${within(x!, 0)}.reshape(${shape.length === 0 ? '()' : shapeCode(shape, batch, true)})`, x!.form)
      : x!,
  transpose: ({ attrs: { perm }, inputs: [x] }) => atom(`${within(x!, 0)}.permute(${perm.join(', ')})`, x!.form),
  slice,
  pad,
  concat: ({ attrs: { axis }, inputs, op }) => {
    const soft = inputs.some(({ form }) => form === 'soft');
    const hard = op.dtype === 'bool' && !soft;
    const parts = inputs.map((x) => (hard ? x : numbers(x)).code);
    return atom(`torch.cat((${parts.join(', ')}), ${axis})`, hard ? 'hard' : op.dtype === 'bool' ? 'soft' : 'number');
  },
  lookup: ({ inputs: [x, thresholds, values] }) =>
    call(
      `${within(values!, binding.atom)}[torch.bucketize(${within(numbers(x!), binding.atom)}.contiguous(), ${within(thresholds!, binding.atom)}.contiguous(), right=True)]`,
    ),
  broadcast,
  matmul: ({ attrs: { transA, transB }, inputs: [a, b] }) => {
    const side = (x: Expression, turned: boolean): string =>
      turned ? `${within(x, 0)}.mT` : within(x, binding.product);
    return { code: `${side(a!, transA)} @ ${side(b!, transB)}`, binds: binding.product, form: 'number' };
  },
  conv2d: ({ attrs, inputs: [x, weight], helper }) =>
    call(
      `${helper('convolve')}(${x!.code}, ${weight!.code}, ${window({ ...attrs }, 'stride', 'pads', 'dilation', 'groups')})`,
    ),
  conv2d_input_grad: ({ attrs, inputs: [weight, x], helper }) =>
    call(
      `${helper('convolve_transposed')}(${x!.code}, ${weight!.code}, size=${tuple(attrs.input)}, ` +
        `${window({ ...attrs }, 'stride', 'pads', 'dilation', 'groups')})`,
    ),
  conv2d_weight_grad: onlyOfGradients,
  maxpool: ({ attrs, inputs: [x], helper }) =>
    call(`${helper('max_pool')}(${numbers(x!).code}, ${window({ ...attrs }, 'kernel', 'stride', 'pads')})`),
  maxpool_grad: onlyOfGradients,
  avgpool: ({ attrs, inputs: [x], helper }) =>
    call(
      `${helper('average_pool')}(${numbers(x!).code}, ${window({ ...attrs }, 'kernel', 'stride', 'pads', 'include_pad')})`,
    ),
  scan: onlyOfGradients,
  scan_output: onlyOfGradients,
};
