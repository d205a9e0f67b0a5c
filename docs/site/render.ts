import GithubSlugger from 'github-slugger';
import katex from 'katex';
import MarkdownIt from 'markdown-it';
import type { NeuronDef } from '../../src/equations/index.js';
import { neuronTex } from '../equations-tex.js';
import { coloured, escaped, playgroundLink, runnable } from './listings.js';

type Token = ReturnType<MarkdownIt['parse']>[number];

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly level: number;
  /** Without marks, for the search. */
  readonly text: string;
}

export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly sections: readonly Section[];
  /** Model listings, and those of them that the playground can open. */
  readonly listings: { readonly all: number; readonly runnable: number };
}

export interface Surroundings {
  /** Where a link leads in the site, given as the page has it. */
  readonly resolve: (target: string) => string;
  /** The text of the standard library's `spikec/NAME`. */
  readonly library: (name: string) => string | undefined;
  /** The playground, as seen from the page. */
  readonly playground: string;
  /** Neurons of the standard library, whose equations stand under headings that name them. */
  readonly neurons: ReadonlyMap<string, NeuronDef>;
}

/** A Markdown page as HTML: headings with GitHub's ids, coloured listings with links to the playground, equations as MathML. */
export function render(markdown: string, around: Surroundings): Rendered {
  const md = new MarkdownIt({ html: false });
  const tokens = md.parse(markdown, {});
  const slugger = new GithubSlugger();
  const sections: { id: string; title: string; level: number; text: string }[] = [];
  const before: string[] = [];
  const counts = { all: 0, runnable: 0 };
  for (const [i, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const title = plain(tokens[i + 1]);
      const id = slugger.slug(title);
      token.attrSet('id', id);
      sections.push({ id, title, level: Number(token.tag.slice(1)), text: '' });
    }
    const section = sections.at(-1);
    if (section !== undefined && tokens[i - 1]?.type !== 'heading_open') section.text += `${plain(token)} `;
    for (const child of token.children ?? []) point(child, around.resolve);
  }
  let under = '';
  const shown = new Set<string>();
  md.renderer.rules['heading_open'] = (all, i) => {
    under = plain(all[i + 1]);
    return `<${all[i]!.tag} id="${all[i]!.attrGet('id')}">`;
  };
  md.renderer.rules['fence'] = (all, i) => {
    const { info, content } = all[i]!;
    if (info.trim() !== 'spike') return pre(escaped(content));
    counts.all++;
    const text = runnable(content, before, around.library);
    before.push(content);
    if (text === undefined) return pre(coloured(content));
    counts.runnable++;
    const link = `<a class="run" href="${around.playground}#${playgroundLink(text)}">Open in the playground</a>`;
    return `<div class="listing">${pre(coloured(content))}${link}</div>\n`;
  };
  md.renderer.rules['code_block'] = (all, i) => {
    const found = under
      .split(/,\s*/)
      .map((name) => around.neurons.get(name))
      .filter((one) => one !== undefined);
    if (found.length === 0 || shown.has(under)) return pre(escaped(all[i]!.content));
    shown.add(under);
    return found.map((neuron) => equations(neuron, found.length > 1)).join('');
  };
  md.renderer.rules['table_open'] = () => '<div class="table" role="region" aria-label="Table" tabindex="0"><table>\n';
  md.renderer.rules['table_close'] = () => '</table></div>\n';
  const html = md.renderer.render(tokens, md.options, {});
  return { title: sections[0]?.title ?? '', html, sections, listings: counts };
}

/** A long line scrolls; whoever has no mouse reaches it by the keyboard. */
function pre(html: string): string {
  return `<pre tabindex="0"><code>${html}</code></pre>\n`;
}

function equations(neuron: NeuronDef, named: boolean): string {
  const math = katex.renderToString(neuronTex(neuron), { output: 'mathml', displayMode: true, strict: 'error' });
  const caption = named ? `<figcaption>${neuron.name}</figcaption>` : '';
  return `<figure class="equations" tabindex="0" aria-label="Equations of ${neuron.name}">${math}${caption}</figure>\n`;
}

function point(token: Token, resolve: (target: string) => string): void {
  for (const name of ['href', 'src']) {
    const target = token.attrGet(name);
    if (target !== null) token.attrSet(name, resolve(target));
  }
}

/** The words of a token, without marks. */
function plain(token: Token | undefined): string {
  if (token === undefined) return '';
  if (token.children !== null && token.children !== undefined) return token.children.map(plain).join('');
  if (['text', 'code_inline', 'fence', 'code_block'].includes(token.type)) return token.content;
  return token.type === 'softbreak' || token.type === 'hardbreak' ? ' ' : '';
}
