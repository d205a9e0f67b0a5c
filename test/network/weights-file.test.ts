import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/base/safetensors.js';
import { NetworkBuilder, type Network, decodeWeights, encodeWeights } from '../../src/network/index.js';

/** A linear layer 5 → 2 with weights of so many bits. */
function linear(bits: number, codes: readonly number[], dtype: 'i8' | 'i32' = 'i8'): Network {
  const b = new NetworkBuilder('linear');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [5] } });
  b.param('w', { tensor: tensor(dtype, [2, 5], codes), quant: { scale: [0.5, -2], zero: [0], axis: 0 } });
  b.param('c', { tensor: tensor('f64', [2], [0.1, 0.2]) });
  b.add({ id: 'y', kind: 'linear', inputs: ['x'], attrs: { weight_bits: bits }, params: { weight: 'w', bias: 'c' } });
  return b.finish(['y']);
}

const small = [-4, 3, 0, 1, -1, 2, -2, -3, 3, 3];

it('weights of few bits are packed, and read back as they were', () => {
  for (const [bits, dtype, bytes] of [
    [3, 'i8', 4],
    [4, 'i8', 5],
    [7, 'i8', 9],
    [12, 'i32', 15],
  ] as const) {
    const network = linear(bits, small, dtype);
    const file = encodeWeights(network);
    const { tensors, metadata } = decodeSafetensors(file, 'w').value!;
    expect(tensors.get('w')).toMatchObject({ dtype: 'u8', shape: [bytes] });
    expect(JSON.parse(metadata['packed:w']!)).toEqual({ bits, dtype, shape: [2, 5] });
    expect(decodeWeights(file, 'w').value).toEqual(network.params);
  }
});

it('what fills its bytes, or does not fit the bits said, is written as it is', () => {
  for (const network of [linear(8, small), linear(2, small)]) {
    const file = encodeWeights(network);
    expect(decodeSafetensors(file, 'w').value!.tensors.get('w')).toMatchObject({ dtype: 'i8', shape: [2, 5] });
    expect(decodeWeights(file, 'w').value).toEqual(network.params);
  }
});

it('metadata that does not fit the bytes is reported', () => {
  const packed = tensor('u8', [4], [1, 2, 3, 4]);
  const said = (text: string): string[] => {
    const file = encodeSafetensors(new Map([['w', packed]]), { 'packed:w': text });
    const { value, diagnostics } = decodeWeights(file, 'w.safetensors');
    expect(value).toBeUndefined();
    return diagnostics.map(({ code }) => code);
  };
  for (const text of [
    'nonsense',
    '{}',
    '{"bits":3,"dtype":"i8","shape":[99]}',
    '{"bits":17,"dtype":"i32","shape":[1]}',
    '{"bits":12,"dtype":"i8","shape":[2]}',
    '{"bits":4,"dtype":"f32","shape":[8]}',
    '{"bits":4,"dtype":"i8","shape":[-8]}',
  ]) {
    expect(said(text), text).toEqual(['data/bad-safetensors']);
  }
  const lost = encodeSafetensors(new Map([['w', packed]]), { 'packed:v': '{"bits":4,"dtype":"i8","shape":[8]}' });
  expect(decodeWeights(lost, 'w').diagnostics.map(({ code }) => code)).toEqual(['data/bad-safetensors']);
});
