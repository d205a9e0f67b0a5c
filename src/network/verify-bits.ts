import { type NeuronParam, stepParameter } from '../equations/index.js';
import { type WeightedKind, attrsOf, hasWeightMatrix } from './ops/index.js';
import { optionalParam } from './params.js';
import type { Network, Op } from './types.js';

/** What is wrong with an op, and what a user may do about it. */
export interface OpProblem {
  readonly message: string;
  readonly help?: string;
}

/** Bits or steps that an op may have, fixed as attribute NAME or learned as parameter NAME up to NAME_max. */
interface Counted {
  readonly name: string;
  readonly most: number;
  /** Whether a fixed number has to lie within 1 … most. */
  readonly fixed: boolean;
}

/** As the language has them (docs/language.md, bits): up to 16 bits, and up to 64 steps that learn. */
const mostBits = 16;
const mostLearnedSteps = 64;
const weightBits: Counted = { name: 'weight_bits', most: mostBits, fixed: true };
/** The steps of a squeeze that doesn't learn are those of the coding: its type says how many there can be. */
const squeezeSteps: Counted = { name: 'steps', most: mostLearnedSteps, fixed: false };
/** What a fixed `bits` of a neuron means is up to its equations. */
const neuronBits: Counted = { name: 'bits', most: mostBits, fixed: false };

/** What is wrong with the bits and steps of an op: numbers out of range, learned ones without bound or step size. */
export function bitProblems(op: Op, network: Pick<Network, 'params' | 'neurons'>): readonly OpProblem[] {
  const counted = countOf(op, network);
  if (counted === undefined) return [];
  if (op.kind === 'neuron' && op.params['bits'] !== undefined && ownBits(op, network) === undefined) {
    const message = `learns \`bits\`, but its neuron ${op.attrs.neuron} has no parameter of this name`;
    return [{ message, help: `take \`bits\` from the op, or give it to the neuron` }];
  }
  const problems = countProblems(op, network, counted);
  return hasWeightMatrix(op) ? [...problems, ...gridProblems(op)] : problems;
}

/**
 * What is wrong with the values of learned bits and steps and of step sizes: with a NaN there, no cost means anything.
 * Only for networks that are read; `bitProblems` must have found nothing.
 */
export function valueProblems(op: Op, network: Pick<Network, 'params' | 'neurons'>): readonly OpProblem[] {
  const counted = countOf(op, network);
  if (counted === undefined) return [];
  const param = optionalParam(network, op, counted.name);
  const value = param?.tensor.data[0];
  const problems: OpProblem[] = [];
  if (value !== undefined && !Number.isFinite(value)) {
    const what = `learned \`${counted.name}\` (parameter ${op.params[counted.name]})`;
    problems.push({ message: `${what} must be finite, is ${value}`, help: elsewhere });
  }
  const step = op.kind === 'neuron' ? stepParameter(network.neurons.get(op.attrs.neuron)) : 'weight_step';
  if (step !== undefined) problems.push(...stepSizeProblems(op, network, step));
  return [...problems, ...scaleProblems(op, network)];
}

/** What an op counts and may learn. */
function countOf(op: Op, network: Pick<Network, 'neurons'>): Counted | undefined {
  if (hasWeightMatrix(op)) return weightBits;
  if (op.kind === 'squeeze') return squeezeSteps;
  return op.kind === 'neuron' && network.neurons.has(op.attrs.neuron) ? neuronBits : undefined;
}

/** A neuron's parameter `bits`. */
function ownBits({ attrs }: Op<'neuron'>, { neurons }: Pick<Network, 'neurons'>): NeuronParam | undefined {
  return neurons.get(attrs.neuron)?.params.find(({ name }) => name === 'bits');
}

function countProblems(
  op: Op,
  network: Pick<Network, 'params' | 'neurons'>,
  { name, most, fixed }: Counted,
): readonly OpProblem[] {
  const problems: OpProblem[] = [];
  const bound = `${name}_max`;
  for (const attr of fixed ? [name, bound] : [bound]) {
    const value = attrsOf(op)[attr];
    if (typeof value !== 'number' || isWhole(value, most)) continue;
    problems.push({ message: `attribute ${attr} must be a whole number from 1 to ${most}, is ${value}` });
  }
  const id = op.params[name];
  // a parameter that the neuron itself learns has no bound
  if (id === undefined || (op.kind === 'neuron' && ownBits(op, network)?.learn !== undefined)) return problems;
  if (attrsOf(op)[bound] === undefined) {
    const message = `learns \`${name}\` (parameter ${id}) without a bound: attribute ${bound} is missing`;
    problems.push({ message, help: `give it ${bound}, a whole number from 1 to ${most}` });
  }
  const size = optionalParam(network, op, name)?.tensor.data.length ?? 1;
  if (size !== 1) problems.push({ message: `learned \`${name}\` (parameter ${id}) must be one number, is ${size}` });
  return problems;
}

function isWhole(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

/** A step size makes codes of so many bits; bits that learn need its grid. */
function gridProblems({ attrs, params }: Op<WeightedKind>): readonly OpProblem[] {
  const [step, bits] = [params['weight_step'], params['weight_bits']];
  if (step !== undefined && bits === undefined && attrs.weight_bits === undefined) {
    const message = `has a step size of weights (parameter ${step}), but no bits`;
    const help = 'give it the attribute weight_bits, or the parameter weight_bits with its bound weight_bits_max';
    return [{ message, help }];
  }
  if (bits !== undefined && step === undefined) {
    const message = `learns \`weight_bits\` (parameter ${bits}) without a step size`;
    return [{ message, help: 'give it the parameter weight_step' }];
  }
  return [];
}

/** A step size that learns, or a neuron's that is an attribute. */
function stepSizeProblems(op: Op, network: Pick<Network, 'params'>, role: string): readonly OpProblem[] {
  const isGood = (value: number): boolean => value > 0 && value < Infinity;
  const param = optionalParam(network, op, role);
  const attr = attrsOf(op)[role];
  const values = param?.tensor.data ?? (typeof attr === 'number' ? [attr] : []);
  const bad = values.find((value) => !isGood(value));
  if (bad === undefined) return [];
  const what = param === undefined ? `attribute ${role}` : `parameter ${op.params[role]}`;
  const message = `its step size \`${role}\` (${what}) must be finite and above 0, is ${bad}`;
  return [{ message, ...(param === undefined ? {} : { help: elsewhere }) }];
}

/** The step sizes of weights in integer codes. */
function scaleProblems(op: Op, network: Pick<Network, 'params'>): readonly OpProblem[] {
  const { scale = [], zero = [] } = optionalParam(network, op, 'weight')?.quant ?? {};
  const bad = [...scale, ...zero].find((value) => !Number.isFinite(value));
  if (bad === undefined) return [];
  const what = `scales and zero points of its weights (parameter ${op.params['weight']})`;
  return [{ message: `${what} must be finite, one is ${bad}`, help: elsewhere }];
}

const elsewhere = 'take the weights of another epoch or run: those of this file are damaged, or its training diverged';
