import { expect, it } from 'vitest';
import { type Network, NetworkBuilder, parseNetwork, printNetwork, verifyNetwork } from '../../src/network/index.js';
import { checkModel } from '../../src/model/index.js';
import { libraryText, testLoader } from '../support/spike.js';
import { chain } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

/** A layer of a standard neuron with what it declares. */
function layerOf(name: string, attrs: Readonly<Record<string, number | readonly number[]>>): Network {
  const { value } = checkModel({ name: 'neurons.spike', text: libraryText('neurons') }, testLoader());
  const builder = new NetworkBuilder('n');
  builder.neuron(value!.neurons.get(name)!);
  const image = builder.add({ id: 'x', kind: 'input', attrs: { shape: [4] } });
  const encoded = builder.add({ id: 'e', kind: 'encode', inputs: [image], attrs: { coding: 'direct', steps: 2 } });
  const spikes = builder.add({ id: 'a', kind: 'neuron', inputs: [encoded], attrs: { neuron: name, ...attrs } });
  const mean = builder.add({ id: 'mean', kind: 'decode', inputs: [spikes], attrs: { coding: 'direct' } });
  return builder.finish([mean], { name: 'direct', args: { steps: 2 } });
}

const bits = { integer: 2, fraction: 1, tau: 4, theta: 0.6 };

it.each([
  ['MBLIF', { ...bits, levels: [0, 7], amplitude: 0.5 }],
  ['MBLIF', { levels: [0, 7], amplitude: 0.5 }],
  ['Ternary', { alpha: 0.25, levels: [-1, 1], amplitude: 0.25 }],
  ['IBRALIF', { D: 5.11, N: 100, levels: [0, 511], amplitude: 0.01 }],
  ['Refined', { bits: 3, theta: 0.3, signed: 1, levels: [-4, 3], amplitude: 0.3 }],
] as const)('%s %o declares what its equations give', (name, attrs) => {
  expect(verifyNetwork(layerOf(name, attrs))).toEqual([]);
});

it.each([
  ['MBLIF', { ...bits, levels: [0, 1], amplitude: 0.5 }, 'declares levels 0 … 1, the equations of MBLIF give 0 … 7'],
  ['MBLIF', { ...bits, levels: [-1, 7], amplitude: 0.5 }, 'declares levels -1 … 7, the equations of MBLIF give 0 … 7'],
  ['MBLIF', { ...bits, levels: [0, 7], amplitude: 1 }, 'declares amplitude 1, the equations of MBLIF give 0.5'],
  [
    'IBRALIF',
    { D: 1.5, N: 10, levels: [0, 15], amplitude: 1 },
    'declares amplitude 1, the equations of IBRALIF give 0.1',
  ],
  ['LIF', { levels: [0, 7], amplitude: 1 }, 'declares levels 0 … 7, the equations of LIF give 0 … 1'],
] as const)('a text that lies about the levels of %s %o is refused at its line', (name, attrs, message) => {
  const text = printNetwork(layerOf(name, attrs)).replace(/levels=\[[^\]]*\]/, `levels=[${attrs.levels.join(', ')}]`);
  const { value, diagnostics } = parseNetwork({ name: 'network.ir', text }, new Map());
  expect(value).toBeUndefined();
  expect(diagnostics.map((one) => [one.code, one.message])).toEqual([['network/invalid', `%a ${message}`]]);
  const place = diagnostics[0]!.place as { readonly start: number };
  expect(text.slice(place.start).split(' ')[0]).toBe('%a');
});

it.each([
  ['MBLIF', bits, [0, 7], 0.5],
  ['LIF', {}, [0, 1], 1],
  ['LIF', { levels: [0, 7] }, [0, 1], 1],
  ['Refined', { bits: 3, theta: 0.3, signed: 1 }, [-4, 3], 0.3],
] as const)(
  'a layer of %s %o is made with the levels of its equations, whatever is said',
  (name, attrs, levels, step) => {
    const network = layerOf(name, attrs);
    const { attrs: own, type } = network.ops.find(({ id }) => id === 'a')!;
    expect(own).toMatchObject({ levels, amplitude: step });
    expect(type.code).toEqual({ kind: 'spike', min: levels[0], max: levels[1], step });
    expect(verifyNetwork(network)).toEqual([]);
  },
);

it('amplitudes of stepwise weighted trains are chosen by the conversion, their levels are not', () => {
  const { spiking } = convert(chain(2), sws({ steps: 4 }));
  expect(verifyNetwork(spiking)).toEqual([]);
  const text = printNetwork(spiking).replace('levels=[-1, 1]', 'levels=[0, 1]');
  const { diagnostics } = parseNetwork({ name: 'network.ir', text }, spiking.params);
  expect(diagnostics.map(({ message }) => message).join()).toMatch(/type|declares levels/);
});
