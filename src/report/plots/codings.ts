import type { ComparedPoint } from '../../run/compared-codings.js';
import type { Plot } from './render.js';
import { colours } from './theme.js';

const markShapes = ['circle', 'square', 'diamond', 'triangle-up', 'cross'];

/** Accuracy over the latency or the operations, a line a coding, the ANN's accuracy dashed (SWS Fig. 3 and 4b). */
export function codingsPlot(
  points: readonly ComparedPoint[],
  over: 'latency_steps' | 'critical_path_steps' | 'operations' | 'energy_pj',
  ann: number,
): Plot {
  const titles = {
    latency_steps: 'latency, steps',
    critical_path_steps: 'critical path, steps',
    operations: 'operations an image',
    energy_pj: 'energy an image, J',
  };
  const values = points.map((point) => ({
    coding: point.coding,
    accuracy: point.accuracy,
    effort: over === 'energy_pj' ? point.energy_pj * 1e-12 : point[over],
    name: point.name,
  }));
  const names = [...new Set(values.map(({ coding }) => coding))];
  const palette = [colours.blue, colours.orange, colours.green, colours.purple, colours.red, colours.faint];
  const x = {
    field: 'effort',
    type: 'quantitative',
    title: titles[over],
    scale: { type: 'log', nice: false, padding: 16 },
    axis: { format: '~s', tickCount: 6 },
  };
  const y = {
    field: 'accuracy',
    type: 'quantitative',
    title: 'accuracy',
    scale: { zero: false, padding: 12 },
    axis: { format: '.0%' },
  };
  const color = {
    field: 'coding',
    type: 'nominal',
    sort: names,
    title: null,
    scale: { domain: names, range: names.map((_, n) => palette[n % palette.length]!) },
  };
  const shape = {
    field: 'coding',
    type: 'nominal',
    sort: names,
    title: null,
    scale: {
      domain: names,
      range: names.map((_, n) => markShapes[Math.floor(n / palette.length + n) % markShapes.length]!),
    },
  };
  return {
    width: 560,
    height: 300,
    layer: [
      {
        data: { values: [{ accuracy: ann }] },
        mark: { type: 'rule', strokeDash: [4, 4], color: colours.faint },
        encoding: { y },
      },
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1.5 },
        encoding: { x, y, color, order: { field: 'effort' } },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: { x, y, color, shape },
      },
    ],
  };
}
