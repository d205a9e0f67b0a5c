import type { DType } from '../../base/dtype.js';

/** Names of ONNX's tensor element types, by their numbers. */
const names: Readonly<Record<number, string>> = {
  1: 'float',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'double',
  12: 'uint32',
  13: 'uint64',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** Numbers of the real types that are read as one. */
export const elementTypeNumbers = { float: 1, half: 10 } as const;

/** The element types constants may have here. */
export type ElementType =
  'float' | 'double' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'int64' | 'bool' | 'int4' | 'uint4';

const supported: ReadonlySet<string> = new Set<ElementType>([
  'float',
  'double',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'int64',
  'bool',
  'int4',
  'uint4',
]);

export function elementTypeName(number: number): string {
  return names[number] ?? `unknown type ${number}`;
}

/** The supported element type with this ONNX number. */
export function elementTypeOf(number: number): ElementType | undefined {
  const name = names[number];
  return name !== undefined && supported.has(name) ? (name as ElementType) : undefined;
}

export function isFloatType(type: ElementType): boolean {
  return type === 'float' || type === 'double';
}

/** Codes a quantiser with a zero point of this type can produce. */
export function codeRange(type: ElementType): { min: number; max: number } | undefined {
  switch (type) {
    case 'uint8':
      return { min: 0, max: 255 };
    case 'int8':
      return { min: -128, max: 127 };
    case 'uint16':
      return { min: 0, max: 65535 };
    case 'int16':
      return { min: -32768, max: 32767 };
    case 'uint4':
      return { min: 0, max: 15 };
    case 'int4':
      return { min: -8, max: 7 };
    case 'int32':
      return { min: -(2 ** 31), max: 2 ** 31 - 1 };
    default:
      return undefined;
  }
}

/** What a parameter of this element type is stored as. */
export function storageType(type: ElementType): DType {
  switch (type) {
    case 'float':
      return 'f32';
    case 'double':
    case 'int64':
      return 'f64';
    case 'int8':
    case 'int4':
      return 'i8';
    case 'uint8':
    case 'uint4':
    case 'bool':
      return 'u8';
    case 'int16':
    case 'uint16':
    case 'int32':
      return 'i32';
  }
}
