import { tensor } from '../../src/base/dtype.js';
import { type Network, NetworkBuilder } from '../../src/network/index.js';

/** Seeded numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * A small quantised network, drawn from a seed: input with any zero point, convolutions (strides, padding,
 * groups, dilation), max and average pools, residual adds with and without their own quantisers,
 * concatenations, signed codes, narrow code ranges, linear layers.
 */
export class RandomNetwork {
  readonly builder = new NetworkBuilder('random');
  readonly #random: () => number;
  #count = 0;

  constructor(
    seed: number,
    readonly maxPool = true,
  ) {
    this.#random = seeded(seed);
  }

  pick<T>(...options: readonly T[]): T {
    return options[Math.floor(this.#random() * options.length)]!;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.#random();
  }

  id(kind: string): string {
    return `${kind}${++this.#count}`;
  }

  shape(id: string): readonly number[] {
    return this.builder.typeOf(id).shape;
  }

  quantize(
    input: string,
    kind: 'unsigned' | 'signed' | 'narrow' | 'shifted' = this.pick(
      'unsigned',
      'unsigned',
      'signed',
      'narrow',
      'shifted',
    ),
  ): string {
    const range = {
      unsigned: { zero: 0, min: 0, max: 255 },
      signed: { zero: this.pick(120, 128, 7), min: 0, max: 255 },
      narrow: { zero: 0, min: 0, max: this.pick(15, 100, 127) },
      shifted: { zero: -13, min: -128, max: 127 },
    }[kind];
    const scale = Math.fround(this.between(0.01, 0.05));
    return this.builder.add({ id: this.id('q'), kind: 'quantize', inputs: [input], attrs: { scale, ...range } });
  }

  codes(count: number): number[] {
    return Array.from({ length: count }, () => Math.round(this.between(-127, 127)));
  }

  conv(input: string): string {
    const [channels, height] = this.shape(input) as [number, number];
    const groups = channels % 2 === 0 ? this.pick(1, 1, 2) : 1;
    const out = this.pick(2, 4);
    const k = this.pick(1, 3, 3);
    const dilation = k === 3 && height >= 5 ? this.pick(1, 1, 2) : 1;
    const pad = k === 3 ? this.pick(0, 1, 1) : 0;
    const pads = height + 2 * pad > dilation * (k - 1) ? [pad, pad, pad, pad] : [1, 1, 1, 1];
    const id = this.id('conv');
    const perChannel = this.pick(true, false);
    this.builder.param(`${id}.w`, {
      tensor: tensor('i8', [out, channels / groups, k, k], this.codes((out * channels * k * k) / groups)),
      quant: {
        scale: Array.from({ length: perChannel ? out : 1 }, () => Math.fround(this.between(0.0005, 0.004))),
        zero: [0],
        axis: 0,
      },
    });
    this.builder.param(`${id}.b`, {
      tensor: tensor(
        'f32',
        [out],
        Array.from({ length: out }, () => this.between(-0.5, 0.5)),
      ),
    });
    return this.builder.add({
      id,
      kind: 'conv',
      inputs: [input],
      attrs: { kernel: [k, k], stride: [1, 1], pads, dilation: [dilation, dilation], groups },
      params: { weight: `${id}.w`, bias: `${id}.b` },
    });
  }

  linear(input: string, out: number): string {
    const id = this.id('linear');
    const [features] = this.shape(input) as [number];
    this.builder.param(`${id}.w`, {
      tensor: tensor('i8', [out, features], this.codes(out * features)),
      quant: { scale: [Math.fround(this.between(0.0005, 0.004))], zero: [0], axis: 0 },
    });
    return this.builder.add({ id, kind: 'linear', inputs: [input], params: { weight: `${id}.w` } });
  }

  pool(input: string, kind: 'maxpool' | 'avgpool'): string {
    const window = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
    const attrs = kind === 'avgpool' ? { ...window, include_pad: true } : window;
    return this.builder.add({ id: this.id(kind), kind, inputs: [input], attrs });
  }

  plain(kind: 'relu' | 'flatten' | 'globalavgpool', input: string): string {
    return this.builder.add({ id: this.id(kind), kind, inputs: [input] });
  }

  join(kind: 'add' | 'concat', inputs: readonly string[]): string {
    return this.builder.add({ id: this.id(kind), kind, inputs });
  }

  /** One stage on a quantised value: ends in a quantised value. */
  stage(x: string): string {
    const large = this.shape(x)[1]! >= 4;
    switch (this.pick('conv', 'relu', 'residual', 'sum', 'concat', 'pool', 'average', 'averageQuantised')) {
      case 'conv':
        return this.quantize(this.conv(x));
      case 'relu':
        return this.quantize(this.plain('relu', this.conv(x)), this.pick('unsigned', 'signed'));
      case 'residual': {
        const a = this.quantize(this.sameConv(x), 'signed');
        return this.quantize(this.plain('relu', this.join('add', [a, x])), 'unsigned');
      }
      case 'sum':
        return this.quantize(this.join('add', [this.sameConv(x), this.sameConv(x)]));
      case 'concat': {
        const parts = [this.quantize(this.sameConv(x)), this.quantize(this.sameConv(x)), x];
        const joined = this.join('concat', parts);
        return this.pick(true, false) ? this.quantize(joined) : this.quantize(this.conv(joined));
      }
      case 'pool':
        if (!large || !this.maxPool) return this.quantize(this.conv(x));
        return this.pick(true, false)
          ? this.pool(x, 'maxpool')
          : this.quantize(this.pool(this.plain('relu', this.sameConv(x)), 'maxpool'), 'unsigned');
      case 'average':
        return large ? this.quantize(this.conv(this.pool(x, 'avgpool'))) : this.quantize(this.conv(x));
      case 'averageQuantised':
        return large ? this.quantize(this.pool(x, 'avgpool')) : this.quantize(this.conv(x));
    }
  }

  /** A 3×3 convolution that keeps the shape. */
  sameConv(input: string): string {
    const [channels] = this.shape(input) as [number];
    const id = this.id('conv');
    this.builder.param(`${id}.w`, {
      tensor: tensor('i8', [channels, channels, 3, 3], this.codes(channels * channels * 9)),
      quant: { scale: [Math.fround(this.between(0.0005, 0.003))], zero: [0], axis: 0 },
    });
    const attrs = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    return this.builder.add({ id, kind: 'conv', inputs: [input], attrs, params: { weight: `${id}.w` } });
  }

  build(stages: number): Network {
    const input = this.builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
    let x = this.quantize(input);
    for (let n = 0; n < stages; n++) x = this.stage(x);
    const flat = this.plain('flatten', this.pick(true, false) ? this.plain('globalavgpool', x) : x);
    return this.builder.finish([this.linear(flat, 3)]);
  }
}

export function randomNetwork(seed: number, stages: number, maxPool = true): Network {
  return new RandomNetwork(seed, maxPool).build(stages);
}

/** Images that exercise the whole code range, and beyond. */
export function randomImages(seed: number, count: number, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const random = seeded(seed + 99);
  return Float32Array.from({ length: count * shape.reduce((a, b) => a * b, 1) }, () => random() * 9 - 4);
}

/** image → q0 → (conv → q)×depth → flatten → linear */
export function chain(depth: number): Network {
  const net = new RandomNetwork(7);
  let x = net.builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  const quantiser = { scale: 0.02, zero: 0, min: 0, max: 255 };
  x = net.builder.add({ id: 'q0', kind: 'quantize', inputs: [x], attrs: { ...quantiser, zero: 114 } });
  for (let n = 1; n <= depth; n++) {
    x = net.builder.add({ id: `q${n}`, kind: 'quantize', inputs: [net.sameConv(x)], attrs: quantiser });
  }
  return net.builder.finish([net.linear(net.plain('flatten', x), 3)]);
}

/** image → q0 → conv → q1 → add(q0, q1) → q2 → linear */
export function withSkip(): Network {
  const net = new RandomNetwork(8);
  const image = net.builder.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  const quantiser = { scale: 0.02, zero: 0, min: 0, max: 255 };
  const q0 = net.builder.add({ id: 'q0', kind: 'quantize', inputs: [image], attrs: { ...quantiser, zero: 114 } });
  const q1 = net.builder.add({ id: 'q1', kind: 'quantize', inputs: [net.sameConv(q0)], attrs: quantiser });
  const q2 = net.builder.add({ id: 'q2', kind: 'quantize', inputs: [net.join('add', [q0, q1])], attrs: quantiser });
  return net.builder.finish([net.linear(net.plain('flatten', q2), 3)]);
}
