import { type DiffView, diffNetworks, layersSideBySide, presentDiff, sideBySide } from '../../diff/index.js';
import { diffHtml } from '../diff/page.js';
import { html } from '../page/html.js';
import type { ReportTarget } from '../types.js';
import type { Section } from './section.js';

/** What differs between two networks and between their costs. */
export const difference: Section = {
  id: 'diff',
  title: 'Differences',
  of: 'all',
  render: ({ targets }) => {
    const [from, to] = targets;
    if (from === undefined || to === undefined || targets.length > 2) return Promise.resolve(undefined);
    return Promise.resolve(html`<div class="diff">${diffHtml(presentDiff(viewOf(from, to), { full: false }))}</div>`);
  },
};

function viewOf(from: ReportTarget, to: ReportTarget): DiffView {
  const diff = diffNetworks(from.network, to.network);
  const layers = (target: ReportTarget): readonly (Readonly<Record<string, unknown>> & { readonly id: string })[] =>
    target.cost.layers.map((layer) => ({ ...layer }));
  return {
    from: from.name,
    to: to.name,
    diff,
    cost: sideBySide({ ...from.cost.total }, { ...to.cost.total }),
    cost_layers: layersSideBySide(layers(from), layers(to), diff),
  };
}
