import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { imported, refused } from './harness.js';

type Attributes = NonNullable<Parameters<OnnxBuilder['node']>[2]>;

const finn = 'finn.custom_op.fpgadataflow';
const qonnx = 'qonnx.custom_op.general';

/** Every operator of the tools: where it stands, how many inputs it has at least, and attributes that it can be read with. */
const operators: readonly (readonly [string, string, number, Attributes])[] = [
  ['Im2Col', qonnx, 1, { kernel_size: [1, 1], stride: [1, 1], input_shape: '(1, 4, 4, 2)' }],
  ['MaxPoolNHWC', qonnx, 1, { kernel_shape: [2, 2], strides: [2, 2] }],
  ['XnorPopcountMatMul', qonnx, 2, {}],
  ['QuantAvgPool2d', qonnx, 1, { kernel: 2, stride: 2, ibits: 4, obits: 4 }],
  ['MultiThreshold', qonnx, 2, {}],
  ['Quant', qonnx, 4, { signed: 1, narrow: 0 }],
  ['BipolarQuant', qonnx, 2, {}],
  ['Trunc', qonnx, 5, {}],
  ['Thresholding', finn, 2, { ActVal: 0 }],
  ['FMPadding', finn, 1, { Padding: [1, 1, 1, 1] }],
  ['StreamingMaxPool', finn, 1, { PoolDim: [2, 2] }],
  ['Pool', finn, 1, { Function: 'MaxPool' }],
  ['GlobalAccPool', finn, 1, {}],
  ['ChannelwiseOp', finn, 2, { Func: 'mul' }],
  ['AddStreams', finn, 2, {}],
  ['StreamingEltwise', finn, 2, { eltwiseOp: 'Sub' }],
  ['StreamingConcat', finn, 1, {}],
  ['LabelSelect', finn, 1, { K: 1 }],
  ['MVAU', finn, 2, { noActivation: 1 }],
  ['VVAU', finn, 2, { noActivation: 1 }],
  ['StreamingFIFO', finn, 1, {}],
  ['DuplicateStreams', finn, 1, {}],
  ['ConvolutionInputGenerator', finn, 1, { ConvKernelDim: [1, 1], Stride: [1, 1], IFMChannels: 2 }],
  ['RequantShift', '', 3, { div: 16, n_levels: 16, signed: 0 }],
];

function file(
  operator: string,
  domain: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes,
  constants: (b: OnnxBuilder) => void = () => {},
): Uint8Array {
  const b = new OnnxBuilder(13, {});
  b.input('x', [1, 4, 4, 2]);
  b.finnType('x', 'UINT4');
  constants(b);
  b.nodes(operator, inputs, outputs, attributes, { domain });
  b.output(b.node('Flatten', [outputs[0] || 'x']));
  return b.bytes();
}

describe('an operator of a tool with other inputs, outputs or attributes than it has is refused by name', () => {
  it.each(operators)('%s', (name, domain, least, attributes) => {
    const all = Array.from<unknown, string>({ length: least }, (_, i) => (i === 0 ? 'x' : 'k'));
    const said = (inputs: readonly string[], outputs = ['y'], attrs = attributes): string =>
      refused(file(name, domain, inputs, outputs, attrs, (b) => b.floats('k', [], [1])))
        .map(({ message }) => message)
        .join('\n');
    expect(said([])).toMatch(new RegExp(`${name} takes .* input\\(s\\), the node has 0`));
    expect(said(all, [])).toContain(`${name} has no output`);
    expect(said([...all.slice(0, -1), ''])).toMatch(
      new RegExp(`${name} is not supported in this form: input ${least - 1} is missing`),
    );
    for (const attribute of Object.keys(attributes)) {
      if (name === 'MVAU' || name === 'VVAU') continue;
      const wrong = typeof attributes[attribute] === 'string' ? 7 : 'text';
      expect(said(all, ['y'], { ...attributes, [attribute]: wrong }), attribute).toMatch(
        new RegExp(`${name} .*its attribute "${attribute}" is of another type`),
      );
    }
  });

  it.each([
    ['thresholds that it says it has and has not', 'MVAU', finn, ['x', 'w'], { noActivation: 0 }, /"noActivation"/],
    ['a flag of no truth value', 'MVAU', finn, ['x', 'w'], { noActivation: 5 }, /"noActivation"/],
    [
      'bits without end',
      'QuantAvgPool2d',
      qonnx,
      ['x'],
      { kernel: 2, stride: 2, ibits: 1e9, obits: 4 },
      /QuantAvgPool2d/,
    ],
    [
      'a window of none',
      'QuantAvgPool2d',
      qonnx,
      ['x'],
      { kernel: 0, stride: 2, ibits: 4, obits: 4 },
      /QuantAvgPool2d/,
    ],
    ['weights that are no bits', 'XnorPopcountMatMul', qonnx, ['x', 'w'], {}, /XnorPopcountMatMul/],
    ['a bit width below 1', 'Trunc', qonnx, ['x', 'one', 'none', 'minus', 'one'], {}, /bit width = -1/],
    ['a bit width above all', 'Quant', qonnx, ['x', 'one', 'none', 'much'], {}, /bit width = 1000000000/],
    ['thresholds of which one is NaN', 'MultiThreshold', qonnx, ['x', 'nan'], {}, /nan/],
    ['no thresholds', 'MultiThreshold', qonnx, ['x', 'empty'], {}, /thresholds "empty"/],
    [
      'a shape of digits without end',
      'Im2Col',
      qonnx,
      ['x'],
      { kernel_size: [1, 1], stride: [1, 1], input_shape: `(1, ${'9'.repeat(400)})` },
      /Im2Col/,
    ],
  ] as const)('%s', (_, name, domain, inputs, attributes, text) => {
    const bytes = file(name, domain, inputs, ['y'], attributes, (b) => {
      b.floats('w', [2, 3], [1, 2, 3, 4, 5, 6]);
      b.floats('one', [], [1]);
      b.floats('none', [], [0]);
      b.floats('minus', [], [-1]);
      b.floats('much', [], [1e9]);
      b.floats('nan', [1, 2], [1, NaN]);
      b.floats('empty', [1, 0], []);
    });
    expect(
      refused(bytes)
        .map(({ message }) => message)
        .join('\n'),
    ).toMatch(text);
  });
});

describe('weights of patches', () => {
  it.each([
    [[1, 2, 3], 'three axes'],
    [[6], 'one axis'],
    [[3, 2], 'other rows than patches have numbers'],
  ])('%j (%s) are refused', (dims) => {
    const bytes = file('ConvolutionInputGenerator', finn, ['x'], ['p'], {
      ConvKernelDim: [1, 1],
      Stride: [1, 1],
      IFMChannels: 2,
    });
    const read = new OnnxBuilder(13, {});
    read.input('x', [1, 4, 4, 2]);
    const generator = { ConvKernelDim: [1, 1], Stride: [1, 1], IFMChannels: 2 };
    const p = read.node('ConvolutionInputGenerator', ['x'], generator, { domain: finn });
    read.output(read.node('Flatten', [read.node('MatMul', [p, read.floats('w', dims, [1, 2, 3, 4, 5, 6])])]));
    expect(refused(read.bytes()).length).toBeGreaterThan(0);
    expect(refused(bytes).length).toBeGreaterThan(0);
  });
});

describe('requantisation noted beside a sum', () => {
  const sound = { in1_rq: 1, in1_mul: 3, in1_add: 1, in1_shift: 2, in1_n_levels: 64 };
  const sum = (attributes: Attributes, inputs = ['x', 'x']): Uint8Array => file('Add', '', inputs, ['y'], attributes);

  it('is read where it is sound', () => {
    expect(imported(sum(sound)).network.ops.map(({ kind }) => kind)).toContain('quantize');
  });

  it.each([
    ['a shift beyond all integers', { in1_shift: 5000 }],
    ['a negative shift', { in1_shift: -3 }],
    ['a shift that is no number', { in1_shift: { float: NaN } }],
    ['half a shift', { in1_shift: { float: 0.5 } }],
    ['a factor that float32 doesn’t hold', { in1_mul: 2 ** 24 + 1 }],
    ['a factor in words', { in1_mul: 'three' }],
    ['neither yes nor no', { in1_rq: 7 }],
  ])('%s is refused', (_, wrong) => {
    expect(refused(sum({ ...sound, ...wrong }))[0]!.message).toContain('what it notes of its requantisation');
  });

  it('of three operands, or of one without a name, it is refused', () => {
    expect(refused(sum(sound, ['x', 'x', 'x']))[0]!.message).toContain('Add takes 2 input(s), the node has 3');
    expect(refused(sum(sound, ['x', '']))[0]!.message).toContain('what it notes');
  });
});

describe('graphs that are deep, or join again and again, take time by their size', () => {
  const spent = (bytes: Uint8Array): number => {
    const before = process.cpuUsage();
    importOnnx({ name: 'deep.onnx', bytes });
    const { user } = process.cpuUsage(before);
    return user / 1e6;
  };
  const steps = (make: (b: OnnxBuilder, x: string) => string): Uint8Array => {
    const b = new OnnxBuilder(13, {});
    b.input('x', [1, 4]);
    const thresholds = b.floats('t', [1, 3], [1, 2, 3]);
    const quantised = b.node('MultiThreshold', ['x', thresholds], {}, { domain: qonnx });
    b.output(b.node('MultiThreshold', [make(b, quantised), thresholds], {}, { domain: qonnx }));
    return b.bytes();
  };

  it('sums of a value and itself, sixty of them, before thresholds', () => {
    const bytes = steps((b, x) => Array.from({ length: 60 }).reduce<string>((sum) => b.node('Add', [sum, sum]), x));
    expect(spent(bytes)).toBeLessThan(5);
    expect(imported(bytes).network.ops.filter(({ kind }) => kind === 'add')).toHaveLength(60);
  });

  it('20,000 ReLUs before thresholds', () => {
    const bytes = steps((b, x) => Array.from({ length: 20_000 }).reduce<string>((last) => b.node('Relu', [last]), x));
    expect(spent(bytes)).toBeLessThan(20);
    expect(imported(bytes).network.ops.length).toBeGreaterThan(20_000);
  }, 60_000);

  it('constants made of constants, doubled sixty times and 20,000 in a row', () => {
    const folded = (count: number, width: number, both: boolean): Uint8Array => {
      const b = new OnnxBuilder(13, {});
      b.input('x', [1, 4]);
      const one = b.floats('one', [], [2 ** -60]);
      let k = b.floats('k', [4, width], new Float32Array(4 * width).fill(2 ** -60));
      for (let i = 0; i < count; i++) k = b.node('Add', [k, both ? k : one]);
      b.output(b.node('MatMul', ['x', k]));
      return b.bytes();
    };
    // of more numbers than are kept by themselves
    const doubled = folded(60, 20_000, true);
    expect(spent(doubled)).toBeLessThan(20);
    const [weights] = imported(doubled).network.params.values();
    expect(weights!.tensor.data[0]).toBe(1);
    const long = folded(20_000, 4, false);
    expect(spent(long)).toBeLessThan(20);
  }, 60_000);
});
