import { tensor } from '../../src/base/dtype.js';
import { costOf } from '../../src/cost/index.js';
import { type Network, checkedOp, attrsOf } from '../../src/network/index.js';
import type { ReportContext, ReportTarget } from '../../src/report/index.js';
import { networkFrom, tinyModel } from '../support/train.js';

export const hostile = `</script><img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script>`;

/** A small spiking network. */
export function tiny(neuron = 'MBLIF()'): Network {
  return networkFrom(tinyModel({ neuron, body: 'image | conv(4, kernel: 3) | spike | flatten | linear(3)' }));
}

/** Everything a report can know of a network, made up; every name in it may be hostile. */
export function target(network: Network, name: string, accuracy = 0.5): ReportTarget {
  const id = network.ops.find((op) => op.kind === 'neuron')!.id;
  const train = tensor('f32', [2, 1, 2, 2], [0, 1, 0, 0, 0, 1, 2, 0]);
  const membranes = tensor('f32', [2, 1, 2, 2], [0.1, 1, 0.3, 0.4, 0.5, 1.3, 2.1, 0]);
  const levels = [
    { value: 0, probability: 0.75 },
    { value: 1, probability: 0.25 },
  ];
  return {
    name,
    source: `${name}.spike#${name}`,
    network: { ...network, notes: [`note of ${name}`] },
    cost: costOf(network),
    measured: {
      data: name,
      samples: 10,
      accuracy,
      source: { accuracy: 0.75, agreement: 0.5 },
      spikes_per_neuron: 0.25,
      opf: 1000,
      latency_steps: 3,
      activity: [{ id, entropy: 0.811, firing_rate: 0.25, levels }],
    },
    trace: {
      image: tensor('f32', [1, 2, 2], [0, 0.5, 1, 1]),
      data: name,
      sample: 0,
      label: 1,
      predicted: 2,
      layers: [{ id, train, membranes, silent: 0, state: 'u', threshold: 1 }],
    },
    training: [1, 2].map((epoch) => ({
      epoch,
      loss: 2 / epoch,
      accuracy: 0.1 * epoch,
      rate: 0.1,
      firing: { [id]: 0.25 },
      seconds: 1,
    })),
  };
}

/** The same network with another name for every layer, parameter and neuron. */
export function renamed(network: Network, name: (old: string) => string): Network {
  return {
    ...network,
    name: name(network.name),
    ops: network.ops.map((op) =>
      checkedOp({
        ...op,
        id: name(op.id),
        inputs: op.inputs.map(name),
        origin: name(op.id),
        attrs:
          attrsOf(op)['neuron'] === undefined ? op.attrs : { ...op.attrs, neuron: name(String(attrsOf(op)['neuron'])) },
      }),
    ),
    outputs: network.outputs.map(name),
    neurons: new Map([...network.neurons].map(([key, def]) => [name(key), { ...def, name: name(def.name) }])),
  };
}

export function context(...targets: readonly ReportTarget[]): ReportContext {
  return { title: targets.map(({ name }) => name).join(', '), version: '0.0.0', targets };
}
