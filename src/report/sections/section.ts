import { type Html, html, trusted } from '../page/html.js';
import { type Plot, renderPlot } from '../plots/index.js';
import { colours } from '../plots/theme.js';
import type { ReportContext, ReportTarget } from '../types.js';

/** A part of the report. Sections about one network stand once for each of them, under its tab. */
export type Section =
  | {
      readonly id: string;
      readonly title: string;
      readonly of: 'all';
      /** Nothing where the report has nothing to say here. */
      readonly render: (context: ReportContext) => Promise<Html | undefined>;
    }
  | {
      readonly id: string;
      readonly title: string;
      readonly of: 'target';
      readonly render: (target: ReportTarget, context: ReportContext) => Promise<Html | undefined>;
    };

/** A plot in the page, in the page's colours. */
export async function plotHtml(plot: Plot): Promise<Html> {
  let svg = await renderPlot(plot);
  for (const [name, colour] of Object.entries(colours)) svg = svg.replaceAll(`"${colour}"`, `"var(--${name})"`);
  return html`<div class="plot" tabindex="0">${trusted(svg)}</div>`;
}

/** A table; cells from the second column on are numbers. */
export function tableHtml(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  foot?: readonly string[],
): Html {
  const line = (cells: readonly string[]): Html =>
    html`<tr>
      ${cells.map((cell, i) => html`<td${i > 0 && trusted(' class="n"')}>${cell}</td>`)}
    </tr>`;
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${head.map((cell, i) => html`<th${i > 0 && trusted(' class="n"')}>${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(line)}
      </tbody>
      ${
        foot !== undefined &&
        html`<tfoot>
          ${line(foot)}
        </tfoot>`
      }
    </table>
  </div>`;
}
