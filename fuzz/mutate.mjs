// Damage, seeded: bytes, pieces, numbers in texts, and the graphs of ONNX networks.

/** Seeded numbers in [0, 1): mulberry32. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random, n) => Math.floor(random() * n);
const pick = (random, list) => list[below(random, list.length)];

const numbers = [
  0,
  1,
  -1,
  2,
  3,
  7,
  255,
  256,
  65535,
  65536,
  1e6,
  2 ** 20,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
];
const words = [
  'NaN',
  'Infinity',
  '-Infinity',
  '1e308',
  '1e-320',
  '-0',
  '0.5',
  'toString',
  'constructor',
  '__proto__',
  '""',
  '%',
  '"\\u2028"',
  '\u0000',
  '\u001b[31m',
  '[]',
  '{',
  ')',
  'true',
];

/** Bytes with a few places changed: flipped, cut, repeated, moved, or set to numbers that are easily mistaken. */
export function mutateBytes(random, bytes) {
  let result = Buffer.from(bytes);
  for (let n = 1 + below(random, 4); n > 0 && result.length > 0; n--) {
    const at = below(random, result.length);
    const length = 1 + below(random, Math.min(64, result.length - at));
    switch (below(random, 6)) {
      case 0:
        result[at] ^= 1 << below(random, 8);
        break;
      case 1:
        result[at] = pick(random, [0, 1, 127, 128, 255, below(random, 256)]);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)]);
        break;
      case 4:
        if (at + 4 <= result.length) result.writeInt32LE(pick(random, numbers) | 0, at);
        break;
      default:
        if (random() < 0.3) result = result.subarray(0, at);
        else result.copy(result, at, below(random, result.length), result.length);
    }
  }
  return result;
}

/** A text with a few of its numbers, names or signs replaced, removed, repeated or exchanged. */
export function mutateText(random, bytes) {
  const tokens = bytes.toString('utf8').match(/\s+|\d+(?:\.\d+)?|[A-Za-z_][\w.]*|./gu) ?? [];
  for (let n = 1 + below(random, 4); n > 0 && tokens.length > 0; n--) {
    let at = below(random, tokens.length);
    if (/^\s/.test(tokens[at])) at = (at + 1) % tokens.length;
    switch (below(random, 5)) {
      case 0:
        tokens[at] = String(pick(random, numbers));
        break;
      case 1:
        tokens[at] = pick(random, words);
        break;
      case 2:
        tokens.splice(at, 1 + below(random, 5));
        break;
      case 3:
        tokens.splice(at, 0, ...tokens.slice(at, at + 1 + below(random, 40)));
        break;
      default:
        tokens[at] = pick(random, tokens);
    }
  }
  return Buffer.from(tokens.join(''), 'utf8');
}

const opTypes = [
  'Relu',
  'Conv',
  'Gemm',
  'MatMul',
  'Add',
  'Mul',
  'Div',
  'Sub',
  'Pad',
  'AveragePool',
  'MaxPool',
  'GlobalAveragePool',
  'ReduceMean',
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Concat',
  'Clip',
  'Softmax',
  'Sigmoid',
  'Shape',
  'Gather',
  'Slice',
  'ConstantOfShape',
  'Cast',
  'Identity',
  'Dropout',
  'QuantizeLinear',
  'DequantizeLinear',
  'ConvInteger',
  'MatMulInteger',
  'QLinearConv',
  'BatchNormalization',
  'Constant',
  'Floor',
  'toString',
];

/** A network whose graph has a few nodes, attributes, shapes or names changed. */
export function mutateGraph(random, builder) {
  const { node: nodes, initializer: initializers, input: inputs } = builder.graph;
  const names = [
    ...nodes.flatMap((node) => node.output),
    ...initializers.map(({ name }) => name),
    'x',
    '',
    '__proto__',
  ];
  const number = () => pick(random, numbers);
  for (let n = 1 + below(random, 3); n > 0 && nodes.length > 0; n--) {
    const node = pick(random, nodes);
    switch (below(random, 9)) {
      case 0:
        node.opType = pick(random, opTypes);
        break;
      case 1:
        if (node.input.length > 0) node.input[below(random, node.input.length)] = pick(random, names);
        break;
      case 2: {
        const attribute = node.attribute[below(random, node.attribute.length)];
        if (attribute?.ints?.length > 0) attribute.ints[below(random, attribute.ints.length)] = number();
        else if (attribute !== undefined)
          Object.assign(attribute, { i: number(), f: pick(random, [NaN, Infinity, 0, -1, 1e38]) });
        break;
      }
      case 3:
        nodes.splice(nodes.indexOf(node), 1);
        break;
      case 4:
        node.output[0] = pick(random, [...names, 'constructor', 'toString']);
        break;
      case 5: {
        const tensor = pick(random, initializers);
        if (tensor?.dims?.length > 0) tensor.dims[below(random, tensor.dims.length)] = number();
        break;
      }
      case 6: {
        const dims = inputs[0]?.type?.tensorType?.shape?.dim ?? [];
        if (dims.length > 0) dims[below(random, dims.length)] = { dimValue: number() };
        break;
      }
      case 7:
        nodes.splice(below(random, nodes.length), 0, {
          ...node,
          input: [...node.input],
          output: [`${node.output[0]}'`],
        });
        break;
      default:
        node.name = pick(random, ['toString', '__proto__', '=1+1', 'a\u2028b', '\u001b[2J', '../x', '']);
    }
  }
  return Buffer.from(builder.bytes());
}
