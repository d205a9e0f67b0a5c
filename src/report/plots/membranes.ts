import type { LayerTrace } from '../../run/sample-trace.js';
import type { Plot } from './render.js';
import { tail } from './text.js';
import { colours } from './theme.js';
import { chooseNeurons, neuronName, seriesOf } from './traces.js';

export interface MembranePoint {
  readonly neuron: string;
  readonly step: number;
  readonly membrane: number;
  /** What it fires there; 0 at silent steps. */
  readonly level: number;
  /** What the membrane is compared with there, where it is known. */
  readonly threshold?: number;
}

/** Membranes of some neurons of a layer when they fire. */
export function membranePoints(layer: LayerTrace, neurons: readonly number[]): readonly MembranePoint[] {
  const shape = layer.train.shape.slice(1);
  return seriesOf(layer, neurons).flatMap(({ neuron, spikes, membranes, thresholds }) =>
    membranes.map((membrane, t) => ({
      neuron: neuronName(neuron, shape),
      step: t + 1,
      membrane,
      level: spikes[t - layer.silent] ?? 0,
      ...(thresholds === undefined ? {} : { threshold: thresholds[t]! }),
    })),
  );
}

/** Membrane traces, a small plot a neuron: the state when the neuron fires, its spikes as dots, the threshold dashed. */
export function membranesPlot(layer: LayerTrace, neurons: readonly number[] = chooseNeurons(layer, 6)): Plot {
  const points = membranePoints(layer, neurons);
  const steps = layer.membranes.shape[0]!;
  const x = {
    field: 'step',
    type: 'quantitative',
    title: null,
    scale: { domain: [0.5, steps + 0.5], nice: false },
    axis: { tickMinStep: 1, format: 'd', grid: false, tickCount: Math.min(steps, 10) },
  };
  const y = { field: 'membrane', type: 'quantitative', title: null, axis: { tickCount: 4 } };
  return {
    title: {
      text: `${tail(layer.id, 40)}: ${layer.state} when it fires, over time steps`,
      subtitle: `dots: spikes${dashedName(layer)}`,
    },
    columns: 3,
    spacing: { row: 44, column: 50 },
    bounds: 'flush',
    concat: [...new Set(points.map(({ neuron }) => neuron))].map((neuron) => ({
      title: { text: `neuron ${neuron}`, fontSize: 11, fontWeight: 'normal', offset: 4, frame: 'group' },
      width: 230,
      height: 90,
      data: { values: points.filter((point) => point.neuron === neuron) },
      layer: [
        ...dashed(layer, x),
        { mark: { type: 'line', color: colours.blue, point: { size: 12, color: colours.blue } }, encoding: { x, y } },
        {
          transform: [{ filter: 'datum.level !== 0' }],
          mark: { type: 'point', filled: true, size: 55, opacity: 1, color: colours.orange },
          encoding: { x, y },
        },
      ],
    })),
  };
}

/** The threshold: a line of its own for each neuron where it may move, otherwise a rule. */
function dashed({ threshold, thresholds }: LayerTrace, x: object): readonly object[] {
  const look = { strokeDash: [4, 3], color: colours.faint };
  const y = (field: string): object => ({ field, type: 'quantitative' });
  if (thresholds !== undefined) return [{ mark: { type: 'line', ...look }, encoding: { x, y: y('threshold') } }];
  if (threshold === undefined) return [];
  return [{ data: { values: [{ theta: threshold }] }, mark: { type: 'rule', ...look }, encoding: { y: y('theta') } }];
}

function dashedName({ threshold, thresholds }: LayerTrace): string {
  const [first, ...rest] = thresholds?.data ?? (threshold === undefined ? [] : [threshold]);
  if (first === undefined) return '';
  const fixed = rest.every((value) => value === first);
  return `; dashed: threshold${fixed ? ` ${Number(first.toPrecision(4))}` : ''}`;
}
