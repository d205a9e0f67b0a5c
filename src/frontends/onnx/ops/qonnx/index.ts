import type { OnnxNode } from '../../wire.js';
import type { OnnxOpTable } from '../define.js';
import { bipolarQuant } from './bipolar-quant.js';
import { floatQuant } from './float-quant.js';
import { multiThreshold } from './multi-threshold.js';
import { quant } from './quant.js';
import { trunc } from './trunc.js';

/** QONNX's operators, whichever of its domains they are in. */
export const qonnxOps: OnnxOpTable = {
  Quant: { inputs: [4, 4], run: quant },
  IntQuant: { inputs: [4, 4], run: quant },
  FloatQuant: { inputs: [6, 6], run: floatQuant },
  Trunc: { inputs: [5, 6], run: trunc },
  MultiThreshold: { inputs: [2, 2], run: multiThreshold },
  BipolarQuant: { inputs: [2, 2], run: bipolarQuant },
};

/** Where QONNX's operators stand, in files of its own, of FINN and of old versions of Brevitas. */
export const qonnxDomains: readonly string[] = ['qonnx.custom_op.general', 'finn.custom_op.general', 'onnx.brevitas'];

/** Whether a node is one of QONNX's: Brevitas and qonnx write them without a domain, too, and tools behind them under their own. */
export function isQonnx({ domain, opType }: Pick<OnnxNode, 'domain' | 'opType'>): boolean {
  return domain !== 'com.microsoft' && Object.hasOwn(qonnxOps, opType);
}
