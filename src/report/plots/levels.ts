import type { LayerActivity } from '../../run/metrics/index.js';
import type { Plot } from './render.js';
import { percent } from '../../base/figures.js';
import { tail } from './text.js';
import { colours } from './theme.js';

export interface LevelBar {
  readonly value: number;
  readonly share: number;
  readonly silent: boolean;
}

/** Levels of a layer as bars; where there are more than `most`, neighbours share a bar. */
export function levelBars({ levels }: LayerActivity, most = 32): readonly LevelBar[] {
  const group = Math.ceil(levels.length / most);
  const bars: LevelBar[] = [];
  for (let i = 0; i < levels.length; i += group) {
    const part = levels.slice(i, i + group);
    const value = group === 1 ? part[0]!.value : (part[0]!.value + part.at(-1)!.value) / 2;
    const share = part.reduce((sum, { probability }) => sum + probability, 0);
    bars.push({ value, share, silent: part.some((level) => level.value === 0) });
  }
  return bars;
}

/** How often each level is fired, a small histogram a layer. */
export function levelsPlot(activity: readonly LayerActivity[]): Plot {
  const columns = Math.min(4, activity.length);
  return {
    columns,
    spacing: { row: 84, column: 56 },
    bounds: 'flush',
    concat: activity.map((layer) => ({
      width: 170,
      height: 84,
      title: {
        text: tail(layer.id, 28),
        subtitle: `fires ${percent(layer.firing_rate, 1)} · ${layer.entropy.toFixed(2)} bit`,
        offset: 6,
      },
      data: { values: levelBars(layer).map((bar) => ({ ...bar, label: String(Number(bar.value.toPrecision(4))) })) },
      mark: { type: 'bar' },
      encoding: {
        x: {
          field: 'label',
          type: 'ordinal',
          sort: null,
          title: null,
          axis: { labelAngle: 0, labelOverlap: 'greedy', grid: false },
        },
        y: {
          field: 'share',
          type: 'quantitative',
          title: null,
          scale: { domain: [0, 1] },
          axis: { format: '.0%', values: [0, 0.5, 1] },
        },
        color: {
          condition: { test: 'datum.silent', value: colours.quiet },
          value: colours.blue,
        },
      },
    })),
  };
}
