import { tensor } from '../../src/base/dtype.js';
import { type Network, NetworkBuilder } from '../../src/network/index.js';
import { seeded } from './random-network.js';

export interface NumberedOptions {
  /** Names of the layers; `extra` is one more block. */
  readonly blocks: readonly string[];
  /** Of the weights; a block has the same weights in every network with the same seed. */
  readonly seed?: number;
  /** Begins every id. */
  readonly prefix?: string;
  /** Ops behind each convolution. */
  readonly behind?: readonly ('relu' | 'identity')[];
}

/** A chain of convolutions whose ids are their numbers in the file, as exporters give them. */
export function numbered({ blocks, seed = 1, prefix = '', behind = ['relu'] }: NumberedOptions): Network {
  const builder = new NetworkBuilder('numbered');
  let x = builder.add({ id: 'image', kind: 'input', attrs: { shape: [4, 6, 6] } });
  let count = 0;
  const id = (kind: string): string => `${prefix}${kind}_${++count}`;
  for (const block of blocks) {
    const random = seeded(seed * 1000 + block.split('').reduce((sum, c) => 31 * sum + c.charCodeAt(0), 7));
    const values = Float32Array.from({ length: 4 * 4 * 9 }, () => random() - 0.5);
    const name = id('Conv');
    builder.param(`${name}.weight`, { tensor: tensor('f32', [4, 4, 3, 3], values) });
    const attrs = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    x = builder.add({ id: name, kind: 'conv', inputs: [x], attrs, params: { weight: `${name}.weight` } });
    for (const kind of behind) x = builder.add({ id: id(kind), kind, inputs: [x] });
  }
  return builder.finish([x]);
}
