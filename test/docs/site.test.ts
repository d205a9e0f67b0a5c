import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playgroundLink, runnable } from '../../docs/site/listings.js';
import { chapters } from '../../docs/site/pages.js';
import { fromLink } from '../../editors/playground/share.js';
import { seriousViolations } from '../support/axe.js';
import { hasChromium, launchChromium, patience } from '../support/chromium.js';

let folder = '';
let site = '';
let said = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spikec-site-'));
  site = join(folder, 'site');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['docs/site/build.mjs', site], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  said = stdout;
}, patience);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function filesIn(path: string): string[] {
  return readdirSync(path).flatMap((name) => {
    const full = join(path, name);
    return statSync(full).isDirectory() ? filesIn(full) : [full];
  });
}

const unescaped = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');

it('every link of the site leads to a file of it, and to a place that the file has', () => {
  const pages = filesIn(site).filter((path) => path.endsWith('.html'));
  const broken: string[] = [];
  let links = 0;
  for (const page of pages.filter((path) => !relative(site, path).startsWith('playground'))) {
    for (const [, found] of readFileSync(page, 'utf8').matchAll(/ (?:href|src)="([^"]*)"/g)) {
      const [place = '', id = ''] = unescaped(found!).split('#');
      if (/^[a-z]+:/.test(place)) continue;
      links++;
      const target = place === '' ? page : resolve(dirname(page), decodeURI(place));
      if (!existsSync(target) || statSync(target).isDirectory()) broken.push(`${relative(site, page)}: ${found!}`);
      else if (id !== '' && !id.startsWith('m=') && !readFileSync(target, 'utf8').includes(` id="${decodeURI(id)}"`))
        broken.push(`${relative(site, page)}: ${found!}`);
    }
  }
  expect(broken).toEqual([]);
  expect(links).toBeGreaterThan(2000);
});

it('every page of docs/ and every example is in the list', () => {
  const listed = new Set(chapters.flatMap(({ pages }) => pages.map(({ path }) => path)));
  const all = ['docs', 'docs/tutorials', ...readdirSync('examples').map((name) => `examples/${name}`)].flatMap(
    (path) =>
      existsSync(path) && statSync(path).isDirectory()
        ? readdirSync(path)
            .filter((name) => name.endsWith('.md'))
            .map((name) => posix.join(path, name))
        : [],
  );
  expect(all.filter((path) => !listed.has(path))).toEqual([]);
});

it('listings open in the playground: as they are, or with what the page has before them', async () => {
  const [, open, all] = /(\d+) of (\d+) model listings/.exec(said)!.map(Number);
  expect(open! / all!).toBeGreaterThan(0.8);
  const library = (name: string): string => readFileSync(`models/${name}.spike`, 'utf8');
  const network = 'network N {\n  input x: real[4]\n  output x | linear(2)\n}\n';
  const config = 'config c {\n  network N\n  coding direct(steps: 1)\n}\n';
  expect(runnable(network, [], library)).toBe(network);
  expect(runnable(config, [network], library)).toBe(`${network}\n${config}`);
  expect(runnable('network {', [], library)).toBeUndefined();
  expect(await fromLink(`#${playgroundLink(network)}`)).toBe(network);
});

it('under a neuron stand its equations from the standard library, as MathML', () => {
  const page = readFileSync(join(site, 'docs', 'neurons.html'), 'utf8');
  const equations = page.match(/<figure class="equations"/g) ?? [];
  expect(equations.length).toBeGreaterThanOrEqual(20);
  const lif = page.slice(page.indexOf('<h2 id="lif">'), page.indexOf('<h2 id="li">'));
  expect(lif).toContain('<math');
  expect(lif).toContain(String.raw`\theta`);
});

describe.skipIf(!hasChromium('the documentation in a browser'))('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  }, patience);
  afterAll(() => browser?.close());

  async function opened(name: string, settings: object = {}): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage(settings);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    await page.goto(pathToFileURL(join(site, name)).href);
    await page.waitForSelector('html[data-ready=true]');
    return { page, errors };
  }

  it(
    'the search finds a diagnostic by its code, a flag and a neuron, from the disk too, and leads there',
    async () => {
      const { page, errors } = await opened('docs/cost.html');
      for (const [asked, title] of [
        ['unknown-name', 'model/unknown-name'],
        ['MBLIF', 'MBLIF'],
      ] as const) {
        await page.keyboard.press('/');
        await page.fill('#search', asked);
        await page.locator('#found a').filter({ hasText: title }).first().click();
        await page.waitForURL(new RegExp(`#${title.replaceAll(/[^\w-]/g, '').toLowerCase()}$`));
      }
      await page.fill('#search', 'zzzzqqqq');
      await page.locator('#found').filter({ hasText: 'Nothing about' }).waitFor();
      expect(errors).toEqual([]);
      await page.close();
    },
    patience,
  );

  it(
    'axe finds nothing serious, light and dark, wide and on a phone; nothing is wider than a phone',
    async () => {
      // each page once or twice: the rules of colours are one style sheet's, and those of widths too
      for (const [name, colorScheme, width] of [
        ['index.html', 'light', 1200],
        ['index.html', 'dark', 380],
        ['docs/tutorials/convert-onnx.html', 'dark', 1200],
        ['docs/tutorials/convert-onnx.html', 'light', 380],
        ['docs/neurons.html', 'light', 380],
        ['docs/diagnostics.html', 'dark', 380],
      ] as const) {
        const { page } = await opened(name, { colorScheme, viewport: { width, height: 800 } });
        // the longest page is made of what the others are made of
        if (name !== 'docs/diagnostics.html') expect(await seriousViolations(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        await page.close();
      }
    },
    patience,
  );
});
