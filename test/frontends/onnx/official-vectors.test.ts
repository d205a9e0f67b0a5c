import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { elementCount } from '../../../src/base/dtype.js';
import { tensorConstant } from '../../../src/frontends/onnx/tensor-data.js';
import { decodeTensor } from '../../../src/frontends/onnx/wire.js';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, imported, refused } from './harness.js';

const { onnx } = onnxProto;
const root = '/usr/share/libonnx-testdata/data';
const present = existsSync(root);
if (!present) console.warn(`skipped: official ONNX operator vectors, ${root} is absent (Debian: libonnx-testdata)`);

interface Vector {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly message: onnxProto.onnx.ITensorProto;
  readonly type: number;
}

function readVector(path: string): Vector {
  const bytes = new Uint8Array(readFileSync(path));
  const tensor = decodeTensor(bytes);
  const constant = tensorConstant(tensor, { file: path }, undefined);
  return {
    shape: constant.shape,
    values: Array.from(constant.data()),
    message: onnx.TensorProto.decode(bytes),
    type: tensor.dataType,
  };
}

interface Case {
  readonly bytes: Uint8Array;
  /** What to feed, all samples one after the other. */
  readonly input: readonly number[];
  readonly batch: number;
  readonly expected: readonly number[];
}

const float = 1;
const int32 = 6;

/**
 * The model of a vector with its first input as the activation and the others as initialisers.
 * Codes come out of a QuantizeLinear put in front and go into a DequantizeLinear put behind; the
 * integers of ConvInteger and MatMulInteger get the scale 1. Inputs of one axis get a batch axis.
 */
function prepare(name: string, prepend: boolean): Case {
  const folder = join(root, name);
  const model = onnx.ModelProto.decode(readFileSync(join(folder, 'model.onnx')));
  const data = join(folder, 'test_data_set_0');
  const count = readdirSync(data).filter((file) => file.startsWith('input_')).length;
  const inputs = Array.from({ length: count }, (_, i) => readVector(join(data, `input_${i}.pb`)));
  const output = readVector(join(data, 'output_0.pb'));
  const opset = Number(model.opsetImport.find((entry) => (entry.domain ?? '') === '')!.version);
  const builder = new OnnxBuilder(Math.max(9, opset), {});
  const graph = model.graph!;
  const names = graph.input!.map((info) => info.name!);
  const x = inputs[0]!;
  const shape = prepend ? [1, ...x.shape] : x.shape;
  const codesIn = x.type !== float;
  const node = graph.node![0]!;
  const linear = node.opType!.startsWith('QLinear');
  builder.input(codesIn ? 'fed' : names[0]!, shape);
  for (const tensor of graph.initializer!) builder.graph.initializer.push(tensor);
  for (const [i, vector] of inputs.entries()) {
    if (i > 0) builder.graph.initializer.push({ ...vector.message, name: names[i]! });
  }
  const scaleOf = (index: number): number => (linear ? inputs[index]!.values[0]! : 1);
  const zeroOf = (index: number): number => (linear ? (inputs[index]?.values[0] ?? 0) : 0);
  const params = (tag: string, scale: number, zero: number): string[] => [
    builder.scalar(`${tag}.scale`, 'float', scale),
    builder.scalar(`${tag}.zero`, 'uint8', zero),
  ];
  const ownScale = node.opType === 'DequantizeLinear' ? inputs[1]!.values[0]! : scaleOf(1);
  const ownZero = node.opType === 'DequantizeLinear' ? inputs[2]!.values[0]! : zeroOf(2);
  if (codesIn) builder.node('QuantizeLinear', ['fed', ...params('in', ownScale, ownZero)], {}, { output: names[0]! });
  for (const each of graph.node!) builder.graph.node.push(each);
  const result = graph.output![0]!.name!;
  const quantizes = node.opType === 'QuantizeLinear';
  const outScale = quantizes ? inputs[1]!.values[0]! : scaleOf(6);
  const outZero = quantizes ? inputs[2]!.values[0]! : zeroOf(7);
  if (output.type === float) builder.output(result);
  else if (output.type === int32) {
    const cast = builder.node('Cast', [result], { to: float });
    builder.output(builder.node('Mul', [cast, builder.scalar('unit', 'float', 1)]));
  } else builder.output(builder.node('DequantizeLinear', [result, ...params('out', outScale, outZero)]));
  const asReal = (v: number): number => (v - outZero) * outScale;
  return {
    bytes: builder.bytes(),
    input: codesIn ? x.values.map((v) => Math.fround((v - ownZero) * ownScale)) : x.values,
    batch: shape[0]!,
    expected: output.type === float || output.type === int32 ? output.values : output.values.map(asReal),
  };
}

const node = (text: string): string[] => text.split(/\s+/).map((name) => `node/test_${name}`);
const converted = (text: string): string[] => text.split(/\s+/).map((name) => `pytorch-converted/test_${name}`);

const agreeing = [
  ...node(
    `averagepool_2d_ceil averagepool_2d_default averagepool_2d_pads averagepool_2d_pads_count_include_pad
    averagepool_2d_precomputed_pads averagepool_2d_precomputed_pads_count_include_pad averagepool_2d_precomputed_same_upper
    averagepool_3d_default maxpool_3d_default averagepool_2d_precomputed_strides averagepool_2d_same_lower averagepool_2d_same_upper averagepool_2d_strides
    basic_conv_with_padding basic_conv_without_padding conv_with_autopad_same conv_with_strides_and_asymmetric_padding
    conv_with_strides_no_padding conv_with_strides_padding basic_convinteger convinteger_without_padding
    convinteger_with_padding qlinearconv qlinearmatmul_2D matmulinteger batchnorm_epsilon batchnorm_example constant_pad
    flatten_axis1 flatten_default_axis flatten_negative_axis3 gemm_alpha gemm_beta gemm_default_no_bias
    gemm_default_scalar_bias gemm_default_single_elem_vector_bias gemm_default_vector_bias gemm_default_zero_bias
    gemm_transposeB globalaveragepool globalaveragepool_precomputed globalmaxpool globalmaxpool_precomputed identity
    matmul_2d maxpool_2d_ceil maxpool_2d_default maxpool_2d_pads maxpool_2d_precomputed_pads
    maxpool_2d_precomputed_same_upper maxpool_2d_precomputed_strides maxpool_2d_same_lower maxpool_2d_same_upper
    maxpool_2d_strides maxpool_2d_uint8 maxpool_with_argmax_2d_precomputed_pads
    maxpool_with_argmax_2d_precomputed_strides dropout_default_mask dropout_default_mask_ratio relu clip clip_default_max clip_default_min dropout_default dropout_default_ratio
    dropout_random_old reshape_negative_dim reshape_zero_dim reshape_zero_and_negative_dim
    reshape_extended_dims reshape_reordered_last_dims reshape_reduced_dims squeeze_negative_axes unsqueeze_axis_1
    unsqueeze_axis_2 unsqueeze_axis_3 unsqueeze_two_axes unsqueeze_negative_axes transpose_all_permutations_0`,
  ),
  ...converted(
    `AvgPool2d AvgPool2d_stride BatchNorm2d_eval BatchNorm2d_momentum_eval BatchNorm1d_3d_input_eval ConstantPad2d
    Conv2d Conv2d_depthwise Conv2d_depthwise_padded Conv2d_depthwise_strided Conv2d_depthwise_with_multiplier
    Conv2d_dilated Conv2d_groups Conv2d_groups_thnn Conv2d_no_bias Conv2d_padding Conv2d_strided Linear Linear_no_bias
    MaxPool2d ReLU ZeroPad2d AvgPool1d AvgPool1d_stride Conv3d Conv3d_dilated Conv3d_groups Conv3d_no_bias Conv3d_stride
    Conv3d_stride_padding AvgPool3d AvgPool3d_stride MaxPool3d MaxPool3d_stride`,
  ),
  'simple/test_single_relu_model',
];

/** Their shapes have no batch axis: one is put in front. */
const agreeingWithBatch = node(
  `add add_bcast sub sub_bcast mul mul_bcast div div_bcast sub_example mul_example div_example sum_two_inputs
  clip_default_inbounds clip_example clip_inbounds clip_outbounds clip_splitbounds dropout_default_old quantizelinear
  dequantizelinear`,
);

const refusedVectors: Readonly<Record<string, readonly string[]>> = {
  'onnx/unsupported-form': [
    ...node(
      `maxpool_2d_dilations batchnorm_epsilon_training_mode flatten_axis0
      flatten_axis2 training_dropout maxpool_1d_default averagepool_1d_default matmul_3d gemm_transposeA softmax_axis_1
      softmax_axis_2 reshape_one_dim transpose_all_permutations_5 squeeze unsqueeze_axis_0`,
    ),
    ...converted('Conv1d Conv1d_groups ReflectionPad2d ReplicationPad2d PixelShuffle'),
  ],
  'onnx/unsupported-op': node('leakyrelu dynamicquantizelinear_min_adjusted'),
  'onnx/shape-mismatch': node('gemm_default_matrix_bias reshape_negative_extended_dims'),
};

describe.skipIf(!present)('official ONNX operator vectors', () => {
  const check = (name: string, prepend: boolean): void => {
    const { bytes, input, batch, expected } = prepare(name, prepend);
    const { network } = imported(bytes);
    const size = elementCount(network.ops[0]!.type.shape);
    expect(input).toHaveLength(batch * size);
    const got = Array.from({ length: batch }, (_, i) => {
      const sample = Float64Array.from(input.slice(i * size, (i + 1) * size));
      return [...evaluateAnn(network, sample).get(network.outputs[0]!)!];
    }).flat();
    expect(got).toHaveLength(expected.length);
    const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
    for (const [i, value] of expected.entries()) {
      expect(Math.abs(got[i]! - value), `${name}[${i}]: ${got[i]}, expected ${value}`).toBeLessThan(1e-5 * largest);
    }
  };
  for (const name of agreeing) it(name, () => check(name, false));
  for (const name of agreeingWithBatch) it(name, () => check(name, true));
  for (const [code, names] of Object.entries(refusedVectors)) {
    for (const name of names) {
      it(`${name} is refused: ${code}`, () => expect(codes(refused(prepare(name, false).bytes))).toContain(code));
    }
  }
});
