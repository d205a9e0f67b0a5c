import type { OnnxNode } from '../wire.js';
import type { StandardNodes } from '../standard/nodes.js';
import { type FinnGraph, type Patches, channelwiseLayers, productLayers, writesPatches } from './finn-graph.js';
import { hardwareLayer, hasSignature, isMover } from './finn-layers.js';

/** Writes what a node computes in operators of ONNX and QONNX; undefined where a node stays what it is. */
type FinnForm = (node: OnnxNode, to: StandardNodes, graph: FinnGraph) => boolean;

const general = 'qonnx.custom_op.general';
const channelsLast = 'qonnx.custom_op.channels_last';

/** FINN's nodes: what streamlining leaves (Im2Col, MaxPoolNHWC, XnorPopcountMatMul …), and its hardware layers. None of a node that hasn't the inputs or the attributes of what it is called. */
export function finnForm(node: OnnxNode): FinnForm | undefined {
  if (!hasSignature(node)) return undefined;
  const layer = hardwareLayer(node);
  if (layer === undefined) return Object.hasOwn(generalForms, node.opType) ? generalForms[node.opType] : undefined;
  if (isMover(node)) return moved;
  if (writesPatches(node)) return patches;
  if (productLayers.includes(layer)) return product;
  if (channelwiseLayers.includes(layer)) return channelwise;
  return Object.hasOwn(hardwareForms, layer) ? hardwareForms[layer] : undefined;
}

const generalForms: Readonly<Record<string, FinnForm>> = {
  Im2Col: patches,
  MatMul: (node, to, graph) => {
    const [x, weight] = node.inputs as [string, string];
    const found = graph.patches(x);
    if (found === undefined) return false;
    convolution(to, found, weight, graph, node.outputs[0]!);
    return true;
  },
  XnorPopcountMatMul: (node, to, graph) => popcount(node, to, graph, node.outputs[0]!),
  MaxPoolNHWC: (node, to) => {
    const list = (name: string, fallback: readonly number[]): readonly number[] =>
      node.attributes.get(name)?.ints ?? fallback;
    const attributes = {
      kernel_shape: list('kernel_shape', []),
      strides: list('strides', [1, 1]),
      pads: list('pads', [0, 0, 0, 0]),
      ceil_mode: whole(node, 'ceil_mode', 0),
    };
    to.node('MaxPool', [node.inputs[0]!], attributes, node.outputs[0], channelsLast);
    return true;
  },
  QuantAvgPool2d: (node, to) => {
    const [kernel, stride] = [whole(node, 'kernel', 1), whole(node, 'stride', 1)];
    const layout = word(node, 'data_layout', 'NCHW');
    if (layout !== 'NCHW' && layout !== 'NHWC') return false;
    const bits = [whole(node, 'ibits', 1), whole(node, 'obits', 1)] as const;
    if (!isSize(kernel) || !isSize(stride) || !bits.every(isWidth)) return false;
    const shift = shiftOf(...bits, kernel * kernel);
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride] };
    sumPool(node, to, node.inputs[0]!, attributes, kernel * kernel, shift, layout === 'NHWC');
    return true;
  },
};

const hardwareForms: Readonly<Record<string, FinnForm>> = {
  Thresholding: (node, to) => {
    thresholds(node, to, node.inputs[0]!, node.inputs[1]!, whole(node, 'ActVal', 0), node.outputs[0]!);
    return true;
  },
  FMPadding: (node, to) => {
    const padding = node.attributes.get('Padding')?.ints;
    if (padding?.length !== 4) return false;
    const [top, left, bottom, right] = padding as [number, number, number, number];
    const pads = [0, top, left, 0, 0, bottom, right, 0];
    const [x] = node.inputs as [string];
    const out = node.outputs[0];
    if (to.opset >= 11) to.node('Pad', [x, to.ints(pads)], {}, out);
    else to.node('Pad', [x], { pads }, out);
    return true;
  },
  StreamingMaxPool: (node, to) => {
    const kernel = node.attributes.get('PoolDim')?.ints;
    if (kernel?.length !== 2) return false;
    const attributes = { kernel_shape: kernel, strides: kernel, ceil_mode: whole(node, 'CeilMode', 0) };
    to.node('MaxPool', [node.inputs[0]!], attributes, node.outputs[0], channelsLast);
    return true;
  },
  Pool: (node, to, graph) => {
    const found = graph.patches(node.inputs[0]!);
    if (found === undefined || !found.kernel.every(isSize)) return false;
    const attributes = { kernel_shape: found.kernel, strides: found.strides };
    if (node.attributes.get('Function')?.s === 'MaxPool') {
      to.node('MaxPool', [found.image], attributes, node.outputs[0], channelsLast);
      return true;
    }
    const bits = ['InputDataType', 'OutputDataType'].map((name) =>
      Number(/^\D*(\d+)$/.exec(word(node, name))?.[1]),
    ) as [number, number];
    const size = found.kernel[0]! * found.kernel[1]!;
    if (node.attributes.get('Function')?.s !== 'QuantAvgPool' || !bits.every(isWidth)) return false;
    sumPool(node, to, found.image, attributes, size, shiftOf(...bits, size), true);
    return true;
  },
  GlobalAccPool: (node, to) => {
    const [x] = node.inputs as [string];
    if (to.opset >= 13) to.node('ReduceSum', [x, to.ints([1, 2])], { keepdims: 1 }, node.outputs[0]);
    else to.node('ReduceSum', [x], { axes: [1, 2], keepdims: 1 }, node.outputs[0]);
    return true;
  },
  ChannelwiseOp: (node, to) => elementwise(node, to, { add: 'Add', mul: 'Mul' }[word(node, 'Func')]),
  AddStreams: (node, to) => elementwise(node, to, 'Add'),
  StreamingEltwise: (node, to) => elementwise(node, to, { Add: 'Add', Sub: 'Sub' }[word(node, 'eltwiseOp')]),
  StreamingConcat: (node, to) => {
    to.node('Concat', node.inputs, { axis: -1 }, node.outputs[0]);
    return true;
  },
  Reshape: (node, to) => {
    const shape = node.attributes.get('out_shape')?.ints ?? [];
    if (shape.length === 0) return false;
    to.node('Reshape', [node.inputs[0]!, to.ints(shape)], {}, node.outputs[0]);
    return true;
  },
  StreamingSlice: (node, to) => {
    const [axis, start, count, step] = ['axis', 'start_idx', 'slice_length', 'step'].map((name) =>
      whole(node, name, NaN),
    );
    if ([axis, start, count, step].some(Number.isNaN)) return false;
    const end = start! + (count! - 1) * step! + 1;
    to.node('Slice', [node.inputs[0]!, ...[start, end, axis, step].map((n) => to.ints([n!]))], {}, node.outputs[0]);
    return true;
  },
  LabelSelect: (node, to) => {
    const [x] = node.inputs as [string];
    const out = node.outputs[0]!;
    if (to.opset >= 10) to.node('TopK', [x, to.ints([whole(node, 'K', 1)])], { axis: -1 }, [`${out}.values`, out]);
    else to.node('TopK', [x], { k: whole(node, 'K', 1), axis: -1 }, [`${out}.values`, out]);
    return true;
  },
};

/** Of a window, and of steps between windows. */
function isSize(n: number): boolean {
  return n >= 1 && n <= 1e6;
}

/** Bits of an integer. */
function isWidth(bits: number): boolean {
  return bits >= 1 && bits <= 32;
}

function whole(node: OnnxNode, name: string, fallback: number): number {
  return node.attributes.get(name)?.i ?? fallback;
}

function word(node: OnnxNode, name: string, fallback = ''): string {
  return node.attributes.get(name)?.s ?? fallback;
}

function moved(node: OnnxNode, to: StandardNodes, graph: FinnGraph): boolean {
  const [x] = node.inputs as [string];
  // patches move to the products that read them, with their image
  if (graph.patches(x) === undefined) for (const out of node.outputs) if (out !== '') to.node('Identity', [x], {}, out);
  return true;
}

function patches(node: OnnxNode, _to: StandardNodes, graph: FinnGraph): boolean {
  return graph.patches(node.outputs[0] ?? '') !== undefined;
}

/** A matrix product with patches, or with values as they are, and the thresholds behind it. */
function product(node: OnnxNode, to: StandardNodes, graph: FinnGraph): boolean {
  const [x, weight] = node.inputs as [string, string];
  const last = activationOf(node);
  const out = last === undefined ? node.outputs[0]! : `${node.outputs[0]!}.sums`;
  const bipolar = word(node, 'inputDataType') === 'BIPOLAR' && word(node, 'weightDataType') === 'BIPOLAR';
  if (whole(node, 'binaryXnorMode', 0) === 1) {
    if (!popcount(node, to, graph, out, graph.patches(x) === undefined ? inARow(node, to, x) : x)) return false;
  } else {
    const signed = bipolar ? `${out}.signed` : out;
    const found = graph.patches(x);
    if (found === undefined) to.node('MatMul', [inARow(node, to, x), weight], {}, signed);
    else convolution(to, found, weight, graph, signed);
    if (bipolar) {
      const rows = graph.constant(weight)?.dims[0];
      if (rows === undefined) return false;
      // as many signs are alike as half of the product and of all
      const sum = to.node('Add', [signed, to.float(rows)]);
      to.node('Mul', [sum, to.float(0.5)], {}, out);
    }
  }
  if (last !== undefined) thresholds(node, to, out, last, whole(node, 'ActVal', 0), node.outputs[0]!);
  return true;
}

/** A hardware layer takes an image's numbers one after the other where it takes one vector a sample. */
function inARow(node: OnnxNode, to: StandardNodes, x: string): string {
  return node.attributes.get('numInputVectors')?.ints.length === 1 ? to.node('Flatten', [x], { axis: 1 }) : x;
}

/** A product of each channel's patches with weights [C, 1, kh, kw], and the thresholds behind it. */
function channelwise(node: OnnxNode, to: StandardNodes, graph: FinnGraph): boolean {
  const [x, weight] = node.inputs as [string, string];
  const found = graph.patches(x);
  const bipolar = word(node, 'inputDataType') === 'BIPOLAR' && word(node, 'weightDataType') === 'BIPOLAR';
  if (found === undefined || bipolar) return false;
  const last = activationOf(node);
  const out = last === undefined ? node.outputs[0]! : `${node.outputs[0]!}.sums`;
  const kernel = to.node('Transpose', [weight], { perm: [0, 2, 3, 1] });
  convolved(to, found, kernel, found.channels, out);
  if (last !== undefined) thresholds(node, to, out, last, whole(node, 'ActVal', 0), node.outputs[0]!);
  return true;
}

function activationOf(node: OnnxNode): string | undefined {
  return whole(node, 'noActivation', 0) === 1 ? undefined : node.inputs[2];
}

/** How many thresholds are reached, plus `start`; of two signs twice that, less 1. */
function thresholds(node: OnnxNode, to: StandardNodes, x: string, rows: string, start: number, out: string): void {
  const isSign = word(node, 'outputDataType') === 'BIPOLAR';
  // of signs, products have no start of their own
  const [scale, bias] = isSign ? [2, hardwareLayer(node) === 'Thresholding' ? 2 * start - 1 : -1] : [1, start];
  const attributes = { out_scale: { float: scale }, out_bias: { float: bias }, data_layout: 'NHWC' };
  to.node('MultiThreshold', [x, rows], attributes, out, general);
}

/** A convolution in place of a product of patches with weights [kh·kw·C, O]. */
function convolution(to: StandardNodes, found: Patches, weight: string, graph: FinnGraph, out: string): void {
  const single = found.depthwise ? diagonalOf(found, graph.constant(weight)) : undefined;
  if (single !== undefined) {
    const kernel = to.tensor([found.channels, ...found.kernel, 1], single);
    convolved(to, found, kernel, found.channels, out);
    return;
  }
  // nothing is left open: weights of other sizes are met where they are read
  const rows = to.node('Transpose', [weight], { perm: [1, 0] });
  convolved(to, found, to.node('Reshape', [rows, to.ints([0, ...found.kernel, found.channels])]), 1, out);
}

/** Weights of each channel's own patches, [C, kh, kw], where all others are 0. */
function diagonalOf(
  { kernel, channels }: Patches,
  weight: { readonly dims: readonly number[]; readonly data: ArrayLike<number> } | undefined,
): Float32Array<ArrayBuffer> | undefined {
  const taps = kernel[0]! * kernel[1]!;
  if (weight?.dims[0] !== taps * channels || weight.dims[1] !== channels) return undefined;
  const own = new Float32Array(channels * taps);
  for (let i = 0; i < weight.data.length; i++) {
    const value = weight.data[i]!;
    const [row, column] = [Math.floor(i / channels), i % channels];
    if (row % channels === column) own[column * taps + Math.floor(row / channels)] = value;
    else if (value !== 0) return undefined;
  }
  return own;
}

/** A convolution of an image with its channels last, by weights [O, kh, kw, C/g]. */
function convolved(to: StandardNodes, found: Patches, kernel: string, group: number, out: string): void {
  const { strides, dilations, pads } = found;
  const attributes = { kernel_shape: found.kernel, strides, dilations, pads, group };
  to.node('Conv', [found.image, kernel], attributes, out, channelsLast);
}

/** How many bits of x are those of w: x·(2w − 1) + Σ(1 − w). */
function popcount(node: OnnxNode, to: StandardNodes, graph: FinnGraph, out: string, x = node.inputs[0]!): boolean {
  const name = node.inputs[1]!;
  const weight = graph.constant(name);
  if (weight?.dims.length !== 2 || !Array.from(weight.data).every((bit) => bit === 0 || bit === 1)) return false;
  const [, columns] = weight.dims as [number, number];
  const start = new Float32Array(columns);
  for (let i = 0; i < weight.data.length; i++) start[i % columns]! += 1 - weight.data[i]!;
  const doubled = to.node('Mul', [name, to.float(2)]);
  const signs = to.node('Sub', [doubled, to.float(1)]);
  const found = graph.patches(x);
  const sums = `${out}.signs`;
  if (found === undefined) to.node('MatMul', [x, signs], {}, sums);
  else convolution(to, { ...found, depthwise: false }, signs, graph, sums);
  to.node('Add', [sums, to.tensor([columns], start)], {}, out);
  return true;
}

/** Bits by which a sum of `count` numbers of `bits` bits is shifted to have `left`. */
function shiftOf(bits: number, left: number, count: number): number {
  const most = (2 ** bits - 1) * count;
  return Math.max(0, Math.floor(Math.log2(most)) + 1 - left);
}

/** Sums over windows, their last bits cut off. */
function sumPool(
  node: OnnxNode,
  to: StandardNodes,
  x: string,
  attributes: { readonly kernel_shape: readonly number[]; readonly strides: readonly number[] },
  size: number,
  shift: number,
  last: boolean,
): void {
  const image = last ? to.node('Transpose', [x], { perm: [0, 3, 1, 2] }) : x;
  const mean = to.node('AveragePool', [image], attributes);
  const sum = to.node('Mul', [mean, to.float(size / 2 ** shift)]);
  // a mean times its size is a little beside the sum
  const lifted = to.node('Add', [sum, to.float(0.5 / 2 ** shift)]);
  if (!last) to.node('Floor', [lifted], {}, node.outputs[0]);
  else to.node('Transpose', [to.node('Floor', [lifted])], { perm: [0, 2, 3, 1] }, node.outputs[0]);
}

function elementwise(node: OnnxNode, to: StandardNodes, opType: string | undefined): boolean {
  if (opType !== undefined) to.node(opType, node.inputs, {}, node.outputs[0]);
  return opType !== undefined;
}
