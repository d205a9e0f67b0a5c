import { type Html, html } from '../page/html.js';
import { count, percent } from '../../base/figures.js';
import { decibels, digits } from '../plots/text.js';
import type { Measured } from '../types.js';
import { type Section, tableHtml } from './section.js';

/** Of more classes the accuracies are shown, and no matrix. */
const mostClasses = 40;

/** How right each class is, and which classes are taken for which; of several outputs of each. */
export const confusion: Section = {
  id: 'confusion',
  title: 'Classes',
  of: 'target',
  render: async ({ measured }) => {
    if (measured === undefined) return undefined;
    const tables = (measured.outputs ?? [{ name: '', ...measured }]).flatMap((one) => {
      const table = matrixOf(one);
      return table === undefined ? [] : [html`${one.name !== '' && html`<h3>${one.name}</h3>`} ${table}`];
    });
    if (tables.length === 0) return undefined;
    return html`<p>A row for each class that images have; how many of them are predicted as which class.</p>
      ${tables}`;
  },
};

function matrixOf({ classes, confusion: matrix }: Pick<Measured, 'classes' | 'confusion'>): Html | undefined {
  if (classes === undefined || matrix === undefined) return undefined;
  const drawn = classes.length <= mostClasses;
  const head = ['class', 'samples', 'accuracy', ...(drawn ? classes.map((one) => `as ${one.class}`) : [])];
  const rows = classes.map(({ class: label, samples, accuracy }, i) => [
    String(label),
    count(samples),
    accuracy === undefined ? '–' : percent(accuracy),
    ...(drawn ? matrix[i]!.map((n) => (n === 0 ? '' : count(n))) : []),
  ]);
  return tableHtml(head, rows);
}

/** What each output of several is worth. */
export const outputs: Section = {
  id: 'outputs',
  title: 'Outputs',
  of: 'target',
  render: async ({ measured }) => {
    if (measured?.outputs === undefined) return undefined;
    const rows = measured.outputs.map(({ name, accuracy, regression }) => [
      name,
      accuracy === undefined ? '–' : percent(accuracy),
      regression === undefined ? '–' : digits(regression.mae),
      regression === undefined ? '–' : digits(regression.rmse),
      decibels(regression?.psnr) ?? '–',
      regression?.r2 === undefined ? '–' : regression.r2.toFixed(4),
    ]);
    return tableHtml(['output', 'accuracy', 'mean absolute error', 'root mean square error', 'PSNR', 'R²'], rows);
  },
};
