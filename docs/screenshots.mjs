// `npm run docs:screenshots`: pictures of the playground while it trains and of the site, for README and docs. Needs chromium.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const docs = dirname(fileURLToPath(import.meta.url));
const site = resolve(docs, '..', 'dist', 'site');
const target = join(docs, 'images');
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', wasm: 'application/wasm' };

const server = createServer(({ url }, response) => {
  const path = join(site, new URL(url, 'http://x').pathname.replace(/\/$/, '/index.html'));
  if (!existsSync(path)) return response.writeHead(404).end();
  const type = types[path.split('.').at(-1)] ?? 'application/octet-stream';
  return response.writeHead(200, { 'content-type': type }).end(readFileSync(path));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
mkdirSync(target, { recursive: true });

const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(`http://127.0.0.1:${server.address().port}/playground/index.html`);
await page.waitForSelector('html[data-ready=true]');
await page.click('#tab-train');
await page.getByLabel('Epochs').fill('6');
await page.getByRole('button', { name: 'Train', exact: true }).click();
await page.locator('.training [role=status]').filter({ hasText: 'done' }).waitFor({ timeout: 120_000 });
await page.locator('.training img').nth(2).waitFor();
await page.waitForTimeout(1500);
await page.screenshot({ path: join(target, 'playground.png') });
await page.goto(`${pathToFileURL(join(site, 'docs', 'neurons.html')).href}#mblif`);
await page.waitForSelector('html[data-ready=true]');
await page.screenshot({ path: join(target, 'site.png') });
await browser.close();
server.close();
