import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import type * as Core from '../src/core.js';
import { browserBundle } from './support/browser-bundle.js';

const model = `
  use "spikec/neurons" { LIF }
  network Small { input image: real[1, 8, 8]  output image | conv(4, kernel: 3) | batchnorm | spike | flatten | linear(WIDTH) }
  config small { network Small  neuron LIF(tau: 2, theta: 1)  coding direct(steps: 3) }
`;

it('spikec/core is bundled for a browser without Node, and there it parses, checks, compiles, costs and compares', async () => {
  const { code, outside } = await browserBundle('src/core.ts', 'core');
  expect(outside).toEqual([]);
  // A browser's globals as far as the compiler may use them; none of Node's.
  const context = createContext({ TextEncoder, TextDecoder, setTimeout, clearTimeout, structuredClone });
  runInContext(`globalThis.window = globalThis;\n${code}\nglobalThis.core = core;`, context);
  expect(runInContext('typeof process + typeof require + typeof Buffer', context)).toBe('undefinedundefinedundefined');
  const core = context['core'] as typeof Core;
  const loader = core.memoryLoader({ 'spikec/neurons': readFileSync('models/neurons.spike', 'utf8') });
  const compiled = (width: number) => {
    const text = model.replace('WIDTH', String(width));
    expect(core.parseText({ name: 'm.spike', text }).diagnostics).toHaveLength(0);
    const checked = core.checkModel({ name: 'm.spike', text }, loader, {});
    const config = checked.value!.configs.get('small')!;
    return core.lowerModel(config, { seed: 1 }).value!;
  };
  const [ten, three] = [compiled(10), compiled(3)];
  expect(core.pipelines.ann.length).toBeGreaterThan(0);
  const text = core.printNetwork(ten);
  expect(core.printNetwork(core.parseNetwork({ name: 'm.ir', text }, ten.params).value!)).toBe(text);
  const runnable = core.lower(ten);
  expect(core.emitOnnx(runnable.program).length).toBeGreaterThan(1000);
  expect(core.emitTfjsProgram(runnable.program)).toContain('export function run');
  const macs = (network: typeof ten) => core.costOf(network).layers.reduce((sum, layer) => sum + layer.macs, 0);
  expect(macs(ten) - macs(three)).toBeGreaterThan(0);
  const diff = core.diffNetworks(ten, three);
  expect(JSON.stringify(diff)).toContain('linear');
  expect(core.checkModel({ name: 'm.spike', text: 'network {' }, loader, {}).diagnostics.length).toBeGreaterThan(0);
  const target = { name: 'small', source: 'm.spike#small', network: ten, cost: core.costOf(ten) };
  const page = await core.renderReport({ title: 'Small', version: '1', targets: [target] });
  expect(page).toContain('<title>Small</title>');
  expect(page.match(/<svg/g)!.length).toBeGreaterThan(1);
  const view = { from: 'ten', to: 'three', diff, cost: {}, cost_layers: [] };
  expect(core.diffPage([core.presentDiff(view, { full: false })], '1')).toContain('linear');
});
