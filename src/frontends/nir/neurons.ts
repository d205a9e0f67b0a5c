import { type NeuronDef, parseNeuron } from '../../equations/index.js';
import { TokenStream } from '../../base/tokens.js';

/**
 * NIR's neurons as forward Euler with step dt makes them, `u` from 0, with the numbers of a step: k = dt/τ, g = r·dt for those without
 * leak. They fire where the membrane is above the threshold, and are reset in the same step.
 */
const texts = {
  I: `NIR_I(g = 1) {
    state u = 0
    charge u = u + g * x
    fire s = u
  }`,
  IF: `NIR_IF(g = 1, theta = 1, to = 0) {
    state u = 0
    charge u = u + g * x
    fire s = u > theta
    reset u = where(s, to, u)
    surrogate rectangle(width: 1)
  }`,
  LI: `NIR_LI(k = 1, r = 1, leak = 0) {
    state u = 0
    charge u = u + k * (leak - u + r * x)
    fire s = u
  }`,
  LIF: `NIR_LIF(k = 1, r = 1, leak = 0, theta = 1, to = 0) {
    state u = 0
    charge u = u + k * (leak - u + r * x)
    fire s = u > theta
    reset u = where(s, to, u)
    surrogate rectangle(width: 1)
  }`,
  CubaLI: `NIR_CubaLI(j = 1, w = 1, k = 1, r = 1, leak = 0) {
    state u = 0
    state i = 0
    charge i = i + j * (w * x - i)
    charge u = u + k * (leak - u + r * i)
    fire s = u
  }`,
  CubaLIF: `NIR_CubaLIF(j = 1, w = 1, k = 1, r = 1, leak = 0, theta = 1, to = 0) {
    state u = 0
    state i = 0
    charge i = i + j * (w * x - i)
    charge u = u + k * (leak - u + r * i)
    fire s = u > theta
    reset u = where(s, to, u)
    surrogate rectangle(width: 1)
  }`,
  Threshold: `NIR_Threshold(theta = 1) {
    state u = 0
    charge u = x
    fire s = u > theta
    reset u = 0
    surrogate rectangle(width: 1)
  }`,
} as const;

export type NeuronType = keyof typeof texts;

export function isNeuronType(type: string): type is NeuronType {
  return Object.hasOwn(texts, type);
}

export function neuronOf(type: NeuronType): NeuronDef {
  return parseNeuron(new TokenStream({ name: `NIR ${type}`, text: texts[type] }));
}

/** Where a neuron's parameter comes from: a field of the node, from which a number of a step follows. */
export interface NeuronParameter {
  readonly name: string;
  readonly field: string;
  /** What it is where the file doesn't say it; it must where this is missing. */
  readonly usual?: number;
  /** It is a time constant: above 0. */
  readonly isTime?: true;
  readonly of: (value: number, dt: number) => number;
}

const plain = (value: number): number => value;
const share = (tau: number, dt: number): number => dt / tau;
const leaky: readonly NeuronParameter[] = [
  { name: 'r', field: 'r', of: plain },
  { name: 'leak', field: 'v_leak', usual: 0, of: plain },
];
const firing: readonly NeuronParameter[] = [
  { name: 'theta', field: 'v_threshold', of: plain },
  { name: 'to', field: 'v_reset', usual: 0, of: plain },
];
const integrating: NeuronParameter = { name: 'g', field: 'r', of: (r, dt) => r * dt };
const membrane: NeuronParameter = { name: 'k', field: 'tau', isTime: true, of: share };
const cuba: readonly NeuronParameter[] = [
  { name: 'j', field: 'tau_syn', isTime: true, of: share },
  { name: 'w', field: 'w_in', usual: 1, of: plain },
  { name: 'k', field: 'tau_mem', isTime: true, of: share },
];

export const neuronParameters: Readonly<Record<NeuronType, readonly NeuronParameter[]>> = {
  I: [integrating],
  IF: [integrating, ...firing],
  LI: [membrane, ...leaky],
  LIF: [membrane, ...leaky, ...firing],
  CubaLI: [...cuba, ...leaky],
  CubaLIF: [...cuba, ...leaky, ...firing],
  Threshold: [{ name: 'theta', field: 'threshold', of: plain }],
};
