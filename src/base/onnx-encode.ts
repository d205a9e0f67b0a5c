import protobuf from 'protobufjs/minimal.js';
import { type OnnxMessage, type OnnxMessageName, onnxProto } from './onnx-proto.js';

type Writer = protobuf.Writer;
type Fields = Readonly<Record<string, readonly [number, string]>>;

const [varint, fixed64, delimited, fixed32] = [0, 1, 2, 5];
const wireTypes: Readonly<Record<string, number>> = { int32: varint, int64: varint, float: fixed32, double: fixed64 };

/** Serialises a message of ONNX: fields in the order of their numbers, repeated numbers packed. */
export function encodeOnnx<K extends OnnxMessageName>(name: K, message: OnnxMessage<K>): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer, name, message as Readonly<Record<string, unknown>>);
  return writer.finish();
}

function write(writer: Writer, name: OnnxMessageName, message: Readonly<Record<string, unknown>>): void {
  for (const [field, [number, type]] of Object.entries(onnxProto[name] as Fields)) {
    const value = message[field];
    if (value === undefined) continue;
    if (!type.endsWith('[]')) one(writer, number, type, value);
    else writeAll(writer, number, type.slice(0, -2), value as readonly unknown[]);
  }
}

function writeAll(writer: Writer, number: number, type: string, values: readonly unknown[]): void {
  if (values.length === 0) return;
  if (!(type in wireTypes)) {
    for (const value of values) one(writer, number, type, value);
    return;
  }
  writer.uint32((number << 3) | delimited).fork();
  for (const value of values) writer[type as 'int64'](value as number);
  writer.ldelim();
}

function one(writer: Writer, number: number, type: string, value: unknown): void {
  writer.uint32((number << 3) | (wireTypes[type] ?? delimited));
  if (type in onnxProto) {
    writer.fork();
    write(writer, type as OnnxMessageName, value as Readonly<Record<string, unknown>>);
    writer.ldelim();
  } else writer[type as 'int64'](value as number);
}
