import type { LayerTrace } from '../../run/sample-trace.js';
import type { Plot } from './render.js';
import { tail } from './text.js';
import { colours } from './theme.js';
import { chooseNeurons, neuronName, seriesOf } from './traces.js';

export interface RasterOptions {
  /** Row-major indices; some that fire where missing. */
  readonly neurons?: readonly number[] | undefined;
  /** Neurons of a layer at most, where they are not named. */
  readonly most?: number;
}

export interface RasterMark {
  readonly layer: string;
  readonly neuron: string;
  readonly step: number;
  readonly level: number;
}

/** Every spike of some neurons of a layer: what the raster draws. */
export function rasterMarks(layer: LayerTrace, { neurons, most = 32 }: RasterOptions = {}): readonly RasterMark[] {
  const shape = layer.train.shape.slice(1);
  return seriesOf(layer, neurons ?? chooseNeurons(layer, most)).flatMap(({ neuron, spikes }) =>
    spikes.flatMap((level, t) =>
      level === 0 ? [] : [{ layer: layer.id, neuron: neuronName(neuron, shape), step: layer.silent + t + 1, level }],
    ),
  );
}

/** Spikes over time, a row a neuron, a block a layer; the colour tells a multi-bit spike's level. */
export function rasterPlot(layers: readonly LayerTrace[], options: RasterOptions = {}): Plot {
  const marks = layers.map((layer) => rasterMarks(layer, options));
  const levels = [...new Set(marks.flat().map(({ level }) => level))].sort((a, b) => a - b);
  const graded = levels.length > 1;
  return {
    spacing: 22,
    columns: Math.min(4, layers.length),
    concat: layers.map((layer, n) => {
      const shape = layer.train.shape.slice(1);
      const names = (options.neurons ?? chooseNeurons(layer, options.most ?? 32)).map((i) => neuronName(i, shape));
      const steps = layer.silent + layer.train.shape[0]!;
      return {
        title: { text: tail(layer.id, 26), offset: 6 },
        width: Math.max(90, Math.min(layers.length > 2 ? 190 : 420, steps * 26)),
        height: { step: 9 },
        data: { values: marks[n]! },
        mark: { type: 'rect', height: 7 },
        encoding: {
          x: {
            field: 'step',
            type: 'ordinal',
            title: 'time step',
            scale: { domain: Array.from({ length: steps }, (_, t) => t + 1), paddingInner: 0.2 },
            axis: { labelAngle: 0, labelOverlap: 'greedy', grid: false },
          },
          y: {
            field: 'neuron',
            type: 'ordinal',
            title: null,
            scale: { domain: names },
            // lines behind the marks
            axis: { labelFontSize: 8, ticks: false, grid: true, domain: false, zindex: 0 },
          },
          ...(graded
            ? {
                color: {
                  field: 'level',
                  type: 'quantitative',
                  title: 'level',
                  scale:
                    levels[0]! < 0
                      ? { domain: [levels[0], 0, levels.at(-1)], range: [colours.red, colours.grid, colours.blue] }
                      : { domain: [0, levels.at(-1)], range: ['#bcd3f8', '#123a86'] },
                },
              }
            : { color: { value: colours.blue } }),
        },
      };
    }),
  };
}
