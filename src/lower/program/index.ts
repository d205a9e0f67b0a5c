import { tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { type Network, type Op, opsById } from '../../network/index.js';
import type { Program, Value } from '../../tensor/index.js';
import { lowerReal } from './carriers/real.js';
import { Lowering, type LoweringOptions, folded } from './context.js';
import { lowerDecode, lowerEncode } from './carriers/encode.js';
import type { Environment } from '../../equations/index.js';
import { lowerNeurons } from './neurons.js';
import { lowerSynapse } from './carriers/stepwise.js';
import type { Train } from './trains.js';

export type { LoweringOptions, Probes } from './context.js';

/** Names of program outputs that are probes, per op id. */
export const probeNames = {
  /** [N, 2]: spikes fired, and spikes times fan-out. */
  counts: (id: string): string => `counts ${id}`,
  /** [TN, …shape]: the spikes of every step, in amplitudes. */
  train: (id: string): string => `train ${id}`,
  /** [N, …shape]: codes in amplitudes. */
  codes: (id: string): string => `codes ${id}`,
  /** [N, …shape]: |u| after the last step, in units of the neuron’s own membrane. */
  membrane: (id: string): string => `membrane ${id}`,
  /** [TN, …shape]: a layer's membranes when it fires, silent steps included. */
  membranes: (id: string): string => `membranes ${id}`,
} as const;

/**
 * Network → Tensor IR. Inputs are f32 [N, …shape] under their ids; outputs `0`, `1`, … in the
 * network's order, exposed values under their ids, and the probes asked for. Each layer runs in its
 * local time, so delay lines cost nothing; synapses act on all time steps at once.
 */
export function lowerNetwork(network: Network, options: LoweringOptions): Program {
  const lowering = new Lowering(network, options);
  const { builder } = lowering;
  const byId = opsById(network);
  // real values around a spiking part are f32: they are what the user feeds and reads
  const realPrecision = network.coding === undefined ? options.precision : 'f32';
  for (const op of network.ops) {
    if (op.kind === 'input') {
      const image = builder.input(op.id, 'f32', folded(1, op.type.shape));
      lowering.real.set(op.id, realPrecision === 'f32' ? image : builder.at(op.id).cast(image, realPrecision));
    } else if (op.kind === 'encode') {
      lowerEncode(lowering, op);
      probeTrain(lowering, op);
    } else if (op.kind === 'neuron') {
      const traced = options.probes?.membranes?.includes(op.id) === true;
      const { train, states, membranes } = lowerNeurons(lowering, op, lowering.timedOf(op.inputs[0]!), {
        membranes: traced,
      });
      lowering.trains.set(op.id, train);
      if (traced) {
        builder.output(probeNames.membranes(op.id), builder.at(op.id).as('membranes').concat(membranes, 0));
      }
      probeTrain(lowering, op, states);
    } else if (op.kind === 'decode') lowerDecode(lowering, op);
    else if (op.type.time !== undefined) {
      lowerSynapse(lowering, op, present(byId.get(op.inputs[0]!), `lower: ${op.id} reads nothing`).type.shape);
      if (op.kind === 'maxprefix') probeTrain(lowering, op);
    } else lowering.real.set(op.id, lowerReal(lowering, op, realPrecision));
  }
  network.outputs.forEach((id, n) => builder.output(String(n), lowering.realOf(id)));
  for (const id of options.expose ?? []) builder.output(id, lowering.realOf(id));
  return builder.build();
}

function probeTrain(lowering: Lowering, op: Op, states?: Environment): void {
  const { builder } = lowering;
  const { probes, fanOut } = lowering.options;
  const train = lowering.trainOf(op.id);
  if (probes?.counts === true && fanOut !== undefined) {
    builder.output(probeNames.counts(op.id), countSpikes(lowering, op, train, fanOut(op.id)));
  }
  if (probes?.trains === true) {
    const steps = Array.from({ length: train.steps }, (_, k) => train.step(k + 1));
    builder.output(probeNames.train(op.id), builder.at(op.id).as('train').concat(steps, 0));
  }
  if (probes?.codes !== true) return;
  builder.output(probeNames.codes(op.id), train.prefix(train.steps));
  const membrane = states?.get('u');
  if (membrane !== undefined && typeof membrane === 'object' && 'id' in membrane) {
    builder.output(
      probeNames.membrane(op.id),
      builder
        .at(op.id)
        .as('membrane')
        .abs(membrane as Value),
    );
  }
}

/** [N, 2]: Σ|s| over neurons and steps, and Σ|s|·fan-out. */
function countSpikes(lowering: Lowering, op: Op, train: Train, fanOut: Float64Array): Value {
  const { builder } = lowering;
  let count: Value | undefined;
  for (let k = 1; k <= train.steps; k++) {
    const step = train.step(k);
    builder.at(op.id);
    const fired = builder.abs(step);
    count = count === undefined ? fired : builder.add(count, fired);
  }
  const columns = new Float32Array(fanOut.length * 2);
  fanOut.forEach((fan, i) => {
    columns[2 * i] = 1;
    columns[2 * i + 1] = fan;
  });
  builder.as('spikes');
  const flat = builder.reshape(present(count, 'lower: a train without steps'), folded(1, [fanOut.length]));
  const weights = builder.as('fan_out').constant(tensor('f32', [fanOut.length, 2], columns));
  return builder.as('counts').matmul(flat, weights);
}
