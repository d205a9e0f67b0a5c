import { expect, it } from 'vitest';
import { type Tensor, elementCount, tensor } from '../../src/base/dtype.js';
import { costOf, fanOuts } from '../../src/cost/index.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../src/engines/tfjs.js';
import { nativeEngines } from '../support/native.js';
import { exactCodes, lower, lowerForTraining, outputNames } from '../../src/lower/program/index.js';
import {
  type Network,
  NetworkBuilder,
  hasRole,
  linksOf,
  parseNetwork,
  printNetwork,
  verifyNetwork,
} from '../../src/network/index.js';
import { runPipeline } from '../../src/passes/index.js';
import { autodiff, evaluate } from '../../src/tensor/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { convertToMeans, meansOf, simulateMeans } from '../support/means.js';
import { seeded } from '../support/random-network.js';
import { convert, passNamed, surroundings, sws } from '../support/sws.js';
import { forwardFeeds } from '../support/train.js';

interface Form {
  readonly name: string;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly output_padding: readonly [number, number];
  readonly groups: number;
}

const plain: Form = {
  name: 'doubling without overlap',
  kernel: [2, 2],
  stride: [2, 2],
  pads: [0, 0, 0, 0],
  dilation: [1, 1],
  output_padding: [0, 0],
  groups: 1,
};
const forms: readonly Form[] = [
  plain,
  { ...plain, name: 'overlapping, cut at its border', kernel: [4, 3], pads: [1, 0, 1, 1] },
  { ...plain, name: 'with rows at the end', kernel: [3, 3], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  { ...plain, name: 'in groups, dilated', kernel: [2, 3], stride: [1, 2], dilation: [2, 1], groups: 2 },
  { ...plain, name: 'with gaps', kernel: [1, 2], stride: [2, 3] },
];

const values = (next: () => number, count: number, spread = 1): number[] =>
  Array.from({ length: count }, () => Math.fround((2 * next() - 1) * spread));

/** Weight, bias and attributes of a transposed convolution from 4 to 6 channels. */
function added(b: NetworkBuilder, id: string, from: string, { name: _, ...attrs }: Form, next = seeded(3)): string {
  const shape = [6, 4 / attrs.groups, ...attrs.kernel];
  const weight = b.param(`${id}.w`, { tensor: tensor('f32', shape, values(next, elementCount(shape), 0.5)) });
  const bias = b.param(`${id}.b`, { tensor: tensor('f32', [6], values(next, 6, 0.2)) });
  return b.add({ id, kind: 'transposed_conv', inputs: [from], attrs, params: { weight, bias } });
}

function real(form: Form): Network {
  const b = new NetworkBuilder('up');
  b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
  return b.finish([added(b, 'up', 'image', form)]);
}

const image = tensor('f32', [2, 4, 3, 4], values(seeded(7), 96));
const byLoops = (network: Network, batch: Tensor): number[] => {
  const size = batch.data.length / batch.shape[0]!;
  return Array.from({ length: batch.shape[0]! }, (_, n) =>
    Array.from(
      evaluateAnn(network, Float64Array.from(batch.data.subarray(n * size, (n + 1) * size))).get(network.outputs[0]!)!,
    ),
  ).flat();
};
const near = (found: ArrayLike<number>, expected: ArrayLike<number>, digits = 4): void => {
  expect(found.length).toBe(expected.length);
  Array.from(found).forEach((v, i) => expect(v, String(i)).toBeCloseTo(expected[i]!, digits));
};

it.each(forms)('$name: its text is read back, its size is that of the places it reaches', (form) => {
  const network = real(form);
  const text = printNetwork(network);
  const { value, diagnostics } = parseNetwork({ name: 'up.ir', text }, network.params);
  expect([diagnostics, printNetwork(value!), verifyNetwork(network)]).toEqual([[], text, []]);
  const { kernel, stride, pads, dilation, output_padding } = form;
  const length = (axis: 0 | 1, n: number): number =>
    (n - 1) * stride[axis] +
    dilation[axis] * (kernel[axis] - 1) +
    1 +
    output_padding[axis] -
    pads[axis] -
    pads[axis + 2]!;
  expect(network.ops.at(-1)!.type.shape).toEqual([6, length(0, 3), length(1, 4)]);
});

it('what doesn’t fit is refused', () => {
  const b = new NetworkBuilder('up');
  b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
  added(b, 'good', 'image', plain);
  const { name: _, ...attrs } = plain;
  const problem = (changes: object): unknown =>
    b.tryAdd({
      id: 'bad',
      kind: 'transposed_conv',
      inputs: ['image'],
      attrs: { ...attrs, ...changes },
      params: { weight: 'good.w' },
    });
  expect(problem({ kernel: [3, 2] })).toEqual({ problem: 'kernel 3x2 differs from weight [6,4,2,2]' });
  expect(problem({ groups: 2 })).toEqual({ problem: "weight [6,4,2,2] with 2 group(s) doesn't fit input [4,3,4]" });
  expect(problem({ output_padding: [2, 0] })).toEqual({
    problem: 'output_padding 2,0 must be smaller than its stride 2,2',
  });
  expect(problem({ pads: [3, 0, 3, 0] })).toEqual({ problem: 'its pads 3,0,3,0 cut everything off' });
});

it.each(forms)('$name: without time it is the sum over pixels, in the evaluator and in every engine', async (form) => {
  const network = real(form);
  const expected = byLoops(network, image);
  const { program } = lower(network);
  near(evaluate(program, { image })['0']!.data, expected);
  for (const engine of [fusedEngine, onnxruntimeEngine, tfjsEngine('cpu'), ...nativeEngines]) {
    const opened = await engine.open(program);
    try {
      near((await opened.step({ image }))['0']!.data, expected);
    } finally {
      await opened.dispose();
    }
  }
});

it.each(forms)('$name: gradients of weight and bias equal finite differences', (form) => {
  const b = new NetworkBuilder('up');
  b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
  const up = added(b, 'up', 'image', form);
  const { shape } = b.typeOf(up);
  b.add({ id: 'flat', kind: 'flatten', inputs: [up] });
  const size = elementCount(shape);
  const weight = b.param('fc', { tensor: tensor('f32', [3, size], values(seeded(5), 3 * size, 0.3)) });
  const network = b.finish([b.add({ id: 'fc', kind: 'linear', inputs: ['flat'], params: { weight } })]);
  const lowered = lowerForTraining(network, { kind: 'cross_entropy', smoothing: 0 });
  const { program, gradients } = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
  const feeds = forwardFeeds(lowered, 2);
  const loss = (id?: string, index = 0, by = 0) => {
    const params = program.params.map((param) => {
      if (param.id !== id) return param;
      const data = Float64Array.from(param.data.data);
      data[index]! += by;
      return { ...param, data: { dtype: 'f64', shape: param.data.shape, data } as Tensor };
    });
    return evaluate({ ...program, params }, feeds, { precision: 'f64' });
  };
  const found = loss();
  for (const id of ['up.w', 'up.b']) {
    expect(gradients[id]).toBeDefined();
    const { data } = found[`grad.${id}`]!;
    for (let index = 0; index < data.length; index += 1 + Math.floor(data.length / 12)) {
      const slope = (loss(id, index, 1e-6)['loss']!.data[0]! - loss(id, index, -1e-6)['loss']!.data[0]!) / 2e-6;
      expect(Math.abs(data[index]! - slope), `${id}[${index}]`).toBeLessThan(1e-6 + 1e-4 * Math.abs(slope));
    }
  }
});

/** conv – quantiser – transposed convolution – quantiser – linear, with codes whose zero is `zero`. */
function quantised(form: Form, zero: number): Network {
  const next = seeded(11);
  const b = new NetworkBuilder('decoder');
  b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
  const code = { scale: 1 / 64, zero, min: 0, max: 255 };
  b.add({ id: 'q0', kind: 'quantize', inputs: ['image'], attrs: code });
  const up = added(b, 'up', 'q0', form, next);
  b.add({ id: 'q1', kind: 'quantize', inputs: [up], attrs: { scale: 1 / 32, zero: 0, min: 0, max: 255 } });
  b.add({ id: 'flat', kind: 'flatten', inputs: ['q1'] });
  const size = elementCount(b.typeOf('flat').shape);
  const weight = b.param('fc', { tensor: tensor('f32', [3, size], values(next, 3 * size, 0.1)) });
  return b.finish([b.add({ id: 'fc', kind: 'linear', inputs: ['flat'], params: { weight } })]);
}

it.each(forms.flatMap((form) => [0, 128].map((zero) => ({ ...form, zero }))))(
  '$name, codes of zero $zero: as a spiking network it gives the codes of the quantised one',
  ({ zero, ...form }) => {
    const network = quantised(form, zero);
    const { quantised: codes, spiking } = convert(network, sws({ silent: 8 }));
    const own = spiking.ops.find((op) => hasRole(op, 'weighted'))!;
    expect(own.kind).toBe('transposed_conv');
    const probes = { codes: true };
    const reference = evaluate(lower(codes, { carrier: exactCodes, probes }).program, { image });
    const found = evaluate(lower(spiking, { probes }).program, { image });
    for (const id of ['q0', 'q1']) {
      const name = outputNames.codes(id);
      expect([...found[name]!.data], id).toEqual([...reference[name]!.data]);
    }
    near(found['0']!.data, reference['0']!.data);
    near(found['0']!.data, byLoops(network, image), 3);
  },
);

it.each([1, 2])('it reads trains of different scales side by side, in %i group(s): a part for each', (groups) => {
  const next = seeded(17);
  const b = new NetworkBuilder('skip');
  b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
  b.add({ id: 'q0', kind: 'quantize', inputs: ['image'], attrs: { scale: 1 / 64, zero: 0, min: 0, max: 255 } });
  const window = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  for (const [id, scale, channels] of [
    ['left', 1 / 32, 3],
    ['right', 1 / 80, 1],
  ] as const) {
    const weight = b.param(`${id}.w`, { tensor: tensor('f32', [channels, 4, 1, 1], values(next, channels * 4, 0.6)) });
    b.add({ id, kind: 'conv', inputs: ['q0'], attrs: window, params: { weight } });
    b.add({ id: `${id}.q`, kind: 'quantize', inputs: [id], attrs: { scale, zero: 0, min: 0, max: 255 } });
  }
  b.add({ id: 'both', kind: 'concat', inputs: ['left.q', 'right.q'] });
  const up = added(b, 'up', 'both', { ...forms[1]!, groups }, next);
  b.add({ id: 'q1', kind: 'quantize', inputs: [up], attrs: { scale: 1 / 32, zero: 0, min: 0, max: 255 } });
  const network = b.finish([b.add({ id: 'flat', kind: 'flatten', inputs: ['q1'] })]);
  const { quantised: codes, spiking } = convert(network, sws({ silent: 8 }));
  expect(spiking.ops.filter(({ kind }) => kind === 'transposed_conv')).toHaveLength(2);
  const probes = { codes: true };
  const name = outputNames.codes('q1');
  const reference = evaluate(lower(codes, { carrier: exactCodes, probes }).program, { image })[name]!.data;
  expect([...evaluate(lower(spiking, { probes }).program, { image })[name]!.data]).toEqual([...reference]);
  near(evaluate(lower(spiking).program, { image })['0']!.data, byLoops(network, image), 3);
});

/** transposed convolution – batch norm – relu – linear, all real. */
function rectified(form: Form): Network {
  const next = seeded(13);
  const b = new NetworkBuilder('decoder');
  b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
  added(b, 'up', 'image', form, next);
  const statistics = Object.entries({ gamma: 1.3, beta: 0.2, mean: 0.05, variance: 0.6 }).map(([role, value]) => {
    const spread = values(next, 6, 0.1).map((v) => v + value);
    return [role, b.param(`bn.${role}`, { tensor: tensor('f32', [6], spread) })] as const;
  });
  const params = Object.fromEntries(statistics);
  b.add({ id: 'bn', kind: 'batchnorm', inputs: ['up'], attrs: { epsilon: 1e-5 }, params });
  b.add({ id: 'relu', kind: 'relu', inputs: ['bn'] });
  const again = { ...plain, groups: 2 };
  const { name: _, ...attrs } = again;
  const weight = b.param('again', { tensor: tensor('f32', [4, 3, 2, 2], values(next, 48, 0.4)) });
  b.add({ id: 'again', kind: 'transposed_conv', inputs: ['relu'], attrs, params: { weight } });
  return b.finish([b.add({ id: 'flat', kind: 'flatten', inputs: ['again'] })]);
}

it.each(forms)('$name: carrying means it computes what a simulation with unscaled weights does', (form) => {
  const steps = 5;
  const { clipped, spiking } = convertToMeans(rectified(form), meansOf('IF', { start: 0.5 }, steps));
  const sample = image.data.slice(0, 48);
  const found = evaluate(lower(spiking).program, { image: tensor('f32', [1, 4, 3, 4], sample) }, { precision: 'f64' });
  const hand = {
    start: 0.5,
    top: 1,
    step: (u: number, x: number) => {
      const s = u + x >= 1 ? 1 : 0;
      return { s, u: u + x - s };
    },
  };
  near(found['0']!.data, simulateMeans(clipped, Float64Array.from(sample), steps, hand).at(-1)!);
});

it('spikes of several bits are split into planes and put back', () => {
  const { spiking } = convertToMeans(rectified(plain), meansOf('MBIF', { start: 0.0625 }, 3));
  const parts = ['reparameterise', 'bit-planes', 'verify-planes'] as const;
  const { network: split, diagnostics } = runPipeline(spiking, parts.map(passNamed), surroundings);
  expect(diagnostics).toEqual([]);
  const planes = split!.ops.find((op) => op.id === 'again')!;
  expect(planes).toMatchObject({ kind: 'transposed_conv', attrs: { planes: 4 } });
  const run = (network: Network): ArrayLike<number> => evaluate(lower(network).program, { image })['0']!.data;
  near(run(split!), run(spiking));
});

it('it is costed: a product for each pixel, tap and output, and a spike reaches what isn’t cut off', () => {
  for (const form of forms) {
    const b = new NetworkBuilder('up');
    b.add({ id: 'image', kind: 'input', attrs: { shape: [4, 3, 4] } });
    const encoded = b.add({ id: 'e', kind: 'encode', inputs: ['image'], attrs: { coding: 'rate', steps: 2 } });
    const up = added(b, 'up', encoded, form);
    const decoded = b.add({ id: 'y', kind: 'decode', inputs: [up], attrs: { coding: 'rate' } });
    const network = b.finish([decoded], { name: 'rate', args: { steps: 2 } });
    const { kernel, stride, pads, dilation, groups } = form;
    const [layer] = costOf(network).layers;
    const taps = kernel[0] * kernel[1];
    expect(layer).toMatchObject({ macs: 4 * 3 * 4 * (6 / groups) * taps, params: 6 * (4 / groups) * taps + 6 });
    const [, height, width] = b.typeOf(up).shape as [number, number, number];
    const reached = Array.from({ length: 48 }, (_, i) => {
      let count = 0;
      for (let k = 0; k < kernel[0]; k++) {
        for (let l = 0; l < kernel[1]; l++) {
          const y = (Math.floor(i / 4) % 3) * stride[0] + k * dilation[0] - pads[0];
          const x = (i % 4) * stride[1] + l * dilation[1] - pads[1];
          if (y >= 0 && y < height && x >= 0 && x < width) count += 6 / groups;
        }
      }
      return count;
    });
    expect([...fanOuts(network)('e')], form.name).toEqual(reached);
    const links = linksOf(
      network.ops.find(({ id }) => id === up)!,
      [4, 3, 4],
      0,
    );
    expect(links.map(({ output, tap, input }) => output + pads[0] - tap * dilation[0] - input * stride[0])).toEqual(
      links.map(() => 0),
    );
  }
});
