import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { spikeLevels } from '../equations/index.js';
import type { Network, OpKind } from '../network/index.js';
import { libraryNeurons } from '../workspace/files.js';
import { type Adds, LayerCase, layerCases } from './layer-case.js';

/** An op of a kind behind spikes, or `made`: passes make it, no network that is trained has it. */
type SpikingCase = 'made' | Adds<Spiking>;

const steps = 3;

/** A network of three steps: an image, a convolution, neurons that fire `a`, an op, neurons again and a linear layer. */
class Spiking extends LayerCase {
  constructor(readonly name: string) {
    super();
    this.builder.neuron(present(libraryNeurons().get(name), `no neuron ${name}`));
  }

  neurons(id: string, from: string): string {
    const def = present(libraryNeurons().get(this.name), `no neuron ${this.name}`);
    const args = Object.fromEntries(def.params.map((param) => [param.name, param.default ?? 0]));
    const levels = present(spikeLevels(def, args), `${this.name} has no levels`);
    const attrs = { neuron: def.name, levels: [levels.min, levels.max], amplitude: levels.step, ...args };
    return this.builder.add({ id, kind: 'neuron', inputs: [from], attrs });
  }

  override other(): string {
    return this.neurons('a2', this.synapse('conv', 'c2', 'x', [4, 2, 3, 3]));
  }
}

/** One of each kind. */
const spikingCases: Readonly<Record<OpKind, SpikingCase>> = {
  ...layerCases,
  input: () => 'a',
  encode: () => 'a',
  neuron: () => 'a',
  decode: () => 'a',
  quantize: 'made',
  affine: (to) => to.op('affine', ['a'], {}, { scale: to.reals('op.scale', [4], 0.5, 1) }),
  add: (to) => to.op('add', [to.current(), to.current('skip')]),
  softmax: (to) => to.op('softmax', [to.current()], { axis: 0 }),
  layernorm: (to) => to.op('layernorm', [to.current()], { axis: 0, epsilon: 1e-5 }),
  integer_softmax: 'made',
  integer_norm: 'made',
  embedding: (to) => to.op('embedding', ['a'], {}, { weight: to.reals('op.weight', [2, 3], 0.8, 0.6) }),
  table: 'made',
  digit: 'made',
  lag: (to) => to.op('lag', ['a'], { steps: 1 }),
  mix_steps: (to) =>
    to.op(
      'mix_steps',
      [to.current()],
      {},
      { weight: to.reals('op.weight', [steps, steps], 0.6, 0.6), bias: to.reals('op.bias', [steps]) },
    ),
  squeeze: (to) => to.op('squeeze', ['a'], { steps: 2 }),
  recode: 'made',
  product: 'made',
  matrix_product: 'made',
  group_neuron: 'made',
  digit_neuron: 'made',
  maxprefix: 'made',
  delay: 'made',
  planes: 'made',
  gather: 'made',
};

/** The spiking network of a kind's case, as it is trained, with neurons of the library; undefined of kinds that passes make. */
export function spikingNetworkOf(kind: OpKind, neurons = 'LIF'): Network | undefined {
  const add = spikingCases[kind];
  if (add === 'made') return undefined;
  const to = new Spiking(neurons);
  const { builder } = to;
  builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  builder.add({ id: 'x', kind: 'encode', inputs: ['image'], attrs: { coding: 'direct', steps } });
  to.neurons('a', to.synapse('conv', 'c1', 'x', [4, 2, 3, 3]));
  const made = add(to);
  const { code, shape } = builder.typeOf(made);
  // a few neurons might never fire
  const isRead = code.kind === 'spike' || elementCount(shape) < 8;
  const flat = builder.add({ id: 'f', kind: 'flatten', inputs: [isRead ? made : to.neurons('b', made)] });
  const [features] = builder.typeOf(flat).shape as [number];
  const sums = to.synapse('linear', 'fc', flat, [3, features]);
  builder.add({ id: 'y', kind: 'decode', inputs: [sums], attrs: { coding: 'direct' } });
  return builder.finish(['y'], { name: 'direct', args: { steps } });
}
