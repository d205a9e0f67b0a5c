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

/** What quantises a value, or chooses rows by it: directly, or behind reshapes and affine maps. */
function rangeBehind(network: Network, from: Op): InputPart['range'] {
  const reached = new Map<string, readonly Affine[]>([[from.id, []]]);
  for (const op of network.ops) {
    const maps = reached.get(op.inputs[0] ?? '');
    if (maps === undefined) continue;
    const { code } = op.type;
    if (op.kind === 'quantize' && code.kind === 'quant') {
      const ends = [code.min, code.max].map((end) => (end - code.zero) * code.scale);
      const [low, high] = maps.reduceRight(before, ends) as [number, number];
      return { low, high, whole: false };
    }
    if (op.kind === 'embedding') {
      const words = network.params.get(op.params['weight']!)!.tensor.shape[0]!;
      return { low: 0, high: words - 1, whole: true };
    }
    if (roleOf(op) === 'reshape') reached.set(op.id, maps);
    const affine = op.kind === 'affine' ? affineOf(network, op) : undefined;
    if (affine !== undefined) reached.set(op.id, [...maps, affine]);
  }
  return undefined;
}

/** scale·x + shift, by channel or all alike. */
interface Affine {
  readonly scale: ArrayLike<number>;
  readonly shift: ArrayLike<number>;
}

/** Of an affine map by channel, whose scales aren't 0; of others nothing is said. */
function affineOf({ params }: Network, op: Op): Affine | undefined {
  const numbers = (role: string, without: number): ArrayLike<number> =>
    params.get(op.params[role] ?? '')?.tensor.data ?? [without];
  const [scale, shift] = [numbers('scale', 1), numbers('shift', 0)];
  const most = Math.max(scale.length, shift.length);
  const fits = most <= mostChannels && [scale, shift].every(({ length }) => length === 1 || length === most);
  return fits && !Array.from(scale).includes(0) ? { scale, shift } : undefined;
}

/** Longer maps are of single values. */
const mostChannels = 4096;

/** From where to where an affine map makes a range of, over all channels. */
function before(range: readonly number[], { scale, shift }: Affine): readonly number[] {
  const all = Array.from({ length: Math.max(scale.length, shift.length) }, (_, i) =>
    range.map((y) => (y - shift[i % shift.length]!) / scale[i % scale.length]!),
  ).flat();
  return [Math.min(...all), Math.max(...all)];
}
