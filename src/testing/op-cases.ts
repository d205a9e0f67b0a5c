import { type TypedArray, tensor } from '../base/dtype.js';
import { type Attrs, type Network, NetworkBuilder, type OpKind } from '../network/index.js';

/** An op between two quantised activations; or `made`: conversions make it, no ANN that is converted has it. */
type OpCase = 'made' | ((to: Case) => string);

/** A network [2,6,6] of quantisers, weighted layers and one op of a kind: `a`, the train that it reads, is [4,6,6]. */
class Case {
  readonly builder = new NetworkBuilder('op');
  #seed = 7;

  next(): number {
    this.#seed = (this.#seed * 48271) % 2147483647;
    return this.#seed / 2147483647;
  }

  quantise(id: string, from: string, scale: number): string {
    const attrs = { scale, zero: 0, min: 0, max: 255 };
    return this.builder.add({ id, kind: 'quantize', inputs: [from], attrs });
  }

  reals(name: string, shape: readonly number[], spread = 0.5, around = 0): string {
    const data: TypedArray = Float32Array.from(
      { length: shape.reduce((a, n) => a * n, 1) },
      () => around + spread * (2 * this.next() - 1),
    );
    return this.builder.param(name, { tensor: tensor('f32', shape, data) });
  }

  weighted(
    kind: 'conv' | 'conv3d' | 'transposed_conv' | 'linear',
    id: string,
    from: string,
    shape: readonly number[],
  ): string {
    const spatial = shape.length - 2;
    const ones = new Array<number>(spatial).fill(1);
    const window = {
      kernel: shape.slice(2),
      stride: ones,
      pads: [...ones, ...ones],
      dilation: ones,
      groups: 1,
      ...(kind === 'transposed_conv' ? { output_padding: ones.map(() => 0) } : {}),
    };
    const params = {
      weight: this.reals(`${id}.w`, shape, 0.4, 0.05),
      bias: this.reals(`${id}.b`, [shape[0]!], 0.3),
    };
    return this.builder.add({ id, kind, inputs: [from], ...(kind === 'linear' ? {} : { attrs: window }), params });
  }

  op(
    kind: OpKind,
    inputs: readonly string[],
    attrs: Attrs = {},
    params: Readonly<Record<string, string>> = {},
  ): string {
    return this.builder.add({ id: 'op', kind, inputs, attrs, params });
  }

  /** Another train like `a`. */
  other(): string {
    return this.quantise('a2', this.weighted('conv', 'c2', 'q0', [4, 2, 3, 3]), 0.0171);
  }
}

const channels = { gamma: [4], beta: [4], mean: [4] } as const;
const window = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };

/** One of each kind. */
export const opCases: Readonly<Record<OpKind, OpCase>> = {
  input: (to) => to.op('identity', ['a']),
  quantize: (to) => to.quantise('op', 'a', 0.05),
  conv: (to) => to.weighted('conv', 'op', 'a', [3, 4, 3, 3]),
  conv3d: (to) => {
    const deep = to.builder.add({ id: 'deep', kind: 'reshape', inputs: ['a'], attrs: { shape: [2, 2, 6, 6] } });
    return to.weighted('conv3d', 'op', deep, [2, 2, 3, 3, 3]);
  },
  transposed_conv: (to) => to.weighted('transposed_conv', 'op', 'a', [3, 4, 3, 3]),
  linear: (to) => to.weighted('linear', 'op', to.builder.add({ id: 'flat', kind: 'flatten', inputs: ['a'] }), [8, 144]),
  batchnorm: (to) => {
    const params = Object.fromEntries(
      Object.entries(channels).map(([role, shape]) => [role, to.reals(role, shape, 0.3, role === 'gamma' ? 1 : 0.2)]),
    );
    const conv = to.weighted('conv', 'conv', 'a', [4, 4, 3, 3]);
    return to.op('batchnorm', [conv], { epsilon: 1e-5 }, { ...params, variance: to.reals('variance', [4], 0.2, 1) });
  },
  affine: (to) =>
    to.op('affine', ['a'], {}, { scale: to.reals('scale', [4], 0.5, 1), shift: to.reals('shift', [4], 0.3) }),
  add: (to) => to.op('add', ['a', to.other()]),
  mul: (to) => to.op('mul', ['a', to.other()]),
  matmul: (to) => to.op('matmul', ['a', to.other()], { transpose: true }),
  concat: (to) => to.op('concat', ['a', to.other()]),
  relu: (to) => to.op('relu', [to.weighted('conv', 'conv', 'a', [4, 4, 3, 3])]),
  clip: (to) => to.op('clip', [to.weighted('conv', 'conv', 'a', [4, 4, 3, 3])], { min: 0, max: 2 }),
  sigmoid: (to) => to.op('sigmoid', [to.weighted('conv', 'conv', 'a', [4, 4, 3, 3])]),
  function: (to) => to.op('function', [to.weighted('conv', 'conv', 'a', [4, 4, 3, 3])], { name: 'tanh' }),
  softmax: (to) => to.op('softmax', ['a'], { axis: 0 }),
  layernorm: (to) => to.op('layernorm', ['a'], { axis: 0, epsilon: 1e-5 }),
  embedding: (to) => to.op('embedding', ['a'], {}, { weight: to.reals('w', [256, 3]) }),
  channel_conv: (to) => {
    const mean = to.builder.add({ id: 'mean', kind: 'globalavgpool', inputs: ['a'] });
    return to.op('channel_conv', [mean], { kernel: 3 }, { weight: to.reals('w', [3]) });
  },
  avgpool: (to) => to.op('avgpool', ['a'], { ...window, include_pad: true }),
  globalavgpool: (to) => to.op('globalavgpool', ['a']),
  maxpool: (to) => to.op('maxpool', ['a'], window),
  flatten: (to) => to.op('flatten', ['a']),
  reshape: (to) => to.op('reshape', ['a'], { shape: [8, 3, 6] }),
  resample: (to) => to.op('resample', ['a'], { rows: [0, 2, 2, 5], columns: [1, 1, 3] }),
  transpose: (to) => to.op('transpose', ['a'], { perm: [1, 0, 2] }),
  slice: (to) => to.op('slice', ['a'], { axis: 1, start: 1, end: 6, step: 2 }),
  pad: (to) => to.op('pad', ['a'], { pads: [1, 0, 1, 2], value: 0 }),
  dropout: (to) => to.op('dropout', ['a'], { rate: 0.3 }),
  identity: (to) => to.op('identity', ['a']),
  table: 'made',
  digit: 'made',
  encode: 'made',
  neuron: 'made',
  recode: 'made',
  product: 'made',
  matrix_product: 'made',
  group_neuron: 'made',
  digit_neuron: 'made',
  maxprefix: 'made',
  delay: 'made',
  lag: 'made',
  decode: 'made',
  planes: 'made',
  gather: 'made',
  squeeze: 'made',
};

/** The network of a kind's case; undefined of kinds that conversions make. */
export function networkOfKind(kind: OpKind): Network | undefined {
  const add = opCases[kind];
  if (add === 'made') return undefined;
  const to = new Case();
  const { builder } = to;
  builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  to.quantise('q0', 'image', 1 / 255);
  to.quantise('a', to.weighted('conv', 'c1', 'q0', [4, 2, 3, 3]), 0.0113);
  const b = to.quantise('b', add(to), 0.0229);
  const flat = builder.add({ id: 'f', kind: 'flatten', inputs: [b] });
  const [features] = builder.typeOf(flat).shape as [number];
  return builder.finish([to.weighted('linear', 'fc', flat, [3, features])]);
}
