import type { DiffDocument, Item, Line, Mark, Row, Section } from '../../diff/index.js';
import { type Html, html, trusted } from '../page/html.js';

const style = `
:root{color-scheme:light dark;--ink:#1a1f2b;--faint:#667085;--paper:#fff;--page:#f5f6f8;--grid:#e3e7ee;--green:#127a4b;--green-soft:#e3f4ec;--red:#b3262e;--red-soft:#fbe7e8;--yellow:#8a5a00;--blue:#2457c5}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--faint:#98a2b3;--paper:#171b24;--page:#0f1218;--grid:#2c3342;--green:#5fd39f;--green-soft:#12301f;--red:#f58a92;--red-soft:#3b181b;--yellow:#e7b65c;--blue:#7ba6ff}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
main{max-width:1080px;margin:auto;padding:24px 20px 60px}h1{font-size:20px;margin:0 0 4px;overflow-wrap:anywhere}h1 i{font-style:normal;color:var(--faint)}
.summary{margin:0 0 16px;color:var(--faint)}section{background:var(--paper);border:1px solid var(--grid);border-radius:10px;padding:12px 18px;margin:0 0 14px}
h2{font-size:15px;margin:0 0 8px}.item{padding:5px 0;border-top:1px solid var(--grid)}.item:first-of-type{border-top:0}
code,pre,td{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}code{overflow-wrap:anywhere}.detail{color:var(--faint);margin-left:8px;font-size:13px;overflow-wrap:anywhere}
.mark{display:inline-block;width:1.2em;font-weight:700}.added .mark,ins{color:var(--green)}.removed .mark,del{color:var(--red)}.changed .mark{color:var(--yellow)}.renamed .mark{color:var(--blue)}
del,ins{text-decoration:none}dl{display:grid;grid-template-columns:minmax(90px,auto) minmax(0,1fr);gap:1px 14px;margin:3px 0 3px 1.3em}dt{color:var(--faint);font-size:13px}dd{margin:0;overflow-wrap:anywhere}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}pre del{display:block;background:var(--red-soft)}pre ins{display:block;background:var(--green-soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:right;padding:3px 14px 3px 0;border-bottom:1px solid var(--grid);white-space:nowrap}th{color:var(--faint);font-weight:500;font-size:13px}th:first-child,td:first-child{text-align:left}
footer{color:var(--faint);font-size:13px}`;

const marks: Readonly<Record<Mark, string>> = { added: '+', removed: '−', changed: '~', renamed: '→', equal: '=' };

/** Diffs as one page that loads nothing and runs no script. */
export function diffPage(documents: readonly DiffDocument[], version: string): string {
  const [first] = documents;
  const title = first === undefined ? 'diff' : `${first.from} → ${documents.length === 1 ? first.to : 'others'}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <main>
          ${documents.map(diffHtml)}
          <footer>Made by spikec ${version}.</footer>
        </main>
      </body>
    </html> `.text;
}

/** One diff as a part of a page. */
export function diffHtml({ from, to, summary, sections }: DiffDocument): Html {
  return html`<article>
    <h1>${from} <i>→</i> ${to}</h1>
    <p class="summary">${summary}</p>
    ${sections.map(sectionHtml)}
  </article>`;
}

function sectionHtml({ title, tone, items, table, left }: Section): Html {
  return html`<section class="${tone ?? ''}">
    <h2>${title}</h2>
    ${items.map(itemHtml)} ${left > 0 && html`<p class="summary">… and ${left} more</p>`}
    ${
      table !== undefined &&
      html`<div class="scroll" tabindex="0">
        <table>
          <tr>
            ${table.head.map((cell) => html`<th>${cell}</th>`)}
          </tr>
          ${table.rows.map(
            (row) =>
              html`<tr>
                ${row.map((cell) => html`<td>${cell}</td>`)}
              </tr>`,
          )}
        </table>
      </div>`
    }
  </section>`;
}

function itemHtml({ mark, text, detail, rows }: Item): Html {
  return html`<div class="item ${mark}">
    <span class="mark">${marks[mark]}</span
    ><code>${text}</code>${detail !== undefined && html`<span class="detail">${detail}</span>`}
    ${rows.length > 0 && html`<dl>${rows.map(rowHtml)}</dl>`}
  </div>`;
}

function rowHtml(row: Row): Html {
  const value =
    'lines' in row
      ? html`<pre>${row.lines.map(lineHtml)}</pre>`
      : html`<code><del>${row.from}</del> → <ins>${row.to}</ins></code>`;
  return html`<dt>${row.name}</dt>
    <dd>${value}</dd>`;
}

function lineHtml({ mark, text }: Line): Html {
  const line = `${mark} ${text}\n`;
  if (mark === '-') return html`<del>${line}</del>`;
  return mark === '+' ? html`<ins>${line}</ins>` : html`${line}`;
}
