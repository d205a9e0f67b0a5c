import { TokenStream } from '../../../base/tokens.js';
import { type NeuronDef, parseNeuron } from '../../../equations/index.js';
import { type Op, makeOp } from '../../../network/index.js';
import { InvariantError } from '../../../base/invariant.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { lowerNeurons } from '../neurons.js';
import { stepsOf } from '../runnable.js';
import type { CodingNumbers } from './conversion.js';

/** A neuron of a coding's own, from the IR's text form: networks without a layer of neurons don't have it. */
export function equationsOf(text: string): NeuronDef {
  return parseNeuron(new TokenStream({ name: 'coding', text }));
}

/** What spikes [TN, …] are worth to those that read them, by equations with states of their own, in the IR's text form. */
export function dendrite(text: string): (lowering: Lowering, op: Op, spikes: Value, args: CodingNumbers) => Value {
  const def = equationsOf(text);
  return (lowering, op, spikes, args) => {
    const { builder } = lowering;
    const time = { start: 1, steps: stepsOf(spikes) };
    const made = makeOp(
      { id: op.id, kind: 'neuron', inputs: op.inputs, attrs: { neuron: def.name, ...args }, place: op.place },
      [{ shape: op.type.shape, time, code: { kind: 'psp' } }],
      lowering.network.params,
      new Map([[def.name, def]]),
    );
    if ('problem' in made) throw new InvariantError(`lower: ${op.id}: ${made.problem}`);
    const step = (t: number): Value => builder.at(op.id).step(spikes, t);
    const { spikes: worth } = lowerNeurons(
      lowering,
      made,
      {
        steps: time.steps,
        whole: () => spikes,
        take: (m) => {
          let first = step(0);
          for (let t = 1; t < m; t++) first = builder.add(first, step(t));
          return [first, ...Array.from({ length: time.steps - m }, (_, i) => step(m + i))];
        },
      },
      { def },
    );
    return builder.at(op.id).as('worth').concat(worth, 0);
  };
}
