import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import MiniSearch from 'minisearch';
import { checkModel } from '../../src/model/index.js';
import { coloured, escaped, playgroundLink } from './listings.js';
import { addressOf, chapters } from './pages.js';
import { type Rendered, render } from './render.js';

/** Files of the site by their path in it. */
export type SiteFiles = Readonly<Record<string, string | Buffer>>;

export interface Site {
  readonly files: SiteFiles;
  /** Model listings of all pages, and those that the playground opens. */
  readonly listings: { readonly all: number; readonly runnable: number };
}

/** Texts that links lead to and a browser shows; others it would offer to save. */
const asText = new Set(['.spike', '.md', '.ebnf', '.mjs', '.py', '.ts', '.csv', '.cff', '.json', '']);

/**
 * The site from the repository in `root`: its pages, the files that they link to, the search. Throws where a link leads nowhere. Links
 * are relative, so that the site may lie anywhere, also on a disk.
 */
export function siteOf(root: string, version: string): Site {
  const files: Record<string, string | Buffer> = {};
  const broken: string[] = [];
  const pages = new Map(chapters.flatMap((chapter) => chapter.pages).map((page) => [page.path, page]));
  const library = (name: string): string | undefined => {
    const path = join(root, 'models', `${name}.spike`);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const none = { read: () => undefined, library: () => undefined };
  const { value: standard } = checkModel({ name: 'neurons', text: library('neurons')! }, none);
  const rendered = new Map<string, Rendered>();
  const extra = new Map<string, string>();
  const fragments: { readonly from: string; readonly path: string; readonly id: string }[] = [];

  /** The address in the site of what a page links to. */
  const destination = (path: string, target: string): string => {
    if (/^[a-z]+:/.test(target)) return target;
    const [way = '', id = ''] = target.split('#');
    let found = way === '' ? path : posix.normalize(posix.join(posix.dirname(path), way)).replace(/\/$/, '');
    if (!existsSync(join(root, found))) {
      broken.push(`${path}: ${target}`);
      return target;
    }
    found = pageFor(found);
    if (pages.has(found) && id !== '') fragments.push({ from: path, path: found, id });
    return `${fromTo(addressOf(path), place(found))}${id === '' ? '' : `#${id}`}`;
  };
  /** A folder that has a page is that page. */
  const pageFor = (path: string): string => {
    if (!statSync(join(root, path)).isDirectory()) return path;
    const readme = path === 'docs' ? 'docs/tutorials/README.md' : posix.join(path, 'README.md');
    return pages.has(readme) ? readme : path;
  };
  const place = (path: string): string => {
    const found = pageFor(path);
    return pages.has(found) ? addressOf(found) : include(found);
  };
  /** A file or folder of the repository that is no page, as it is or as a page that shows it. */
  const include = (path: string): string => {
    const full = join(root, path);
    if (path.endsWith('.html')) {
      const html = readFileSync(full, 'utf8');
      files[path] = html.replaceAll(
        / href="([^"#][^"]*)"/g,
        (_, target: string) => ` href="${destination(path, target)}"`,
      );
      return path;
    }
    const isFolder = statSync(full).isDirectory();
    if (!isFolder && !asText.has(posix.extname(path))) {
      files[`files/${path}`] = readFileSync(full);
      return `files/${path}`;
    }
    extra.set(path, isFolder ? 'folder' : 'text');
    return `files/${path}.html`;
  };

  for (const path of pages.keys()) {
    const toRoot = posix.relative(posix.dirname(addressOf(path)), '.');
    const around = {
      resolve: (target: string) => destination(path, target),
      library,
      playground: posix.join(toRoot, 'playground/index.html'),
      neurons: path === 'docs/neurons.md' ? standard!.neurons : new Map(),
    };
    rendered.set(path, render(readFileSync(join(root, path), 'utf8'), around));
  }
  for (const { from, path, id } of fragments)
    if (!rendered.get(path)!.sections.some((section) => section.id === id)) broken.push(`${from}: ${path}#${id}`);
  if (broken.length > 0) throw new Error(`links that lead nowhere:\n${broken.join('\n')}`);

  const titleOf = (path: string): string => pages.get(path)?.title ?? rendered.get(path)!.title;
  for (const [path, page] of rendered)
    files[addressOf(path)] = pageHtml(
      titleOf(path),
      addressOf(path),
      page.html,
      list(addressOf(path), titleOf, rendered),
      version,
    );
  // what a folder has is included while it is gone through, and so come the folders in it
  for (const [path, kind] of extra) {
    const address = `files/${path}.html`;
    const html =
      kind === 'folder' ? folderHtml(root, path, (one) => fromTo(address, place(one))) : textHtml(root, path);
    files[address] = pageHtml(path, address, html, list(address, titleOf, rendered), version);
  }
  files['search-index.js'] = searchIndex(rendered, titleOf);
  const counts = [...rendered.values()].map(({ listings }) => listings);
  const sum = (key: 'all' | 'runnable'): number => counts.reduce((total, one) => total + one[key], 0);
  return { files, listings: { all: sum('all'), runnable: sum('runnable') } };
}

function list(address: string, titleOf: (path: string) => string, rendered: ReadonlyMap<string, Rendered>): string {
  const from = posix.dirname(address);
  const items = chapters.map(({ title, pages }) => {
    const rows = pages.map(({ path }) => {
      const isHere = addressOf(path) === address;
      const here = isHere ? ' aria-current="page"' : '';
      const own = `<a href="${posix.relative(from, addressOf(path))}"${here}>${escaped(titleOf(path))}</a>`;
      return `<li>${own}${isHere ? contents(rendered.get(path)!) : ''}</li>`;
    });
    return `<h2>${escaped(title)}</h2><ul>${rows.join('')}</ul>`;
  });
  return items.join('\n');
}

/** The second headings of a page, where they aren't too many to help. */
function contents({ sections }: Rendered): string {
  const second = sections.filter(({ level }) => level === 2);
  if (second.length < 2 || second.length > 40) return '';
  return `<ul>${second.map(({ id, title }) => `<li><a href="#${id}">${escaped(title)}</a></li>`).join('')}</ul>`;
}

function pageHtml(title: string, address: string, html: string, side: string, version: string): string {
  const root = posix.relative(posix.dirname(address), '.');
  const at = (name: string): string => posix.join(root, name);
  const whole = title === 'spikec' ? title : `${title} · spikec`;
  return `<!doctype html>
<html lang="en" data-root="${root}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data:; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>${escaped(whole)}</title>
<link rel="stylesheet" href="${at('site.css')}">
<link rel="icon" href="data:,">
<script src="${at('site.js')}" defer></script>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header>
<a class="name" href="${at('index.html')}">spikec</a> <span class="version">${escaped(version)}</span>
<div class="search"><input id="search" type="search" placeholder="Search ( / )" aria-label="Search" aria-controls="found" autocomplete="off"><div id="found" role="region" aria-label="Found" hidden></div></div>
<a href="${at('playground/index.html')}">Playground</a>
<button id="scheme" type="button" aria-label="Colours: as the system has them">◐</button>
</header>
<div class="columns">
<details class="side" open><summary>Pages</summary><nav aria-label="Pages">
${side}
</nav></details>
<main id="main">
${html}</main>
</div>
</body>
</html>
`;
}

function textHtml(root: string, path: string): string {
  const text = readFileSync(join(root, path), 'utf8');
  const isModel = path.endsWith('.spike');
  const run = `<p><a class="run" href="${posix.relative(posix.dirname(`files/${path}`), 'playground/index.html')}#${playgroundLink(text)}">Open in the playground</a></p>\n`;
  const code = isModel ? coloured(text) : escaped(text);
  return `<h1>${escaped(path)}</h1>\n${isModel ? run : ''}<pre tabindex="0"><code>${code}</code></pre>\n`;
}

function folderHtml(root: string, path: string, addressFor: (path: string) => string): string {
  const names = readdirSync(join(root, path)).filter((name) => !name.startsWith('.'));
  const rows = names.map((name) => `<li><a href="${addressFor(posix.join(path, name))}">${escaped(name)}</a></li>`);
  return `<h1>${escaped(path)}</h1>\n<ul>${rows.join('\n')}</ul>\n`;
}

/** The way from one address of the site to another. */
function fromTo(from: string, to: string): string {
  const way = posix.relative(posix.dirname(from), to);
  return way === '' ? posix.basename(to) : way;
}

/** What the page's search loads when it is first used; a script, because pages on a disk may not fetch. */
function searchIndex(rendered: ReadonlyMap<string, Rendered>, titleOf: (path: string) => string): string {
  const index = new MiniSearch(searchOptions);
  for (const [path, { sections }] of rendered)
    for (const { id, title, text } of sections)
      index.add({ id: `${addressOf(path)}#${id}`, title, page: titleOf(path), text });
  return `globalThis.spikecSearch = ${JSON.stringify(JSON.stringify(index))};\n`;
}

/** `client.js` opens the index with the same. Codes and flags are words: `model/unknown-name` is found by its parts. */
const searchOptions = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] };
