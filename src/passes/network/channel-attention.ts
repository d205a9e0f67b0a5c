import { elementCount } from '../../base/dtype.js';
import { type Network, type Op, consumersOf, opsById } from '../../network/index.js';

/** A channel attention (ECA, MBM eq. 16): x ⊙ sigmoid(conv1d_k(mean of x over H×W)), x a membrane current. */
export interface ChannelAttention {
  /** The product. */
  readonly mul: Op;
  /** The convolution over the channels, the sigmoid and the product: what multiplies real values. */
  readonly ops: readonly Op[];
  /** Multiplications of real values a time step: C·k for the convolution, C·H·W for the product. */
  readonly products: number;
}

/** Every channel attention of a network: the gate follows from what it weighs, and nothing else reads it. */
export function channelAttentions(network: Network): readonly ChannelAttention[] {
  const byId = opsById(network);
  const consumers = consumersOf(network);
  /** The op of this kind behind an input, read by nothing else. */
  const own = <K extends Op['kind']>(id: string | undefined, kind: K): Op<K> | undefined => {
    const op = id === undefined ? undefined : byId.get(id);
    const alone = op?.kind === kind && consumers.get(op.id)!.length === 1 && !network.outputs.includes(op.id);
    return alone ? (op as Op<K>) : undefined;
  };
  return network.ops.flatMap((mul): ChannelAttention[] => {
    if (mul.kind !== 'mul' || mul.type.code.kind !== 'psp') return [];
    const [weighed, gate] = mul.inputs;
    const sigmoid = own(gate, 'sigmoid');
    const mixed = own(sigmoid?.inputs[0], 'channel_conv');
    const mean = own(mixed?.inputs[0], 'globalavgpool');
    if (sigmoid === undefined || mixed === undefined || mean === undefined || mean.inputs[0] !== weighed) return [];
    const channels = elementCount(mixed.type.shape);
    const products = channels * mixed.attrs.kernel + elementCount(mul.type.shape);
    return [{ mul, ops: [mixed, sigmoid, mul], products }];
  });
}
