import { count, percent } from '../base/figures.js';
import type { CodingComparison } from '../run/compared-codings.js';
import { type Html, html, trusted } from './page/html.js';
import { codingsPlot } from './plots/codings.js';
import { residualAccuracyPlot, residualsPlot } from './plots/residuals.js';
import { renderPlot } from './plots/render.js';

const style = `
:root{color-scheme:light dark;--ink:#1a1f2b;--faint:#667085;--paper:#fff;--page:#f5f6f8;--grid:#e3e7ee}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--faint:#98a2b3;--paper:#171b24;--page:#0f1218;--grid:#2c3342}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
main{max-width:1080px;margin:auto;padding:24px 20px 60px}h1{font-size:20px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:15px;margin:0 0 8px}
.summary,footer{color:var(--faint);font-size:13px}section{background:var(--paper);border:1px solid var(--grid);border-radius:10px;padding:12px 18px;margin:14px 0}
.scroll{overflow-x:auto}figure{margin:0;background:#fffffe;border-radius:6px}svg{max-width:100%;height:auto}
table{border-collapse:collapse}th,td{text-align:right;padding:3px 14px 3px 0;border-bottom:1px solid var(--grid);white-space:nowrap;font-variant-numeric:tabular-nums}
th{color:var(--faint);font-weight:500;font-size:13px}th:first-child,td:first-child{text-align:left}`;

/** One page about a network in several codings: accuracy over latency, operations and energy, and the table. */
export async function codingsPage(found: CodingComparison, version: string): Promise<string> {
  const { network, data, samples, ann, points, best, within, refused } = found;
  const kept = points.some(({ residuals }) => residuals !== undefined);
  const waits = points.some((point) => point.critical_path_steps !== point.latency_steps);
  const efforts = [
    ...(waits ? (['critical_path_steps'] as const) : []),
    'latency_steps',
    'operations',
    'energy_pj',
  ] as const;
  const plots = await Promise.all([
    ...efforts.map((over) =>
      points.length === 0 ? Promise.resolve('') : renderPlot(codingsPlot(points, over, ann.accuracy)),
    ),
    ...(kept ? [residualsPlot(points), residualAccuracyPlot(points)].map(renderPlot) : []),
  ]);
  const titles = [
    ...(waits ? ['Accuracy over the critical path'] : []),
    'Accuracy over latency',
    'Accuracy over operations',
    'Accuracy over energy',
    'What neurons keep behind their trains',
    'Accuracy with these residuals',
  ];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="generator" content="spikec ${version}" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <link rel="icon" href="data:," />
        <title>${network}: codings</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <main>
          <h1>${network} in ${new Set(points.map(({ coding }) => coding)).size} codings</h1>
          <p class="summary">
            ${count(samples)} samples of ${data}; the ANN (dashed) reaches ${percent(ann.accuracy)}.
          </p>
          ${plots.map(
            (svg, n) =>
              html`<section>
                <h2>${titles[n]!}</h2>
                <figure>${trusted(svg)}</figure>
              </section>`,
          )}
          <section>
            <h2>The least with at most ${within} points below the ANN</h2>
            ${tableOf(
              ['coding', 'best accuracy', 'steps', 'critical path', 'operations'],
              best.map((one) => [
                one.coding,
                percent(one.accuracy),
                ...[one.latency_steps, one.critical_path_steps, one.operations].map((n) =>
                  n === undefined ? '–' : count(n),
                ),
              ]),
            )}
          </section>
          <section>
            <h2>All points</h2>
            ${tableOf(
              [
                'coding, steps',
                'accuracy',
                'agreement',
                'latency',
                'critical path',
                'operations',
                'spikes a neuron',
                'energy, µJ',
              ],
              points.map((one) => [
                one.name,
                percent(one.accuracy),
                percent(one.agreement),
                count(one.latency_steps),
                count(one.critical_path_steps),
                count(one.operations),
                one.spikes_per_neuron.toFixed(2),
                (one.energy_pj * 1e-6).toFixed(2),
              ]),
            )}
            ${refused.map(({ name, reason }) => html`<p class="summary">${name}: ${reason}</p>`)}
          </section>
          <footer>
            Latency: of spikes in binary planes T·B steps; the critical path counts that each layer waits for all planes
            of the spikes it reads. Operations: spikes times fan-out, with SWS also (Tc + Ts)·N (SWS eq. 10). Made by
            spikec ${version}.
          </footer>
        </main>
      </body>
    </html> `.text;
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  return html`<div class="scroll" tabindex="0">
    <table>
      <tr>
        ${head.map((cell) => html`<th>${cell}</th>`)}
      </tr>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </table>
  </div>`;
}
