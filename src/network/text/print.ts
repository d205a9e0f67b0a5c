import { elementCount } from '../../base/dtype.js';
import { latencyOf } from '../graph.js';
import type { Attrs, AttrValue, Code, Network, Op, Param, ValueType } from '../types.js';
import { printNeuron, printNumber } from '../../equations/index.js';

/** What stands behind `%` without quotes. */
const plainId = /^[A-Za-z0-9_$./:-]+$/;
/** Names that stand without quotes; they begin with no digit, so that they aren't taken for numbers. */
const plainName = /^[A-Za-z_$](?:[A-Za-z0-9_$/:-]|\.(?!\.))*$/;
const valueWords: ReadonlySet<string> = new Set(['true', 'false', 'Infinity', 'NaN']);

function idText(id: string): string {
  return `%${plainId.test(id) ? id : JSON.stringify(id)}`;
}

function name(text: string): string {
  return plainName.test(text) && !valueWords.has(text) ? text : JSON.stringify(text);
}

function attrValue(value: AttrValue): string {
  if (typeof value === 'string') return name(value);
  if (typeof value === 'object') return `[${value.map(printNumber).join(', ')}]`;
  return typeof value === 'number' ? printNumber(value) : String(value);
}

function attrs(list: Attrs, hidden: readonly string[] = []): string[] {
  return Object.entries(list)
    .filter(([key]) => !hidden.includes(key))
    .map(([key, value]) => (value === true ? name(key) : `${name(key)}=${attrValue(value)}`));
}

function codeText(code: Code): string {
  switch (code.kind) {
    case 'real':
    case 'psp':
      return code.kind;
    case 'spike':
      return `spike{${range(code)}${code.step === 1 ? '' : `, step=${printNumber(code.step)}`}}`;
    case 'quant':
      return `quant{${range(code)}, scale=${printNumber(code.scale)}, zero=${printNumber(code.zero)}}`;
  }
}

function range({ min, max }: { readonly min: number; readonly max: number }): string {
  return `${printNumber(min)}..${printNumber(max)}`;
}

/** `spike{-1..1}[16,32,32] @3..10` */
export function printType(type: ValueType): string {
  const time = type.time === undefined ? '' : ` @${type.time.start}..${type.time.start + type.time.steps - 1}`;
  return `${codeText(type.code)}[${type.shape.join(',')}]${time}`;
}

function opColumns(op: Op): [string, string, string] {
  const isNeuron = op.kind === 'neuron';
  const kind = isNeuron ? name(`neuron.${op.attrs.neuron}`) : op.kind;
  const inputs = op.inputs.map((id) => ` ${idText(id)}`).join('');
  const attributes = attrs(op.attrs, isNeuron ? ['neuron'] : []);
  const braces = attributes.length === 0 ? '' : ` {${attributes.join(', ')}}`;
  const params = Object.entries(op.params).map(([role, param]) => `${name(role)}=${name(param)}`);
  const parens = params.length === 0 ? '' : ` (${params.join(', ')})`;
  const origin = op.origin === undefined ? '' : ` from ${JSON.stringify(op.origin)}`;
  return [idText(op.id), `${kind}${inputs}${braces}${parens}`, `: ${printType(op.type)}${origin}`];
}

function printParam([id, param]: readonly [string, Param]): string {
  const quant = param.quant === undefined ? '' : ` quant(axis=${param.quant.axis})`;
  return `  param ${name(id)} : ${param.tensor.dtype}[${param.tensor.shape.join(',')}]${quant}${valueComment(param)}`;
}

/** The value of a parameter that is one number, as a learned leak or threshold is: to read, not to be read back. */
function valueComment({ tensor, quant }: Param): string {
  const isReal = tensor.dtype === 'f32' || tensor.dtype === 'f64';
  const isNumber = isReal && elementCount(tensor.shape) === 1 && quant === undefined;
  return isNumber ? ` ; ${printNumber(Number(tensor.data[0]!.toPrecision(6)))}` : '';
}

/**
 * The text form. Weights are named and typed; their values live beside it (`weights.safetensors`).
 * With the weights, {@link parseNetwork} gives the same network back, but for places in user files.
 */
export function printNetwork(network: Network): string {
  const coding =
    network.coding === undefined
      ? ''
      : ` coding ${name(network.coding.name)}(${attrs(network.coding.args).join(', ')})`;
  const latency = latencyOf(network);
  const lines = [`network ${JSON.stringify(network.name)}${coding}${latency === 0 ? '' : ` latency ${latency}`}`];
  for (const note of network.notes) lines.push(`  note ${JSON.stringify(note)}`);
  for (const def of network.neurons.values()) lines.push(printNeuron(def));
  for (const param of network.params) lines.push(printParam(param));
  const rows = network.ops.map(opColumns);
  const idWidth = Math.min(32, Math.max(0, ...rows.map(([id]) => id.length)));
  const bodyWidth = Math.min(88, Math.max(0, ...rows.map(([, body]) => body.length)));
  for (const [id, body, type] of rows) lines.push(`  ${id.padEnd(idWidth)} = ${body.padEnd(bodyWidth)} ${type}`);
  for (const output of network.outputs) lines.push(`  output ${idText(output)}`);
  return `${lines.join('\n')}\n`;
}
