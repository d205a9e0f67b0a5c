import { tensor } from '../../src/base/dtype.js';
import { type Network, NetworkBuilder } from '../../src/network/index.js';
import { seeded } from './random-network.js';

/**
 * A small float network, drawn from a seed: convolutions (strides, groups, with batch norm or without), relus
 * and relu6s, max and average pools, residual adds, concatenations, linear layers, with a layer of spikes-to-be
 * in front of every weighted layer but the first.
 */
export class RandomFloatNetwork {
  readonly builder = new NetworkBuilder('random');
  readonly #random: () => number;
  #count = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  pick<T>(...options: readonly T[]): T {
    return options[Math.floor(this.#random() * options.length)]!;
  }

  reals(count: number, size: number): number[] {
    return Array.from({ length: count }, () => size * (2 * this.#random() - 1));
  }

  id(kind: string): string {
    return `${kind}${++this.#count}`;
  }

  shape(id: string): readonly number[] {
    return this.builder.typeOf(id).shape;
  }

  param(id: string, role: string, shape: readonly number[], size: number): string {
    const values = this.reals(
      shape.reduce((a, b) => a * b, 1),
      size,
    );
    return this.builder.param(`${id}.${role}`, { tensor: tensor('f32', shape, values) });
  }

  conv(x: string, out: number, k: number): string {
    const [channels] = this.shape(x) as [number];
    const id = this.id('conv');
    const groups = channels % 2 === 0 && out % 2 === 0 ? this.pick(1, 1, 2) : 1;
    const weight = this.param(id, 'weight', [out, channels / groups, k, k], 1.5 / Math.sqrt(channels * k));
    const bias = this.param(id, 'bias', [out], 0.3);
    const p = (k - 1) / 2;
    const attrs = { kernel: [k, k], stride: [1, 1], pads: [p, p, p, p], dilation: [1, 1], groups };
    const made = this.builder.add({ id, kind: 'conv', inputs: [x], attrs, params: { weight, bias } });
    return this.pick(true, false) ? made : this.norm(made);
  }

  norm(x: string): string {
    const [channels] = this.shape(x) as [number];
    const id = this.id('bn');
    const params = {
      gamma: this.param(id, 'gamma', [channels], 1.5),
      beta: this.param(id, 'beta', [channels], 0.3),
      mean: this.param(id, 'mean', [channels], 0.3),
      variance: this.builder.param(`${id}.variance`, {
        tensor: tensor(
          'f32',
          [channels],
          this.reals(channels, 0.4).map((v) => 0.6 + v),
        ),
      }),
    };
    return this.builder.add({ id, kind: 'batchnorm', inputs: [x], attrs: { epsilon: 1e-5 }, params });
  }

  active(x: string): string {
    if (this.pick(true, true, false)) return this.builder.add({ id: this.id('relu'), kind: 'relu', inputs: [x] });
    return this.builder.add({ id: this.id('relu6_'), kind: 'clip', inputs: [x], attrs: { min: 0, max: 6 } });
  }

  pool(kind: 'maxpool' | 'avgpool', x: string): string {
    const window = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
    const attrs = kind === 'avgpool' ? { ...window, include_pad: true } : window;
    return this.builder.add({ id: this.id(kind), kind, inputs: [x], attrs });
  }

  join(kind: 'add' | 'concat', inputs: readonly string[]): string {
    return this.builder.add({ id: this.id(kind), kind, inputs });
  }

  /** From spikes-to-be to spikes-to-be. */
  stage(x: string, maxPool: boolean): string {
    const [channels, height] = this.shape(x) as [number, number];
    const halves = height >= 4;
    switch (this.pick('plain', 'residual', 'projection', 'concat', 'max', 'average', 'maxFirst')) {
      case 'plain':
        return this.active(this.conv(x, this.pick(2, 4), 3));
      case 'residual':
        return this.active(this.join('add', [this.conv(x, channels, 3), x]));
      case 'projection':
        return this.active(this.join('add', [this.conv(x, 4, 3), this.conv(x, 4, 1)]));
      case 'concat':
        return this.active(this.conv(this.join('concat', [this.active(this.conv(x, 2, 3)), x]), 4, 1));
      case 'max':
        return halves && maxPool
          ? this.pool('maxpool', this.active(this.conv(x, 4, 3)))
          : this.active(this.conv(x, 4, 3));
      case 'maxFirst':
        return halves && maxPool
          ? this.active(this.pool('maxpool', this.conv(x, 4, 3)))
          : this.active(this.conv(x, 2, 3));
      case 'average':
        return this.active(this.conv(halves ? this.pool('avgpool', x) : x, 4, 3));
    }
  }

  build(stages: number, maxPool = true): Network {
    const image = this.builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
    let x = this.active(this.conv(image, 4, 3));
    for (let n = 0; n < stages; n++) x = this.stage(x, maxPool);
    const pooled = this.pick(true, false) ? this.builder.add({ id: 'gap', kind: 'globalavgpool', inputs: [x] }) : x;
    const flat = this.builder.add({ id: 'flatten', kind: 'flatten', inputs: [pooled] });
    const [features] = this.shape(flat) as [number];
    const params = { weight: this.param('fc', 'weight', [3, features], 1), bias: this.param('fc', 'bias', [3], 0.3) };
    return this.builder.finish([this.builder.add({ id: 'fc', kind: 'linear', inputs: [flat], params })]);
  }
}

export function randomFloatNetwork(seed: number, stages: number, maxPool = true): Network {
  return new RandomFloatNetwork(seed).build(stages, maxPool);
}
