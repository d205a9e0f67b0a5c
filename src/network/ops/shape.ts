import { elementCount } from '../../base/dtype.js';
import { type NetworkOpDef, linearResult, listAttr, shapeText, withTime } from './define.js';
import { windowShape } from './synapse.js';

const flatten: NetworkOpDef = {
  doc: 'All axes into one, row-major: [C,H,W] → [C·H·W].',
  arity: [1, 1],
  attrs: {},
  params: [],
  type: ({ inputs }) => ({ ...inputs[0]!, shape: [elementCount(inputs[0]!.shape)] }),
};

const reshape: NetworkOpDef = {
  doc: 'The same values in another shape.',
  arity: [1, 1],
  attrs: { shape: 'list' },
  params: [],
  type: ({ inputs, attrs }) => {
    const shape = listAttr(attrs, 'shape');
    if (elementCount(shape) !== elementCount(inputs[0]!.shape)) {
      return `can't reshape ${shapeText(inputs[0]!.shape)} to ${shapeText(shape)}`;
    }
    return { ...inputs[0]!, shape };
  },
};

const pad: NetworkOpDef = {
  doc: 'Constant border around H×W: pads = top, left, bottom, right.',
  arity: [1, 1],
  attrs: { pads: 'list', value: 'number' },
  params: [],
  type: ({ inputs, attrs }) => {
    const [top, left, bottom, right] = listAttr(attrs, 'pads') as [number, number, number, number];
    const shape = inputs[0]!.shape;
    if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
    return linearResult(inputs[0]!, [shape[0]!, shape[1]! + top + bottom, shape[2]! + left + right]);
  },
};

const maxpool: NetworkOpDef = {
  doc: 'Maximum over windows; padding never wins. On binary spikes the maximum is their OR.',
  arity: [1, 1],
  attrs: { kernel: 'list', stride: 'list', pads: 'list' },
  params: [],
  type: (request) => {
    const shape = windowShape(request, request.inputs[0]!.shape[0]!);
    return typeof shape === 'string' ? shape : { ...request.inputs[0]!, shape };
  },
};

const passThrough = (doc: string, attrs: NetworkOpDef['attrs'] = {}): NetworkOpDef => ({
  doc,
  arity: [1, 1],
  attrs,
  params: [],
  type: ({ inputs }) => inputs[0]!,
});

const pointwise = (doc: string, attrs: NetworkOpDef['attrs'] = {}): NetworkOpDef => ({
  doc,
  arity: [1, 1],
  attrs,
  params: [],
  type: ({ inputs }) => withTime({ shape: inputs[0]!.shape, code: { kind: 'real' } }, inputs[0]!.time),
});

export const shapeOps = {
  flatten,
  reshape,
  pad,
  maxpool,
  dropout: passThrough('Drops values at random in training; nothing in inference.', { rate: 'number' }),
  identity: passThrough('Nothing.'),
  relu: pointwise('max(x, 0).'),
  clip: pointwise('x held between min and max.', { min: 'number', max: 'number' }),
  sigmoid: pointwise('1/(1 + e^−x).'),
} as const;
