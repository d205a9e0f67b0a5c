import protobuf from 'protobufjs/minimal.js';
import { type OnnxMessage, type OnnxMessageName, onnxProto } from './onnx-proto.js';
import { type Pieces, inARow, joined } from './pieces.js';

type Writer = protobuf.Writer;
type Fields = Readonly<Record<string, readonly [number, string]>>;

const [varint, fixed64, delimited, fixed32] = [0, 1, 2, 5];
const wireTypes: Readonly<Record<string, number>> = { int32: varint, int64: varint, float: fixed32, double: fixed64 };

/** Contents of at least so many bytes aren't copied. */
const largeBytes = 1 << 16;

/** Serialises a message of ONNX: fields in the order of their numbers, repeated numbers packed. */
export function encodeOnnx<K extends OnnxMessageName>(name: K, message: OnnxMessage<K>): Uint8Array {
  return joined(onnxPieces(name, message));
}

/** The bytes of {@link encodeOnnx} without being in memory together: large contents of tensors stay what they are. */
export function onnxPieces<K extends OnnxMessageName>(name: K, message: OnnxMessage<K>): Pieces {
  const out = new Encoded();
  write(out, name, message as Readonly<Record<string, unknown>>);
  return inARow(out.finish());
}

/** A message in the making: what is written so far, and large contents between. */
class Encoded {
  #parts: (Uint8Array | Pieces)[] = [];
  #writer = protobuf.Writer.create();

  get writer(): Writer {
    return this.#writer;
  }

  /** Puts contents at the end as they are. */
  put(parts: readonly (Uint8Array | Pieces)[]): void {
    this.#parts.push(this.#writer.finish(), ...parts);
    this.#writer = protobuf.Writer.create();
  }

  finish(): readonly (Uint8Array | Pieces)[] {
    return [...this.#parts, this.#writer.finish()];
  }
}

function write(out: Encoded, name: OnnxMessageName, message: Readonly<Record<string, unknown>>): void {
  for (const [field, [number, type]] of Object.entries(onnxProto[name] as Fields)) {
    const value = message[field];
    if (value === undefined) continue;
    if (!type.endsWith('[]')) one(out, number, type, value);
    else writeAll(out, number, type.slice(0, -2), value as readonly unknown[]);
  }
}

function writeAll(out: Encoded, number: number, type: string, values: readonly unknown[]): void {
  if (values.length === 0) return;
  if (!(type in wireTypes)) {
    for (const value of values) one(out, number, type, value);
    return;
  }
  const { writer } = out;
  writer.uint32((number << 3) | delimited).fork();
  for (const value of values) writer[type as 'int64'](value as number);
  writer.ldelim();
}

function one(out: Encoded, number: number, type: string, value: unknown): void {
  out.writer.uint32((number << 3) | (wireTypes[type] ?? delimited));
  if (type in onnxProto) {
    const inner = new Encoded();
    write(inner, type as OnnxMessageName, value as Readonly<Record<string, unknown>>);
    content(out, inner.finish());
  } else if (type === 'bytes') content(out, [value as Uint8Array | Pieces]);
  else out.writer[type as 'int64'](value as number);
}

/** A field's length and its contents. */
function content(out: Encoded, parts: readonly (Uint8Array | Pieces)[]): void {
  const [only] = parts;
  if (parts.length === 1 && only instanceof Uint8Array && only.length < largeBytes) {
    out.writer.bytes(only);
    return;
  }
  out.writer.uint32(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  out.put(parts);
}
