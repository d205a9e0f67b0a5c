import { define } from './define.js';

const list = (values: readonly unknown[]): string => `[${values.join(', ')}]`;

export const onnxDiagnostics = {
  'onnx/malformed-file': define<{ size: number; reason: string }>(
    'error',
    ({ size, reason }) => `not a readable ONNX file (${size} bytes): ${reason}`,
    `The file is not the protobuf message an ONNX model is, or it ends early: an interrupted download or copy, a Git LFS
pointer instead of the file, or another format. Compare its size with the original and fetch it again;
\`python -c "import onnx; onnx.checker.check_model('FILE')"\` tells more.`,
  ),
  'onnx/empty-graph': define<{ size: number }>(
    'error',
    () => 'the model has no graph, or a graph without nodes',
    `An ONNX model holds one graph of operators; this one holds none. Usually the export failed, or the file is of
another format that happens to decode (protobuf has no signature). Export the network again.`,
  ),
  'onnx/dynamic-quantisers': define<{ count: number; first: string }>(
    'note',
    ({ count, first }) =>
      `the file quantises ${count} activation${count === 1 ? '' : 's'} dynamically (DynamicQuantizeLinear; the first is "${first}"); the network has them as reals`,
    `A dynamic quantiser takes its scale and zero point from the values of each input, so that no code has a fixed meaning that a
spike train could carry. The weights stay the file's integers; the activations are imported as the reals that the quantiser
approximates, and the import is compared with the file without its dynamic quantisers. \`convert --calibrate DATA\` measures
the ranges of these activations and puts static quantisers in their place.`,
  ),
  'onnx/opset': define<{ version: number; least: number; most: number }>(
    'error',
    ({ version, least, most }) => `the model uses opset ${version}; ${least} to ${most} are supported`,
    `ONNX's operators change meaning between opsets, so others than these are not guessed. Convert the model:
\`onnx.version_converter.convert_version(model, 17)\`, or pass \`opset_version\` to the exporter.`,
  ),
  'onnx/no-input': define(
    'error',
    () => 'the graph has no input',
    `A network is fed with an image (or feature vector) a sample, or with several such inputs. Initialisers that old files
list among the inputs are not counted.`,
  ),
  'onnx/no-output': define(
    'error',
    () => 'the graph has no output',
    `The network must end in at least one tensor. The file was put together wrongly, or is a library of functions.`,
  ),
  'onnx/several-outputs': define<{ names: readonly string[] }>(
    'note',
    ({ names }) =>
      `the network has ${names.length} outputs, ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}; predictions are read from the first`,
    `All outputs of the file become outputs of the network. Accuracy and agreement are those of the first; codes are
compared in all layers. \`--output NAME\` (in a model file \`onnx("net.onnx", output: "NAME")\`) takes one output, and of
the graph only what it needs.`,
  ),
  'onnx/one-sample': define<{ inputs: readonly { readonly name: string; readonly shape: readonly number[] }[] }>(
    'note',
    ({ inputs }) =>
      `the first axis of what the file reads is no batch: one sample is ${inputs.map(({ name, shape }) => `all of "${name}" [${shape.join(', ')}]`).join(', ')}`,
    `The first axis of an input is its batch. In this file something differs along that axis (a bias a row, a convolution along
it), so that all of the input is one sample; the file fixes that axis above 1, or \`--input-shape\` does. Data are samples
of the whole shape.`,
  ),
  'onnx/integer-input': define<{ name: string; min: number; max: number }>(
    'warning',
    ({ name, min, max }) =>
      `the network computes with integers, and the file doesn't say which ones its input "${name}" holds: ${min} to ${max} are taken`,
    `Networks that NEMO, DORY or quantlab have made integer take floats that are integers, most often pixels from 0 to 255 as
they are. Spikes carry codes of a range, so the range has to be known: \`--input-codes 0..255\` (in a model file
\`onnx("net.onnx", input_codes: "0..255")\`) says it, and ends the warning.`,
  ),
  'onnx/unknown-output': define<{ output: string; names: readonly string[] }>(
    'error',
    ({ output, names }) => `the graph has no output "${output}"; it has ${names.join(', ')}`,
    `\`--output\` and \`onnx("net.onnx", output: "NAME")\` take one of the graph's outputs by its name.`,
  ),
  'onnx/unknown-input': define<{ input: string; names: readonly string[] }>(
    'error',
    ({ input, names }) => `the graph has no input "${input}"; its inputs are ${names.join(', ')}`,
    `\`--input-shape NAME=1,3,224,224\`, in a model file \`onnx("net.onnx", input_shape: "NAME=1,3,224,224")\`, says the sizes
of one of the graph's inputs by its name.`,
  ),
  'onnx/input-shape': define<{ name: string; dims: readonly (number | string)[]; problem: string }>(
    'error',
    ({ name, dims, problem }) => `input "${name}" has shape ${list(dims.map((d) => (d === '' ? '?' : d)))}: ${problem}`,
    `Layers, their cost and their neurons need fixed sizes of channels, height and width; only the batch may be free.
Say them: \`--input-shape NAME=1,3,224,224\`, in a model file \`onnx("net.onnx", input_shape: "NAME=1,3,224,224")\`; or give the
exporter an example input of the real size and leave only axis 0 in \`dynamic_axes\`.`,
  ),
  'onnx/too-large': define<{ what: string; shape: readonly number[] }>(
    'error',
    ({ what, shape }) => `${what} has the unreasonable shape ${list(shape)}`,
    `A tensor may have up to 2^28 elements. A larger (or negative) size in a file is a damaged or hostile one, and is
refused before memory is taken.`,
  ),
  'onnx/data-type': define<{ what: string; type: string }>(
    'error',
    ({ what, type }) => `${what} is ${type}, which is not supported here`,
    `Activations and weights are float32 (weights also double); quantised ones are int8, uint8, int16, uint16, int4 or
uint4 with a scale, between QuantizeLinear and DequantizeLinear; shapes and axes are int64. float16, bfloat16 and float8
networks have to be exported in float32.`,
  ),
  'onnx/tensor-size': define<{ name: string; shape: readonly number[]; wanted: number; got: number; unit: string }>(
    'error',
    ({ name, shape, wanted, got, unit }) =>
      `tensor "${name}" of shape ${list(shape)} needs ${wanted} ${unit}, the file holds ${Number.isNaN(got) ? 'malformed' : got}`,
    `The contents of a tensor don't fit its declared shape and type. The file is damaged or was edited inconsistently.`,
  ),
  'onnx/external-path': define<{ name: string; location: string; reason: string }>(
    'error',
    ({ name, location, reason }) => `tensor "${name}" lies in "${location}", which is not opened: ${reason}`,
    `Weights may live in files beside the model, inside its folder. Other locations are refused, so that a model can't
read files it doesn't own. Move the data file into the model's folder and save the model with a relative location
(\`onnx.save_model(…, location="weights.bin")\`).`,
  ),
  'onnx/external-missing': define<{ name: string; location: string }>(
    'error',
    ({ name, location }) => `tensor "${name}" lies in "${location}", which is not in the model's folder`,
    `Weights of this model are kept in a separate file, which must lie beside it. Copy it there, or merge it into the
model with \`onnx.save_model(onnx.load(path), path, save_as_external_data=False)\`.`,
  ),
  'onnx/external-range': define<{ name: string; location: string; offset: number; length: number; size: number }>(
    'error',
    ({ name, location, offset, length, size }) =>
      `tensor "${name}" should lie in "${location}" at ${offset}, ${length} bytes long; that file has ${size} bytes`,
    `The data file is shorter than the model says: it belongs to another version of the model, or was cut off.`,
  ),
  'onnx/partition': define<{ name: string; model: string; reason: string }>(
    'error',
    ({ name, model, reason }) => `the layers of the partition "${name}" lie in "${model}", which isn't read: ${reason}`,
    `FINN's builds leave a parent graph whose nodes stand for parts of the network, each in an ONNX file of its own. These
files are read from the folder of the parent alone, under the name that the node says or the last parts of it, each once, and
put in the nodes' places. Keep the files of a build together as the build left them, or convert the part by itself.`,
  ),
  'onnx/unknown-tensor': define<{ name: string }>(
    'error',
    ({ name }) => `nothing writes the tensor "${name}": it is no input, no initialiser and no node's output`,
    `Every tensor a node reads must be an input of the graph, an initialiser, or the output of a node. An initialiser may
have been removed, or a node renamed.`,
  ),
  'onnx/duplicate-tensor': define<{ name: string }>(
    'error',
    ({ name }) => `the tensor "${name}" is written twice`,
    `Each tensor of an ONNX graph has one writer. The file was put together wrongly.`,
  ),
  'onnx/cyclic-graph': define<{ nodes: readonly string[] }>(
    'error',
    ({ nodes }) =>
      `the graph has a cycle: ${nodes.slice(0, 6).join(' → ')}${nodes.length > 6 ? ' → …' : ''} → (back to the first)`,
    `Nodes read, directly or through others, what they write themselves. ONNX graphs have no cycles; recurrence is
written with Scan or Loop, which aren't supported either. The file was put together wrongly.`,
  ),
  'onnx/arity': define<{ op: string; wanted: string; got: number; outputs: number }>(
    'error',
    ({ op, wanted, got, outputs }) =>
      outputs === 0 ? `${op} has no output` : `${op} takes ${wanted} input(s), the node has ${got}`,
    `The node has fewer or more inputs than its operator. The file was made for another version of the operator, or put
together wrongly.`,
  ),
  'onnx/bad-attribute': define<{ op: string; name: string; value: string }>(
    'error',
    ({ op, name, value }) => `${op} has ${name} = ${value}, which makes no sense here`,
    `An attribute has a wrong length or a value outside what the operator allows. Images need lists for height and width:
strides [h, w], pads [top, left, bottom, right].`,
  ),
  'onnx/shape-mismatch': define<{ op: string; what: string }>(
    'error',
    ({ op, what }) => `${op}: shapes don't fit: ${what}`,
    `The sizes of a node's inputs don't belong together. The message gives both. The file may mix weights of one network
with the graph of another, or its declared input shape is wrong.`,
  ),
  'onnx/unsupported-op': define<{ op: string; supported: readonly string[] }>(
    'error',
    ({ op }) => `the operator ${op} is not supported`,
    `Every operator is imported exactly or refused by name; none is skipped. Supported are Conv, Gemm, MatMul,
BatchNormalization, Relu, Clip, Add, Sub, Mul and Div (with a constant), Concat, MaxPool, AveragePool, the global pools,
ReduceMean over H and W, Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Pad, Dropout, Identity, Constant, Cast, a last
Softmax, QuantizeLinear, DequantizeLinear, QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger, and onnxruntime's QGemm,
QLinearAdd, QLinearAveragePool, QLinearGlobalAveragePool and QLinearConcat. See docs/onnx-import.md.`,
  ),
  'onnx/unsupported-form': define<{ op: string; what: string }>(
    'error',
    ({ op, what }) => `${op} is not supported in this form: ${what}`,
    `The operator is known, but not with these attributes or operands. docs/onnx-import.md lists the forms of each.`,
  ),
  'onnx/not-constant': define<{ what: string; tensor: string }>(
    'error',
    ({ what, tensor }) => `${what} ("${tensor}") must be constant, but depends on the input`,
    `Weights, scales, zero points, shapes and axes must be initialisers, or computed from initialisers alone. Dynamic
quantisation computes scales from each sample: quantise statically, with calibration data.`,
  ),
  'onnx/not-finite': define<{ name: string; index: number; value: string }>(
    'error',
    ({ name, index, value }) => `tensor "${name}" holds ${value} at index ${index}`,
    `Weights must be finite. NaN or infinity in a checkpoint means that training diverged, or that the file is damaged.`,
  ),
  'onnx/bad-scale': define<{ name: string; index: number; value: string }>(
    'error',
    ({ name, index, value }) =>
      `scale "${name}" is ${value} at index ${index}; scales must be positive, finite and no denormal numbers`,
    `A quantiser divides by its scale. A scale of 0 comes from a channel whose weights are all zero, or from calibration
with constant data; quantise again with a small lower bound on the scale.`,
  ),
  'onnx/per-axis-activation': define<{ count: number }>(
    'error',
    ({ count }) => `an activation is quantised with ${count} scales in a form that is not supported`,
    `Spikes of all neurons of a layer share an amplitude, so activations need one scale for the whole tensor. A scale per
channel is taken where all zero points are equal: the scales go into the layers before and behind. Otherwise quantise
activations per tensor (the default of most quantisers; in NNCF: an \`ignored_scope\` or the preset \`performance\`).`,
  ),
  'onnx/blocked-quantisation': define(
    'error',
    () => 'blocked quantisation (a scale per block of an axis) is not supported',
    `Opset 21 lets weights have a scale per block. A synapse here has one scale, or one per output channel. Quantise
per tensor or per channel.`,
  ),
  'onnx/softmax-dropped': define<{ op: string; logits: string }>(
    'note',
    ({ op, logits }) => `the last ${op} is left out; the network's output is "${logits}"`,
    `Softmax, LogSoftmax and Sigmoid at the end of a network don't change which class is largest. Spiking networks are read
out as logits, so the network ends before them.`,
  ),
} as const;
