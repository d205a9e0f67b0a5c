import { type Dim, type TensorOp, type ValueInfo, attrsOf } from '../../tensor/index.js';
import { units } from '../../tensor/dims.js';
import type { ByteProduct } from './bytes.js';
import type { ConvSizes } from './conv-sizes.js';
import { cTypes } from './expressions.js';
import { sizeText } from './linear.js';
import { volumeOf } from './shapes.js';

/** An op that is a call of a function, with the buffers of its operands and of its result. */
export interface Call {
  readonly op: TensorOp;
  readonly operands: readonly (Pick<ValueInfo, 'dtype' | 'shape'> & { readonly buffer: number })[];
  readonly result: number;
}

/** The statement for an op that is the same function for all sizes. */
export function callText(call: Call): string {
  const { op, operands, result } = call;
  const [{ dtype, shape, buffer }] = operands as [Call['operands'][number]];
  const type = cTypes[dtype];
  switch (op.kind) {
    case 'maxpool':
    case 'maxpool_grad':
    case 'avgpool':
      return windowsOfPool(call);
    case 'matmul': {
      const { transA, transB } = attrsOf(op, 'matmul');
      const [a, b] = [shape, operands[1]!.shape];
      const [m, n] = [elements([op.shape.at(-2)!]), elements([op.shape.at(-1)!])];
      const k = elements([a.at(transA ? -2 : -1)!]);
      const stacks = elements(op.shape.slice(0, -2));
      const [am, an] = transA ? ['1', m] : [k, '1'];
      const [bm, bn] = transB ? ['1', k] : [n, '1'];
      return (
        `{ const long N = x->n; (void)N; for (long i = 0; i < ${stacks}; i++) product_${dtype}(x, ${m}, ${n}, ${k}, ` +
        `(const ${type} *)x->p[${buffer}] + i * (${elements(a.slice(-2))}), ${am}, ${an}, ` +
        `(const ${type} *)x->p[${operands[1]!.buffer}] + i * (${elements(b.slice(-2))}), ${bm}, ${bn}, ` +
        `(${type} *)x->p[${result}] + i * (${elements(op.shape.slice(-2))})); }`
      );
    }
    case 'argmax': {
      const { axis } = attrsOf(op, 'argmax');
      const sizes = [elements(shape.slice(0, axis)), elements([shape[axis]!]), elements(shape.slice(axis + 1))];
      return (
        `{ const long N = x->n; (void)N; argmax_${dtype}((const ${type} *)x->p[${buffer}], ` +
        `(int32_t *)x->p[${result}], ${sizes.join(', ')}); }`
      );
    }
    default:
      throw new TypeError(`C program: "${op.kind}" is no call`);
  }
}

/** The function that convolves in plain loops over windows, for an op of each kind. */
const windowConvolutions = {
  conv2d: 'conv',
  conv2d_input_grad: 'conv_input_grad',
  conv2d_weight_grad: 'conv_weight_grad',
};

export function isConvolution({ kind }: TensorOp): boolean {
  return Object.hasOwn(windowConvolutions, kind);
}

/** Shapes of image, filters and result of the convolution that an op is, or is a gradient of. */
function convShapes({ op, operands }: Call): readonly (readonly Dim[])[] {
  const [first, second] = operands.map(({ shape }) => shape) as [readonly Dim[], readonly Dim[]];
  if (op.kind === 'conv2d') return [first, second, op.shape];
  return op.kind === 'conv2d_input_grad' ? [op.shape, first, second] : [first, op.shape, second];
}

/** C for the number of images of a convolution, or of rows of a product. */
export function batchOf(call: Call): string {
  if (call.op.kind === 'matmul') return elements([call.op.shape[0]!]);
  return elements([convShapes(call)[0]![0]!]);
}

export function convSizes(call: Call): ConvSizes {
  const { stride, pads, dilation, groups } = attrsOf(call.op, 'conv2d');
  const [x, w, y] = convShapes(call) as [readonly number[], readonly number[], readonly number[]];
  return {
    channels: x[1]!,
    input: [x[2]!, x[3]!],
    filters: w[0]!,
    kernel: [w[2]!, w[3]!],
    output: [y[2]!, y[3]!],
    stride,
    pads,
    dilation,
    groups,
  };
}

/** The sizes of a product of rows with a matrix that never changes. */
export function byteProductOf({ op, operands }: Call): ByteProduct {
  const [k, outputs] = [operands[0]!.shape[1] as number, op.shape[1] as number];
  const { transB } = attrsOf(op, 'matmul');
  const [byOutput, byInput] = transB ? [k, 1] : [1, outputs];
  return { units: units(op.shape[0]!), k, outputs, byOutput, byInput };
}

/** A convolution, or a gradient of one, in plain loops. */
export function windowsOfConvolution(call: Call): string {
  const { op, operands, result } = call;
  const name = `${windowConvolutions[op.kind as 'conv2d']}_${op.dtype}`;
  const [a, b] = operands as [Call['operands'][number], Call['operands'][number]];
  return windowCall(name, batchOf(call), convSizes(call), a.buffer, b.buffer, result);
}

function windowsOfPool({ op, operands, result }: Call): string {
  const { kernel, stride, pads, include_pad } = attrsOf(op, 'avgpool');
  const [from, gradient] = operands as [Call['operands'][number], Call['operands'][number]?];
  const image = from.shape as readonly number[];
  const output = (gradient?.shape ?? op.shape) as readonly number[];
  const sizes: ConvSizes = {
    channels: image[1]!,
    input: [image[2]!, image[3]!],
    filters: image[1]!,
    kernel: [kernel[0]!, kernel[1]!],
    output: [output[2]!, output[3]!],
    stride,
    pads,
    dilation: [1, 1],
    groups: 1,
  };
  const countsPads = [`.counts_pads = ${op.kind === 'avgpool' && include_pad ? 1 : 0}`];
  const images = elements([from.shape[0]!]);
  return windowCall(`${op.kind}_${from.dtype}`, images, sizes, from.buffer, gradient?.buffer, result, countsPads);
}

/** A call of a function of `windowsText`. */
function windowCall(
  name: string,
  images: string,
  { channels, input, filters, kernel, output, stride, pads, dilation, groups }: ConvSizes,
  a: number,
  b: number | undefined,
  to: number,
  more: readonly string[] = [],
): string {
  const sizes = {
    channels,
    height: input[0],
    width: input[1],
    filters,
    kh: kernel[0],
    kw: kernel[1],
    sy: stride[0],
    sx: stride[1],
    top: pads[0],
    left: pads[1],
    dy: dilation[0],
    dx: dilation[1],
    groups,
    out_height: output[0],
    out_width: output[1],
  };
  const fields = Object.entries(sizes).map(([field, size]) => `.${field} = ${size!}`);
  const given = [
    `.images = ${images}`,
    ...fields,
    ...more,
    `.a = x->p[${a}]`,
    `.b = ${b === undefined ? 'NULL' : `x->p[${b}]`}`,
    `.to = x->p[${to}]`,
  ];
  return `{ const long N = x->n; (void)N; const Window window = {${given.join(', ')}}; x->job = &window; run(x, ${name}, 8); }`;
}

function elements(shape: readonly Dim[]): string {
  return `(${sizeText(volumeOf(shape))})`;
}
