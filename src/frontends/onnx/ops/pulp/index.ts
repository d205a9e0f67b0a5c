import type { OnnxOpTable } from '../define.js';
import { integerGelu, integerHardswish, integerLeakyRelu, trueIntegerDivision } from './functions.js';
import { integerLayerNorm, integerMean, integerNoNorm, integerRmsNorm } from './norms.js';
import { requantShift } from './requant-shift.js';
import { integerSoftmax, itaMax, itaPartialMax } from './softmax.js';

/** Domains that PULP's tools give their operators, beside none at all. */
export const pulpDomains = ['PACTOps', 'ai.onnx.contrib'] as const;

/** Operators of PULP's tools: integers as floats, requantised by a multiplication and a shift. */
export const pulpOps: OnnxOpTable = {
  RequantShift: { inputs: [3, 3], run: requantShift },
  iGELU: { inputs: [1, 1], run: integerGelu },
  iHardswish: { inputs: [1, 1], run: integerHardswish },
  iLeakyReLU: { inputs: [1, 1], run: integerLeakyRelu },
  TrueIntegerDiv: { inputs: [1, 1], run: trueIntegerDivision },
  iSoftmax: { inputs: [1, 1], run: integerSoftmax },
  ITAMax: { inputs: [1, 1], run: itaMax },
  ITAPartialMax: { inputs: [1, 1], run: itaPartialMax },
  iLayerNorm: { inputs: [3, 3], run: integerLayerNorm },
  iRMSNorm: { inputs: [2, 2], run: integerRmsNorm },
  iNoNorm: { inputs: [3, 3], run: integerNoNorm },
  IntegerMean: { inputs: [1, 1], run: integerMean },
};
