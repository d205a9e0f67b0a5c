import protobuf from 'protobufjs/minimal.js';
import { fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import type { FilePlace } from '../../base/source.js';
import { type Constant, type NumericArray, arrayOf, lazyConstant } from './constant.js';
import { type ElementType, elementTypeName, elementTypeOf } from './element-type.js';
import { checkExternalLocation } from './external.js';
import { type OnnxTensor, int64 } from './wire.js';

/** Reads a file beside the model: its bytes, or undefined when there is none. */
export type ReadExternal = (relativePath: string) => Uint8Array | undefined;

/** No tensor of a file may have more elements. */
const mostElements = 2 ** 28;

/** No activation of one sample may. */
export const mostActivations = 2 ** 26;

/** Nor may a constant that is larger than what it was computed from: small files stay cheap. */
export const mostComputed = 2 ** 22;

/**
 * A tensor of the file as a constant, checked (type, size, external location) but not yet decoded.
 * Throws a DiagnosticError.
 */
export function tensorConstant(tensor: OnnxTensor, place: FilePlace, readExternal: ReadExternal | undefined): Constant {
  if (tensor.dataType === float16) return halfConstant(tensor, place, readExternal);
  const type = elementTypeOf(tensor.dataType);
  if (type === undefined) {
    fail('onnx/data-type', { what: `tensor "${tensor.name}"`, type: elementTypeName(tensor.dataType) }, place, {
      help: 'convert it to float32; quantised weights may be int4, int8 or int16 with scales',
    });
  }
  if (tensor.dims.some((n) => !Number.isInteger(n) || n < 0) || elementCount(tensor.dims) > mostElements) {
    fail('onnx/too-large', { what: `tensor "${tensor.name}"`, shape: tensor.dims }, place);
  }
  const count = elementCount(tensor.dims);
  if (tensor.external !== undefined) {
    const bytes = externalBytes(tensor, type, count, place, readExternal);
    return rawConstant(tensor, type, count, bytes);
  }
  const { raw } = tensor;
  if (raw !== undefined && (raw.length > 0 || tensor.packed.length === 0)) {
    const wanted = byteLength(type, count);
    if (raw.length !== wanted) {
      fail(
        'onnx/tensor-size',
        { name: tensor.name, shape: tensor.dims, wanted, got: raw.length, unit: 'bytes' },
        place,
      );
    }
    return rawConstant(tensor, type, count, raw);
  }
  return packedConstant(tensor, type, count, place);
}

const float16 = 10;

/** A float16 tensor as float: every half is one exactly. Its bits are read as uint16. */
function halfConstant(tensor: OnnxTensor, place: FilePlace, readExternal: ReadExternal | undefined): Constant {
  const bits = tensorConstant({ ...tensor, dataType: 4 }, place, readExternal);
  return lazyConstant(tensor.name, 'float', tensor.dims, () => Float32Array.from(bits.data(), halfToFloat));
}

/** 1 bit of sign, 5 of exponent, 10 of fraction. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function byteLength(type: ElementType, count: number): number {
  switch (type) {
    case 'double':
    case 'int64':
      return count * 8;
    case 'float':
    case 'int32':
      return count * 4;
    case 'int16':
    case 'uint16':
      return count * 2;
    case 'int4':
    case 'uint4':
      return Math.ceil(count / 2);
    default:
      return count;
  }
}

function externalBytes(
  tensor: OnnxTensor,
  type: ElementType,
  count: number,
  place: FilePlace,
  readExternal: ReadExternal | undefined,
): Uint8Array {
  const location = tensor.external?.get('location') ?? '';
  const reason = checkExternalLocation(location);
  if (reason !== undefined) fail('onnx/external-path', { name: tensor.name, location, reason }, place);
  const file = readExternal?.(location);
  if (file === undefined) fail('onnx/external-missing', { name: tensor.name, location }, place);
  const offset = Number(tensor.external?.get('offset') ?? 0);
  const length = Number(tensor.external?.get('length') ?? byteLength(type, count));
  const inside = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0;
  if (!inside || offset + length > file.length) {
    fail('onnx/external-range', { name: tensor.name, location, offset, length, size: file.length }, place);
  }
  const wanted = byteLength(type, count);
  if (length !== wanted) {
    fail('onnx/tensor-size', { name: tensor.name, shape: tensor.dims, wanted, got: length, unit: 'bytes' }, place);
  }
  return file.subarray(offset, offset + length);
}

function rawConstant(tensor: OnnxTensor, type: ElementType, count: number, bytes: Uint8Array): Constant {
  const constant = lazyConstant(tensor.name, type, tensor.dims, () => fromRaw(bytes, type, count));
  if (type !== 'float') return constant;
  if (bytes.byteOffset % 4 === 0) return { ...constant, isView: true };
  const fill = (into: NumericArray, start: number): void => {
    const own = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    own.set(bytes.subarray(4 * start, 4 * start + own.length));
  };
  const reader = (): ((index: number) => number) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (index) => view.getFloat32(4 * index, true);
  };
  return { ...constant, reader, fill };
}

/** Views little-endian bytes as numbers; copies only where alignment or width asks for it. */
function fromRaw(bytes: Uint8Array, type: ElementType, count: number): NumericArray {
  const buffer = bytes.buffer as ArrayBuffer;
  switch (type) {
    case 'int8':
      return new Int8Array(buffer, bytes.byteOffset, count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, bytes.byteOffset, count);
    case 'int4':
    case 'uint4':
      return unpackNibbles(bytes, type, count);
    case 'int64': {
      const view = new DataView(buffer, bytes.byteOffset, bytes.byteLength);
      return Float64Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
    }
    default: {
      const result = arrayOf(type, 0);
      const width = result.BYTES_PER_ELEMENT;
      const aligned = bytes.byteOffset % width === 0;
      const source = aligned ? buffer : bytes.slice().buffer;
      const offset = aligned ? bytes.byteOffset : 0;
      return new (result.constructor as new (b: ArrayBuffer, o: number, n: number) => NumericArray)(
        source,
        offset,
        count,
      );
    }
  }
}

/** Two 4-bit codes a byte, the first in the low half (opset 21). */
function unpackNibbles(bytes: Uint8Array, type: 'int4' | 'uint4', count: number): NumericArray {
  const result = arrayOf(type, count);
  for (let i = 0; i < count; i++) {
    const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    result[i] = type === 'int4' && nibble > 7 ? nibble - 16 : nibble;
  }
  return result;
}

const packedFieldOf: Readonly<Record<ElementType, number>> = {
  float: 4,
  double: 10,
  int64: 7,
  int8: 5,
  uint8: 5,
  int16: 5,
  uint16: 5,
  int32: 5,
  bool: 5,
  int4: 5,
  uint4: 5,
};

function packedConstant(tensor: OnnxTensor, type: ElementType, count: number, place: FilePlace): Constant {
  const field = packedFieldOf[type];
  const chunks = tensor.packed.filter((part) => part.field === field).map((part) => part.bytes);
  const nibbles = type === 'int4' || type === 'uint4';
  const wanted = nibbles ? Math.ceil(count / 2) : count;
  const got = chunks.reduce((sum, bytes) => sum + packedLength(bytes, field), 0);
  if (got !== wanted)
    fail('onnx/tensor-size', { name: tensor.name, shape: tensor.dims, wanted, got, unit: 'values' }, place);
  return lazyConstant(tensor.name, type, tensor.dims, () => {
    if (nibbles) return unpackNibbles(fillPacked(new Uint8Array(wanted), chunks, field) as Uint8Array, type, count);
    return fillPacked(arrayOf(type, count), chunks, field);
  });
}

/** How many values a packed field holds: its size over the width, or its varints; NaN where one is malformed. */
function packedLength(bytes: Uint8Array, field: number): number {
  if (field === 4) return bytes.length / 4;
  if (field === 10) return bytes.length / 8;
  let [count, run] = [0, 0];
  for (const byte of bytes) {
    run++;
    if (run > 10) return NaN;
    if (byte >= 128) continue;
    count++;
    run = 0;
  }
  return run === 0 ? count : NaN;
}

function fillPacked(result: NumericArray, chunks: readonly Uint8Array[], field: number): NumericArray {
  let at = 0;
  for (const bytes of chunks) {
    if (field === 4 || field === 10) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const width = field === 4 ? 4 : 8;
      for (let i = 0; i < bytes.length; i += width) {
        result[at++] = field === 4 ? view.getFloat32(i, true) : view.getFloat64(i, true);
      }
    } else {
      const reader = protobuf.Reader.create(bytes);
      while (reader.pos < reader.len) result[at++] = field === 5 ? reader.int32() : int64(reader);
    }
  }
  return result;
}
