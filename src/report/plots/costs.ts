import type { Cost } from '../../cost/index.js';
import type { Plot } from './render.js';
import { colours } from './theme.js';

/** Operations, bit operations and bytes, layer by layer. */
export function costPlot({ layers }: Cost): Plot {
  const order = layers.map(({ id }) => id);
  const y = {
    field: 'id',
    type: 'nominal',
    sort: order,
    title: null,
    axis: { grid: false, ticks: false, domain: false, labelLimit: 300, labelFontSize: 10 },
  };
  const column = (title: string, field: string, color: string, first: boolean): object => ({
    title,
    width: 220,
    height: { step: 15 },
    mark: { type: 'bar', color },
    encoding: {
      y: first ? y : { ...y, axis: null },
      x: { field, type: 'quantitative', title: null, axis: { format: '~s', tickCount: 4 } },
    },
  });
  return {
    data: { values: layers.map(({ id, macs, s_ace: ace, size_bytes: bytes }) => ({ id, macs, ace, bytes })) },
    spacing: 18,
    hconcat: [
      column('MACs per step', 'macs', colours.blue, true),
      column('S-ACE', 'ace', colours.purple, false),
      column('bytes', 'bytes', colours.green, false),
    ],
  };
}
