import type { Network, OpKind } from '../network/index.js';
import { type Adds, LayerCase, layerCases } from './layer-case.js';

/** An op between two quantised activations; or `made`: conversions make it, no ANN that is converted has it. */
type OpCase = 'made' | Adds<QuantisedCase>;

/** A network of quantisers, weighted layers and one op of a kind. */
class QuantisedCase extends LayerCase {
  quantise(id: string, from: string, scale: number): string {
    const attrs = { scale, zero: 0, min: 0, max: 255 };
    return this.builder.add({ id, kind: 'quantize', inputs: [from], attrs });
  }

  override other(): string {
    return this.quantise('a2', this.synapse('conv', 'c2', 'q0', [4, 2, 3, 3]), 0.0171);
  }
}

/** One of each kind. */
export const opCases: Readonly<Record<OpKind, OpCase>> = {
  ...layerCases,
  input: (to) => to.op('identity', ['a']),
  quantize: (to) => to.quantise('op', 'a', 0.05),
  affine: (to) =>
    to.op('affine', ['a'], {}, { scale: to.reals('op.scale', [4], 0.5, 1), shift: to.reals('op.shift', [4], 0.3) }),
  add: (to) => to.op('add', ['a', to.other()]),
  softmax: (to) => to.op('softmax', ['a'], { axis: 0 }),
  layernorm: (to) => to.op('layernorm', ['a'], { axis: 0, epsilon: 1e-5 }),
  integer_softmax: 'made',
  integer_norm: 'made',
  embedding: (to) => to.op('embedding', ['a'], {}, { weight: to.reals('op.weight', [256, 3]) }),
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
  mix_steps: 'made',
  decode: 'made',
  planes: 'made',
  gather: 'made',
  squeeze: 'made',
};

/** The network of a kind's case; undefined of kinds that conversions make. */
export function networkOfKind(kind: OpKind): Network | undefined {
  const add = opCases[kind];
  if (add === 'made') return undefined;
  const to = new QuantisedCase();
  const { builder } = to;
  builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  to.quantise('q0', 'image', 1 / 255);
  to.quantise('a', to.synapse('conv', 'c1', 'q0', [4, 2, 3, 3]), 0.0113);
  const b = to.quantise('b', add(to), 0.0229);
  const flat = builder.add({ id: 'f', kind: 'flatten', inputs: [b] });
  const [features] = builder.typeOf(flat).shape as [number];
  return builder.finish([to.synapse('linear', 'fc', flat, [3, features])]);
}
