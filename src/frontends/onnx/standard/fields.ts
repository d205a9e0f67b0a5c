import protobuf from 'protobufjs/minimal.js';

/** A message with every value of one of its (length-delimited) fields replaced by others. */
export function mapField(
  bytes: Uint8Array,
  number: number,
  replace: (value: Uint8Array) => readonly Uint8Array[],
): Uint8Array {
  const reader = protobuf.Reader.create(bytes);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag >>> 3 !== number) {
      reader.skipType(tag & 7);
      parts.push(bytes.subarray(start, reader.pos));
      continue;
    }
    for (const value of replace(reader.bytes())) {
      parts.push(protobuf.Writer.create().uint32(tag).uint32(value.length).finish(), value);
    }
  }
  return joined(parts);
}

/** Messages, or parts of one, in a row. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** A length-delimited field of a message, alone. */
export function withField(number: number, value: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32((number << 3) | 2)
    .bytes(value)
    .finish();
}

/** A message with a number in one of its varint fields replaced by another. */
export function withNumber(bytes: Uint8Array, field: number, from: number, to: number): Uint8Array {
  const reader = protobuf.Reader.create(bytes);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag !== field << 3) reader.skipType(tag & 7);
    else if (reader.int32() === from) {
      parts.push(protobuf.Writer.create().uint32(tag).int32(to).finish());
      continue;
    }
    parts.push(bytes.subarray(start, reader.pos));
  }
  return joined(parts);
}
