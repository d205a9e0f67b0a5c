import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { type Param, centredCodes, paramsToTensors, realValues, tensorsToParams } from '../../src/network/index.js';

const perChannel: Param = {
  tensor: tensor('i8', [2, 2], [1, 2, 3, 4]),
  quant: { scale: [0.5, 2], zero: [1, -1], axis: 0 },
};
const perColumn: Param = { tensor: tensor('u8', [2, 2], [1, 2, 3, 4]), quant: { scale: [0.5, 2], zero: [1], axis: 1 } };

it('a quantised parameter stands for (code − zero)·scale along its axis', () => {
  expect([...realValues(perChannel)]).toEqual([0, 0.5, 8, 10]);
  expect([...realValues(perColumn)]).toEqual([0, 2, 1, 6]);
});

it('centred codes are codes less their zero point', () => {
  expect([...centredCodes(perChannel)]).toEqual([0, 1, 4, 5]);
  expect(() => centredCodes({ tensor: tensor('f32', [1], [1]) })).toThrow(TypeError);
});

it('parameters survive as plain tensors', () => {
  const params = new Map<string, Param>([
    ['w', perChannel],
    ['v', perColumn],
    ['b', { tensor: tensor('f64', [2], [0.1, 0.2]) }],
    ['x.scale', { tensor: tensor('f32', [1], [3]) }],
  ]);
  expect(tensorsToParams(paramsToTensors(params))).toEqual(params);
});
