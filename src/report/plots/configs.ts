import type { Measured } from '../types.js';
import type { Plot } from './render.js';
import { colours } from './theme.js';

export interface ConfigPoint {
  readonly name: string;
  readonly accuracy: number;
  readonly latency: number;
  /** Energy in joules where every config has one, else operations an image. */
  readonly effort: number;
}

/** What configs reach and what that takes. */
export function configPoints(measured: readonly (readonly [name: string, Measured])[]): {
  readonly points: readonly ConfigPoint[];
  readonly effort: 'energy' | 'operations';
} {
  const energies = measured.map(([, { energy_joules: joules }]) => joules);
  const energy = energies.every((joules) => joules !== undefined && joules > 0);
  const points = measured.map(([name, m], n) => ({
    name,
    accuracy: m.accuracy ?? 0,
    latency: m.latency_steps,
    effort: energy ? energies[n]! : m.opf,
  }));
  return { points, effort: energy ? 'energy' : 'operations' };
}

/** Accuracy over energy (or operations), the latency as colour, a point a config. */
export function configsPlot(measured: readonly (readonly [name: string, Measured])[]): Plot {
  const { points, effort } = configPoints(measured);
  const latencies = [...new Set(points.map(({ latency }) => latency))].sort((a, b) => a - b);
  const x = {
    field: 'effort',
    type: 'quantitative',
    title: effort === 'energy' ? 'energy per image, joules' : 'operations per image',
    scale: { zero: false, padding: 40 },
    axis: { format: '~s', tickCount: 6 },
  };
  const y = {
    field: 'accuracy',
    type: 'quantitative',
    title: 'accuracy',
    scale: { zero: false, padding: 24 },
    axis: { format: '.1%' },
  };
  return {
    width: 560,
    height: 300,
    data: { values: points },
    layer: [
      {
        mark: { type: 'point', filled: true, size: 110, opacity: 1 },
        encoding: {
          x,
          y,
          color: {
            field: 'latency',
            type: 'ordinal',
            sort: latencies,
            title: 'latency, steps',
            scale: { range: [colours.blue, colours.orange, colours.green, colours.purple, colours.red] },
          },
        },
      },
      {
        mark: { type: 'text', align: 'center', dy: -13, fontSize: 11, color: colours.ink },
        encoding: { x, y, text: { field: 'name', type: 'nominal' } },
      },
    ],
  };
}
