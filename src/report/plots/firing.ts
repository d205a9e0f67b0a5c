import type { LayerActivity } from '../../run/metrics/index.js';
import type { Plot } from './render.js';
import { barStep } from './text.js';
import { colours } from './theme.js';

/** Firing rate and entropy, layer by layer. */
export function firingPlot(activity: readonly LayerActivity[]): Plot {
  const order = activity.map(({ id }) => id);
  const x = (axis: object | null): object => ({ field: 'id', type: 'nominal', sort: order, title: null, axis });
  const bars = (field: string, title: string, color: string, axis: object, below: object | null): object => ({
    width: { step: barStep(activity.length, 26) },
    height: 110,
    mark: { type: 'bar', color },
    encoding: { x: x(below), y: { field, type: 'quantitative', title, axis } },
  });
  return {
    data: { values: activity.map(({ id, firing_rate: rate, entropy }) => ({ id, rate, entropy })) },
    spacing: 16,
    vconcat: [
      bars('rate', 'outputs that fire', colours.blue, { format: '.0%', tickCount: 4 }, null),
      bars(
        'entropy',
        'entropy, bit',
        colours.orange,
        { tickCount: 4 },
        {
          labelAngle: -45,
          labelLimit: 260,
          labelFontSize: activity.length > 40 ? 9 : 11,
          grid: false,
        },
      ),
    ],
  };
}
