import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Tensor, elementCount, tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../../src/engines/tfjs.js';
import { lower, lowerForTraining } from '../../../src/lower/program/index.js';
import { type Network, fixedParamsOf, parseNetwork, printNetwork } from '../../../src/network/index.js';
import { autodiff, evaluate } from '../../../src/tensor/index.js';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { nativeEngines } from '../../support/native.js';
import { hasTorch, readTensors, runPython, writeTensors } from '../../support/pytorch.js';
import { expectDiagnostics } from '../../support/spike.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { forwardFeeds, networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A network without time of one line, with numbers of its own in every parameter that the language doesn't give. */
function real(shape: readonly number[], body: string, seed = 3): Network {
  const text = `network N { input x: real[${shape.join(', ')}]  output ${body} } config c { network N }`;
  const network = networkFrom(text, seed);
  const next = random(seed);
  const given = new Set(
    network.ops.flatMap((op) => (op.kind === 'affine' ? fixedParamsOf(op).map((role) => op.params[role]!) : [])),
  );
  const params = [...network.params].map(([name, param]) => {
    if (given.has(name)) return [name, param] as const;
    const lowest = name.endsWith('variance') ? 0.5 : -0.5;
    const data = Float32Array.from(param.tensor.data, () => lowest + next());
    return [name, { tensor: tensor('f32', param.tensor.shape, data) }] as const;
  });
  return { ...network, params: new Map(params) };
}

const noise = (count: number, seed = 5): Float32Array => {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => 4 * next() - 2);
};

const byLoops = (network: Network, x: Float32Array): Float64Array =>
  evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!;

interface Case {
  readonly shape: readonly number[];
  readonly body: string;
  /** The same in PyTorch, of x with a batch axis and the parameters p by name. */
  readonly torch: string;
}

const cases: Readonly<Record<string, Case>> = {
  'a convolution over a line': {
    shape: [3, 11],
    body: 'x | conv(4, kernel: 4, stride: 2, pad: [1, 2], dilation: 2)',
    torch: 'F.conv1d(F.pad(x, (1, 2)), p["output.conv.weight"].squeeze(2), p["output.conv.bias"], 2, 0, 2)',
  },
  'in groups, with batch norm': {
    shape: [4, 7],
    body: 'x | conv(6, kernel: 3, groups: 2, bias: true) | batchnorm',
    torch:
      'F.batch_norm(F.conv1d(x, p["output.conv.weight"].squeeze(2), p["output.conv.bias"], padding=1, groups=2), *(p["output.batchnorm." + n] for n in ("mean", "variance", "gamma", "beta")))',
  },
  'a convolution over three axes': {
    shape: [2, 5, 4, 6],
    body: 'x | conv(4, kernel: [3, 2, 3], stride: [2, 1, 2], pad: [1, 0, 2], dilation: [1, 2, 1], groups: 2)',
    torch: 'F.conv3d(x, p["output.conv.weight"], p["output.conv.bias"], (2, 1, 2), (1, 0, 2), (1, 2, 1), 2)',
  },
  'over three axes, same size, with batch norm': {
    shape: [3, 3, 4, 2],
    body: 'x | conv(2, bias: true) | batchnorm',
    torch:
      'F.batch_norm(F.conv3d(x, p["output.conv.weight"], p["output.conv.bias"], padding=1), *(p["output.batchnorm." + n] for n in ("mean", "variance", "gamma", "beta")))',
  },
  'maxima over three axes': {
    shape: [2, 4, 5, 3],
    body: 'x | maxpool(3, stride: [1, 2, 2], pad: 1)',
    torch: 'F.max_pool3d(x, 3, (1, 2, 2), 1)',
  },
  'means over three axes': {
    shape: [2, 4, 5, 6],
    body: 'x | avgpool([2, 3, 2], stride: [2, 2, 2], pad: [1, 1, 0])',
    torch: 'F.avg_pool3d(x, (2, 3, 2), 2, (1, 1, 0))',
  },
  'maxima over a line': {
    shape: [2, 9],
    body: 'x | maxpool(3, stride: 2, pad: 1)',
    torch: 'F.max_pool1d(x, 3, 2, 1)',
  },
  'means over a line': {
    shape: [2, 9],
    body: 'x | avgpool(3, stride: 3)',
    torch: 'F.avg_pool1d(x, 3, 3)',
  },
  'a linear layer of tokens, with batch norm': {
    shape: [5, 3],
    body: 'x | linear(4, bias: true) | batchnorm',
    torch:
      'F.batch_norm(F.linear(x, p["output.linear.weight"], p["output.linear.bias"]).mT, *(p["output.batchnorm." + n] for n in ("mean", "variance", "gamma", "beta"))).mT',
  },
  'reshape, permute, slice': {
    shape: [6, 4],
    body: 'x | reshape([3, 2, -1]) | permute([2, 0, 1]) | slice(0, 3, axis: 1, step: 2)',
    torch: 'x.reshape(-1, 3, 2, 4).permute(0, 3, 1, 2)[:, :, 0:3:2]',
  },
  'a part and a mean': {
    shape: [2, 6, 3],
    body: 'x | split(3, part: 1, axis: 1) | mean(axis: 1)',
    torch: 'x.chunk(3, 2)[1].mean(2)',
  },
  'products of matrices': {
    shape: [2, 3, 4],
    body: 'matmul(matmul(x, x, transpose: true), x)',
    torch: '(x @ x.mT) @ x',
  },
  'a border': {
    shape: [2, 3, 4],
    body: 'x | pad([1, 0, 2, 3], value: 0.5)',
    torch: 'F.pad(x, (0, 3, 1, 2), value=0.5)',
  },
  'the nearest pixel': {
    shape: [2, 3, 4],
    body: 'x | upsample([2, 3])',
    torch: 'F.interpolate(x, scale_factor=(2, 3), mode="nearest")',
  },
  'the nearest of a line': { shape: [2, 5], body: 'x | upsample(3)', torch: 'x.repeat_interleave(3, 2)' },
  'between pixels': {
    shape: [2, 3, 4],
    body: 'x | upsample([2, 3], linear)',
    torch: 'F.interpolate(x, scale_factor=(2, 3), mode="bilinear")',
  },
  'between pixels of one row, along columns alone': {
    shape: [2, 1, 3],
    body: 'x | upsample([1, 4], linear)',
    torch: 'F.interpolate(x, scale_factor=(1, 4), mode="bilinear")',
  },
  'between values of a line': {
    shape: [3, 5],
    body: 'x | upsample(2, linear)',
    torch: 'F.interpolate(x, scale_factor=2, mode="linear")',
  },
  'group normalisation of an image': {
    shape: [6, 3, 2],
    body: 'x | groupnorm(3, epsilon: 1e-3)',
    torch: 'F.group_norm(x, 3, p["output.groupnorm.scale"], p["output.groupnorm.shift"], 1e-3)',
  },
  'group normalisation of a line, all channels together': {
    shape: [4, 5],
    body: 'x | groupnorm(1)',
    torch: 'F.group_norm(x, 1, p["output.groupnorm.scale"], p["output.groupnorm.shift"])',
  },
  positions: { shape: [5, 3], body: 'x | positions', torch: 'x + p["output.positions.shift"]' },
  'channels shuffled': { shape: [6, 2, 3], body: 'x | channel_shuffle(3)', torch: 'F.channel_shuffle(x, 3)' },
  'the mean of each channel of a line': { shape: [3, 7], body: 'x | global_avgpool', torch: 'x.mean(2)' },
  'the mean of each channel of a volume': {
    shape: [3, 2, 4, 5],
    body: 'x | global_avgpool',
    torch: 'x.mean((2, 3, 4))',
  },
  votes: { shape: [12], body: 'x | voting(4)', torch: 'F.avg_pool1d(x.unsqueeze(1), 4).squeeze(1)' },
  'softmax of the last axis': { shape: [3, 5], body: 'x | softmax', torch: 'x.softmax(-1)' },
  'softmax of the channels': { shape: [3, 2, 2], body: 'x | softmax(axis: 0)', torch: 'x.softmax(1)' },
  'layer normalisation': {
    shape: [3, 5],
    body: 'x | layernorm(epsilon: 1e-3)',
    torch: 'F.layer_norm(x, (5,), p["output.layernorm.gamma"], p["output.layernorm.beta"], 1e-3)',
  },
  gelu: { shape: [7], body: 'x | gelu', torch: 'F.gelu(x)' },
  silu: { shape: [7], body: 'x | silu', torch: 'F.silu(x)' },
  tanh: { shape: [7], body: 'x | tanh', torch: 'x.tanh()' },
};
const images = 3;

it.each(Object.entries(cases))('%s: evaluator and engines give what plain loops do', async (_, { shape, body }) => {
  const network = real(shape, body);
  const text = printNetwork(network);
  expect(printNetwork(parseNetwork({ name: 'n.ir', text }, network.params).value!)).toBe(text);
  const size = elementCount(shape);
  const x = noise(images * size);
  const wanted = Array.from({ length: images }, (_, n) => [
    ...byLoops(network, x.slice(n * size, (n + 1) * size)),
  ]).flat();
  const { program } = lower(network);
  const feeds = { x: tensor('f32', [images, ...shape], x) };
  const close = (found: ArrayLike<number>, where: string): void => {
    expect(found.length, where).toBe(wanted.length);
    wanted.forEach((v, i) => expect(Math.abs(found[i]! - v), `${where} [${i}]`).toBeLessThan(1e-5 * (1 + Math.abs(v))));
  };
  close(evaluate(program, feeds)['0']!.data, 'reference');
  for (const engine of [onnxruntimeEngine, fusedEngine, tfjsEngine('cpu'), ...nativeEngines]) {
    const opened = await engine.open(program);
    close((await opened.step(feeds))['0']!.data, engine.name);
    await opened.dispose();
  }
});

it.skipIf(!hasTorch)('each of them is PyTorch’s', () => {
  const folder = temporaryFolder();
  const lines = [
    'import torch',
    'import torch.nn.functional as F',
    'from safetensors.torch import load_file, save_file',
  ];
  lines.push('F.channel_shuffle = torch.channel_shuffle', 'y = {}');
  const networks = Object.values(cases).map(({ shape, body }) => real(shape, body));
  Object.values(cases).forEach(({ shape, torch }, i) => {
    const params = Object.fromEntries([...networks[i]!.params].map(([name, { tensor }]) => [name, tensor]));
    writeTensors(folder, `p${i}.safetensors`, {
      ...params,
      x: tensor('f32', [images, ...shape], noise(images * elementCount(shape))),
    });
    lines.push(`p = load_file("p${i}.safetensors")`, 'x = p["x"]', `y["y${i}"] = (${torch}).contiguous()`);
  });
  lines.push('save_file(y, "y.safetensors")');
  runPython(folder, ['-c', lines.join('\n')]);
  const y = readTensors(readFileSync(join(folder, 'y.safetensors')));
  Object.entries(cases).forEach(([name, { shape }], i) => {
    const x = tensor('f32', [images, ...shape], noise(images * elementCount(shape)));
    const found = evaluate(lower(networks[i]!).program, { x })['0']!;
    const wanted = y.get(`y${i}`)!.data;
    expect(found.data.length, name).toBe(wanted.length);
    found.data.forEach((v, at) => expect(Math.abs(v - wanted[at]!), `${name} [${at}]`).toBeLessThan(1e-5));
  });
});

it.each([
  'x | linear(4) | softmax | flatten | linear(2)',
  'x | linear(4) | batchnorm | layernorm | flatten | linear(2)',
  'x | conv(3, kernel: 2) | gelu | upsample(2) | flatten | linear(2)',
  'matmul(x, x | conv(3, kernel: 1), transpose: true) | mean(axis: 1) | linear(2)',
  'x | linear(2) | silu | avgpool(2) | flatten | linear(2)',
  'x | reshape([1, 3, 2, 2]) | conv(3, kernel: 2) | batchnorm | avgpool([1, 2, 1]) | flatten | linear(2)',
  'x | positions | linear(3) | groupnorm(3) | flatten | linear(2)',
  'x | conv(2, kernel: 2) | upsample(3, linear) | groupnorm(1) | flatten | linear(2)',
])('gradients of %s are finite differences', (body) => {
  const lowered = lowerForTraining(real([3, 4], body), { kind: 'cross_entropy' });
  const feeds = forwardFeeds(lowered, 2);
  const { program, gradients } = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
  const at = (id: string, index: number, by: number): Record<string, Tensor> => {
    const params = program.params.map((param) => {
      const data = Float64Array.from(param.data.data);
      if (param.id === id) data[index]! += by;
      return { ...param, data: { dtype: 'f64', shape: param.data.shape, data } as Tensor };
    });
    return evaluate({ ...program, params }, feeds, { precision: 'f64' });
  };
  const learned = program.params.filter(({ id }) => gradients[id] !== undefined);
  expect(learned.length).toBeGreaterThan(1);
  for (const { id, data } of learned) {
    for (let index = 0; index < Math.min(4, data.data.length); index++) {
      const gradient = at(id, index, 0)[`grad.${id}`]!.data[index]!;
      const difference = (at(id, index, 1e-6)['loss']!.data[0]! - at(id, index, -1e-6)['loss']!.data[0]!) / 2e-6;
      expect(Math.abs(gradient - difference), `${id}[${index}]`).toBeLessThan(1e-6 + 1e-4 * Math.abs(gradient));
    }
  }
});

it('lines of any length, windows, strides and pads: the evaluator gives what plain loops do', () => {
  const some = fc.record({
    channels: fc.integer({ min: 1, max: 3 }),
    length: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    before: fc.integer({ min: 0, max: 3 }),
    after: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(some, ({ channels, length, kernel, stride, before, after }) => {
      fc.pre(length + before + after >= kernel);
      const window = `kernel: ${kernel}, stride: ${stride}`;
      const network = real([channels, length], `x | conv(2, ${window}, pad: [${before}, ${after}])`);
      const x = noise(channels * length);
      const wanted = byLoops(network, x);
      const found = evaluate(lower(network).program, { x: tensor('f32', [1, channels, length], x) })['0']!.data;
      expect(found.length).toBe(2 * (Math.floor((length + before + after - kernel) / stride) + 1));
      found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 4));
    }),
    { numRuns: 60 },
  );
});

it('images of any size, upsampled by any factors: rows and columns lie between those of the input by their distances', () => {
  const sizes = fc.record({
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
    down: fc.integer({ min: 1, max: 4 }),
    across: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(sizes, ({ height, width, down, across }) => {
      const network = real([2, height, width], `x | upsample([${down}, ${across}], linear)`);
      const x = noise(2 * height * width);
      const found = evaluate(lower(network).program, { x: tensor('f32', [1, 2, height, width], x) })['0']!.data;
      // the centre of each small pixel in units of the large ones, held within their centres
      const between = (at: number, factor: number, size: number): number =>
        Math.min(Math.max((at + 0.5) / factor - 0.5, 0), size - 1);
      const pixel = (c: number, y: number, z: number): number => x[(c * height + y) * width + z]!;
      let i = 0;
      for (let c = 0; c < 2; c++)
        for (let r = 0; r < height * down; r++)
          for (let q = 0; q < width * across; q++, i++) {
            const [y, z] = [between(r, down, height), between(q, across, width)];
            let wanted = 0;
            for (let a = 0; a < height; a++)
              for (let b = 0; b < width; b++)
                wanted += Math.max(0, 1 - Math.abs(y - a)) * Math.max(0, 1 - Math.abs(z - b)) * pixel(c, a, b);
            expect(found[i]).toBeCloseTo(wanted, 5);
          }
      expect(found.length).toBe(i);
    }),
    { numRuns: 40 },
  );
});

it('an embedding gives the row of each whole number, zeros for any other, and learns the rows that were read', async () => {
  const network = real([2, 3], 'x | embedding(4, 5)');
  const rows = network.params.get('output.embedding.weight')!.tensor;
  expect(rows.shape).toEqual([4, 5]);
  const x = Float32Array.of(0, 3, 1, 1, 2, 0, 4, -1, 0.5, 2, 2, 3);
  const wanted = [...x].flatMap((v) =>
    Array.from({ length: 5 }, (_, f) => (Number.isInteger(v) && v >= 0 && v < 4 ? rows.data[v * 5 + f]! : 0)),
  );
  const { program } = lower(network);
  const feeds = { x: tensor('f32', [2, 2, 3], x) };
  expect([...evaluate(program, feeds)['0']!.data]).toEqual(wanted);
  expect([0, 1].flatMap((n) => [...byLoops(network, x.slice(n * 6, n * 6 + 6))])).toEqual(wanted);
  for (const engine of [onnxruntimeEngine, fusedEngine, tfjsEngine('cpu'), ...nativeEngines]) {
    const opened = await engine.open(program);
    expect([...(await opened.step(feeds))['0']!.data], engine.name).toEqual(wanted);
    await opened.dispose();
  }
  // the gradient of a row: the sum of those of the places that read it
  const lowered = lowerForTraining(real([3], 'x | embedding(4, 2) | flatten | linear(2)'), { kind: 'cross_entropy' });
  const { program: step, gradients } = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
  const given = forwardFeeds(lowered, 1);
  const ids = { ...given, x: tensor('f32', [1, 3], [1, 3, 1]) };
  const name = 'output.embedding.weight';
  const at = (index: number, by: number): Record<string, Tensor> => {
    const params = step.params.map((param) => {
      const data = Float64Array.from(param.data.data);
      if (param.id === name) data[index]! += by;
      return { ...param, data: { dtype: 'f64', shape: param.data.shape, data } as Tensor };
    });
    return evaluate({ ...step, params }, ids, { precision: 'f64' });
  };
  expect(gradients[name]).toBeDefined();
  for (let index = 0; index < 8; index++) {
    const difference = (at(index, 1e-6)['loss']!.data[0]! - at(index, -1e-6)['loss']!.data[0]!) / 2e-6;
    expect(at(index, 0)[`grad.${name}`]!.data[index]!).toBeCloseTo(difference, 6);
    if (index < 2 || (index >= 4 && index < 6)) expect(difference).toBe(0);
  }
});

it('values of three axes, windows, strides and pads of any size: the evaluator gives what plain loops do', () => {
  const each = (min: number, max: number) => fc.array(fc.integer({ min, max }), { minLength: 3, maxLength: 3 });
  const some = fc.record({
    channels: fc.integer({ min: 1, max: 3 }),
    size: each(1, 4),
    kernel: each(1, 3),
    stride: each(1, 2),
    pad: each(0, 2),
  });
  fc.assert(
    fc.property(some, ({ channels, size, kernel, stride, pad }) => {
      fc.pre(size.every((n, i) => n + 2 * pad[i]! >= kernel[i]!));
      const list = (values: readonly number[]): string => `[${values.join(', ')}]`;
      const window = `kernel: ${list(kernel)}, stride: ${list(stride)}, pad: ${list(pad)}`;
      const network = real([channels, ...size], `x | conv(2, ${window})`);
      const x = noise(channels * elementCount(size));
      const wanted = byLoops(network, x);
      const found = evaluate(lower(network).program, { x: tensor('f32', [1, channels, ...size], x) })['0']!.data;
      expect(found.length).toBe(
        size.reduce((all, n, i) => all * (Math.floor((n + 2 * pad[i]! - kernel[i]!) / stride[i]!) + 1), 2),
      );
      found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 4));
    }),
    { numRuns: 40 },
  );
});

it('shapes that do not fit are said, with where they come from', () => {
  expectDiagnostics(`
network N {
  input x: real[3, 4]
  a = x | reshape([5, 2]) // error: model/shape // warning: model/unused
  b = x | permute([0, 0]) // error: model/argument-type // warning: model/unused
  c = x | slice(2, 5) // error: model/shape // warning: model/unused
  d = x | split(2, part: 0) // error: model/shape // warning: model/unused
  e = matmul(x, x) // error: model/shape-mismatch // warning: model/unused
  f = x | conv(2, kernel: [1, 2]) // error: model/argument-type // warning: model/unused
  m = x | upsample([2, 3]) // error: model/argument-type // warning: model/unused
  g = x | conv(2, kernel: 9, pad: none) // error: model/shape // warning: model/unused
  h = x | mean(axis: 2) // error: model/argument-type // warning: model/unused
  i = x | batchnorm(axis: 3) // error: model/argument-type // warning: model/unused
  j = x | pad(1) // error: model/shape // warning: model/unused
  k = x | channel_shuffle(2) // error: model/shape // warning: model/unused
  n = x | groupnorm(2) // error: model/shape // warning: model/unused
  o = x | upsample(2, cubic) // error: model/argument-type // error: model/unknown-name // warning: model/unused
  l = x | voting(2) // error: model/shape // warning: model/unused
  p = x | reshape([1, 3, 2, 2])
  q = p | conv(2, kernel: [1, 2]) // error: model/argument-type // warning: model/unused
  r = p | maxpool(3) // error: model/shape // warning: model/unused
  s = p | avgpool(2, pad: 2) // error: model/argument-type // warning: model/unused
  t = x | conv(2, kernel: [1, 2, 3]) // error: model/argument-type // warning: model/unused
  output x | conv(2)
}
config c { network N }
`);
});
