import type { Tensor } from '../base/dtype.js';
import { isBatch, showDim, showShape, showType } from './dims.js';
import type { Attrs, Dim, OpAttr, Program, TensorOp } from './types.js';

/**
 * The text form of a program, one op a line:
 *
 *     program "lenet5"
 *       %x = input                                 : f32[N,1,28,28]
 *       %w = param                                 : f32[6,1,5,5]
 *       %conv1 = conv2d %x, %w {stride=[1,1], …}   : f32[N,6,24,24]   from "conv1"
 *       output "logits" = %fc
 *
 * The data of params is not part of it. `parseProgram` reads it back.
 */
export function printProgram(program: Program): string {
  const lines = [`program ${JSON.stringify(program.name)}`];
  for (const input of program.inputs) lines.push(`  ${name(input.id)} = input : ${showType(input)}`);
  for (const param of program.params) lines.push(`  ${name(param.id)} = param : ${showType(param)}`);
  for (const op of program.ops) lines.push(`  ${printOp(op)}`);
  for (const [output, id] of Object.entries(program.outputs)) {
    lines.push(`  output ${JSON.stringify(output)} = ${name(id)}`);
  }
  return lines.join('\n') + '\n';
}

/** One op, as in the text form. */
export function printOp(op: TensorOp): string {
  const inputs = op.inputs.map(name).join(', ');
  const head = [`${name(op.id)} = ${op.kind}`, inputs, printAttrs(op.attrs)].filter((part) => part !== '').join(' ');
  const from = op.from === undefined ? '' : ` from ${JSON.stringify(op.from)}`;
  const after = op.after === undefined ? '' : ` after ${name(op.after)}`;
  return `${head} : ${showType(op)}${from}${after}`;
}

function name(id: string): string {
  return /^[\w.\-/#]+$/.test(id) ? `%${id}` : `%${JSON.stringify(id)}`;
}

function printAttrs(attrs: Attrs): string {
  const parts = Object.entries(attrs).map(([key, value]) => `${key}=${printAttr(value)}`);
  return parts.length === 0 ? '' : `{${parts.join(', ')}}`;
}

function printAttr(value: OpAttr): string {
  if (typeof value === 'number') return printNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (isList(value)) return `[${value.map((v) => (isBatch(v) ? showDim(v) : printNumber(v))).join(',')}]`;
  // a body, indented under the op that it is of
  if ('ops' in value) return `\n    ${printProgram(value).trimEnd().replaceAll('\n', '\n    ')}\n  `;
  return printTensor(value);
}

function isList(value: readonly Dim[] | Tensor | Program): value is readonly Dim[] {
  return Array.isArray(value);
}

function printNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function printTensor({ dtype, shape, data }: Tensor): string {
  return `${dtype}${showShape(shape)}(${Array.from(data, printNumber).join(' ')})`;
}
