import { type Outcome, diagnostic } from '../base/diagnostics/index.js';
import { byteWidth, elementCount, tensor } from '../base/dtype.js';
import { fitsBits, packCodes, unpackCodes } from '../base/packing.js';
import { type Pieces, joined } from '../base/pieces.js';
import { type SafetensorsContent, decodeSafetensors, safetensorsPieces } from '../base/safetensors.js';
import { attrsOf } from './ops/index.js';
import { paramsToTensors, tensorsToParams } from './params.js';
import type { Network, Param } from './types.js';

/**
 * A network's parameters as a safetensors file. Integer weights of n bits (`weight_bits`) that would leave bits of
 * their bytes empty are packed: a U8 tensor, and under `packed:NAME` in the file's metadata what it holds, as
 * `{"bits":4,"dtype":"i8","shape":[16,3,3,3]}`. {@link decodeWeights} gives back the same parameters.
 */
export function encodeWeights(network: Network): Uint8Array<ArrayBuffer> {
  return joined(weightsPieces(network));
}

/** The bytes of {@link encodeWeights} without being in memory together. */
export function weightsPieces(network: Network): Pieces {
  const tensors = paramsToTensors(network.params);
  const metadata: Record<string, string> = {};
  for (const [name, bits] of packedParams(network)) {
    const { dtype, shape, data } = network.params.get(name)!.tensor;
    const bytes = packCodes(data, bits);
    tensors.set(name, tensor('u8', [bytes.length], bytes));
    metadata[metadataKey(name)] = JSON.stringify({ bits, dtype, shape });
  }
  return safetensorsPieces(tensors, metadata);
}

const metadataKey = (name: string): string => `packed:${name}`;

/** Weights to pack, with their bits: integer codes that fit, in every layer that reads them. */
function packedParams(network: Network): ReadonlyMap<string, number> {
  const bitsOf = new Map<string, number>();
  const never = new Set<string>();
  for (const op of network.ops) {
    for (const [role, name] of Object.entries(op.params)) {
      const bits = role === 'weight' ? attrsOf(op)['weight_bits'] : undefined;
      if (typeof bits !== 'number' || (bitsOf.get(name) ?? bits) !== bits) never.add(name);
      else bitsOf.set(name, bits);
    }
  }
  return new Map(
    [...bitsOf].filter(([name, bits]) => !never.has(name) && isWorthPacking(network.params.get(name), bits)),
  );
}

function isWorthPacking(param: Param | undefined, bits: number): boolean {
  if (param === undefined) return false;
  const { dtype } = param.tensor;
  const integer = dtype === 'i8' || dtype === 'i32';
  return integer && bits < 8 * byteWidth[dtype] && bits <= 16 && fitsBits(param.tensor.data, bits);
}

/** Reads a file of {@link encodeWeights}, or any safetensors file with a network's parameters. */
export function decodeWeights(bytes: Uint8Array<ArrayBuffer>, file: string): Outcome<ReadonlyMap<string, Param>> {
  const { value, diagnostics } = decodeSafetensors(bytes, file);
  if (value === undefined) return { diagnostics };
  const tensors = new Map(value.tensors);
  for (const [key, text] of Object.entries(value.metadata)) {
    if (!key.startsWith('packed:')) continue;
    const name = key.slice('packed:'.length);
    const unpacked = unpackedTensor(value, name, text);
    if (typeof unpacked === 'string') {
      const place = { file, detail: `tensor "${name.slice(0, 100)}"` };
      return { diagnostics: [...diagnostics, diagnostic('data/bad-safetensors', { file, reason: unpacked }, place)] };
    }
    tensors.set(name, unpacked);
  }
  return { value: tensorsToParams(tensors), diagnostics };
}

function unpackedTensor({ tensors }: SafetensorsContent, name: string, text: string): Param['tensor'] | string {
  const stored = tensors.get(name);
  const said = packing(text);
  if (stored === undefined) return 'the metadata says how it is packed, but it isn’t there';
  if (said === undefined) return 'the metadata doesn’t say how it is packed';
  const codes = unpackCodes(Uint8Array.from(stored.data), said.bits, elementCount(said.shape));
  if (codes === undefined) {
    return `its ${stored.data.length} bytes aren’t ${elementCount(said.shape)} codes of ${said.bits} bits`;
  }
  return tensor(said.dtype, said.shape, codes);
}

function packing(
  text: string,
): { readonly bits: number; readonly dtype: 'i8' | 'i32'; readonly shape: readonly number[] } | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null) return undefined;
  const { bits, dtype, shape } = said as Record<string, unknown>;
  const isSize = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
  if (!isSize(bits) || bits < 1 || bits > 16 || (dtype !== 'i8' && dtype !== 'i32')) return undefined;
  if (dtype === 'i8' && bits > 8) return undefined;
  if (!Array.isArray(shape) || !shape.every(isSize)) return undefined;
  return { bits, dtype, shape };
}
