import type { ValueType } from '../types.js';
import {
  type NetworkOpDef,
  type TypeRequest,
  linearResult,
  listAttr,
  numberAttr,
  sameShape,
  sameTime,
  shapeText,
  windowLength,
  withTime,
} from './define.js';

/** [C, H, W] → [C', H', W'] of a window op, or what is wrong. */
export function windowShape({ inputs, attrs }: TypeRequest, channels: number): readonly number[] | string {
  const shape = inputs[0]!.shape;
  if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
  const [kh, kw] = listAttr(attrs, 'kernel') as [number, number];
  const [sh, sw] = listAttr(attrs, 'stride') as [number, number];
  const [top, left, bottom, right] = listAttr(attrs, 'pads') as [number, number, number, number];
  const [dh, dw] = listAttr(attrs, 'dilation', [1, 1]) as [number, number];
  const height = windowLength(shape[1]!, kh, sh, top, bottom, dh);
  const width = windowLength(shape[2]!, kw, sw, left, right, dw);
  if (height === undefined || width === undefined) {
    return `a ${kh}x${kw} window doesn't fit into ${shapeText(shape)} with pads ${[top, left, bottom, right].join(',')}`;
  }
  return [channels, height, width];
}

/** Attributes and parameters of every weighted synapse. */
const weightAttrs = {
  'planes?': 'number',
  'weight_bits?': 'number',
  'weight_bits_max?': 'number',
  'weight_step_rule?': 'string',
  'folded_bias?': 'boolean',
} as const;
const weightParams = ['weight', 'bias?', 'gain?', 'weight_step?', 'weight_bits?'];

const conv: NetworkOpDef = {
  doc: 'Convolution. ANN: y = w∗x + bias. On spikes: psp = gain ⊙ (w∗s) + bias at every step; w integer where it was quantised. On `planes` binary planes: 2^b·w at plane b, bias at plane 0. `weight_bits`: bits of a weight; in training with the step size `weight_step`, learned bits as a parameter with their bound `weight_bits_max`; `weight_step_rule` max: the step size is max |w| over the highest code. `folded_bias`: the bias is only what batch norm left when it was folded, and no cost.',
  arity: [1, 1],
  attrs: {
    kernel: 'list',
    stride: 'list',
    pads: 'list',
    dilation: 'list',
    groups: 'number',
    ...weightAttrs,
  },
  params: weightParams,
  type: (request) => {
    const weight = request.param('weight')!;
    if (weight.length !== 4) return `weight must be [out,in/groups,kh,kw], is ${shapeText(weight)}`;
    const groups = numberAttr(request.attrs, 'groups');
    const channels = request.inputs[0]!.shape[0]!;
    if (weight[1]! * groups !== channels || weight[0]! % groups !== 0) {
      return `weight ${shapeText(weight)} with ${groups} group(s) doesn't fit input ${shapeText(request.inputs[0]!.shape)}`;
    }
    if (!sameShape(weight.slice(2), listAttr(request.attrs, 'kernel'))) {
      return `kernel ${listAttr(request.attrs, 'kernel').join('x')} differs from weight ${shapeText(weight)}`;
    }
    const shape = windowShape(request, weight[0]!);
    return typeof shape === 'string' ? shape : linearResult(request.inputs[0]!, shape);
  },
};

const linear: NetworkOpDef = {
  doc: 'Fully connected. ANN: y = w·x + bias. On spikes: psp = gain ⊙ (w·s) + bias at every step. On `planes`, with `weight_bits` and `folded_bias`: as conv.',
  arity: [1, 1],
  attrs: weightAttrs,
  params: weightParams,
  type: ({ inputs, param }) => {
    const weight = param('weight')!;
    const shape = inputs[0]!.shape;
    if (weight.length !== 2) return `weight must be [out,in], is ${shapeText(weight)}`;
    if (shape.length !== 1 || shape[0] !== weight[1]) {
      return `weight ${shapeText(weight)} doesn't fit input ${shapeText(shape)}`;
    }
    return linearResult(inputs[0]!, [weight[0]!]);
  },
};

const batchnorm: NetworkOpDef = {
  doc: 'Batch normalisation over channels: (x − mean)/√(variance + epsilon)·gamma + beta.',
  arity: [1, 1],
  attrs: { epsilon: 'number', 'momentum?': 'number', 'threshold?': 'number' },
  params: ['gamma', 'beta', 'mean', 'variance'],
  type: ({ inputs, param }) => {
    const channels = inputs[0]!.shape[0]!;
    for (const role of ['gamma', 'beta', 'mean', 'variance']) {
      if (!sameShape(param(role)!, [channels])) return `${role} must be [${channels}], is ${shapeText(param(role)!)}`;
    }
    return linearResult(inputs[0]!, inputs[0]!.shape);
  },
};

const affine: NetworkOpDef = {
  doc: 'Element-wise synapse: y = x·scale + shift; scale and shift per channel or scalar. On spikes: one synapse a neuron. On `planes`: as conv.',
  arity: [1, 1],
  attrs: { 'planes?': 'number' },
  params: ['scale', 'shift?'],
  type: ({ inputs, param }) => {
    const shape = inputs[0]!.shape;
    for (const role of ['scale', 'shift']) {
      const size = param(role);
      if (
        size !== undefined &&
        !(size.length === 1 && (size[0] === 1 || size[0] === shape[0])) &&
        !sameShape(size, shape)
      ) {
        return `${role} ${shapeText(size)} fits neither the ${shape[0]} channels nor ${shapeText(shape)}`;
      }
    }
    return linearResult(inputs[0]!, shape);
  },
};

const add: NetworkOpDef = {
  doc: 'Sum of two values of one shape, at the same time.',
  arity: [2, 2],
  attrs: {},
  params: [],
  type: ({ inputs: [a, b] }) => {
    if (!sameShape(a!.shape, b!.shape))
      return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    return linearResult(a!, a!.shape);
  },
};

const mul: NetworkOpDef = {
  doc: 'Product of two values; the second may be [C,1,1] (a channel attention).',
  arity: [2, 2],
  attrs: {},
  params: [],
  type: ({ inputs: [a, b] }) => {
    const fits =
      sameShape(a!.shape, b!.shape) || (b!.shape.slice(1).every((n) => n === 1) && b!.shape[0] === a!.shape[0]);
    if (!fits) return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    return linearResult(a!, a!.shape);
  },
};

const concat: NetworkOpDef = {
  doc: 'Concatenation over channels (axis 0 of [C,H,W] or [F]).',
  arity: [1, Infinity],
  attrs: {},
  params: [],
  type: ({ inputs }) => {
    const [first, ...rest] = inputs;
    for (const other of rest) {
      if (!sameShape(first!.shape.slice(1), other.shape.slice(1))) {
        return `operands differ beside the channels: ${shapeText(first!.shape)} and ${shapeText(other.shape)}`;
      }
    }
    const shape = [inputs.reduce((sum, type) => sum + type.shape[0]!, 0), ...first!.shape.slice(1)];
    const same = rest.every((other) => JSON.stringify(other.code) === JSON.stringify(first!.code));
    return same ? withTime({ shape, code: first!.code }, first!.time) : linearResult(first!, shape);
  },
};

/** Without a gain, the average of spikes stays a train of graded spikes: n·levels at 1/n of the step. */
function pooled(request: TypeRequest, shape: readonly number[], size: number): ValueType {
  const from = request.inputs[0]!;
  if (from.code.kind !== 'spike' || request.param('gain') !== undefined) return linearResult(from, shape);
  const { min, max, step } = from.code;
  return withTime({ shape, code: { kind: 'spike', min: min * size, max: max * size, step: step / size } }, from.time);
}

const avgpool: NetworkOpDef = {
  doc: 'Average over windows; include_pad: the divisor counts padded zeros. On spikes: psp = gain·average + bias; without gain, graded spikes.',
  arity: [1, 1],
  attrs: { kernel: 'list', stride: 'list', pads: 'list', include_pad: 'boolean' },
  params: ['gain?', 'bias?'],
  type: (request) => {
    const shape = windowShape(request, request.inputs[0]!.shape[0]!);
    const [kh, kw] = listAttr(request.attrs, 'kernel') as [number, number];
    return typeof shape === 'string' ? shape : pooled(request, shape, kh * kw);
  },
};

const globalavgpool: NetworkOpDef = {
  doc: 'Average over all of H×W: [C,H,W] → [C,1,1]. On spikes: psp = gain·average + bias.',
  arity: [1, 1],
  attrs: {},
  params: ['gain?', 'bias?'],
  type: (request) => {
    const shape = request.inputs[0]!.shape;
    if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
    return pooled(request, [shape[0]!, 1, 1], shape[1]! * shape[2]!);
  },
};

const channelConv: NetworkOpDef = {
  doc: 'Convolution over the channel axis of [C,1,1] with one kernel of odd length (ECA).',
  arity: [1, 1],
  attrs: { kernel: 'number' },
  params: ['weight'],
  type: ({ inputs }) => {
    const shape = inputs[0]!.shape;
    if (shape.length !== 3 || shape[1] !== 1 || shape[2] !== 1) return `needs a [C,1,1] input, has ${shapeText(shape)}`;
    return linearResult(inputs[0]!, shape);
  },
};

/** Joins need their operands at the same time; the verifier asks this of `add`, `mul` and `concat`. */
export function joinProblem({ inputs }: TypeRequest): string | undefined {
  const [first, ...rest] = inputs;
  const late = rest.find((other) => !sameTime(first!.time, other.time));
  if (late === undefined) return undefined;
  const text = (t: typeof first): string =>
    t?.time === undefined ? 'no time' : `@${t.time.start}..${t.time.start + t.time.steps - 1}`;
  return `operands arrive at different times: ${text(first)} and ${text(late)}`;
}

export const synapseOps = {
  conv,
  linear,
  batchnorm,
  affine,
  add,
  mul,
  concat,
  avgpool,
  globalavgpool,
  channel_conv: channelConv,
} as const;
