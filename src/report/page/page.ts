import { sha256 } from '../../base/sha256.js';
import { base64 } from '../../base/text-bytes.js';
import { sections } from '../sections/index.js';
import type { ReportContext } from '../types.js';
import { type Html, html, scriptElement, trusted } from './html.js';
import { script } from './script.js';
import { style } from './style.js';

interface Rendered {
  readonly id: string;
  readonly title: string;
  /** Number of the network it is about; missing where it is about all. */
  readonly target?: number;
  readonly body: Html;
}

/**
 * The report: one page that needs nothing else. Its policy lets no script run but its own, and loads nothing.
 */
export async function renderReport(context: ReportContext): Promise<string> {
  const parts = await renderSections(context);
  const hash = base64(sha256(new TextEncoder().encode(script)));
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`;
  const { title, targets, version } = context;
  const links = parts.filter(({ id }, i) => parts.findIndex((part) => part.id === id) === i);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="generator" content="spikec ${version}" />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        ${trusted(`<style>${style}</style>`)}
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p>${targets.map(({ source }) => source).join(' · ')}</p>
        </header>
        <nav>
          <div>
            ${targets.length > 1 && html`<span class="tabs" role="tablist">${targets.map(({ name }, n) => html`<button type="button" role="tab" aria-selected="${String(n === 0)}">${name}</button>`)}</span>`}${links.map(({ id, title: name, target }) => html`<a href="#${target === undefined ? id : `${id}-0`}" data-section="${id}">${name}</a>`)}
          </div>
        </nav>
        <main>${parts.map((part) => sectionHtml(part, context))}</main>
        <footer>Made by spikec ${version}.</footer>
        ${scriptElement(script)}
      </body>
    </html> `;
  return page.text;
}

async function renderSections(context: ReportContext): Promise<readonly Rendered[]> {
  const parts: Rendered[] = [];
  for (const section of sections) {
    const { id, title } = section;
    if (section.of === 'all') {
      const body = await section.render(context);
      if (body !== undefined) parts.push({ id, title, body });
      continue;
    }
    for (const [target, of] of context.targets.entries()) {
      const body = await section.render(of, context);
      if (body !== undefined) parts.push({ id, title, target, body });
    }
  }
  return parts;
}

function sectionHtml({ id, title, target, body }: Rendered, { targets }: ReportContext): Html {
  if (target === undefined)
    return html`<section id="${id}">
      <h2>${title}</h2>
      ${body}
    </section> `;
  const name = targets.length > 1 && html`<small>${targets[target]!.name}</small>`;
  return html`<section id="${id}-${target}" data-target="${target}">
    <h2>${title}${name}</h2>
    ${body}
  </section> `;
}
