import { tensor } from '../../../base/dtype.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';

/** Spikes [kN, neurons] → [kN, 2]: how many, and times each neuron's fan-out. */
export function weighedSpikes(builder: ProgramBuilder, spikes: Value, fanOut: ArrayLike<number>, name?: string): Value {
  const columns = new Float32Array(fanOut.length * 2);
  for (let i = 0; i < fanOut.length; i++) columns.set([1, fanOut[i]!], 2 * i);
  const weights = builder.as('fan_out').constant(tensor('f32', [fanOut.length, 2], columns));
  return (name === undefined ? builder : builder.as(name)).matmul(spikes, weights);
}
