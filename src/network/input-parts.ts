import { elementCount } from '../base/dtype.js';
import { roleOf } from './ops/index.js';
import type { Network, Op } from './types.js';

/** Numbers `start` … `end` − 1 of what a network is fed with, as one input of the file that it was imported from. */
export interface InputPart {
  /** The name that it has in the file; missing where the network comes from none. */
  readonly name?: string;
  readonly start: number;
  readonly end: number;
  /** Of one sample, where the network says it: of numbers that are read as a row alone it may have been any. */
  readonly shape?: readonly number[];
  /** What a number can be: the range of a quantiser behind it, or the rows of a table that it chooses from. */
  readonly range: { readonly low: number; readonly high: number; readonly whole: boolean } | undefined;
}

/** The inputs of a network: one, or those of a file that lie in a row. Parts that nothing reads aren't there. */
export function inputParts(network: Network): readonly InputPart[] {
  const input = network.ops.find(({ kind }) => kind === 'input');
  if (input === undefined) return [];
  const readers = (id: string): readonly Op[] => network.ops.filter((op) => op.inputs[0] === id);
  // a row may be encoded as a whole
  const [first, ...others] = readers(input.id);
  const read = readers(first?.kind === 'encode' && others.length === 0 ? first.id : input.id);
  const parts = read.filter((op) => op.kind === 'slice' && op.origin !== undefined);
  const isRow = parts.length > 0 && input.type.shape.length === 1 && parts.length === read.length;
  const named = input.origin === undefined ? {} : { name: input.origin };
  if (!isRow) return [{ ...named, start: 0, end: elementCount(input.type.shape), range: rangeBehind(network, input) }];
  return parts.map((op) => {
    const { start, end } = op.attrs as { readonly start: number; readonly end: number };
    const [reader, ...more] = readers(op.id);
    const shaped = reader?.kind === 'reshape' && more.length === 0 ? { shape: reader.type.shape } : {};
    return { name: op.origin!, start, end, ...shaped, range: rangeBehind(network, op) };
  });
}

/** What quantises a value, or chooses rows by it: directly, or behind reshapes. */
function rangeBehind(network: Network, from: Op): InputPart['range'] {
  const reached = new Set([from.id]);
  for (const op of network.ops) {
    if (!reached.has(op.inputs[0] ?? '')) continue;
    const { code } = op.type;
    if (op.kind === 'quantize' && code.kind === 'quant') {
      return { low: (code.min - code.zero) * code.scale, high: (code.max - code.zero) * code.scale, whole: false };
    }
    if (op.kind === 'embedding') {
      const words = network.params.get(op.params['weight']!)!.tensor.shape[0]!;
      return { low: 0, high: words - 1, whole: true };
    }
    if (roleOf(op) === 'reshape') reached.add(op.id);
  }
  return undefined;
}
