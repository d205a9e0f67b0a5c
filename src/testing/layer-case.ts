import { elementCount, tensor } from '../base/dtype.js';
import { seededRandom } from '../base/random.js';
import { type Attrs, NetworkBuilder, type OpKind } from '../network/index.js';

/** Adds the op of a case, with the id `op`, behind the train `a` [4,6,6], and gives it. */
export type Adds<To extends LayerCase> = (to: To) => string;

type Synapse = 'conv' | 'conv3d' | 'transposed_conv' | 'linear';

/** A network around one op of a kind: an image [2,6,6], and `a` [4,6,6], the train that the op reads. Its weights are drawn. */
export abstract class LayerCase {
  readonly builder = new NetworkBuilder('op');
  readonly #next = seededRandom(7);

  /** Another train like `a`. */
  abstract other(): string;

  /** A param of numbers in `around` ± `spread`. */
  reals(name: string, shape: readonly number[], spread = 0.5, around = 0): string {
    const data = Float32Array.from({ length: elementCount(shape) }, () => around + spread * (2 * this.#next() - 1));
    return this.builder.param(name, { tensor: tensor('f32', shape, data) });
  }

  /** A weighted layer that keeps the size of an image by a kernel of 3. */
  synapse(kind: Synapse, id: string, from: string, shape: readonly number[]): string {
    const ones = shape.slice(2).map(() => 1);
    const window = {
      kernel: shape.slice(2),
      stride: ones,
      pads: [...ones, ...ones],
      dilation: ones,
      groups: 1,
      ...(kind === 'transposed_conv' ? { output_padding: ones.map(() => 0) } : {}),
    };
    const params = {
      weight: this.reals(`${id}.weight`, shape, 0.5, kind === 'linear' ? 0 : 0.1),
      bias: this.reals(`${id}.bias`, [shape[0]!], 0.3),
    };
    return this.builder.add({ id, kind, inputs: [from], ...(kind === 'linear' ? {} : { attrs: window }), params });
  }

  /** A current of `a`'s shape. */
  current(id = 'current'): string {
    return this.synapse('conv', id, 'a', [4, 4, 3, 3]);
  }

  op(
    kind: OpKind,
    inputs: readonly string[],
    attrs: Attrs = {},
    params: Readonly<Record<string, string>> = {},
  ): string {
    return this.builder.add({ id: 'op', kind, inputs, attrs, params });
  }
}

const window = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };

/** Layers that read spikes and codes alike. */
export const layerCases = {
  conv: (to) => to.synapse('conv', 'op', 'a', [3, 4, 3, 3]),
  conv3d: (to) => {
    const deep = to.builder.add({ id: 'deep', kind: 'reshape', inputs: ['a'], attrs: { shape: [2, 2, 6, 6] } });
    return to.synapse('conv3d', 'op', deep, [2, 2, 3, 3, 3]);
  },
  transposed_conv: (to) => to.synapse('transposed_conv', 'op', 'a', [3, 4, 3, 3]),
  linear: (to) => to.synapse('linear', 'op', to.builder.add({ id: 'flat', kind: 'flatten', inputs: ['a'] }), [8, 144]),
  batchnorm: (to) => {
    const params = {
      gamma: to.reals('op.gamma', [4], 0.3, 1),
      beta: to.reals('op.beta', [4], 0.3, 0.2),
      mean: to.reals('op.mean', [4], 0.3, 0.2),
      variance: to.reals('op.variance', [4], 0.2, 1),
    };
    return to.op('batchnorm', [to.current()], { epsilon: 1e-5 }, params);
  },
  mul: (to) => to.op('mul', ['a', to.other()]),
  matmul: (to) => to.op('matmul', ['a', to.other()], { transpose: true }),
  concat: (to) => to.op('concat', ['a', to.other()]),
  relu: (to) => to.op('relu', [to.current()]),
  clip: (to) => to.op('clip', [to.current()], { min: 0, max: 2 }),
  sigmoid: (to) => to.op('sigmoid', [to.current()]),
  function: (to) => to.op('function', [to.current()], { name: 'tanh' }),
  channel_conv: (to) => {
    const mean = to.builder.add({ id: 'mean', kind: 'globalavgpool', inputs: ['a'] });
    return to.op('channel_conv', [mean], { kernel: 3 }, { weight: to.reals('op.weight', [3]) });
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
} satisfies Partial<Record<OpKind, Adds<LayerCase>>>;
