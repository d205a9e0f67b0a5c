import { InvariantError } from '../../../base/invariant.js';
import { type Op, makeOp, numberAttr, stringAttr } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { lowerNeurons } from '../neurons.js';
import { StepTrain, type Timed } from '../trains.js';

/** clip(round_half_even(x/scale) + zero, min, max) in x's dtype; in f32 exactly as onnxruntime rounds. */
export function quantised(lowering: Lowering, x: Value, attrs: Op['attrs']): Value {
  const { builder } = lowering;
  const rounded = builder.round(builder.div(x, numberAttr(attrs, 'scale')));
  const zero = numberAttr(attrs, 'zero');
  return builder.clip(
    zero === 0 ? rounded : builder.add(rounded, zero),
    numberAttr(attrs, 'min'),
    numberAttr(attrs, 'max'),
  );
}

/** The input's train. sws exact: digits of the rounded code; drive: SWS eq. 8–9. */
export function lowerEncode(lowering: Lowering, op: Op): void {
  const coding = stringAttr(op.attrs, 'coding');
  if (coding !== 'sws') throw new InvariantError(`lower: no encoder for coding ${coding}`);
  const x = lowering.realOf(op.inputs[0]!);
  lowering.builder.at(op.id);
  if (op.attrs['encoder'] === 'drive') lowering.trains.set(op.id, driveTrain(lowering, op, x));
  else lowering.trains.set(op.id, exactTrain(lowering, op, x));
}

/** The code in amplitudes above the lower end of its range: (Q − min)/θ. */
function levelOfCode(lowering: Lowering, op: Op, code: Value): Value {
  const { builder } = lowering;
  const min = numberAttr(op.attrs, 'min');
  const amplitude = numberAttr(op.attrs, 'amplitude');
  const shifted = min === 0 ? code : builder.sub(code, min);
  return amplitude === 1 ? shifted : builder.div(shifted, amplitude);
}

function exactTrain(lowering: Lowering, op: Op, x: Value): StepTrain {
  const { builder } = lowering;
  const beta = numberAttr(op.attrs, 'beta');
  const steps = numberAttr(op.attrs, 'steps');
  const level = levelOfCode(lowering, op, builder.as('code').op('detach', [quantised(lowering, x, op.attrs)], {}));
  if (beta !== 2) return greedyTrain(lowering, op, level, beta, steps);
  return binaryTrain(lowering, op, numberAttr(op.attrs, 'amplitude') === 1 ? level : builder.round(level), steps);
}

/** Binary digits, most significant first: choices between 0 and 1, so that engines see small integers. */
function binaryTrain(lowering: Lowering, op: Op, level: Value, steps: number): StepTrain {
  const { builder } = lowering;
  let rest = level;
  const spikes: Value[] = [];
  for (let k = 1; k <= steps; k++) {
    const weight = 2 ** (steps - k);
    const s = builder.as(`s${k}`).select(builder.ge(rest, weight), builder.scalar('f32', 1), 0);
    if (k < steps) rest = builder.sub(rest, weight === 1 ? s : builder.mul(s, weight));
    spikes.push(s);
  }
  return new StepTrain(builder, op.id, 2, spikes);
}

/** Signed digits of a known value, greedily from the most significant: s = ±1 where |rest| ≥ β^(Tc−k)/2. */
function greedyTrain(lowering: Lowering, op: Op, level: Value, beta: number, steps: number): StepTrain {
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
  return new StepTrain(builder, op.id, beta, spikes);
}

/** Constant drive p/Σβ^(Tc−τ) at every step into TSA neurons without silent period (SWS eq. 8–9). */
function driveTrain(lowering: Lowering, op: Op, x: Value): StepTrain {
  const { builder } = lowering;
  const { precision } = lowering.options;
  const attrs = op.attrs;
  const beta = numberAttr(attrs, 'beta');
  const steps = numberAttr(attrs, 'steps');
  const real = builder.add(
    builder.div(builder.cast(x, precision), numberAttr(attrs, 'scale')),
    numberAttr(attrs, 'zero'),
  );
  const level = levelOfCode(lowering, op, builder.clip(real, numberAttr(attrs, 'min'), numberAttr(attrs, 'max')));
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
        levels: [-1, 1],
        amplitude: numberAttr(attrs, 'amplitude', 1),
        beta,
        steps,
        silent: 0,
        threshold: numberAttr(attrs, 'threshold', 0.5),
        rectified: 1,
        limit: 0,
      },
      place: op.place,
    },
    [{ shape: op.type.shape, time: { start: 1, steps }, code: { kind: 'psp' } }],
    lowering.network.params,
  );
  if ('problem' in neuron) throw new InvariantError(`lower: ${op.id}: ${neuron.problem}`);
  return lowerNeurons(lowering, neuron, input).train;
}

/** Read-out of a potential: Σ β^(Tc−k)·z(k) for sws; the mean over the steps otherwise. */
export function lowerDecode(lowering: Lowering, op: Op): void {
  const from = lowering.timedOf(op.inputs[0]!);
  const { builder } = lowering;
  if (stringAttr(op.attrs, 'coding') === 'sws') {
    const [whole] = from.take(from.steps, numberAttr(op.attrs, 'beta'));
    lowering.real.set(op.id, builder.at(op.id).cast(whole!, 'f32'));
    return;
  }
  const steps = from.take(1, 1);
  builder.at(op.id);
  const sum = steps.reduce((a, b) => builder.add(a, b));
  lowering.real.set(op.id, builder.cast(builder.mul(sum, 1 / steps.length), 'f32'));
}
