import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { readNir } from '../../src/data/nir.js';
import { conversionCodings } from '../../src/workspace/types.js';
import { seriousViolations } from '../support/axe.js';
import { hasChromium, launchChromium, patience } from '../support/chromium.js';

const inBrowser = hasChromium('the playground in a browser');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

interface Gallery {
  readonly examples: readonly { readonly name: string; readonly text: string; readonly folder?: string }[];
}

/** How many of the first 500 digits an ONNX model reads right, by onnxruntime. */
async function shareOfDigits(model: Uint8Array): Promise<number> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(model);
  const count = 500;
  const pixels = gunzipSync(readFileSync('examples/convert-onnx/digits-images.idx.gz')).subarray(16, 16 + count * 784);
  const labels = gunzipSync(readFileSync('examples/convert-onnx/digits-labels.idx.gz')).subarray(8, 8 + count);
  const images = new Tensor(
    'float32',
    Float32Array.from(pixels, (v) => v / 255),
    [count, 1, 28, 28],
  );
  const [logits] = Object.values(await session.run({ [session.inputNames[0]!]: images }));
  const values = logits!.data as Float32Array;
  let right = 0;
  for (let i = 0; i < count; i++) {
    const row = Array.from(values.subarray(i * 10, i * 10 + 10));
    if (row.indexOf(Math.max(...row)) === labels[i]) right++;
  }
  return right / count;
}

describe.skipIf(!inBrowser)('the playground', () => {
  let folder = '';
  let server: Server;
  let browser: Browser;
  let address = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spikec-playground-'));
    const { status, stderr } = spawnSync(process.execPath, ['editors/playground/pack.mjs', join(folder, 'site')], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    server = createServer((request, response) => {
      const name = request.url === '/' ? 'index.html' : (request.url ?? '').slice(1);
      const path = join(folder, 'site', name);
      if (!/^[\w.-]+$/.test(name) || !existsSync(path)) response.writeHead(404).end();
      else
        response
          .writeHead(200, { 'content-type': types[extname(name)] ?? 'application/octet-stream' })
          .end(readFileSync(path));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await launchChromium();
  }, patience);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  /** A page of the playground, and what it complained of. */
  async function opened(hash = ''): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    await page.goto(address + hash);
    await page.waitForSelector('html[data-ready=true]');
    return { page, errors };
  }

  /** What is done on a page of which nothing may be complained. */
  async function onPage(use: (page: Page) => Promise<void>, hash = ''): Promise<void> {
    const { page, errors } = await opened(hash);
    try {
      await use(page);
      expect(errors).toEqual([]);
    } finally {
      await page.close();
    }
  }

  const write = async (page: Page, text: string): Promise<void> => {
    await page.click('.cm-content');
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(text);
  };
  const panel = (page: Page, text: string | RegExp): Promise<void> =>
    page.locator('#panel').filter({ hasText: text }).waitFor({ timeout: patience });

  const model = `use "spikec/neurons" { LIF }

network Small {
  input image: real[1, 8, 8]
  output image | conv(4) | spike | flatten | linear(10)
}

config small {
  network Small
  neuron  LIF(tau: 2)
  coding  direct(steps: 3)
}

config longer extends small { coding direct(steps: 6) }
`;

  it(
    'a model is written, an error shows in the editor and among the problems, and compiles once it is mended',
    () =>
      onPage(async (page) => {
        await write(page, model.replace('linear(10)', 'linaer(10)'));
        await panel(page, 'did you mean "linear"?');
        await page.waitForSelector('.cm-lintRange-error');
        await write(page, model);
        await panel(page, 'No problems.');
        await page.click('#tab-ir');
        await panel(page, 'linear');
        expect(await page.textContent('#panel pre')).toContain('%encode');
        await page.click('#tab-cost');
        // 4·9 weights and 4 biases of the convolution, 2,570 of the linear layer
        await panel(page, '2,610');
        await page.click('#tab-diff');
        await page.frameLocator('#panel iframe').getByText('steps').first().waitFor();
        await page.click('#tab-report');
        await page.frameLocator('#panel iframe').locator('svg').first().waitFor();
      }),
    patience,
  );

  it(
    'the shipped LeNet-5 is converted and compared with its ANN on 100 digits, in the page',
    () =>
      onPage(async (page) => {
        await page.selectOption('#example', 'Convert a network');
        await panel(page, 'No problems.');
        await page.click('#tab-compare');
        await panel(page, /100 digits in .* they agree on 100\.0 %/);
      }),
    patience,
  );

  it(
    'the starter trains in the page to 90 % of the digits held back, with curves, spikes and membranes, and is downloaded',
    () =>
      onPage(async (page) => {
        await page.click('#tab-train');
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        await page.locator('.training [role=status]').filter({ hasText: 'done' }).waitFor({ timeout: patience });
        const told = page.locator('.training');
        const [engine, accuracy] = [await told.getAttribute('data-engine'), await told.getAttribute('data-accuracy')];
        expect(engine).toMatch(/^tfjs-(webgpu|wasm|cpu)$/);
        expect(Number(accuracy)).toBeGreaterThanOrEqual(0.9);
        await page.locator('.training img').nth(2).waitFor({ timeout: patience });
        expect(await page.locator('.training tbody tr').count()).toBe(15);
        expect(await seriousViolations(page)).toEqual([]);
        const waiting = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Download the trained network (ONNX)' }).click();
        const model = readFileSync(await (await waiting).path());
        expect(await shareOfDigits(model)).toBeGreaterThanOrEqual(0.9);
      }),
    patience,
  );

  it(
    'WebGPU is refused with its reason where a page has no adapter, and trains on one that computes in software where it is asked for',
    async () => {
      await onPage(async (page) => {
        await page.click('#tab-train');
        await page.getByLabel('Engine').selectOption('WebGPU');
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        await page.locator('.training').getByText('no adapter for WebGPU').waitFor({ timeout: patience });
      });
      const withAdapter = await launchChromium({ webgpu: true });
      try {
        const page = await withAdapter.newPage();
        page.setDefaultTimeout(patience);
        await page.goto(address);
        await page.waitForSelector('html[data-ready=true]');
        const light = model
          .replace('[1, 8, 8]', '[1, 28, 28]')
          .replace('conv(4) | spike | flatten | linear(10)', 'flatten | linear(32) | spike | linear(10)')
          .replace('steps: 3)', 'steps: 2)\n  train { data mnist  optimizer adam(lr: 0.01)  batch 100  epochs 1 }');
        await write(page, light);
        await panel(page, 'No problems.');
        await page.locator('#config').selectOption('small');
        await page.click('#tab-train');
        await page.getByLabel('Epochs').fill('1');
        await page.getByLabel('Engine').selectOption('WebGPU');
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        await page.locator('.training [role=status]').filter({ hasText: 'done' }).waitFor({ timeout: patience });
        const told = page.locator('.training');
        expect(await told.getAttribute('data-engine')).toBe('tfjs-webgpu');
        expect(Number(await told.getAttribute('data-accuracy'))).toBeGreaterThan(0.3);
      } finally {
        await withAdapter.close();
      }
    },
    2 * patience,
  );

  it(
    'what is downloaded is what `spikec compile --emit` writes: ONNX, PyTorch, NIR and C, of layers and of a conversion',
    () =>
      onPage(async (page) => {
        const gallery = JSON.parse(readFileSync(join(folder, 'site', 'gallery.json'), 'utf8')) as Gallery;
        const codings = gallery.examples.find(({ name }) => name === 'Convert it in every coding')!;
        writeFileSync(join(folder, 'lenet5.onnx'), readFileSync('examples/convert-onnx/lenet5.onnx'));
        await page.selectOption('#example', codings.name);
        for (const [text, config, inNir] of [
          [codings.text, 'mbif', false],
          [model, 'small', true],
        ] as const) {
          const file = join(folder, 'model.spike');
          writeFileSync(file, text);
          const outDir = join(folder, `out-${config}`);
          const emit = ['onnx', 'c', 'torch', ...(inNir ? (['nir'] as const) : [])] as const;
          const compiled = await driver.compileTarget({ path: file, config }, { emit, outDir });
          expect(compiled.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
          await page.click('#tab-problems');
          await write(page, text);
          await panel(page, 'No problems.');
          await page.selectOption('#config', config);
          await page.click('#tab-download');
          const download = async (label: string): Promise<Buffer> => {
            const waiting = page.waitForEvent('download', { timeout: patience });
            await page.getByRole('button', { name: label, exact: true }).click();
            return readFileSync(await (await waiting).path());
          };
          const written = (name: string): Buffer => readFileSync(join(outDir, name));
          expect((await download('ONNX')).equals(written('infer.onnx'))).toBe(true);
          const unpacked = unzipSync(await download('C'));
          const names = readdirSync(outDir).filter((name) => /\.[ch]$/.test(name));
          expect(Object.keys(unpacked).toSorted()).toEqual(names.toSorted());
          for (const name of names) expect(written(name).equals(unpacked[name]!), name).toBe(true);
          const torch = unzipSync(await download('PyTorch'));
          const made = readdirSync(join(outDir, 'torch')).toSorted();
          expect(made).toEqual(expect.arrayContaining(['layers.py', 'model.py', 'weights.safetensors']));
          expect(Object.keys(torch).toSorted()).toEqual(made);
          for (const name of made) expect(written(join('torch', name)).equals(torch[name]!), name).toBe(true);
          if (!inNir) {
            await page.getByRole('button', { name: 'NIR', exact: true }).click();
            await panel(page, "%Relu_3.quant: NIR can't say spikes of several levels");
            continue;
          }
          const nir = join(folder, `${config}.nir`);
          writeFileSync(nir, await download('NIR'));
          expect(readNir(nir)).toEqual(readNir(join(outDir, 'network.nir')));
        }
      }),
    patience,
  );

  it(
    'every coding of conversions shows in each pane',
    () =>
      onPage(async (page) => {
        await page.selectOption('#example', 'Convert it in every coding');
        // the starter's configs stand there until the example is read
        const named = async () => (await page.locator('#config option').allTextContents()).toSorted();
        await expect.poll(named, { timeout: patience }).toEqual(conversionCodings.toSorted());
        await panel(page, 'No problems.');
        for (const coding of conversionCodings) {
          await page.selectOption('#config', coding);
          await page.click('#tab-ir');
          await panel(page, / = encode %input/);
          await page.click('#tab-cost');
          await panel(page, 'latency');
          await page.click('#tab-diff');
          await page.frameLocator('#panel iframe').getByText('steps').first().waitFor({ timeout: patience });
          await page.click('#tab-report');
          await page.frameLocator('#panel iframe').locator('svg').first().waitFor({ timeout: patience });
        }
      }),
    patience,
  );

  it(
    'every example is in the gallery, and none of them has a problem',
    () =>
      onPage(async (page) => {
        const { examples } = JSON.parse(readFileSync(join(folder, 'site', 'gallery.json'), 'utf8')) as Gallery;
        // of notebooks there are no models
        const folders = readdirSync('examples').filter((name) => name !== 'notebooks');
        expect([...new Set(examples.flatMap((one) => one.folder ?? []))].toSorted()).toEqual(folders.toSorted());
        for (const { name, text } of examples) {
          await page.selectOption('#example', name);
          await page
            .locator('.cm-content')
            .filter({ hasText: text.split('\n')[0]! })
            .waitFor({ timeout: patience });
          await panel(page, 'No problems.');
          await page.click('#tab-cost');
          await panel(page, 'latency');
          await page.click('#tab-problems');
        }
      }),
    patience,
  );

  it(
    'a training is stopped, and one that a config does not describe is refused in words',
    () =>
      onPage(async (page) => {
        const says = page.locator('.training [role=status]');
        await page.click('#tab-train');
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        await says.filter({ hasText: 'epoch 1' }).waitFor({ timeout: patience });
        await page.getByRole('button', { name: 'Stop' }).click();
        await says.filter({ hasText: 'stopped' }).waitFor();
        await write(page, model);
        await page.locator('#config').selectOption('small');
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        await page.locator('.training .problem').filter({ hasText: 'train { … }' }).waitFor({ timeout: patience });
      }),
    patience,
  );

  it(
    'the page works without a network once it was open, its training too; the first load is small, and soon usable',
    async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const sizes: number[] = [];
      page.on('response', (response) => {
        sizes.push(
          gzipSync(readFileSync(join(folder, 'site', new URL(response.url()).pathname.slice(1) || 'index.html')))
            .length,
        );
      });
      await page.goto(address);
      await page.waitForSelector('html[data-ready=true]');
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3e6);
      // from the start of the navigation; another program may have the machine
      expect(await page.evaluate('performance.now()')).toBeLessThan(40_000);
      await page.evaluate('navigator.serviceWorker.ready');
      await context.setOffline(true);
      await page.reload();
      await page.waitForSelector('html[data-ready=true]');
      await panel(page, 'No problems.');
      await page.click('#tab-train');
      await page.getByLabel('Epochs').fill('1');
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await page.locator('.training [role=status]').filter({ hasText: 'done' }).waitFor({ timeout: patience });
      await context.close();
    },
    patience,
  );

  it(
    'on a phone nothing is wider than the screen, and every pane can be reached',
    async () => {
      const page = await browser.newPage({ viewport: { width: 380, height: 740 }, hasTouch: true });
      await page.goto(address);
      await page.waitForSelector('html[data-ready=true]');
      for (const tab of ['problems', 'ir', 'cost', 'diff', 'report', 'train', 'download']) {
        await page.tap(`#tab-${tab}`);
        await page.locator('#status').filter({ hasText: 'no problems' }).waitFor({ timeout: patience });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380);
        expect(await page.evaluate("document.querySelector('#panel').getBoundingClientRect().height")).toBeGreaterThan(
          150,
        );
      }
      await page.close();
    },
    patience,
  );

  it(
    'a link has the model in it; one that is none, or unpacks to too much, gives the first example',
    async () => {
      const { page } = await opened();
      await write(page, model);
      await panel(page, 'No problems.');
      await page.click('#share');
      await page.waitForURL(/#m=/);
      const hash = new URL(page.url()).hash;
      const other = await opened(hash);
      await other.page.locator('#config').selectOption('longer');
      expect(await other.page.textContent('.cm-content')).toContain('config longer extends small');
      const { deflateRawSync } = await import('node:zlib');
      const bomb = `#m=${deflateRawSync(Buffer.alloc(1e8)).toString('base64url')}`;
      for (const bad of [bomb, '#m=!!!', '#m=AAAA', '#<img src=x onerror=alert(1)>']) {
        await onPage((hostile) => panel(hostile, 'No problems.'), bad.slice(0, 500_000));
      }
      await page.close();
      await other.page.close();
    },
    patience,
  );

  it(
    'axe finds nothing serious, light and dark, wide and on a phone, on every pane and in the pages that panes hold',
    async () => {
      for (const [colorScheme, width] of [
        ['light', 380],
        ['dark', 1200],
      ] as const) {
        const { page } = await opened();
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.selectOption('#example', 'Convert it in every coding');
        await panel(page, 'No problems.');
        const tabs = await page.locator('[role=tab]').evaluateAll((all) => all.map(({ id }) => id));
        expect(tabs.length).toBeGreaterThanOrEqual(8);
        for (const tab of tabs) {
          const place = `${tab}, ${colorScheme}, ${width}`;
          await page.click(`#${tab}`);
          await page
            .locator('#status')
            .filter({ hasText: /no problems/ })
            .waitFor({ timeout: patience });
          expect(await seriousViolations(page), place).toEqual([]);
          const held = await page
            .locator('#panel iframe')
            .evaluateAll((all) => all.map((one) => (one as unknown as { readonly srcdoc: string }).srcdoc));
          for (const html of held) {
            const alone = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
            await alone.setContent(html);
            expect(await seriousViolations(alone), `the page of ${place}`).toEqual([]);
            await alone.close();
          }
        }
        // problems, and the fields of a search
        await write(page, 'network {');
        await page.locator('#panel .problem').first().waitFor({ timeout: patience });
        await page.click('#tab-problems');
        await page.keyboard.press('Shift+Tab');
        expect(await seriousViolations(page), `problems, ${colorScheme}, ${width}`).toEqual([]);
        await page.click('.cm-content');
        await page.keyboard.press('Control+f');
        await page.locator('.cm-search').waitFor();
        expect(await seriousViolations(page), `search, ${colorScheme}, ${width}`).toEqual([]);
        await page.close();
      }
    },
    patience,
  );

  it(
    'whatever is written, the page stays usable',
    () =>
      onPage(async (page) => {
        for (const text of ['network {', 'x'.repeat(300_000), '<script>alert(1)</script>', '"'.repeat(100)]) {
          await write(page, text);
          await page.locator('#panel .problem').first().waitFor({ timeout: patience });
        }
        await write(page, model);
        await panel(page, 'No problems.');
      }),
    patience,
  );
});
