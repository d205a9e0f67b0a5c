import { html } from '../page/html.js';
import { count, percent } from '../plots/text.js';
import { type Section, tableHtml } from './section.js';

/** Of more classes the accuracies are shown, and no matrix. */
const mostClasses = 40;

/** How right each class is, and which classes are taken for which. */
export const confusion: Section = {
  id: 'confusion',
  title: 'Classes',
  of: 'target',
  render: async ({ measured }) => {
    const { classes, confusion: matrix } = measured ?? {};
    if (classes === undefined || matrix === undefined) return undefined;
    const drawn = classes.length <= mostClasses;
    const head = ['class', 'samples', 'accuracy', ...(drawn ? classes.map((one) => `as ${one.class}`) : [])];
    const rows = classes.map(({ class: label, samples, accuracy }, i) => [
      String(label),
      count(samples),
      accuracy === undefined ? '–' : percent(accuracy),
      ...(drawn ? matrix[i]!.map((n) => (n === 0 ? '' : count(n))) : []),
    ]);
    return html`<p>A row for each class that images have; how many of them are predicted as which class.</p>
      ${tableHtml(head, rows)}`;
  },
};
