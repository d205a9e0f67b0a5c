import { inferType } from './infer-type.js';
import { attrProblems, joinProblem, opDef, readsAhead, traitsOf } from './ops/index.js';
import { printType } from './text/print.js';
import type { Network, Op, ValueType } from './types.js';
import { type OpProblem, bitProblems, valueProblems } from './verify-bits.js';
import { neuronLevelProblems } from './verify-levels.js';

export interface Problem extends OpProblem {
  readonly op: string;
}

/**
 * Everything that is wrong with a network: ids, order, arity, attributes, bits, types, times of joins. Empty when
 * valid; stops after the op with which there are `enough` problems.
 */
export function verifyNetwork(network: Network, enough = Infinity): readonly Problem[] {
  const problems: Problem[] = [];
  const types = new Map<string, ValueType>();
  const all = new Map(network.ops.map((op) => [op.id, op.type]));
  for (const op of network.ops) {
    if (problems.length >= enough) return problems;
    const known = readsAhead(op) ? all : types;
    for (const problem of opProblems(op, network, known)) problems.push({ op: op.id, ...problem });
    if (types.has(op.id)) problems.push({ op: op.id, message: 'two ops have this id' });
    types.set(op.id, op.type);
  }
  for (const output of network.outputs) {
    if (!types.has(output)) problems.push({ op: output, message: 'an output names no op' });
  }
  if (network.outputs.length === 0) problems.push({ op: network.name, message: 'the network has no output' });
  return problems;
}

/** Inputs beside the first, which alone is fed with samples. */
export function feedProblems({ ops }: Network): readonly Problem[] {
  const [first, ...others] = ops.filter(({ kind }) => kind === 'input');
  return others.map(({ id }) => ({
    op: id,
    message: `is a second input, and nothing feeds it: samples go to %${first!.id}`,
    help: `remove it, and let what reads it read %${first!.id}`,
  }));
}

/** What is wrong with the numbers in a valid network that was read: those that passes and costs count on. */
export function verifyValues(network: Network): readonly Problem[] {
  return network.ops.flatMap((op) => valueProblems(op, network).map((problem) => ({ op: op.id, ...problem })));
}

function opProblems(op: Op, network: Network, types: ReadonlyMap<string, ValueType>): readonly OpProblem[] {
  const missing = op.inputs.filter((id) => !types.has(id));
  if (missing.length > 0)
    return missing.map((id) => ({ message: `reads %${id}, which no ${readsAhead(op) ? '' : 'earlier '}op defines` }));
  const def = opDef(op.kind);
  const attrs = attrProblems(def.attrs, def.otherAttrs, op.attrs);
  if (attrs.length > 0) return attrs.map((message) => ({ message }));
  const bits = bitProblems(op, network);
  if (bits.length > 0) return bits;
  const levels = neuronLevelProblems(op, network);
  return levels.length > 0 ? levels : typeProblems(op, network, types).map((message) => ({ message }));
}

/** What is wrong with its type, its operands' times, and what it names. */
function typeProblems(op: Op, network: Network, types: ReadonlyMap<string, ValueType>): readonly string[] {
  const request = { kind: op.kind, attrs: op.attrs, params: op.params };
  const inputs = op.inputs.map((id) => types.get(id)!);
  const inferred = inferType(request, inputs, network.params, network.neurons);
  if (typeof inferred === 'string') return [inferred];
  const problems: string[] = [];
  if (!sameType(inferred, op.type)) {
    problems.push(`has type ${printType(op.type)}, its inputs give ${printType(inferred)}`);
  }
  const { join: joins, role } = traitsOf(op);
  // one operand of a product comes in planes: its row looks at the times
  const inPlanes = role === 'product' && 'planes' in op.attrs && op.attrs.planes !== undefined;
  if ((joins && !inPlanes) || role === 'neurons') {
    const join = joinProblem(inputs);
    if (join !== undefined) problems.push(join);
  }
  const { coding } = network;
  const own = op.kind !== 'neuron' && 'coding' in op.attrs ? op.attrs.coding : undefined;
  if (own !== undefined && coding !== undefined && own !== coding.name) {
    problems.push(`has coding ${own}, the network ${coding.name}`);
  }
  if (op.kind === 'neuron' && !network.neurons.has(op.attrs.neuron)) {
    problems.push(`names an unknown neuron ${op.attrs.neuron}`);
  }
  const wanted = op.kind === 'neuron' ? 1 + (network.neurons.get(op.attrs.neuron)?.currents?.length ?? 0) : undefined;
  if (op.kind === 'neuron' && wanted !== inputs.length)
    problems.push(`has ${inputs.length} current(s), its neuron ${op.attrs.neuron} takes ${wanted}`);
  const [from] = op.inputs;
  if (
    op.kind === 'decode' &&
    op.attrs.readout === 'membrane' &&
    !network.ops.some(({ id, kind }) => id === from && kind === 'neuron')
  )
    problems.push(`reads membranes, and %${from} is no layer of neurons`);
  for (const name of Object.values(op.params)) {
    if (!network.params.has(name)) problems.push(`names an unknown parameter ${name}`);
  }
  return problems;
}

function sameType(a: ValueType, b: ValueType): boolean {
  if (a.shape.length !== b.shape.length || a.shape.some((n, axis) => n !== b.shape[axis])) return false;
  if (a.time?.start !== b.time?.start || a.time?.steps !== b.time?.steps) return false;
  const [code, other] = [a.code, b.code] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const names = Object.keys(code);
  return names.length === Object.keys(other).length && names.every((name) => Object.is(code[name], other[name]));
}
