import { present } from '../../base/invariant.js';
import { drawsOf } from '../../equations/index.js';
import {
  type LoweredOp,
  type Network,
  type Op,
  type OpKind,
  attrsOf,
  channelAxisOf,
  loweringOf,
  optionalParam,
  paramOf,
  windowOf,
} from '../../network/index.js';
import { type Dim, ProgramBuilder, type Value, folded, simplify, stepsOf } from '../../tensor/index.js';
import { type Expression, atom } from './expression.js';
import { inputsOfSteps } from './neurons.js';
import { type Names, float, quote, tuple } from './python.js';
import { Statements } from './statements.js';
import { Unsupported } from './unsupported.js';

/** A value of the network in `forward`: its time steps are folded into the batch, or there is one. */
export interface Variable {
  readonly code: string;
  readonly steps: number;
}

/** What a layer's emission sees of the network around it. */
export interface LayerContext {
  readonly network: Network;
  /** Steps of the coding. */
  readonly steps: number;
  /** Functions and classes of `layers.py` that are used. */
  readonly helpers: Set<string>;
  /** Of the variables of `forward`. */
  readonly names: Names;
  /** In a loop over the time steps: everything is one step. */
  readonly looped: boolean;
  /** The layer's module, where it has one. */
  readonly module: (op: Op) => string;
  /** A parameter of another layer's module. */
  readonly parameter: (name: string) => string;
  /** The class of a layer of neurons, with its arguments. */
  readonly neurons: (op: Op<'neuron'>, constant: readonly boolean[]) => string;
}

/** A layer as Python. */
export interface LayerCode {
  /** What constructs its module. */
  readonly module?: string;
  /** Statements in front of it. */
  readonly before?: readonly string[];
  /** Its value, from those of its inputs. */
  readonly code: string;
  readonly steps: number;
}

type Emit<K extends OpKind> = (context: LayerContext, op: Op<K>, inputs: readonly Variable[]) => LayerCode;

function helper({ helpers }: LayerContext, name: string): string {
  helpers.add(name);
  return name;
}

function bool(value: boolean): string {
  return value ? 'True' : 'False';
}

/** A value constant in time, repeated for every step. */
function overTime(context: LayerContext, { code, steps }: Variable): Variable {
  if (steps === context.steps || context.looped) return { code, steps };
  return { code: `${helper(context, 'over_time')}(${code}, ${context.steps})`, steps: context.steps };
}

/** The layer as its row of the table of layers lowers it: no module, one or several expressions. */
const written: Emit<OpKind> = (context, op, inputs) => {
  const row = loweringOf(op);
  if (row.role === 'time') throw new Unsupported(op, `\`${op.kind}\``);
  if (Object.keys(op.params).length > 0) throw new Unsupported(op, `\`${op.kind}\` with parameters`);
  if (row.role === 'synapse' && row.act === undefined) throw new Unsupported(op, `\`${op.kind}\``);
  const joins = row.role === 'join' || row.role === 'product';
  const alike = inputs.every(({ steps }) => steps === inputs[0]!.steps);
  const operands = joins && !alike ? inputs.map((x) => overTime(context, x)) : inputs;
  const builder = new ProgramBuilder(op.id);
  const byId = new Map(context.network.ops.map((one) => [one.id, one]));
  const values = operands.map(({ steps }, i) =>
    builder.input(`input ${i}`, 'f32', folded(steps, byId.get(op.inputs[i]!)!.type.shape)),
  );
  const act = row.act! as (acting: unknown, op: LoweredOp, inputs: readonly Value[]) => Value;
  const result = act({ lowering: { builder, mode: 'infer', isInput: () => true }, builder, dtype: 'f32' }, op, values);
  builder.output('y', result);
  const program = simplify(builder.build());
  const lines = new Statements(program, {
    names: context.names,
    given: new Map(values.map(({ id }, i): [string, Expression] => [id, atom(operands[i]!.code)])),
    helpers: context.helpers,
    constant: () => {
      throw new Unsupported(op, 'a tensor of numbers');
    },
    batch: () => 'n',
    like: () => operands[0]!.code,
    whole: (shape: readonly Dim[]) =>
      JSON.stringify(shape) === JSON.stringify(values[0]!.shape) ? operands[0]!.code : undefined,
  });
  const y = lines.output('y');
  const last = lines.lines.at(-1);
  if (last?.startsWith(`${y.code} = `) === true) {
    // the value itself is named by whoever asked
    context.names.release(y.code);
    return { before: lines.lines.slice(0, -1), code: last.slice(y.code.length + 3), steps: stepsOf(result) };
  }
  const code = y.form === 'hard' ? `(${y.code}).float()` : y.code;
  return { before: lines.lines, code, steps: stepsOf(result) };
};

/** Planes, and gains of converted networks, have no layer of their own. */
function plainSynapse(op: Op): void {
  const attrs = attrsOf(op);
  if (op.params['gain'] !== undefined) throw new Unsupported(op, 'a synapse with a gain');
  if (attrs['planes'] !== undefined) throw new Unsupported(op, 'a synapse on planes');
}

/** `bits=4, learned=True` of weights on a grid. */
function grid(op: Op<'conv' | 'conv3d' | 'linear' | 'transposed_conv'>): string | undefined {
  if (op.params['weight_step'] === undefined) return undefined;
  const learned = op.params['weight_bits'] !== undefined;
  return learned ? 'bits=None' : `bits=${present(op.attrs.weight_bits, `torch: ${op.id} has no weight_bits`)}`;
}

/** The last arguments of a convolution's module. */
function onGrid(bits: string | undefined): readonly string[] {
  return bits === undefined ? [] : [bits, 'quantised=True'];
}

/** A layer whose module is called with what it reads; its steps are those of that. */
function called(context: LayerContext, op: Op, inputs: readonly Variable[], module: string): LayerCode {
  const code = `${context.module(op)}(${inputs.map((input) => input.code).join(', ')})`;
  return { module, code, steps: inputs[0]!.steps };
}

/** The weight [out, in / groups, kh, kw] of a convolution. */
function kernelOf({ network }: LayerContext, op: Op): readonly [out: number, inner: number, kh: number, kw: number] {
  return paramOf(network, op, 'weight').tensor.shape as [number, number, number, number];
}

const conv: Emit<'conv'> = (context, op, inputs) => {
  if (op.type.shape.length === 3) return convOfImage(context, op, inputs);
  // a line is an image of one row
  const made = convOfImage(context, op, [{ ...inputs[0]!, code: `${inputs[0]!.code}.unsqueeze(2)` }]);
  return { ...made, code: `${made.code}.squeeze(2)` };
};

const convOfImage: Emit<'conv'> = (context, op, inputs) => {
  plainSynapse(op);
  const [out, inner, ...kernel] = kernelOf(context, op);
  const { stride, pads, dilation, groups } = op.attrs;
  const [top, left, bottom, right] = pads;
  const bits = grid(op);
  const biased = `bias=${bool(op.params['bias'] !== undefined)}`;
  const more = [
    ...(groups === 1 ? [] : [`groups=${groups}`]),
    ...(dilation.every((d) => d === 1) ? [] : [`dilation=${tuple(dilation)}`]),
  ];
  const sizes = `${inner * groups}, ${out}, ${tuple(kernel)}`;
  if (bits === undefined && top === bottom && left === right) {
    const window = [
      ...(stride.every((s) => s === 1) ? [] : [`stride=${tuple(stride)}`]),
      ...(top === 0 && left === 0 ? [] : [`padding=${tuple([top, left])}`]),
      ...more,
    ];
    return called(context, op, inputs, `nn.Conv2d(${[sizes, ...window, biased].join(', ')})`);
  }
  const args = [sizes, `stride=${tuple(stride)}`, `pads=${tuple(pads)}`, ...more, biased, ...onGrid(bits)];
  return called(context, op, inputs, `${helper(context, 'Convolution')}(${args.join(', ')})`);
};

const conv3d: Emit<'conv3d'> = (context, op, inputs) => {
  plainSynapse(op);
  const [out, inner, ...kernel] = paramOf(context.network, op, 'weight').tensor.shape as [number, number, ...number[]];
  const { stride, pads, dilation, groups } = op.attrs;
  const args = [
    `${inner * groups}, ${out}, ${tuple(kernel)}`,
    `stride=${tuple(stride)}`,
    `pads=${tuple(pads)}`,
    ...(groups === 1 ? [] : [`groups=${groups}`]),
    ...(dilation.every((d) => d === 1) ? [] : [`dilation=${tuple(dilation)}`]),
    `bias=${bool(op.params['bias'] !== undefined)}`,
    ...onGrid(grid(op)),
  ];
  return called(context, op, inputs, `${helper(context, 'Convolution3d')}(${args.join(', ')})`);
};

const transposedConv: Emit<'transposed_conv'> = (context, op, inputs) => {
  plainSynapse(op);
  const [out, inner, ...kernel] = kernelOf(context, op);
  const { stride, pads, dilation, groups } = op.attrs;
  const args = [
    `${inner * groups}, ${out}, ${tuple(kernel)}`,
    `size=${tuple(op.type.shape.slice(1))}`,
    `stride=${tuple(stride)}`,
    `pads=${tuple(pads)}`,
    `dilation=${tuple(dilation)}`,
    `groups=${groups}`,
    `bias=${bool(op.params['bias'] !== undefined)}`,
    ...onGrid(grid(op)),
  ];
  return called(context, op, inputs, `${helper(context, 'TransposedConvolution')}(${args.join(', ')})`);
};

const linear: Emit<'linear'> = (context, op, inputs) => {
  plainSynapse(op);
  const [out, inner] = paramOf(context.network, op, 'weight').tensor.shape as [number, number];
  const bits = grid(op);
  const biased = op.params['bias'] !== undefined;
  const module =
    bits === undefined
      ? `nn.Linear(${inner}, ${out}${biased ? '' : ', bias=False'})`
      : `${helper(context, 'QuantisedLinear')}(${inner}, ${out}, bias=${bool(biased)}, ${bits})`;
  return called(context, op, inputs, module);
};

const batchnorm: Emit<'batchnorm'> = (context, op, inputs) => {
  if (context.looped) throw new Unsupported(op, 'batch norm in a cycle');
  const { epsilon, momentum = 0.1, threshold = 1, axis = 0 } = op.attrs;
  const repeats = context.steps / inputs[0]!.steps;
  const args = [
    String(op.type.shape[axis]!),
    `epsilon=${float(epsilon, false)}`,
    `momentum=${float(momentum, false)}`,
    ...(threshold === 1 ? [] : [`threshold=${float(threshold, false)}`]),
    ...(repeats === 1 ? [] : [`repeats=${repeats}`]),
  ];
  const module = `${helper(context, 'BatchNorm')}(${args.join(', ')})`;
  if (axis === 0) return called(context, op, inputs, module);
  const channelsFirst = { ...inputs[0]!, code: `${inputs[0]!.code}.movedim(${axis + 1}, 1)` };
  const made = called(context, op, [channelsFirst], module);
  return { ...made, code: `${made.code}.movedim(1, ${axis + 1})` };
};

const affine: Emit<'affine'> = (context, op, inputs) => {
  plainSynapse(op);
  const shape = (role: string): string => {
    const found = optionalParam(context.network, op, role)?.tensor.shape;
    return found === undefined ? 'None' : tuple(found);
  };
  const learned = op.attrs.learned === undefined ? '' : `, learned="${op.attrs.learned}"`;
  return called(
    context,
    op,
    inputs,
    `${helper(context, 'Affine')}(${shape('scale')}, ${shape('shift')}, rank=${op.type.shape.length - channelAxisOf(op)}${learned})`,
  );
};

const channelConv: Emit<'channel_conv'> = (context, op, inputs) =>
  called(context, op, inputs, `${helper(context, 'ChannelConvolution')}(${op.attrs.kernel})`);

const embedding: Emit<'embedding'> = (context, op, inputs) => {
  const { shape } = paramOf(context.network, op, 'weight').tensor;
  return called(context, op, inputs, `${helper(context, 'Embedding')}(${shape.join(', ')})`);
};

const layernorm: Emit<'layernorm'> = (context, op, inputs) => {
  if (Object.keys(op.params).length === 0) return written(context, op, inputs);
  const { axis, epsilon } = op.attrs;
  const has = (role: string): string => `${role}=${bool(op.params[role] !== undefined)}`;
  const args = [
    op.type.shape[axis]!,
    `axis=${axis + 1}`,
    `epsilon=${float(epsilon, false)}`,
    has('gamma'),
    has('beta'),
  ];
  return called(context, op, inputs, `${helper(context, 'LayerNorm')}(${args.join(', ')})`);
};

const dropout: Emit<'dropout'> = (context, op, inputs) => {
  if (op.attrs.rate === 0) return { code: inputs[0]!.code, steps: inputs[0]!.steps };
  return {
    module: `${helper(context, 'Dropout')}(${float(op.attrs.rate, false)}, ${inputs[0]!.steps})`,
    code: `${context.module(op)}(${inputs[0]!.code}, noise.get(${quote(`${op.id}.mask`)}))`,
    steps: inputs[0]!.steps,
  };
};

const neuron: Emit<'neuron'> = (context, op, inputs) => {
  const steps = op.attrs.hold ?? context.steps;
  const constant = inputs.map((input) => steps > 1 && input.steps === 1);
  const module = context.neurons(op, constant);
  const def = context.network.neurons.get(op.attrs.neuron)!;
  if (inputsOfSteps(def).length === 0) return { ...called(context, op, inputs, module), steps };
  const [x, ...more] = inputs.map(({ code }) => code);
  const drawn = drawsOf(def).map(({ name }) => `noise.get(${quote(`${op.id}.${name}`)})`);
  return { module, code: `${context.module(op)}(${x!}, ${tuple(more)}, ${tuple(drawn)})`, steps };
};

const encode: Emit<'encode'> = (context, op, [x]) => {
  switch (op.attrs.coding) {
    case 'direct':
    case 'binary':
      return { code: x!.code, steps: 1 };
    case 'events':
      return { code: `${helper(context, 'frames_first')}(${x!.code})`, steps: context.steps };
    case 'rate':
      if (op.attrs.encoder === 'regular') throw new Unsupported(op, 'regular spikes of the input');
      if (op.attrs.scale !== undefined) throw new Unsupported(op, 'spikes of the input that have its sign');
      return {
        code: `${helper(context, 'bernoulli')}(${x!.code}, ${context.steps}, noise.get(${quote(`${op.id}.uniform`)}))`,
        steps: context.steps,
      };
    default:
      throw new Unsupported(op, `the coding \`${op.attrs.coding}\``);
  }
};

const decode: Emit<'decode'> = (context, op, [x]) => ({
  code: `${helper(context, 'read_out')}(${x!.code}, ${x!.steps}, "${torchReadOut(op)}")`,
  steps: 1,
});

/** What `read_out` of `layers.py` is told. */
export function torchReadOut(op: Op<'decode'>): string {
  if (op.attrs.readout === 'membrane') throw new Unsupported(op, 'a read-out of membranes');
  return op.attrs.readout ?? 'mean';
}

const squeeze: Emit<'squeeze'> = (context, op, [x]) => {
  const learned = op.params['steps'];
  if (learned !== undefined)
    return {
      code: `${helper(context, 'squeeze_learned')}(${x!.code}, ${x!.steps}, ${context.parameter(learned)})`,
      steps: 1,
    };
  const fixed = present(op.attrs.steps, `torch: ${op.id} has no steps`);
  return { code: `${helper(context, 'squeeze')}(${x!.code}, ${x!.steps}, ${fixed})`, steps: 1 };
};

const mixSteps: Emit<'mix_steps'> = (context, op, [x]) => {
  const bias = op.params['bias'] === undefined ? 'False' : 'True';
  return {
    module: `${helper(context, 'StepMixing')}(${context.steps}, ${bias})`,
    code: `${context.module(op)}(${x!.code}, ${x!.steps})`,
    steps: context.steps,
  };
};

const lag: Emit<'lag'> = (context, op, inputs) => {
  const { code } = overTime(context, inputs[0]!);
  return { code: `${helper(context, 'lag')}(${code}, ${context.steps}, ${op.attrs.steps})`, steps: context.steps };
};

const maxprefix: Emit<'maxprefix'> = (context, op, [x]) => {
  const { kernel, stride, pads } = windowOf(op.attrs);
  const window = `kernel=${tuple(kernel)}, stride=${tuple(stride)}, pads=${tuple(pads)}`;
  if (x!.steps === 1) return { code: `${helper(context, 'max_pool')}(${x!.code}, ${window})`, steps: 1 };
  return { code: `${helper(context, 'max_of_counts')}(${x!.code}, ${x!.steps}, ${window})`, steps: x!.steps };
};

const globalavgpool: Emit<'globalavgpool'> = (_, op, inputs) => {
  plainSynapse(op);
  if (op.params['bias'] !== undefined) throw new Unsupported(op, 'a synapse with a bias of its own');
  return { code: `${inputs[0]!.code}.mean((2, 3), keepdim=True)`, steps: inputs[0]!.steps };
};

const flatten: Emit<'flatten'> = (_, __, inputs) => ({
  code: `${inputs[0]!.code}.flatten(1)`,
  steps: inputs[0]!.steps,
});

const same: Emit<OpKind> = (_, __, inputs) => ({ code: inputs[0]!.code, steps: inputs[0]!.steps });

/** Of lowered networks alone. */
const none: Emit<OpKind> = (_, op) => {
  throw new Unsupported(op, `\`${op.kind}\``);
};

/**
 * Every kind of layer as PyTorch; most are written as their rows lower them. What throws `Unsupported` makes the whole
 * network be written in its lowered form.
 */
export const torchLayers: { readonly [K in OpKind]: Emit<K> } = {
  input: none,
  quantize: written,
  conv,
  conv3d,
  transposed_conv: transposedConv,
  linear,
  batchnorm,
  affine,
  add: written,
  mul: written,
  matmul: written,
  concat: written,
  relu: written,
  clip: written,
  sigmoid: written,
  function: written,
  softmax: written,
  layernorm,
  integer_softmax: none,
  integer_norm: none,
  embedding,
  table: none,
  channel_conv: channelConv,
  avgpool: written,
  globalavgpool,
  maxpool: written,
  flatten,
  reshape: written,
  resample: written,
  transpose: written,
  slice: written,
  pad: written,
  dropout,
  identity: same,
  encode,
  neuron,
  digit: none,
  digit_neuron: none,
  recode: none,
  product: none,
  matrix_product: none,
  group_neuron: none,
  maxprefix,
  delay: same,
  lag,
  mix_steps: mixSteps,
  decode,
  planes: none,
  gather: none,
  squeeze,
};
