import type { LayerBits } from '../bits.js';
import type { Plot } from './render.js';
import { barStep } from './text.js';
import { colours } from './theme.js';

/** Bits of weights, spikes and time as bars, and below the layers' parts of features and weights (ABA Fig. 4). */
export function bitsPlot(layers: readonly LayerBits[]): Plot {
  const order = layers.map(({ id }) => id);
  const width = { step: barStep(layers.length, 34), for: 'position' };
  const kinds = [
    ['weights', 'weight_bits'],
    ['spikes', 'spike_bits'],
    ['steps', 'steps'],
  ] as const;
  // 32 bits of a real input are no spikes, and would hide the few bits of all others
  const bars = layers.flatMap((layer) =>
    kinds.flatMap(([kind, key]) =>
      kind === 'spikes' && layer.input === 'real' ? [] : [{ id: layer.id, kind, value: layer[key] }],
    ),
  );
  const shares = layers.flatMap(({ id, weights, features }) => [
    { id, kind: 'features', share: features },
    { id, kind: 'weights', share: weights },
  ]);
  const x = (axis: object | null): object => ({ field: 'id', type: 'nominal', sort: order, title: null, axis });
  return {
    spacing: 14,
    resolve: { scale: { color: 'independent', xOffset: 'independent' } },
    vconcat: [
      {
        width,
        height: 150,
        data: { values: bars },
        mark: { type: 'bar' },
        encoding: {
          x: x(null),
          xOffset: { field: 'kind', sort: kinds.map(([kind]) => kind) },
          y: { field: 'value', type: 'quantitative', title: 'bits, time steps' },
          color: {
            field: 'kind',
            title: null,
            scale: { domain: kinds.map(([kind]) => kind), range: [colours.blue, colours.orange, colours.green] },
            legend: { orient: 'top' },
          },
        },
      },
      {
        width,
        height: 90,
        data: { values: shares },
        mark: { type: 'bar' },
        encoding: {
          x: x({ labelAngle: -45, labelLimit: 260, labelFontSize: layers.length > 40 ? 9 : 11, grid: false }),
          xOffset: { field: 'kind', sort: ['features', 'weights'] },
          y: { field: 'share', type: 'quantitative', title: 'part of the network', axis: { format: '.0%' } },
          color: {
            field: 'kind',
            title: null,
            scale: { domain: ['features', 'weights'], range: [colours.quiet, colours.purple] },
            legend: { orient: 'top' },
          },
        },
      },
    ],
  };
}
