import { expect, it, vi } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { costOf } from '../../src/cost/index.js';
import { lower } from '../../src/lower/program/index.js';
import { NetworkBuilder, type OpKind, parseNetwork, printNetwork, verifyNetwork } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';

// A layer: its file (here `row`), which says all that passes, costs and lowerings ask, and a line of the registry.

vi.mock('../../src/network/ops/registry.js', async (original) => {
  const { networkOps } = await original<typeof import('../../src/network/ops/registry.js')>();
  const { defineOp } = await import('../../src/network/ops/define.js');
  const { pair } = await import('../../src/network/ops/attributes.js');
  const { linearResult } = await import('../../src/network/ops/type-rules.js');
  /** Each pixel becomes a window of its own, weight [in, out, kh, kw]. */
  const row = defineOp({
    arity: [1, 1],
    doc: 'Transposed convolution without overlap.',
    attrs: { stride: pair() },
    params: ['weight', 'gain?', 'bias?'],
    traits: {
      ...networkOps.conv.traits,
      macs: ({ output, weight }) => output[0]! * output[1]! * output[2]! * weight[0]!,
    },
    lowering: {
      role: 'synapse',
      act: ({ builder, weight }, op, [x]) =>
        builder.conv2dInputGrad(weight(op), x!, {
          stride: op.attrs.stride,
          pads: [0, 0, 0, 0],
          dilation: [1, 1],
          groups: 1,
          input: op.type.shape.slice(1),
        }),
      gain: 'gain',
      plus: 'bias',
    },
    type: ({ inputs: [x], attrs: { stride }, param }) => {
      const [channels, out, ...kernel] = param('weight')!;
      if (channels !== x!.shape[0]) return `weight is for ${channels} channels`;
      if (kernel.join('x') !== stride.join('x')) return `kernel ${kernel.join('x')} overlaps or leaves gaps`;
      return linearResult(x!, [out!, x!.shape[1]! * stride[0]!, x!.shape[2]! * stride[1]!]);
    },
  });
  return { networkOps: { ...networkOps, unfold: row } };
});

const kind = 'unfold' as OpKind;
const weight = [1, 2, 3, 4, -1, 0.5, 2, -2, 0.25, 1, -3, 2, 1, 1, 0, 5]; // [in 2, out 2, 2, 2]
const bias = [0.5, -1];
const image = [1, 2, 3, 4, 5, 6, -1, 0, 2, -2, 1, 0.5]; // [2, 2, 3]

function started(): NetworkBuilder {
  const b = new NetworkBuilder('up');
  b.param('w', { tensor: tensor('f32', [2, 2, 2, 2], weight) });
  b.param('b', { tensor: tensor('f32', [2], bias) });
  b.add({ id: 'x', kind: 'input', attrs: { shape: [2, 2, 3] } });
  return b;
}

function ended(b: NetworkBuilder, from: string): string {
  return b.add({ id: 'up', kind, inputs: [from], attrs: { stride: [2, 2] }, params: { weight: 'w', bias: 'b' } });
}

function real() {
  const b = started();
  return b.finish([ended(b, 'x')]);
}

/** The same by loops: y[o, 2i+k, 2j+l] = Σ_c x[c, i, j]·w[c, o, k, l] + b[o]. */
function byHand(x: ArrayLike<number>): number[] {
  const y = new Array<number>(2 * 4 * 6);
  for (let o = 0; o < 2; o++)
    for (let r = 0; r < 4; r++)
      for (let q = 0; q < 6; q++) {
        let sum = bias[o]!;
        for (let c = 0; c < 2; c++) {
          const pixel = x[(c * 2 + (r >> 1)) * 3 + (q >> 1)]!;
          sum += pixel * weight[((c * 2 + o) * 2 + (r & 1)) * 2 + (q & 1)]!;
        }
        y[(o * 4 + r) * 6 + q] = sum;
      }
  return y;
}

const run = (network: ReturnType<typeof real>): number[] => [
  ...evaluate(lower(network).program, { x: tensor('f32', [1, 2, 2, 3], image) })['0']!.data,
];

it('a new layer has its type, its text form and its own problems', () => {
  const network = real();
  expect(network.ops.at(-1)!.type.shape).toEqual([2, 4, 6]);
  expect(verifyNetwork(network)).toEqual([]);
  const text = printNetwork(network);
  const { value, diagnostics } = parseNetwork({ name: 'up.ir', text }, network.params);
  expect(diagnostics).toEqual([]);
  expect(printNetwork(value!)).toBe(text);
  const wrong = started().tryAdd({ id: 'u', kind, inputs: ['x'], attrs: { stride: [3, 3] }, params: { weight: 'w' } });
  expect(wrong).toEqual({ problem: 'kernel 2x2 overlaps or leaves gaps' });
});

it('a new layer is evaluated without time', () => {
  run(real()).forEach((v, i) => expect(v).toBeCloseTo(byHand(image)[i]!, 5));
});

it('a new layer is evaluated over time: the mean of a linear layer is the layer of the mean', () => {
  const b = started();
  const encoded = b.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs: { coding: 'direct', steps: 3 } });
  const read = b.add({ id: 'y', kind: 'decode', inputs: [ended(b, encoded)], attrs: { coding: 'direct' } });
  const network = b.finish([read], { name: 'direct', args: { steps: 3 } });
  run(network).forEach((v, i) => expect(v).toBeCloseTo(byHand(image)[i]!, 5));
});

it('a new layer is evaluated on stepwise weighted spikes', () => {
  const b = started();
  const attrs = {
    coding: 'sws',
    encoder: 'exact',
    beta: 2,
    steps: 4,
    scale: 1,
    zero: 0,
    min: 0,
    max: 15,
    amplitude: 1,
    threshold: 0.5,
  };
  const encoded = b.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs });
  b.param('each', {
    tensor: tensor(
      'f32',
      [2],
      bias.map((v) => v / 15),
    ),
  });
  const params = { weight: 'w', bias: 'each' };
  const up = b.add({ id: 'up', kind, inputs: [encoded], attrs: { stride: [2, 2] }, params });
  const read = b.add({ id: 'y', kind: 'decode', inputs: [up], attrs: { coding: 'sws', beta: 2 } });
  const network = b.finish([read], { name: 'sws', args: { beta: 2, steps: 4 } });
  // codes: whole numbers of 0 … 15, halves to even
  const codes = image.map((v) => (v === 0.5 ? 0 : Math.max(0, v)));
  run(network).forEach((v, i) => expect(v).toBeCloseTo(byHand(codes)[i]!, 4));
});

it('a new layer is costed by its traits', () => {
  const b = started();
  const encoded = b.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs: { coding: 'direct', steps: 3 } });
  const read = b.add({ id: 'y', kind: 'decode', inputs: [ended(b, encoded)], attrs: { coding: 'direct' } });
  const { layers } = costOf(b.finish([read], { name: 'direct', args: { steps: 3 } }));
  expect(layers).toHaveLength(1);
  expect(layers[0]).toMatchObject({ id: 'up', kind, macs: 96, params: 18 });
});
