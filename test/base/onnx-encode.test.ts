import onnxProto from 'onnx-proto';
import { expect, it } from 'vitest';
import { encodeOnnx } from '../../src/base/onnx-encode.js';
import type { OnnxMessage } from '../../src/base/onnx-proto.js';

it('messages are, byte for byte, those of the package onnx-proto', () => {
  const message: OnnxMessage<'ModelProto'> = {
    irVersion: 8,
    producerName: 'spikec',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'é',
      node: [
        {
          name: 'n',
          opType: 'Conv',
          input: ['x', '', 'w'],
          output: ['y'],
          domain: 'com.microsoft',
          attribute: [
            { name: 'pads', type: 7, ints: [0, -1, 2 ** 40, 300] },
            { name: 'none', type: 7, ints: [] },
            { name: 'alpha', type: 1, f: -0.1 },
            { name: 'axis', type: 2, i: -1 },
            { name: 'zero', type: 2, i: 0 },
            { name: 'mode', type: 3, s: Uint8Array.of(1, 2, 255) },
            { name: 'floats', type: 6, floats: [1.5, NaN, Infinity] },
            { name: 'body', type: 5, g: { name: 'body', input: [{ name: 'i' }] } },
            { name: 'value', type: 4, t: { dims: [2], dataType: 11, doubleData: [1, 2] } },
          ],
        },
      ],
      initializer: [
        { name: 'w', dims: [1, 200], dataType: 1, rawData: new Uint8Array(200).fill(7) },
        { name: 'large', dims: [300_000], dataType: 3, rawData: new Uint8Array(300_000).fill(9) },
        { name: 's', dims: [], dataType: 7, int64Data: [-5], int32Data: [-1, 3], floatData: [0.5] },
      ],
      input: [
        { name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }, { dimValue: 3 }] } } } },
      ],
      output: [{ name: 'y', type: { tensorType: { elemType: 1, shape: { dim: [] } } } }],
    },
  };
  const theirs = onnxProto.onnx.ModelProto.encode(message as unknown as onnxProto.onnx.IModelProto).finish();
  expect(Buffer.from(encodeOnnx('ModelProto', message)).equals(Buffer.from(theirs))).toBe(true);
});
