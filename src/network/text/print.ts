import { latencyOf } from '../graph.js';
import type { Attrs, AttrValue, Code, Network, Op, Param, ValueType } from '../types.js';
import { printNeuron } from './expression.js';

/** Names that stand without quotes. */
export const plainName = /^[A-Za-z0-9_$./:-]+$/;

function name(text: string): string {
  return plainName.test(text) ? text : JSON.stringify(text);
}

function attrValue(value: AttrValue): string {
  if (typeof value === 'string') return name(value);
  if (typeof value === 'object') return `[${value.join(', ')}]`;
  return String(value);
}

function attrs(list: Attrs, hidden: readonly string[] = []): string[] {
  return Object.entries(list)
    .filter(([key]) => !hidden.includes(key))
    .map(([key, value]) => (value === true ? key : `${key}=${attrValue(value)}`));
}

function codeText(code: Code): string {
  switch (code.kind) {
    case 'real':
    case 'psp':
      return code.kind;
    case 'spike':
      return `spike{${code.min}..${code.max}${code.step === 1 ? '' : `, step=${code.step}`}}`;
    case 'quant':
      return `quant{${code.min}..${code.max}, scale=${code.scale}, zero=${code.zero}}`;
  }
}

/** `spike{-1..1}[16,32,32] @3..10` */
export function printType(type: ValueType): string {
  const time = type.time === undefined ? '' : ` @${type.time.start}..${type.time.start + type.time.steps - 1}`;
  return `${codeText(type.code)}[${type.shape.join(',')}]${time}`;
}

function opColumns(op: Op): [string, string, string] {
  const isNeuron = op.kind === 'neuron';
  const kind = isNeuron ? `neuron.${String(op.attrs['neuron'])}` : op.kind;
  const inputs = op.inputs.map((id) => ` %${name(id)}`).join('');
  const attributes = attrs(op.attrs, isNeuron ? ['neuron'] : []);
  const braces = attributes.length === 0 ? '' : ` {${attributes.join(', ')}}`;
  const params = Object.entries(op.params).map(([role, param]) => `${role}=${name(param)}`);
  const parens = params.length === 0 ? '' : ` (${params.join(', ')})`;
  const origin = op.origin === undefined ? '' : ` from ${JSON.stringify(op.origin)}`;
  return [`%${name(op.id)}`, `${kind}${inputs}${braces}${parens}`, `: ${printType(op.type)}${origin}`];
}

function printParam([id, param]: readonly [string, Param]): string {
  const quant = param.quant === undefined ? '' : ` quant(axis=${param.quant.axis})`;
  return `  param ${name(id)} : ${param.tensor.dtype}[${param.tensor.shape.join(',')}]${quant}`;
}

/**
 * The text form. Weights are named and typed; their values live beside it (`weights.safetensors`).
 * With the weights, {@link parseNetwork} gives the same network back, but for places in user files.
 */
export function printNetwork(network: Network): string {
  const coding =
    network.coding === undefined ? '' : ` coding ${network.coding.name}(${attrs(network.coding.args).join(', ')})`;
  const latency = latencyOf(network);
  const lines = [`network ${JSON.stringify(network.name)}${coding}${latency === 0 ? '' : ` latency ${latency}`}`];
  for (const note of network.notes) lines.push(`  note ${JSON.stringify(note)}`);
  for (const def of network.neurons.values()) lines.push(printNeuron(def));
  for (const param of network.params) lines.push(printParam(param));
  const rows = network.ops.map(opColumns);
  const idWidth = Math.min(32, Math.max(0, ...rows.map(([id]) => id.length)));
  const bodyWidth = Math.min(88, Math.max(0, ...rows.map(([, body]) => body.length)));
  for (const [id, body, type] of rows) lines.push(`  ${id.padEnd(idWidth)} = ${body.padEnd(bodyWidth)} ${type}`);
  for (const output of network.outputs) lines.push(`  output %${name(output)}`);
  return `${lines.join('\n')}\n`;
}
