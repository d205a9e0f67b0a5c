import { InvariantError, present } from '../../../base/invariant.js';
import { type Op, codesOf, makeOp } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { lowerNeurons } from '../neurons.js';
import { StepTrain, type Timed, type Train } from '../trains.js';

/** The input's train. exact: digits of the rounded code; drive: SWS eq. 8–9. */
export function encodedTrain(lowering: Lowering, op: Op<'encode'>, x: Value): Train {
  lowering.builder.at(op.id);
  return op.attrs.encoder === 'drive' ? driveTrain(lowering, op, x) : exactTrain(lowering, op, x);
}

/** A number that encoders of this coding have. */
function needed(op: Op<'encode'>, name: 'beta' | 'min' | 'max' | 'scale' | 'zero' | 'amplitude'): number {
  return present(op.attrs[name], `lower: ${op.id} has no ${name}`);
}

/** How the input is rounded. */
function quantiserOf(op: Op<'encode'>): Parameters<typeof codesOf>[2] {
  const [scale, zero, min, max] = [needed(op, 'scale'), needed(op, 'zero'), needed(op, 'min'), needed(op, 'max')];
  return { scale, zero, min, max, rounding: op.attrs.rounding };
}

/** Neurons that fire the digits of a code: those numbers that say how. */
export interface Digits {
  readonly beta: number;
  readonly steps: number;
  readonly min: number;
  readonly amplitude: number;
}

/** The code in amplitudes above the lower end of its range: (Q − min)/θ. */
function levelOfCode(lowering: Lowering, { min, amplitude }: Pick<Digits, 'min' | 'amplitude'>, code: Value): Value {
  const { builder } = lowering;
  const shifted = min === 0 ? code : builder.sub(code, min);
  return amplitude === 1 ? shifted : builder.div(shifted, amplitude);
}

function exactTrain(lowering: Lowering, op: Op<'encode'>, x: Value): StepTrain {
  const { builder } = lowering;
  const code = builder.as('code').op('detach', [codesOf(builder, x, quantiserOf(op))], {});
  const [beta, min, amplitude] = [needed(op, 'beta'), needed(op, 'min'), needed(op, 'amplitude')];
  return digitsOfCode(lowering, op.id, code, { beta, steps: op.attrs.steps, min, amplitude });
}

/** The train of a known code: its digits above `min`, in amplitudes, most significant first. */
export function digitsOfCode(lowering: Lowering, id: string, code: Value, digits: Digits): StepTrain {
  const { beta, steps, amplitude } = digits;
  const { builder } = lowering;
  const level = levelOfCode(lowering, digits, code);
  if (beta !== 2) return greedyTrain(lowering, id, level, beta, steps);
  return binaryTrain(lowering, id, amplitude === 1 ? level : builder.round(level), steps);
}

/** Binary digits, most significant first: choices between 0 and 1, so that engines see small integers. */
function binaryTrain(lowering: Lowering, id: string, level: Value, steps: number): StepTrain {
  const { builder } = lowering;
  let rest = level;
  const spikes: Value[] = [];
  for (let k = 1; k <= steps; k++) {
    const weight = 2 ** (steps - k);
    const s = builder.as(`s${k}`).select(builder.ge(rest, weight), builder.scalar('f32', 1), 0);
    if (k < steps) rest = builder.sub(rest, weight === 1 ? s : builder.mul(s, weight));
    spikes.push(s);
  }
  return new StepTrain(builder, id, 2, spikes);
}

/** Signed digits of a known value, greedily from the most significant: s = ±1 where |rest| ≥ β^(Tc−k)/2. */
function greedyTrain(lowering: Lowering, id: string, level: Value, beta: number, steps: number): StepTrain {
  const { builder } = lowering;
  const { precision } = lowering.options;
  let rest = builder.cast(level, precision);
  let prefix: Value | undefined;
  const spikes: Value[] = [];
  for (let k = 1; k <= steps; k++) {
    const weight = beta ** (steps - k);
    const up = builder.ge(rest, weight / 2);
    const low = builder.le(rest, -weight / 2);
    // as rectified neurons do: a negative spike may only correct a positive prefix
    const down = prefix === undefined ? undefined : builder.and(low, builder.ge(prefix, 1));
    const zero = builder.scalar(precision, 0);
    const s = builder
      .as(`s${k}`)
      .select(
        up,
        builder.scalar(precision, 1),
        down === undefined ? zero : builder.select(down, builder.scalar(precision, -1), zero),
      );
    rest = builder.sub(rest, builder.mul(s, weight));
    prefix = prefix === undefined ? s : builder.add(builder.mul(prefix, beta), s);
    spikes.push(builder.cast(s, 'f32'));
  }
  return new StepTrain(builder, id, beta, spikes);
}

/** Constant drive p/Σβ^(Tc−τ) at every step into TSA neurons without silent period (SWS eq. 8–9). */
function driveTrain(lowering: Lowering, op: Op<'encode'>, x: Value): Train {
  const { builder } = lowering;
  const { precision } = lowering.options;
  const { steps, amplitude = 1, threshold = 0.5 } = op.attrs;
  const beta = needed(op, 'beta');
  const { scale, zero, min, max } = quantiserOf(op);
  const real = builder.add(builder.div(builder.cast(x, precision), scale), zero);
  const level = levelOfCode(lowering, { min, amplitude }, builder.clip(real, min, max));
  let capacity = 0;
  for (let k = 0; k < steps; k++) capacity += beta ** k;
  const drive = builder.as('drive').div(level, capacity);
  const input: Timed = { steps, take: (m) => (m === 1 ? Array.from({ length: steps }, () => drive) : []) };
  const neuron = makeOp(
    {
      id: op.id,
      kind: 'neuron',
      inputs: op.inputs,
      attrs: {
        neuron: 'TSA',
        amplitude,
        beta,
        steps,
        silent: 0,
        threshold,
        rectified: 1,
        limit: 0,
      },
      place: op.place,
    },
    [{ shape: op.type.shape, time: { start: 1, steps }, code: { kind: 'psp' } }],
    lowering.network.params,
    lowering.network.neurons,
  );
  if ('problem' in neuron) throw new InvariantError(`lower: ${op.id}: ${neuron.problem}`);
  return lowerNeurons(lowering, neuron, input).train;
}
