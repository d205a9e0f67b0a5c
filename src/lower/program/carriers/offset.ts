import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import type { Conversion } from './conversion.js';
import { equationsOf } from './dendrite.js';
import { means } from './means.js';
import { overTime } from './means-time.js';
import { codingNumber, trainOfNeuron } from './worth.js';

/** Where the membrane starts, in units of the threshold. */
const start = 0.5;
/** How far beyond a threshold a shift takes a membrane. */
const beyond = 0.001;

/**
 * IF that gives out, after each step, how far its membrane has to start higher or lower for one spike more or less: where
 * what is left lies below 0 and it has fired, or reaches the threshold (Hao et al. 2023). `low`: the least membrane that
 * fired, `high`: the largest that didn’t, if any.
 */
const offsetNeuron = equationsOf(`Offset(start = 0.5, beyond = 0.001) {
  state u = start
  state n = 0
  state low = 1000000
  state high = -1000000
  charge u = u + x
  fire fired = u >= 1
  fire n2 = n + fired
  fire low2 = where(fired, min(low, u), low)
  fire high2 = where(fired, high, max(high, u))
  fire rest = u - fired
  fire up = where(high2 > -1000000, max(1, 1 + beyond - high2), 1)
  fire s = where(rest < 0 and n2 >= 1, -max(1, low2 - 1 + beyond), where(rest >= 1, up, 0))
  reset u = rest
  reset n = n2
  reset low = low2
  reset high = high2
}`);

/** The input [TN, …] with the shift of the membrane's start, which is one of its first step. */
function shifted(lowering: Lowering, op: Op<'neuron'>, x: Value): Value {
  const { builder } = lowering;
  const look = codingNumber(lowering, 'look');
  const current = overTime(lowering, x);
  const step = (t: number): Value => builder.at(op.id).step(current, t);
  const seen = { steps: look, take: () => Array.from({ length: look }, (_, t) => step(t)) };
  const shifts = trainOfNeuron(lowering, op, offsetNeuron, { start, beyond }, seen);
  const first = builder.as('shifted').add(step(0), builder.step(shifts, look - 1));
  if (lowering.steps === 1) return first;
  return builder.concat([first, builder.sliceAxis(current, 0, 1, lowering.steps)], 0);
}

function problemOf(steps: number, look: number): ReturnType<NonNullable<Conversion['problem']>> {
  if (look <= steps) return undefined;
  const reason = `a layer can’t look at ${look} steps of a train of ${steps}`;
  return { reason, help: `use look: ${steps} at most, or more steps` };
}

/**
 * `offset` (Hao et al. 2023, calibrating offset spikes): IF neurons first look at some steps of their input without sending
 * anything. Where what is left in a membrane says that a spike too many or too few would be sent, it starts that much lower
 * or higher when it reads the same input again.
 */
export const offset = means({
  coding: 'offset',
  doc: 'means over the steps; membranes start shifted by what is left in them after a look at the first steps of their input',
  whole: true,
  untrainable: 'its layers fire once their whole input is in, a decision without a surrogate in time',
  encode: (_, __, x) => x,
  driven: shifted,
  conversion: {
    neuron: () => ({ name: 'IF', args: { start } }),
    top: () => 1,
    silent: ({ look }) => look!,
    problem: ({ steps, look }) => problemOf(steps!, look!),
  },
});
