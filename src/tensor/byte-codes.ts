import { isBatch } from './dims.js';
import { type Program, type TensorOp, attrsOf } from './types.js';
import { type WholeRange, wholeRange } from './whole-ranges.js';

/** Values that are whole numbers in 0…255 times `unit`, a power of two: what float32 holds of them, a byte holds as well. */
export interface ByteCode {
  readonly hi: number;
  readonly unit: number;
}

/** What moves elements: the result's are those of the operands. */
const moves: ReadonlySet<TensorOp['kind']> = new Set([
  'reshape',
  'transpose',
  'slice',
  'broadcast',
  'detach',
  'concat',
]);

/** What keeps sums and choices of numbers that aren't negative whole, and never makes −0 or NaN of them. */
const keeps: ReadonlySet<TensorOp['kind']> = new Set([...moves, 'select', 'add', 'max', 'min']);

/**
 * The float32 values that grow with the batch and are provably spikes, which are choices between constants, sums of spikes, and
 * means of 2ᵏ of them.
 */
export function byteCodes(program: Program): Map<string, ByteCode> {
  const codes = new Map<string, ByteCode>();
  const types = new Map([...program.inputs, ...program.params, ...program.ops].map((value) => [value.id, value]));
  for (const op of program.ops) {
    const code = codeOf(op, codes, (id) => types.get(id)!.dtype);
    if (code !== undefined && op.dtype === 'f32' && code.hi <= 255) codes.set(op.id, code);
  }
  for (const op of program.ops) if (!op.shape.some(isBatch)) codes.delete(op.id);
  return codes;
}

function codeOf(
  op: TensorOp,
  codes: ReadonlyMap<string, ByteCode>,
  dtypeOf: (id: string) => TensorOp['dtype'],
): ByteCode | undefined {
  if (op.kind === 'const') {
    const [value, ...others] = attrsOf(op, 'const').value.data;
    const plain = others.length === 0 && Number.isInteger(value) && value! >= 0 && !Object.is(value, -0);
    return plain ? { hi: value!, unit: 1 } : undefined;
  }
  if (op.kind === 'cast') return dtypeOf(op.inputs[0]!) === 'bool' ? { hi: 1, unit: 1 } : undefined;
  const operands = op.inputs.map((id) => codes.get(id));
  if (op.kind === 'avgpool') return meanOf(op, operands[0]);
  const numbers = op.kind === 'select' ? operands.slice(1) : operands;
  if (!keeps.has(op.kind) || numbers.length === 0 || numbers.includes(undefined)) return undefined;
  const [{ unit }] = numbers as [ByteCode];
  if (numbers.some((code) => code!.unit !== unit)) return undefined;
  const ranges = operands.map((code): WholeRange | undefined => code && { lo: 0, hi: code.hi });
  const range = wholeRange(op, ranges, op.inputs.map(dtypeOf));
  return range && { hi: range.hi, unit };
}

/** A mean over whole windows of 2ᵏ values: their sum and its share are exact. */
function meanOf(op: TensorOp, of: ByteCode | undefined): ByteCode | undefined {
  const { kernel, pads } = attrsOf(op, 'avgpool');
  const area = kernel.reduce((a, b) => a * b, 1);
  if (of === undefined || !Number.isInteger(Math.log2(area)) || pads.some((pad) => pad !== 0)) return undefined;
  return { hi: of.hi * area, unit: of.unit / area };
}
