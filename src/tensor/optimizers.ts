import type { ProgramBuilder, Value } from './builder.js';

export type OptimizerSpec =
  | {
      readonly kind: 'sgd';
      readonly momentum?: number;
      readonly nesterov?: boolean;
      /** Added to the gradient as decay·w. */
      readonly weightDecay?: number;
    }
  | {
      /** `adam` adds decay·w to the gradient; `adamw` shrinks w by lr·decay apart from it. */
      readonly kind: 'adam' | 'adamw';
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly weightDecay?: number;
    };

/** Names of the values that an optimiser keeps per trained tensor, each starting at zero. */
export function optimizerSlots(spec: OptimizerSpec): readonly string[] {
  if (spec.kind === 'sgd') return (spec.momentum ?? 0) === 0 ? [] : ['velocity'];
  return ['first_moment', 'second_moment'];
}

export interface UpdateInput {
  readonly weight: Value;
  readonly gradient: Value;
  /** In the order of {@link optimizerSlots}. */
  readonly slots: readonly Value[];
  /** Learning rate, a scalar. */
  readonly rate: Value;
  /** Number of this step, from 1, a scalar: Adam's bias correction. */
  readonly step: Value;
}

export interface Update {
  readonly weight: Value;
  readonly slots: readonly Value[];
}

/** One optimiser step for one tensor; the formulas are those of PyTorch. */
export function updateWeight(b: ProgramBuilder, spec: OptimizerSpec, input: UpdateInput): Update {
  return spec.kind === 'sgd' ? sgd(b, spec, input) : adam(b, spec, input);
}

function decayed(b: ProgramBuilder, gradient: Value, weight: Value, decay: number): Value {
  return decay === 0 ? gradient : b.add(gradient, b.mul(weight, decay));
}

/** v ← μ·v + g;  w ← w − lr·v, or w − lr·(g + μ·v) with Nesterov. */
function sgd(b: ProgramBuilder, spec: Extract<OptimizerSpec, { kind: 'sgd' }>, input: UpdateInput): Update {
  const { momentum = 0, nesterov = false, weightDecay = 0 } = spec;
  const { weight, slots, rate } = input;
  const g = decayed(b, input.gradient, weight, weightDecay);
  const velocity = slots[0];
  if (velocity === undefined) return { weight: b.as('next').sub(weight, b.mul(g, rate)), slots: [] };
  const next = b.as('next_velocity').add(b.mul(velocity, momentum), g);
  const direction = nesterov ? b.add(g, b.mul(next, momentum)) : next;
  return { weight: b.as('next').sub(weight, b.mul(direction, rate)), slots: [next] };
}

/**
 * m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;
 * w ← w − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
 */
function adam(b: ProgramBuilder, spec: Exclude<OptimizerSpec, { kind: 'sgd' }>, input: UpdateInput): Update {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = spec.kind === 'adamw' ? 0.01 : 0 } = spec;
  const { rate, step } = input;
  const decoupled = spec.kind === 'adamw' && weightDecay !== 0;
  const weight = decoupled ? b.mul(input.weight, b.sub(1, b.mul(rate, weightDecay))) : input.weight;
  const g = decoupled ? input.gradient : decayed(b, input.gradient, weight, weightDecay);
  const [m, v] = [input.slots[0]!, input.slots[1]!];
  const first = b.as('next_first_moment').add(b.mul(m, beta1), b.mul(g, 1 - beta1));
  const second = b.as('next_second_moment').add(b.mul(v, beta2), b.mul(b.mul(g, g), 1 - beta2));
  const correct1 = b.sub(1, b.pow(b.scalar(step.dtype, beta1), step));
  const correct2 = b.sqrt(b.sub(1, b.pow(b.scalar(step.dtype, beta2), step)));
  const scale = b.add(b.div(b.sqrt(second), correct2), epsilon);
  const change = b.mul(b.div(first, scale), b.div(rate, correct1));
  return { weight: b.as('next').sub(weight, change), slots: [first, second] };
}
