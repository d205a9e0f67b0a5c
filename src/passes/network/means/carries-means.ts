import { tensor } from '../../../base/dtype.js';
import { lower } from '../../../lower/program/index.js';
import { NetworkBuilder } from '../../../network/index.js';
import { evaluate } from '../../../tensor/index.js';
import type { NeuronDef } from '../../../equations/index.js';
import type { Placed } from '../../pass.js';

/** Currents that are tried, an odd number: 0 is one where they are of both signs. */
const probes = 509;

/** A neuron whose trains carry means. */
export interface MeanNeuron extends Placed {
  readonly def: NeuronDef;
  readonly args: Readonly<Record<string, number>>;
  /** Its outputs: integers min…max times step. */
  readonly levels: { readonly min: number; readonly max: number; readonly step: number };
}

/**
 * Whether a neuron's mean output over the steps follows a constant current from 0 to its largest output, to
 * within one level in one of the steps, and is 0 for one below 0; otherwise the first current for which it doesn't. That is what
 * makes it fit to stand for an activation; the neuron is run by its equations, none is known by name.
 */
export function outputsOfMeans(
  { def, args, levels }: MeanNeuron,
  steps: number,
): { readonly current: number; readonly mean: number } | undefined {
  const builder = new NetworkBuilder('probe');
  builder.neuron(def);
  const image = builder.add({ id: 'image', kind: 'input', attrs: { shape: [probes] } });
  const encode = builder.add({ id: 'encode', kind: 'encode', inputs: [image], attrs: { coding: 'direct', steps } });
  const attrs = { ...args, neuron: def.name };
  const neuron = builder.add({ id: 'neuron', kind: 'neuron', inputs: [encode], attrs });
  const mean = builder.add({ id: 'mean', kind: 'decode', inputs: [neuron], attrs: { coding: 'direct' } });
  const program = lower(builder.finish([mean], { name: 'direct', args: { steps } })).program;
  const top = levels.max * levels.step;
  // neurons without negative outputs have no mean below 0
  const least = levels.min < 0 ? -top : 0;
  const currents = Float32Array.from({ length: probes }, (_, i) => least + ((top - least) * i) / (probes - 1));
  const found = evaluate(program, { image: tensor('f32', [1, probes], currents) })['0']!.data;
  const tolerance = (levels.step / steps) * 1.001 + 1e-5 * top;
  for (let i = 0; i < probes; i++) {
    if (!(Math.abs(found[i]! - Math.max(0, currents[i]!)) <= tolerance))
      return { current: currents[i]!, mean: found[i]! };
  }
  return undefined;
}
