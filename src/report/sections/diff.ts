import { diffSides, presentDiff } from '../../diff/index.js';
import { diffHtml } from '../diff/page.js';
import { html } from '../page/html.js';
import type { Section } from './section.js';

/** What differs between two networks and between their costs. */
export const difference: Section = {
  id: 'diff',
  title: 'Differences',
  of: 'all',
  render: ({ targets }) => {
    const [from, to] = targets;
    if (from === undefined || to === undefined || targets.length > 2) return Promise.resolve(undefined);
    const { view } = diffSides(from, to);
    return Promise.resolve(html`<div class="diff">${diffHtml(presentDiff(view, { full: false }))}</div>`);
  },
};
