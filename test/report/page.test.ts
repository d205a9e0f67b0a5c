import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costOf } from '../../src/cost/index.js';
import { importOnnx } from '../../src/frontends/onnx/index.js';
import { boxLines } from '../../src/report/graph/draw.js';
import { layOut } from '../../src/report/graph/layout.js';
import { html, jsonElement, trusted } from '../../src/report/page/html.js';
import { snippetOf } from '../../src/report/page/snippet.js';
import { renderReport } from '../../src/report/index.js';
import { seriousViolations } from '../support/axe.js';
import { hasChromium, launchChromium, patience } from '../support/chromium.js';
import { resnet50 } from '../support/resnet50.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { context, hostile, renamed, target, tiny } from './report.js';

it('parts of a page are escaped unless they are HTML of our own', () => {
  expect(html`<b title="${'"&'}">${"<i>'"}${undefined}${false}${[1, html`<u>${2}</u>`]}</b>`.text).toBe(
    '<b title="&quot;&amp;">&lt;i&gt;&#39;1<u>2</u></b>',
  );
  expect(html`${trusted('<i>')}${'a\u0000\u001bb'}`.text).toBe('<i>ab');
  expect(jsonElement('x', { a: '</script><!--' }).text).toBe(
    '<script type="application/json" class="x">{"a":"\\u003c/script>\\u003c!--"}</script>',
  );
});

it('the same report has the same bytes, and one without data has fewer sections', async () => {
  const whole = context(target(tiny(), 'net'));
  const page = await renderReport(whole);
  expect(await renderReport(whole)).toBe(page);
  const ids = (text: string): (string | undefined)[] =>
    [...text.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);
  expect(ids(page)).toEqual([
    'overview',
    ...['network', 'bits', 'cost', 'activity', 'neurons', 'training'].map((id) => `${id}-0`),
  ]);
  const { name, source, network, cost } = whole.targets[0]!;
  expect(ids(await renderReport(context({ name, source, network, cost })))).toEqual([
    'overview',
    'network-0',
    'bits-0',
    'cost-0',
  ]);
});

it('two networks with data are compared in one plot', async () => {
  const page = await renderReport(context(target(tiny(), 'one', 0.5), target(tiny('LIF()'), 'two', 0.75)));
  expect(page).toMatch(/<section id="configs">[^]*one[^]*two[^]*<section id="network-0"/);
  // the diff names the one thing that differs
  expect(page).toMatch(/<section id="diff">[^]*MBLIF[^]*LIF[^]*<section id="network-0"/);
});

it('says what neurons learned, a row a parameter', async () => {
  const page = await renderReport(context(target(tiny('PLIF(a: 2)'), 'net')));
  const section = /<section id="learned-0"[^]*?<\/section>/.exec(page)![0];
  expect(section.replace(/<[^>]*>/g, ' ')).toMatch(/output\.spike\s+PLIF\s+a\s+0\s+2\s/);
});

it("a page loads nothing, and its policy forbids all scripts but the page's own", async () => {
  const page = await renderReport(
    context(
      target(
        renamed(tiny(), (old) => old + hostile),
        hostile,
      ),
    ),
  );
  expect(page).not.toMatch(/<link[^>]+href="(?!data:)|<script[^>]+src|@import|<iframe|<img/);
  expect(page.match(/<script/g)).toHaveLength(2); // the layers' details, and the page's own
  const own = /<script>([^]*?)<\/script>/.exec(page)![1]!;
  expect(page).toContain(`sha256-${createHash('sha256').update(own).digest('base64')}`);
  expect(page).toMatch(/default-src &#39;none&#39;;[^"]*script-src &#39;sha256-[^;"]+&#39;"/);
});

const large = importOnnx({ name: 'resnet50.onnx', bytes: resnet50(4, 32) }).value!.network;

it("layers are placed without overlap, each below what it reads, on ResNet-50's graph", async () => {
  const { ops, edges, width, height } = await layOut(large, boxLines);
  expect(ops.map(({ op }) => op)).toEqual(large.ops);
  expect(edges).toHaveLength(large.ops.reduce((sum, { inputs }) => sum + inputs.length, 0));
  const overlapping = ops.flatMap((a, i) =>
    ops
      .slice(i + 1)
      .filter((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)
      .map((b) => `${a.op.id} and ${b.op.id}`),
  );
  expect(overlapping).toEqual([]);
  const box = new Map(ops.map((placed) => [placed.op.id, placed]));
  for (const { from, to, points } of edges) {
    expect(box.get(from.id)!.y + box.get(from.id)!.height).toBeLessThan(box.get(to.id)!.y);
    expect(points.length).toBeGreaterThanOrEqual(2);
  }
  for (const { x, y, width: w, height: h } of ops) {
    expect(x >= 0 && y >= 0 && x + w <= width && y + h <= height).toBe(true);
  }
});

const inBrowser = hasChromium('pages in a real browser');

describe.skipIf(!inBrowser)('in Chromium', { timeout: patience }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  }, patience);
  afterAll(() => browser.close());

  /** Opens a report from the disk; `heard` collects what the console and the network say. */
  async function open(text: string, colorScheme: 'light' | 'dark' = 'light'): Promise<{ page: Page; heard: string[] }> {
    const file = join(temporaryFolder(), 'report.html');
    writeFileSync(file, text);
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme });
    page.setDefaultTimeout(patience);
    const heard: string[] = [];
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(error.message));
    page.on('request', (request) => {
      if (!/^(data|file):/.test(request.url())) heard.push(request.url());
    });
    await page.goto(`file://${file}`);
    return { page, heard };
  }

  it('the page renders without errors, and a click shows a layer with its bits, cost and equations', async () => {
    const { page, heard } = await open(await renderReport(context(target(tiny(), 'net'))));
    expect(await page.locator('svg.graph .op').count()).toBe(tiny().ops.length);
    expect(await page.locator('.details').innerText()).toMatch(/Click a layer/);
    await page.locator('.op.neuron').first().click();
    const neuron = await page.locator('.details').innerText();
    expect(neuron).toMatch(/neuron MBLIF[^]*8 \(3 bit\)[^]*fires\s+25.00 %[^]*charge u = /i);
    await page.locator('.op.synapse').first().click();
    expect(await page.locator('.details').innerText()).toMatch(
      /MACs per step\s+2,304[^]*bits W \/ S \/ T\s+32 \/ 32 \/ 3/i,
    );
    expect(await page.locator('.op.chosen').count()).toBe(1);
    for (const plot of await page.locator('.plot svg').all()) {
      expect((await plot.boundingBox())!.height).toBeGreaterThan(40);
    }
    expect(heard).toEqual([]);
    await page.close();
  });

  it('a snippet shows the whole report inside another page, and its clicks work', async () => {
    const snippet = snippetOf(await renderReport(context(target(tiny(), 'net'))), 'A report');
    const { page, heard } = await open(`<!doctype html><title>notebook</title><p>before</p>${snippet}<p>after</p>`);
    const inside = page.frameLocator('iframe[title="A report"]');
    await inside.locator('.op.neuron').first().click();
    expect(await inside.locator('.details').innerText()).toMatch(/neuron MBLIF/);
    expect(heard.filter((one) => !one.startsWith('about:srcdoc'))).toEqual([]);
    await page.close();
  });

  it('zooming, dragging and searching move the graph', async () => {
    const { page, heard } = await open(await renderReport(context(target(tiny(), 'net'))), 'dark');
    const view = async (): Promise<number[]> =>
      (await page.locator('svg.graph').getAttribute('viewBox'))!.split(' ').map(Number);
    const before = await view();
    await page.locator('button[data-zoom=in]').click();
    expect((await view())[2]).toBeLessThan(before[2]!);
    await page.locator('button[data-zoom=fit]').click();
    const fitted = await view();
    const canvas = (await page.locator('.canvas').boundingBox())!;
    await page.mouse.move(canvas.x + 20, canvas.y + 20);
    await page.mouse.down();
    await page.mouse.move(canvas.x + 70, canvas.y + 60, { steps: 3 });
    await page.mouse.up();
    expect((await view())[0]).toBeLessThan(fitted[0]!);
    await page.mouse.wheel(0, 300);
    expect((await view())[2]).toBeGreaterThan(fitted[2]!);
    await page.locator('input[type=search]').fill('flatten');
    expect(await page.locator('.details h3').innerText()).toMatch(/flatten/);
    await page.locator('.op.chosen').focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(15, 18, 24)');
    expect(heard).toEqual([]);
    await page.close();
  });

  it('axe finds nothing serious in it, light and dark, wide and on a phone, with a layer chosen and a difference told', async () => {
    const [first, second] = [target(tiny(), 'net'), target(tiny('LIF()'), 'other')];
    const text = await renderReport(context(first, second));
    for (const [colorScheme, width] of [
      ['light', 380],
      ['dark', 1280],
      ['dark', 380],
      ['light', 1280],
    ] as const) {
      const { page } = await open(text, colorScheme);
      await page.setViewportSize({ width, height: 900 });
      await page.locator('.op.neuron').first().click();
      expect(await seriousViolations(page), `${colorScheme}, ${width}`).toEqual([]);
      await page.close();
    }
  });

  it('tabs show one network at a time', async () => {
    const report = context(target(tiny(), 'one'), target(tiny('LIF()'), 'two'));
    const { page, heard } = await open(await renderReport(report));
    expect(await page.locator('#network-0').isVisible()).toBe(true);
    expect(await page.locator('#network-1').isVisible()).toBe(false);
    await page.getByRole('tab', { name: 'two' }).click();
    expect(await page.locator('#network-0').isVisible()).toBe(false);
    await page.locator('#network-1 .op.neuron').first().click();
    expect(await page.locator('#network-1 .details').innerText()).toMatch(/neuron LIF/);
    expect(await page.locator('nav a[data-section=network]').getAttribute('href')).toBe('#network-1');
    expect(heard).toEqual([]);
    await page.close();
  });

  it('names from model files are text, whatever they say', async () => {
    const evil = target(
      renamed(tiny(), (old) => old + hostile),
      hostile,
    );
    const { page, heard } = await open(await renderReport(context(evil, { ...evil, name: `${hostile}2` })));
    await page.locator('#network-0 .op.neuron').first().click();
    expect(await page.locator('#network-0 .details h3').innerText()).toContain(hostile);
    expect(await page.title()).toContain(hostile);
    expect(await page.locator('img').count()).toBe(0);
    expect(heard).toEqual([]);
    await page.close();
  });

  it("a page about a network of ResNet-50's size is under 3 MB and works", async () => {
    const text = await renderReport(
      context({ name: 'resnet50.onnx', source: 'resnet50.onnx', network: large, cost: costOf(large) }),
    );
    expect(Buffer.byteLength(text)).toBeLessThan(3e6);
    const { page, heard } = await open(text);
    expect(await page.locator('svg.graph .op').count()).toBe(large.ops.length);
    await page.locator('input[type=search]').fill('gemm');
    expect(await page.locator('.details').innerText()).toMatch(/linear[^]*MACs per step/i);
    expect(heard).toEqual([]);
    await page.close();
  });
});
