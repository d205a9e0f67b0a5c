import type { StandardNodes } from '../standard/nodes.js';
import { isAnnotation } from '../standard/annotations.js';
import type { OnnxNode } from '../wire.js';

/** The parts of a sum that quantlab and DORY requantise: both operands, and what comes out. */
const parts = ['in1', 'in2', 'out'] as const;

/** What they note of each: whether it is requantised, and by ⌊(x·mul + add)/2^shift⌋ held in so many levels from 0 on. */
const notes = ['rq', 'mul', 'add', 'shift', 'n_levels'] as const;

/** Whether a sum is one of quantlab and DORY, with requantisation noted as attributes. */
export function isRequantisedSum({ domain, opType, attributes }: OnnxNode): boolean {
  return domain === '' && opType === 'Add' && parts.some((part) => attributes.has(`${part}_rq`));
}

/** Whether all of a part's notes are numbers that a float32 holds, and its shift is one of an integer. */
function isSound(values: readonly (number | undefined)[]): boolean {
  const shift = values[notes.indexOf('shift')] ?? NaN;
  const held = values.every((value) => value !== undefined && Number.isFinite(value) && Math.fround(value) === value);
  return held && Number.isInteger(shift) && shift >= 0 && shift < 64;
}

/** The sum with its requantisations as operators of their own; false where its notes aren't all known. */
export function requantisedSum(node: OnnxNode, to: StandardNodes): boolean {
  const { attributes } = node;
  const known = new Set(parts.flatMap((part) => notes.map((note) => `${part}_${note}`)));
  const number = (part: string, note: string): number | undefined => {
    const given = attributes.get(`${part}_${note}`);
    return given?.i ?? given?.f;
  };
  if ([...attributes.keys()].some((name) => !known.has(name) && !isAnnotation(name))) return false;
  const requantised = parts.filter((part) => number(part, 'rq') === 1);
  if (parts.some((part) => attributes.has(`${part}_rq`) && ![0, 1].includes(number(part, 'rq') ?? NaN))) return false;
  if (!requantised.every((part) => isSound(notes.map((note) => number(part, note))))) return false;
  if (node.inputs.length !== 2 || [...node.inputs, node.outputs[0] ?? ''].includes('')) return false;
  const requantise = (x: string, part: string, out?: string): string => {
    const [mul, add, shift, levels] = ['mul', 'add', 'shift', 'n_levels'].map((note) => number(part, note)!) as [
      number,
      number,
      number,
      number,
    ];
    const settings = { div: { float: 2 ** shift }, n_levels: levels, signed: 0, rounding: 0 };
    return to.node('RequantShift', [x, to.float(mul), to.float(add)], settings, out);
  };
  const [out] = node.outputs as [string];
  const operands = node.inputs.map((x, i) => {
    const part = i === 0 ? 'in1' : 'in2';
    return requantised.includes(part) ? requantise(x, part) : x;
  });
  const last = requantised.includes('out');
  const sum = to.node('Add', operands, {}, last ? `${out}.sum` : out);
  if (last) requantise(sum, 'out', out);
  return true;
}
