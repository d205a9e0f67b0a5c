import type { EpochRecord } from '../../train/index.js';
import type { Plot } from './render.js';
import { tail } from './text.js';
import { colours } from './theme.js';

export interface CurvePoint {
  readonly epoch: number;
  readonly curve: string;
  readonly value: number;
}

type Figure = 'loss' | 'accuracy' | 'mae' | 'map50';

/** Loss, accuracy, mean absolute error or mean average precision over epochs: of the training images, and of those held back where there are any. */
export function curvePoints(records: readonly EpochRecord[], of: Figure): readonly CurvePoint[] {
  return records.flatMap((record) => {
    const held = record[`val_${of}`];
    const points = { training: record[of], validation: held };
    return Object.entries(points).flatMap(([curve, value]) =>
      value === undefined ? [] : [{ epoch: record.epoch, curve, value }],
    );
  });
}

/** Average bits of weights and spikes, and steps, where a training learns them. */
export function bitPoints(records: readonly EpochRecord[]): readonly CurvePoint[] {
  return records.flatMap(({ epoch, bits }) =>
    (['weights', 'spikes', 'steps'] as const).flatMap((curve) => {
      const value = bits?.[curve];
      return value === undefined ? [] : [{ epoch, curve, value }];
    }),
  );
}

/** Curves of a training: loss, accuracy, learning rate, and spikes a neuron fires in a step, layer by layer. */
export function trainingPlot(records: readonly EpochRecord[]): Plot {
  const x = {
    field: 'epoch',
    type: 'quantitative',
    title: 'epoch',
    scale: { zero: false, nice: false },
    axis: { tickMinStep: 1, format: 'd', grid: false, tickCount: Math.min(8, records.length) },
  };
  const curves = ['training', 'validation'];
  const curve = (title: string, of: Figure, axis: object): object => ({
    title,
    width: 250,
    height: 150,
    data: { values: curvePoints(records, of) },
    mark: { type: 'line', point: { size: 24 } },
    encoding: {
      x,
      y: { field: 'value', type: 'quantitative', title: null, scale: { zero: false }, axis },
      color: {
        field: 'curve',
        title: null,
        scale: { domain: curves, range: [colours.blue, colours.orange] },
        legend: records.some(({ val_loss: loss, val_accuracy: accuracy }) => (loss ?? accuracy) !== undefined)
          ? { orient: of === 'accuracy' ? 'bottom-right' : 'top-right' }
          : null,
      },
    },
  });
  const layers = Object.keys(records[0]?.firing ?? {});
  const firing = records.flatMap(({ epoch, firing }) =>
    Object.entries(firing).map(([layer, value]) => ({ epoch, layer: tail(layer, 26), value })),
  );
  const learned = bitPoints(records);
  return {
    columns: 2,
    spacing: { row: 76, column: 70 },
    bounds: 'flush',
    resolve: { scale: { color: 'independent' } },
    concat: [
      curve('loss', 'loss', {}),
      ...(records.some(({ map50, val_map50: held }) => (map50 ?? held) !== undefined)
        ? [curve('mAP@50', 'map50', { format: '.0%' })]
        : records.some(({ mae }) => mae !== undefined)
          ? [curve('mean absolute error', 'mae', {})]
          : [curve('accuracy', 'accuracy', { format: '.0%' })]),
      {
        title: 'learning rate',
        width: 250,
        height: 150,
        data: { values: records.map(({ epoch, rate }) => ({ epoch, value: rate })) },
        mark: { type: 'line', color: colours.green, point: { size: 24, color: colours.green } },
        encoding: { x, y: { field: 'value', type: 'quantitative', title: null } },
      },
      ...(learned.length === 0
        ? []
        : [
            {
              title: 'learned bits and steps, on average',
              width: 250,
              height: 150,
              data: { values: learned },
              mark: { type: 'line', point: { size: 24 } },
              encoding: {
                x,
                y: { field: 'value', type: 'quantitative', title: null, scale: { zero: false } },
                color: {
                  field: 'curve',
                  title: null,
                  scale: {
                    domain: ['weights', 'spikes', 'steps'],
                    range: [colours.blue, colours.orange, colours.green],
                  },
                  legend: { orient: 'top-right' },
                },
              },
            },
          ]),
      ...(firing.length === 0
        ? []
        : [
            {
              title: 'spikes per neuron and step, by layer',
              width: 250,
              height: 150,
              data: { values: firing },
              mark: { type: 'line', point: { size: 14 } },
              encoding: {
                x,
                y: { field: 'value', type: 'quantitative', title: null },
                color: {
                  field: 'layer',
                  title: null,
                  sort: layers.map((layer) => tail(layer, 26)),
                  scale: { scheme: 'viridis' },
                  legend: {
                    orient: 'right',
                    columns: layers.length > 12 ? 2 : 1,
                    symbolSize: 40,
                    labelLimit: 280,
                    labelFontSize: 10,
                  },
                },
              },
            },
          ]),
    ],
  };
}
