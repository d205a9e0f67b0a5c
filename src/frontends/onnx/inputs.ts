import { type CodeRange, codeRangeText } from '../../base/code-range.js';
import { diagnostic, fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import type { GraphContext } from './graph-context.js';
import { codeRange, elementTypeName } from './element-type.js';
import { takesIntegers, usualCodes } from './integer-input.js';
import { sanitise } from './names.js';
import { mostActivations } from './tensor-data.js';
import type { RealValue, Value } from './values.js';
import type { OnnxGraph, OnnxValueInfo } from './wire.js';

/** What a file is fed with. */
export interface SourceInput {
  readonly name: string;
  /** Without the batch axis. */
  readonly shape: readonly number[];
  /** The batch size the file fixes; undefined where it is free. */
  readonly batch: number | undefined;
  /** It has no axis for the batch, of a file whose batch is one sample: `shape` is all of it. */
  readonly vector?: true;
  /** What the file takes. */
  readonly dtype: 'f32' | 'f64' | 'u8' | 'i8' | 'i32' | 'i64';
  /** The integers it holds where its type doesn't say it. */
  readonly codes?: CodeRange;
}

/** What the network takes: the file's input, or the numbers of several in a row. */
export function rowOf(inputs: readonly SourceInput[], readers: ReadonlyMap<string, unknown>): SourceInput {
  const [first, ...others] = inputs as [SourceInput, ...SourceInput[]];
  if (others.length === 0) return first;
  const names = new Set([...readers.keys(), ...inputs.map(({ name }) => name)]);
  let name = 'inputs';
  while (names.has(name)) name += '_';
  const size = inputs.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return { name, shape: [size], batch: inputs.find(({ batch }) => batch !== undefined)?.batch, dtype: 'f32' };
}

/** The values of the inputs: the network's input itself, which is given, or parts of it. */
export function addInputs(
  graph: GraphContext,
  inputs: readonly SourceInput[],
  row: SourceInput,
  onnx: OnnxGraph,
  said: CodeRange | undefined,
): RealValue {
  const whole = graph.addInput(row.name, sanitise(row.name), row.shape);
  let start = 0;
  for (const input of inputs) {
    const { name, shape, vector } = input;
    const part = inputs.length === 1 ? whole : graph.addPart(whole, name, sanitise(name), start, shape);
    const source: RealValue = vector === true ? { ...part, perm: shape.map((_, axis) => axis + 1) } : part;
    graph.values.set(name, inputValue(graph, input, source, codesOf(graph, onnx, input, said)));
    start += elementCount(shape);
  }
  return whole;
}

const inputTypes: ReadonlyMap<number, SourceInput['dtype']> = new Map([
  [1, 'f32'],
  // a half is a float32: the reference is the file in float32, too
  [10, 'f32'],
  [11, 'f64'],
  [2, 'u8'],
  [3, 'i8'],
  [6, 'i32'],
  // ids of tokens: numbers that an int32 holds
  [7, 'i64'],
]);

function isFloat({ dtype }: SourceInput): boolean {
  return dtype === 'f32' || dtype === 'f64';
}

/** The codes that an input of integers holds where its type doesn't say it: as they are said, or those of a byte. */
function codesOf(
  graph: GraphContext,
  onnx: OnnxGraph,
  input: SourceInput,
  inputCodes: CodeRange | undefined,
): CodeRange | undefined {
  if (input.dtype === 'u8' || input.dtype === 'i8') return withinByte(graph, input, input.dtype, inputCodes);
  const noted = isFloat(input) ? integersOf(onnx.finnTypes.get(input.name)) : undefined;
  if (noted !== undefined) {
    const codes = inputCodes ?? noted;
    graph.inputCodes.set(input.name, codes);
    return codes;
  }
  const taken = takesIntegers(graph, onnx, input.name, isFloat(input));
  // other inputs of integers are ids, of any range
  if (!taken && (inputCodes === undefined || !isFloat(input))) return undefined;
  if (inputCodes === undefined)
    graph.notices.push(diagnostic('onnx/integer-input', { name: input.name, ...usualCodes }, { file: graph.file }));
  const codes = inputCodes ?? usualCodes;
  graph.inputCodes.set(input.name, codes);
  return codes;
}

/** The integers of a type that FINN notes; undefined of reals and of more than spikes carry. */
function integersOf(type: string | undefined): CodeRange | undefined {
  if (type === 'BINARY') return { min: 0, max: 1 };
  if (type === 'BIPOLAR' || type === 'TERNARY') return { min: -1, max: 1 };
  const bits = Number(/^U?INT(\d+)$/.exec(type ?? '')?.[1] ?? 0);
  if (bits < 1 || bits > 16) return undefined;
  return type!.startsWith('U') ? { min: 0, max: 2 ** bits - 1 } : { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 };
}

/** A byte says itself what it holds; less of it may be said. */
function withinByte(
  graph: GraphContext,
  { name }: SourceInput,
  dtype: 'u8' | 'i8',
  said: CodeRange | undefined,
): CodeRange | undefined {
  if (said === undefined) return undefined;
  const type = elementTypes[dtype];
  const { min, max } = codeRange(type)!;
  if (said.min < min || said.max > max)
    fail(
      'onnx/unsupported-form',
      { op: 'input', what: `it is ${type}, which doesn't hold the integers ${codeRangeText(said)}` },
      { file: graph.file, detail: `input "${name}"` },
      { help: `say a range within ${codeRangeText({ min, max })}, or none` },
    );
  graph.inputCodes.set(name, said);
  return said;
}

const elementTypes = { u8: 'uint8', i8: 'int8', i32: 'int32', i64: 'int32' } as const;

/** The input's value: integers are codes of a quantiser of scale 1, which changes none of them. */
function inputValue(
  graph: GraphContext,
  { name, dtype }: SourceInput,
  source: RealValue,
  held: CodeRange | undefined,
): Value {
  const place = { file: graph.file, detail: `input "${name}"` };
  const isByte = dtype === 'u8' || dtype === 'i8';
  if (held !== undefined && !isByte)
    return graph.quantise({ source, code: { scale: 1, zero: 0, ...held } }, name, place);
  if (dtype === 'f32' || dtype === 'f64') return source;
  const elementType = elementTypes[dtype];
  return {
    kind: 'codes',
    source,
    code: { scale: 1, zero: 0, ...(held ?? codeRange(elementType)!) },
    elementType,
    tensor: name,
    input: true,
  };
}

function isSize(size: number | string): boolean {
  return typeof size === 'number' && Number.isSafeInteger(size) && size > 0;
}

/** An input, or what is wrong with it; without an axis for the batch all of it is of one sample. */
export function sourceInput(info: OnnxValueInfo, file: string, hasBatch: boolean): SourceInput {
  const place = { file, detail: `input "${info.name}"` };
  const dtype = inputTypes.get(info.elementType ?? 0);
  if (dtype === undefined) {
    const type = info.elementType === undefined ? 'no tensor type' : elementTypeName(info.elementType);
    fail('onnx/data-type', { what: `input "${info.name}"`, type }, place, {
      help: 'the network must take float32, codes as int8, uint8 or int32, or ids as int32 or int64; quantise inside it, with QuantizeLinear',
    });
  }
  const vector = !hasBatch && info.dims !== undefined;
  const [batch, ...shape] = vector ? [1, ...info.dims] : (info.dims ?? []);
  if (batch === undefined || shape.length < 1 || shape.length > 4) {
    fail(
      'onnx/input-shape',
      {
        name: info.name,
        dims: info.dims ?? [],
        problem: 'it must be [N, features], [N, C, L], [N, C, H, W] or [N, C, D, H, W]',
      },
      place,
    );
  }
  for (const [i, size] of shape.entries()) {
    if (isSize(size)) continue;
    const problem =
      typeof size === 'string' ? `axis ${i + 1} (${size || 'unnamed'}) has no fixed size` : `axis ${i + 1} is ${size}`;
    const sizes = [
      1,
      ...shape.map((given, axis) => (isSize(given) ? given : axis === 0 && shape.length > 1 ? 3 : 224)),
    ];
    const help = `say its sizes: --input-shape "${info.name}=${sizes.join(',')}", in a model file onnx("…", input_shape: "…")`;
    const empty =
      'an input without numbers may only be joined with others (Concat): export the network with one or more numbers there';
    fail('onnx/input-shape', { name: info.name, dims: info.dims!, problem }, place, {
      help: size === 0 ? empty : help,
    });
  }
  const fixed = shape as number[];
  if (elementCount(fixed) > mostActivations)
    fail('onnx/too-large', { what: `input "${info.name}"`, shape: fixed }, place);
  // old exporters write -1 for a free batch
  if (typeof batch === 'number' && batch !== -1 && !(Number.isSafeInteger(batch) && batch >= 1)) {
    const problem = `axis 0, the batch, is ${batch}`;
    fail('onnx/input-shape', { name: info.name, dims: info.dims!, problem }, place, {
      help: 'leave the batch free, or fix it at 1 or more',
    });
  }
  const fixedBatch = typeof batch === 'number' && batch >= 1 ? batch : undefined;
  if (elementCount(fixed) * (fixedBatch ?? 1) > mostActivations) {
    fail('onnx/too-large', { what: `input "${info.name}", with its batch,`, shape: [fixedBatch!, ...fixed] }, place, {
      help: 'leave the batch free, or fix it at a smaller one',
    });
  }
  return { name: info.name, shape: fixed, batch: fixedBatch, dtype, ...(vector ? { vector } : {}) };
}
