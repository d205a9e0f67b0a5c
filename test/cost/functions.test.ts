import { expect, it } from 'vitest';
import { costOf, fanOuts } from '../../src/cost/index.js';
import { importOnnx } from '../../src/frontends/onnx/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { convert, sws } from '../support/sws.js';

/** Three tokens of four features: q·kᵀ of themselves, Softmax, by a function of themselves; quantised at each place. */
function attention(): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(17);
  let names = 0;
  const quantised = (x: string, scale: number, zero: number): string => {
    const name = `q${names++}`;
    const [s, z] = [b.scalar(`${name}s`, 'float', scale), b.scalar(`${name}z`, 'uint8', zero)];
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
  };
  b.input('x', ['N', 3, 4]);
  const x = quantised('x', 0.02, 128);
  const keys = b.node('Transpose', [x], { perm: [0, 2, 1] });
  const scores = quantised(b.node('MatMul', [x, keys]), 0.1, 128);
  const weights = quantised(b.node('Softmax', [scores], { axis: -1 }), 1 / 256, 0);
  const values = quantised(b.node('Sigmoid', [x]), 1 / 256, 0);
  b.output(b.node('Flatten', [quantised(b.node('MatMul', [weights, values]), 0.01, 0)]));
  return Uint8Array.from(b.bytes());
}

const { spiking } = convert(importOnnx({ name: 'a.onnx', bytes: attention() }).value!.network, sws({ silent: 8 }));

it('functions of whole codes have rows of their own, by hand: a table of 64 steps, and Softmax of 3×3 scores', () => {
  const { functions } = costOf(spiking);
  const table = spiking.params.get(spiking.ops.find((op) => op.kind === 'recode')!.params['thresholds']!)!;
  const [steps] = table.tensor.shape as [number];
  const found = new Map(functions!.map((one) => [one.kind, one]));
  expect(found.get('recode')).toMatchObject({
    function: `table of ${steps} steps`,
    evaluations: 12,
    operations: 12 * Math.ceil(Math.log2(steps + 1)),
  });
  expect(found.get('group_neuron')).toMatchObject({ function: 'softmax', evaluations: 9, operations: 9 * (1 + 5) });
  expect([...found.keys()].sort()).toEqual(['group_neuron', 'recode']);
});

it('products of matrices of codes are MACs: 3·3·4 and 3·4·3', () => {
  const { layers, total } = costOf(spiking);
  const products = layers.filter(({ kind }) => kind === 'matrix_product');
  expect(products.map(({ macs }) => macs)).toEqual([36, 36]);
  expect(total.real_macs).toBe(72);
});

it('a spike of a matrix reaches the products that its value is in', () => {
  const fanOut = fanOuts(spiking);
  const softmax = spiking.ops.find((op) => op.kind === 'group_neuron')!;
  // a weight of [3, 3] is multiplied with a row of four values
  expect([...fanOut(softmax.id)]).toEqual(new Array(9).fill(4));
});

it('a network whose neurons only add has no functions', () => {
  const b = new OnnxBuilder(17);
  b.input('x', ['N', 3, 4]);
  const [s, z] = [b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 128)];
  b.output(b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', s, z]), s, z]));
  const { value } = importOnnx({ name: 'a.onnx', bytes: Uint8Array.from(b.bytes()) });
  expect(costOf(convert(value!.network, sws({ silent: 2 })).spiking).functions).toBeUndefined();
});
