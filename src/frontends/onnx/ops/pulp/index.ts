import type { OnnxOpTable } from '../define.js';
import { requantShift } from './requant-shift.js';

/** Domains that PULP's tools give their operators, beside none at all. */
export const pulpDomains = ['PACTOps', 'ai.onnx.contrib'] as const;

/** Operators of PULP's tools: integers as floats, requantised by a multiplication and a shift. */
export const pulpOps: OnnxOpTable = {
  RequantShift: { inputs: [3, 3], run: requantShift },
};
