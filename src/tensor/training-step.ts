import { type Tensor, allocate } from '../base/dtype.js';
import { gradients } from './autodiff.js';
import { ProgramBuilder, type Value } from './builder.js';
import { isFloat } from './ops/def.js';
import { type OptimizerSpec, optimizerSlots, updateWeight } from './optimizers.js';
import { simplify } from './simplify/index.js';
import type { Program } from './types.js';

/** Gradients held to a length of all together, as PyTorch's clip_grad_norm_, or each number to [−max, max]. */
export interface GradientClip {
  readonly kind: 'norm' | 'value';
  readonly max: number;
}

export interface TrainingStepOptions {
  /** Output name of the scalar loss. */
  readonly loss: string;
  /** Ids of the params to train. */
  readonly train: readonly string[];
  readonly optimizer: OptimizerSpec;
  readonly clip?: GradientClip;
  /**
   * Param id → id of the value that replaces it after the step: running statistics. They are
   * no part of the gradient.
   */
  readonly replace?: Readonly<Record<string, string>>;
  /** Factor on the learning rate of a param; 1 where missing. */
  readonly rateFactor?: (id: string) => number;
  /** Factor on the weight decay of a param; 1 where missing (0 for biases, say). */
  readonly decayFactor?: (id: string) => number;
}

/** A tensor that one step takes in as `id` and gives back as output `next.ID`. */
export interface TrainingState {
  readonly id: string;
  readonly initial: Tensor;
}

export interface TrainingStep {
  /**
   * Inputs: those of the forward program, `learning_rate` and `step` (f32 scalars; step
   * counts from 1), and every state. Outputs: those of the forward program, and `next.ID`
   * for every state.
   */
  readonly program: Program;
  /** Trained and replaced params, and the optimiser's slots, named `ID.velocity` and so on. */
  readonly states: readonly TrainingState[];
  /** Trained params without a differentiable path to the loss; they are left as they are. */
  readonly unreached: readonly string[];
}

/** A whole training step as one program: forward, backward, optimiser. */
export function trainingStep(forward: Program, options: TrainingStepOptions): TrainingStep {
  const replaced = Object.keys(options.replace ?? {});
  const b = new ProgramBuilder(`${forward.name}.step`);
  b.include(paramsAsInputs(forward, [...options.train, ...replaced]));
  for (const [name, id] of Object.entries(forward.outputs)) b.output(name, b.value(id));
  const initial = new Map(forward.params.map((param) => [param.id, param.data]));
  const loss = forward.outputs[options.loss];
  if (loss === undefined) throw new TypeError(`training step: there is no output "${options.loss}"`);
  const weights = options.train.map((id) => b.value(id));
  const grads = clipped(b, gradients(b, b.value(loss), weights), options.clip);
  b.at(undefined);
  const clock = { rate: b.input('learning_rate', 'f32', []), step: b.input('step', 'f32', []) };
  const states: TrainingState[] = [];
  weights.forEach((weight, i) => {
    const data = initial.get(weight.id)!;
    if (grads[i] !== undefined) states.push(...updateStates(b, weight, grads[i], data, clock, options));
  });
  for (const [id, value] of Object.entries(options.replace ?? {})) {
    b.output(`next.${id}`, b.value(value));
    states.push({ id, initial: initial.get(id)! });
  }
  const unreached = options.train.filter((_, i) => grads[i] === undefined);
  return { program: simplify(b.build(), { differentiated: true }), states, unreached };
}

function clipped(
  b: ProgramBuilder,
  grads: readonly (Value | undefined)[],
  clip: GradientClip | undefined,
): readonly (Value | undefined)[] {
  if (clip === undefined) return grads;
  const { kind, max } = clip;
  b.at('clip');
  if (kind === 'value') return grads.map((grad) => grad && b.min(b.max(grad, -max), max));
  const squares = grads.flatMap((grad) => (grad === undefined ? [] : [b.sumAll(b.mul(grad, grad))]));
  if (squares.length === 0) return grads;
  const norm = b.sqrt(squares.reduce((sum, one) => b.add(sum, one)));
  const factor = b.min(b.div(b.scalar(norm.dtype as 'f32', max), b.add(norm, 1e-6)), 1);
  return grads.map((grad) => grad && b.mul(grad, factor));
}

function updateStates(
  b: ProgramBuilder,
  weight: Value,
  gradient: Value,
  data: Tensor,
  clock: { readonly rate: Value; readonly step: Value },
  { optimizer, rateFactor, decayFactor }: TrainingStepOptions,
): TrainingState[] {
  if (!isFloat(weight.dtype)) throw new TypeError(`training step: "${weight.id}" is not of floats`);
  const slots = optimizerSlots(optimizer).map((name) => `${weight.id}.${name}`);
  const decay = decayFactor?.(weight.id) ?? 1;
  const default_ = optimizer.kind === 'adamw' ? 0.01 : 0;
  const spec = { ...optimizer, weightDecay: (optimizer.weightDecay ?? default_) * decay };
  const inputs = slots.map((id) => b.input(id, weight.dtype, weight.shape));
  b.at(weight.id);
  const rate = b.mul(b.cast(clock.rate, weight.dtype), rateFactor?.(weight.id) ?? 1);
  const step = b.cast(clock.step, weight.dtype);
  const update = updateWeight(b, spec, { weight, gradient, slots: inputs, rate, step });
  b.at(undefined);
  b.output(`next.${weight.id}`, update.weight);
  update.slots.forEach((value, i) => b.output(`next.${slots[i]!}`, value));
  const zero = (id: string): TrainingState => ({
    id,
    initial: { dtype: data.dtype, shape: data.shape, data: allocate(data.dtype, data.data.length) } as Tensor,
  });
  return [{ id: weight.id, initial: data }, ...slots.map(zero)];
}

/** The program with some of its params fed at every run instead. */
export function paramsAsInputs(program: Program, ids: readonly string[]): Program {
  const moved = new Set(ids);
  const missing = ids.find((id) => !program.params.some((param) => param.id === id));
  if (missing !== undefined) throw new TypeError(`program "${program.name}" has no param "${missing}"`);
  const inputs = program.params
    .filter((param) => moved.has(param.id))
    .map(({ id, dtype, shape }) => ({ id, dtype, shape }));
  return {
    ...program,
    inputs: [...program.inputs, ...inputs],
    params: program.params.filter((param) => !moved.has(param.id)),
  };
}
