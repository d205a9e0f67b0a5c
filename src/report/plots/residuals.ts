import { percent } from '../../base/figures.js';
import type { ComparedPoint } from '../../run/compared-codings.js';
import type { Plot } from './render.js';
import { series } from './theme.js';

/** The probability density of what neurons keep, a line a point (SWS Fig. 5a). */
export function residualsPlot(points: readonly ComparedPoint[]): Plot {
  const values = points.flatMap(({ name, residuals }) =>
    residuals === undefined
      ? []
      : residuals.density.map((density, n) => ({ name, density, at: (n + 0.5) * residuals.width })),
  );
  return {
    width: 560,
    height: 240,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.5 },
    encoding: {
      x: { field: 'at', type: 'quantitative', title: 'residual |u|/β^Ts, in θ' },
      y: { field: 'density', type: 'quantitative', title: 'probability density' },
      color: colourOf(points),
    },
  };
}

/** The accuracy of the same points as bars (SWS Fig. 5b). */
export function residualAccuracyPlot(points: readonly ComparedPoint[]): Plot {
  const own = points.filter(({ residuals }) => residuals !== undefined);
  const y = { field: 'accuracy', type: 'quantitative', title: 'accuracy', axis: { format: '.0%' } };
  const x = { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelAngle: 0, grid: false } };
  const values = own.map(({ name, accuracy }) => ({ name, accuracy, text: percent(accuracy) }));
  return {
    width: { step: 110 },
    height: 200,
    data: { values },
    layer: [
      { mark: { type: 'bar' }, encoding: { x, y, color: { ...colourOf(points), legend: null } } },
      { mark: { type: 'text', dy: -7 }, encoding: { x, y, text: { field: 'text' } } },
    ],
  };
}

function colourOf(points: readonly ComparedPoint[]): object {
  const names = points.filter(({ residuals }) => residuals !== undefined).map(({ name }) => name);
  const range = names.map((_, n) => series[n % series.length]!);
  return { field: 'name', type: 'nominal', sort: names, title: null, scale: { domain: names, range } };
}
