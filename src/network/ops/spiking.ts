import { type NetworkOpDef, listAttr, numberAttr, stringAttr, withTime } from './define.js';
import { windowShape } from './synapse.js';

const input: NetworkOpDef = {
  doc: 'What a user feeds: one real image a sample.',
  arity: [0, 0],
  attrs: { shape: 'list' },
  params: [],
  type: ({ attrs }) => ({ shape: listAttr(attrs, 'shape'), code: { kind: 'real' } }),
};

const quantize: NetworkOpDef = {
  doc: 'Activation quantiser: Q = clip(round_half_even(x/scale) + zero, min, max), standing for the real (Q − zero)·scale.',
  arity: [1, 1],
  attrs: { scale: 'number', zero: 'number', min: 'number', max: 'number' },
  params: [],
  type: ({ inputs, attrs }) => {
    const code = {
      kind: 'quant' as const,
      scale: numberAttr(attrs, 'scale'),
      zero: numberAttr(attrs, 'zero'),
      min: numberAttr(attrs, 'min'),
      max: numberAttr(attrs, 'max'),
    };
    if (!(code.scale > 0)) return `scale must be positive, is ${code.scale}`;
    return withTime({ shape: inputs[0]!.shape, code }, inputs[0]!.time);
  },
};

const encode: NetworkOpDef = {
  doc: 'Turns the real input into a train (docs/language.md, codings): `coding` says how; sws: the digits of its quantised code.',
  arity: [1, 1],
  attrs: {
    coding: 'string',
    steps: 'number',
    'beta?': 'number',
    'encoder?': 'string',
    'scale?': 'number',
    'zero?': 'number',
    'min?': 'number',
    'max?': 'number',
    'offset?': 'number',
    'amplitude?': 'number',
    'threshold?': 'number',
    'seed?': 'number',
  },
  params: [],
  type: ({ inputs, attrs }) => {
    const time = { start: 1, steps: numberAttr(attrs, 'steps') };
    const coding = stringAttr(attrs, 'coding');
    const shape = inputs[0]!.shape;
    if (coding === 'sws') {
      const step = numberAttr(attrs, 'amplitude', 1);
      return { shape, time, code: { kind: 'spike', min: -1, max: 1, step } };
    }
    if (coding === 'rate') return { shape, time, code: { kind: 'spike', min: 0, max: 1, step: 1 } };
    // events: [T·C,H,W] frames arrive as they are; direct: the real input at every step
    return { shape, time, code: { kind: 'real' } };
  },
};

const neuron: NetworkOpDef = {
  doc: 'A layer of neurons; `neuron` names its equations. Fires `silent` steps after its input begins. With `hold` its input has one step, and its current stays for so many. With integer_codes its train counts steps of its output, not their amplitude. Learned bits: parameter `bits` with their bound `bits_max`.',
  arity: [1, 1],
  attrs: {
    neuron: 'string',
    levels: 'list',
    amplitude: 'number',
    'silent?': 'number',
    'hold?': 'number',
    'integer_codes?': 'boolean',
    '*': 'number',
  },
  params: ['*'],
  type: ({ inputs, attrs }) => {
    const time = inputs[0]!.time;
    if (time === undefined) return 'needs an input with time steps; encode the input first';
    const [min, max] = listAttr(attrs, 'levels') as [number, number];
    if ('hold' in attrs && time.steps !== 1) return `holds a current of one step, its input has ${time.steps}`;
    return {
      shape: inputs[0]!.shape,
      time: { start: time.start + numberAttr(attrs, 'silent', 0), steps: numberAttr(attrs, 'hold', time.steps) },
      code: { kind: 'spike', min, max, step: attrs['integer_codes'] === true ? 1 : numberAttr(attrs, 'amplitude') },
    };
  },
};

const maxprefix: NetworkOpDef = {
  doc: 'Exact max pooling of stepwise weighted trains by running prefix: M_k = max_i P_i,k, s_k = M_k − β·M_k−1 (docs/sws.md). With β = 1 the running maximum of counts, for trains that carry means.',
  arity: [1, 1],
  attrs: { kernel: 'list', stride: 'list', pads: 'list', beta: 'number' },
  params: [],
  type: (request) => {
    const from = request.inputs[0]!;
    if (from.code.kind !== 'spike') return 'needs a spike train';
    const shape = windowShape(request, from.shape[0]!);
    return typeof shape === 'string' ? shape : { ...from, shape };
  },
};

const delay: NetworkOpDef = {
  doc: 'Delay line: the same train, `steps` later. Joins of paths of unequal depth need it.',
  arity: [1, 1],
  attrs: { steps: 'number' },
  params: [],
  type: ({ inputs, attrs }) => {
    const from = inputs[0]!;
    if (from.time === undefined) return 'needs an input with time steps';
    return { ...from, time: { start: from.time.start + numberAttr(attrs, 'steps'), steps: from.time.steps } };
  },
};

const decode: NetworkOpDef = {
  doc: 'Read-out: sws: Σ β^(Tc−k)·z(k); otherwise the mean over the steps.',
  arity: [1, 1],
  attrs: { coding: 'string', 'beta?': 'number' },
  params: [],
  type: ({ inputs }) => {
    if (inputs[0]!.time === undefined) return 'needs an input with time steps';
    return { shape: inputs[0]!.shape, code: { kind: 'real' } };
  },
};

const planes: NetworkOpDef = {
  doc: 'Codes S = Σ 2^b·S_b as binary planes: plane b of step t at virtual step (t−1)·bits + b + 1. Planes of signed codes are ternary: the bits of their size, with their sign.',
  arity: [1, 1],
  attrs: { bits: 'number' },
  params: [],
  type: ({ inputs, attrs }) => {
    const { shape, time, code } = inputs[0]!;
    const bits = numberAttr(attrs, 'bits');
    if (time === undefined || code.kind !== 'spike') return 'needs a spike train';
    const size = Math.max(code.max, -code.min);
    if (code.step !== 1 || size >= 2 ** bits) return `needs codes of a size up to ${2 ** bits - 1}`;
    return {
      shape,
      time: { start: time.start, steps: time.steps * bits },
      code: { kind: 'spike', min: code.min < 0 ? -1 : 0, max: 1, step: 1 },
    };
  },
};

const gather: NetworkOpDef = {
  doc: 'Sums what a synapse delivers at the virtual steps of each step: `bits` planes into one.',
  arity: [1, 1],
  attrs: { bits: 'number' },
  params: [],
  type: ({ inputs, attrs }) => {
    const { shape, time } = inputs[0]!;
    const bits = numberAttr(attrs, 'bits');
    if (time === undefined || time.steps % bits !== 0) return `needs a multiple of ${bits} time steps`;
    return { shape, time: { start: time.start, steps: time.steps / bits }, code: { kind: 'psp' } };
  },
};

const squeeze: NetworkOpDef = {
  doc: 'Temporal squeezing (ABA eq. 12): the mean over the first `steps` steps of a train, so that the synapse behind it acts once. Learned steps: parameter `steps` with their bound `steps_max`.',
  arity: [1, 1],
  attrs: { 'steps?': 'number', 'steps_max?': 'number' },
  params: ['steps?'],
  type: ({ inputs, attrs, param }) => {
    const { shape, time, code } = inputs[0]!;
    if (time === undefined || code.kind !== 'spike') return 'needs a spike train';
    const learned = param('steps') !== undefined;
    const steps = numberAttr(attrs, learned ? 'steps_max' : 'steps', 0);
    if (!Number.isInteger(steps) || steps < 1 || steps > time.steps) return `needs from 1 to ${time.steps} steps`;
    const { min, max, step } = code;
    const mean = { kind: 'spike' as const, min: min * steps, max: max * steps, step: step / steps };
    return { shape, time: { start: time.start, steps: 1 }, code: mean };
  },
};

export const spikingOps = {
  input,
  quantize,
  encode,
  neuron,
  maxprefix,
  delay,
  decode,
  planes,
  gather,
  squeeze,
} as const;
