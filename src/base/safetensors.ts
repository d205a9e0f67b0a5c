import { type Diagnostic, type Outcome, diagnostic } from './diagnostics/index.js';
import { type DType, type Tensor, type TypedArray, arrayConstructor, byteWidth, elementCount } from './dtype.js';
import { type Pieces, inARow, joined, tensorBytes } from './pieces.js';

const fileNames: Readonly<Record<DType, string>> = {
  f32: 'F32',
  f64: 'F64',
  i32: 'I32',
  i8: 'I8',
  u8: 'U8',
  bool: 'BOOL',
};
const dtypes = new Map(Object.entries(fileNames).map(([dtype, name]) => [name, dtype as DType]));

/** Longest header that is read, as in the reference implementation. */
const headerLimit = 100_000_000;

/**
 * Named tensors as safetensors bytes: an 8-byte little-endian header length, a JSON header padded with
 * spaces to a multiple of 8, the data row-major and little-endian. Equal content gives equal bytes:
 * wider element types come first (which keeps every tensor aligned), then names in code-unit order.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joined(safetensorsPieces(tensors, metadata));
}

/** The bytes of {@link encodeSafetensors} without being in memory together. */
export function safetensorsPieces(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Pieces {
  const entries = [...tensors].sort(
    ([a, x], [b, y]) => byteWidth[y.dtype] - byteWidth[x.dtype] || (a < b ? -1 : a > b ? 1 : 0),
  );
  const header: string[] = [];
  const metadataKeys = Object.keys(metadata).sort();
  if (metadataKeys.length > 0) {
    header.push(
      `"__metadata__":{${metadataKeys.map((k) => `${JSON.stringify(k)}:${JSON.stringify(metadata[k])}`).join(',')}}`,
    );
  }
  let end = 0;
  for (const [name, tensor] of entries) {
    if (name === '__metadata__') throw new TypeError('safetensors: "__metadata__" is not a tensor name');
    const start = end;
    end += elementCount(tensor.shape) * byteWidth[tensor.dtype];
    const fields = { dtype: fileNames[tensor.dtype], shape: tensor.shape, data_offsets: [start, end] };
    header.push(`${JSON.stringify(name)}:${JSON.stringify(fields)}`);
  }
  const json = new TextEncoder().encode(`{${header.join(',')}}`);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const begin = new Uint8Array(8 + headerLength);
  new DataView(begin.buffer).setBigUint64(0, BigInt(headerLength), true);
  begin.fill(0x20, 8);
  begin.set(json, 8);
  return inARow([begin, ...entries.map(([, tensor]) => tensorBytes(tensor))]);
}

export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** Reads safetensors bytes. Everything the header says is checked against the bytes; `file` names them in diagnostics. */
export function decodeSafetensors(bytes: Uint8Array<ArrayBuffer>, file: string): Outcome<SafetensorsContent> {
  const problems: Diagnostic[] = [];
  const report = (reason: string, name?: string): void => {
    const place = name === undefined ? { file } : { file, detail: `tensor "${name.slice(0, 100)}"` };
    if (problems.length < 20) problems.push(diagnostic('data/bad-safetensors', { file, reason }, place));
  };
  const header = readHeader(bytes, report);
  if (header === undefined) return { diagnostics: problems };
  const dataStart = header.end;
  const entries: Entry[] = [];
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header.json)) {
    if (name === '__metadata__') readMetadata(value, metadata, report);
    else {
      const entry = readEntry(name, value, bytes.length - dataStart, report);
      if (entry !== undefined) entries.push(entry);
    }
  }
  if (problems.length === 0) checkCover(entries, bytes.length - dataStart, report);
  if (problems.length > 0) return { diagnostics: problems };
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) {
    const data = dataOf(bytes, dataStart, entry);
    if (entry.dtype === 'bool' && data.some((v) => v > 1)) report('a BOOL element is neither 0 nor 1', entry.name);
    tensors.set(entry.name, { dtype: entry.dtype, shape: entry.shape, data } as Tensor);
  }
  return problems.length > 0 ? { diagnostics: problems } : { value: { tensors, metadata }, diagnostics: [] };
}

type Report = (reason: string, name?: string) => void;

function readHeader(bytes: Uint8Array, report: Report): { json: Record<string, unknown>; end: number } | undefined {
  if (bytes.length < 8) {
    report('it is shorter than its 8-byte header length');
    return undefined;
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(headerLimit, bytes.length - 8))) {
    report(`its header should have ${length} bytes, and ${bytes.length - 8} are left in the file`);
    return undefined;
  }
  const end = 8 + Number(length);
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, end)));
    if (isRecord(json)) return { json, end };
  } catch {
    // reported below
  }
  report('its header is not a JSON object');
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readMetadata(value: unknown, metadata: Record<string, string>, report: Report): void {
  if (!isRecord(value)) return report('"__metadata__" is not an object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') report(`the metadata "${key.slice(0, 100)}" is not a string`);
    else Object.defineProperty(metadata, key, { value: text, enumerable: true });
  }
}

function readEntry(name: string, value: unknown, available: number, report: Report): Entry | undefined {
  if (!isRecord(value)) {
    report('its description is not an object', name);
    return undefined;
  }
  const dtype = dtypes.get(String(value['dtype']));
  if (dtype === undefined) {
    report(`element type ${JSON.stringify(value['dtype'])} is not one of ${[...dtypes.keys()].join(', ')}`, name);
    return undefined;
  }
  const { shape, data_offsets: offsets } = value;
  if (!Array.isArray(shape) || shape.length > 16 || !shape.every(isCount)) {
    report('its shape is not a list of at most 16 sizes', name);
    return undefined;
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    report('its data_offsets are not two sizes', name);
    return undefined;
  }
  const [start, end] = offsets as [number, number];
  if (start > end || end > available) {
    report(`its data [${start}, ${end}) leaves the file's ${available} data bytes`, name);
    return undefined;
  }
  if (elementCount(shape) * byteWidth[dtype] !== end - start) {
    report(`shape [${shape.join(', ')}] of ${fileNames[dtype]} doesn't fill its ${end - start} bytes`, name);
    return undefined;
  }
  return { name, dtype, shape, start, end };
}

/** The format demands that tensors cover the data without holes or overlaps. */
function checkCover(entries: readonly Entry[], available: number, report: Report): void {
  let covered = 0;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== covered) {
      return report(`its data starts at ${start}, where ${covered} is expected (a hole or an overlap)`, name);
    }
    covered = end;
  }
  if (covered !== available) report(`${available - covered} bytes at the end belong to no tensor`);
}

/** A view where alignment allows, otherwise a copy. */
function dataOf(bytes: Uint8Array<ArrayBuffer>, dataStart: number, entry: Entry): TypedArray {
  const width = byteWidth[entry.dtype];
  const offset = bytes.byteOffset + dataStart + entry.start;
  const length = (entry.end - entry.start) / width;
  const View = arrayConstructor(entry.dtype);
  if (offset % width === 0) return new View(bytes.buffer, offset, length) as TypedArray;
  const copy = bytes.slice(dataStart + entry.start, dataStart + entry.end);
  return new View(copy.buffer, 0, length) as TypedArray;
}
