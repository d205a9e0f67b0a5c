import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../src/tensor/index.js';
import { browserBundle } from '../support/browser-bundle.js';
import { hasChromium, launchChromium, patience } from '../support/chromium.js';
import { type TrainedCase, lossesOf, trainedStep } from '../support/trained-case.js';
import type * as InPage from '../support/webgpu-page.js';

declare const webgpu: typeof InPage;

const cases: readonly (readonly [string, TrainedCase])[] = [
  ['sgd', { optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true } }],
  ['adamw', { optimizer: { kind: 'adamw' } }],
  ['sgd, memory low', { optimizer: { kind: 'sgd', momentum: 0.9 }, low: true }],
];

describe.skipIf(!hasChromium('WebGPU in a browser'))('a training step on WebGPU, in a browser', () => {
  let browser: Browser;
  let server: Server;
  let page: Page;

  beforeAll(async () => {
    const { code } = await browserBundle('test/support/webgpu-page.ts', 'webgpu');
    // WebGPU is there for pages of a server alone
    server = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? code : '<!doctype html><title>WebGPU</title><script src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await launchChromium({ webgpu: true });
    page = await browser.newPage();
    page.setDefaultTimeout(patience);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }, patience);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each(cases)(
    'gives the losses of the reference evaluator over 10 steps, and leaves nothing behind: %s',
    async (_, one) => {
      const found = await page.evaluate((given) => webgpu.losses(given), one);
      const step = trainedStep(one);
      const expected = await lossesOf(step, (feeds) => Promise.resolve(evaluate(step.program, feeds)));
      expected.forEach((loss, i) => expect(Math.abs(found.losses[i]! - loss) / loss).toBeLessThan(1e-4));
      expect(expected.at(-1)).toBeLessThan(expected[0]!);
      expect(found.left).toBe(0);
    },
    patience,
  );
});
