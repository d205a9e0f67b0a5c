import { type AttributeField, isOfType } from '../attributes.js';
import type { OnnxNode } from '../wire.js';

/** Where FINN keeps its hardware layers; a file's nodes may have `.hls` or `.rtl` behind it. */
const hardware = /^finn\.custom_op\.fpgadataflow(\.(hls|rtl))?$/;

/** The layer that a hardware node is: its name without what it is made with. Undefined of other nodes. */
export function hardwareLayer({ domain, opType }: OnnxNode): string | undefined {
  return hardware.test(domain) ? opType.replace(/_(hls|rtl|Batch)$/, '') : undefined;
}

/** How many inputs a layer has, and of which types its attributes are that are read. */
interface Signature {
  readonly inputs: readonly [number, number];
  readonly attributes?: Readonly<Record<string, AttributeField | 'flag'>>;
}

const product: Signature = {
  inputs: [2, 3],
  attributes: {
    inputDataType: 's',
    weightDataType: 's',
    outputDataType: 's',
    binaryXnorMode: 'flag',
    noActivation: 'flag',
    numInputVectors: 'ints',
    ActVal: 'i',
  },
};

const generator: Signature = {
  inputs: [1, 1],
  attributes: { ConvKernelDim: 'ints', Stride: 'ints', Dilation: 'ints', IFMChannels: 'i', depthwise: 'flag' },
};

const mover: Signature = { inputs: [1, 1] };

/** Operators of FINN's streamlined networks, in whichever domain. */
const streamlined: Readonly<Record<string, Signature>> = {
  Im2Col: {
    inputs: [1, 1],
    attributes: {
      kernel_size: 'ints',
      stride: 'ints',
      dilations: 'ints',
      pad_amount: 'ints',
      pad_value: 'i',
      depthwise: 'flag',
      input_shape: 's',
    },
  },
  XnorPopcountMatMul: { inputs: [2, 2] },
  MaxPoolNHWC: { inputs: [1, 1], attributes: { kernel_shape: 'ints', strides: 'ints', pads: 'ints', ceil_mode: 'i' } },
  QuantAvgPool2d: {
    inputs: [1, 1],
    attributes: { kernel: 'i', stride: 'i', ibits: 'i', obits: 'i', data_layout: 's' },
  },
};

/** Hardware layers that are read. */
const layers: Readonly<Record<string, Signature>> = {
  StreamingFIFO: mover,
  StreamingDataWidthConverter: mover,
  DuplicateStreams: mover,
  IODMA: mover,
  TLastMarker: mover,
  CheckSum: mover,
  checksum: mover,
  ConvolutionInputGenerator: generator,
  ConvolutionInputGenerator1D: generator,
  MVAU: product,
  MatrixVectorActivation: product,
  StreamingFCLayer: product,
  VVAU: product,
  VectorVectorActivation: product,
  Vector_Vector_Activate: product,
  Thresholding: { inputs: [2, 2], attributes: { ActVal: 'i', outputDataType: 's' } },
  FMPadding: { inputs: [1, 1], attributes: { Padding: 'ints' } },
  StreamingMaxPool: { inputs: [1, 1], attributes: { PoolDim: 'ints', CeilMode: 'i' } },
  Pool: { inputs: [1, 1], attributes: { Function: 's', InputDataType: 's', OutputDataType: 's' } },
  GlobalAccPool: { inputs: [1, 1] },
  ChannelwiseOp: { inputs: [2, 2], attributes: { Func: 's' } },
  AddStreams: { inputs: [2, 2] },
  StreamingEltwise: { inputs: [2, 2], attributes: { eltwiseOp: 's' } },
  StreamingConcat: { inputs: [1, Infinity] },
  StreamingSlice: { inputs: [1, 1], attributes: { axis: 'i', start_idx: 'i', slice_length: 'i', step: 'i' } },
  Reshape: { inputs: [1, 2], attributes: { out_shape: 'ints' } },
  LabelSelect: { inputs: [1, 1], attributes: { K: 'i' } },
};

function signatureOf(node: OnnxNode): Signature | undefined {
  const layer = hardwareLayer(node);
  const [table, name] = layer === undefined ? [streamlined, node.opType] : [layers, layer];
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Whether a node is one of FINN's streamlined networks, in whichever domain; MatMul alone is none. */
export function isStreamlined(node: OnnxNode): boolean {
  return Object.hasOwn(streamlined, node.opType) && hardwareLayer(node) === undefined;
}

/** Whether a hardware node moves numbers without changing one. */
export function isMover(node: OnnxNode): boolean {
  return signatureOf(node) === mover && hasSignature(node);
}

/** Fewest and most inputs of a layer of FINN's; undefined of other nodes. */
export function finnInputs(node: OnnxNode): readonly [number, number] | undefined {
  return signatureOf(node)?.inputs;
}

/** The attribute of a layer of FINN's that is of another type than it should be, flags 0 or 1, or says that there are thresholds where there are none. */
export function wrongAttribute(node: OnnxNode): string | undefined {
  const isBare = node.attributes.get('noActivation')?.i === 1 || node.inputs.length === 3;
  if (signatureOf(node) === product && !isBare) return 'noActivation';
  return Object.entries(signatureOf(node)?.attributes ?? {}).find(([name, field]) => {
    const given = node.attributes.get(name);
    if (given === undefined) return false;
    return field === 'flag' ? !isOfType(given, 'i') || ![0, 1].includes(given.i ?? 0) : !isOfType(given, field);
  })?.[0];
}

/** Whether a node has the inputs, the output and the attributes of the layer that it is; others, MatMul among them, may be all. */
export function hasSignature(node: OnnxNode): boolean {
  const [least, most] = finnInputs(node) ?? [2, 2];
  const { inputs, outputs } = node;
  const named = !inputs.includes('') && (outputs[0] ?? '') !== '';
  return named && inputs.length >= least && inputs.length <= most && wrongAttribute(node) === undefined;
}
