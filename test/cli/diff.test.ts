import { readFileSync } from 'node:fs';
import { assignmentsOf, phasesOf } from '../../src/equations/index.js';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diagnostic } from '../../src/base/diagnostics/index.js';
import { tensor } from '../../src/base/dtype.js';
import { type CostSides, diffNetworks } from '../../src/diff/index.js';
import { type Network, NetworkBuilder } from '../../src/network/index.js';
import { diffPage } from '../../src/report/diff/page.js';
import { snippetOf } from '../../src/report/page/snippet.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { spikec } from './fake.js';
import type { DiffResult } from '../../src/commands/diff.js';
import type { Driver } from '../../src/commands/index.js';

function network(steps: number, { id = 'fc', extra = false, theta = 1, factor = 1 } = {}): Network {
  const b = new NetworkBuilder('n');
  b.neuron({
    name: 'LIF',
    params: [{ name: 'theta', default: 1 }],
    states: [{ name: 'u', initial: { kind: 'number', value: 0 } }],
    phases: phasesOf({
      charge: [{ target: 'u', value: { kind: 'name', name: 'x' } }],
      fire: [{ target: 's', value: { kind: 'name', name: 'u' } }],
    }),
  });
  const weights = [0.5, -1, 2, 3].map((v) => v * factor);
  b.param('w', { tensor: tensor('f32', [2, 2], weights) });
  b.add({ id: 'x', kind: 'input', attrs: { shape: [2] } });
  b.add({ id: 'encode', kind: 'encode', inputs: ['x'], attrs: { coding: 'direct', steps } });
  b.add({ id, kind: 'linear', inputs: ['encode'], params: { weight: 'w' } });
  const last = extra ? b.add({ id: 'extra', kind: 'relu', inputs: [id] }) : id;
  const attrs = { neuron: 'LIF', levels: [0, 1], amplitude: 1, theta };
  b.add({ id: 'spike', kind: 'neuron', inputs: [last], attrs });
  b.add({ id: 'out', kind: 'decode', inputs: ['spike'], attrs: { coding: 'direct' } });
  return b.finish(['out'], { name: 'direct', args: { steps } });
}

const cost: CostSides = { macs: { from: 4, to: 4 }, s_ace: { from: 1000, to: 500 } };

function result(from: Network, to: Network): DiffResult {
  const diff = diffNetworks(from, to);
  return { view: { from: 'a.spike', to: 'b.spike#fast', diff, cost, cost_layers: [] }, identical: diff.identical };
}

function showing(value: DiffResult): Partial<Driver> {
  return {
    diffTargets: () => Promise.resolve({ value, diagnostics: [] }),
    diffPage: (documents, { snippet }) => {
      const page = diffPage(documents, '0');
      return Promise.resolve(snippet ? snippetOf(page, 'Differences') : page);
    },
  };
}

const changed = result(network(4), network(2, { id: 'dense', extra: true, theta: 0.5, factor: 2 }));

it('diff shows causes first, then what follows, then costs', async () => {
  const ran = await spikec(['diff', 'a.spike', 'b.spike#fast'], showing(changed));
  expect(ran.err).toBe('');
  expect(ran.code).toBe(1);
  expect(ran.out).toMatchInlineSnapshot(`
    "--- a.spike
    +++ b.spike#fast
    1 setting of the network, 1 added, 1 renamed, 2 changed, 1 of 1 parameter differ, 2 affected

    network
      ~ coding.steps  4 → 2

    added
      + %extra  relu of %dense : real[2] @1..2

    renamed
      > %fc → %dense

    changed
      ~ %encode  encode
          steps  4 → 2
          time   @1..4 → @1..2
      ~ %spike  neuron
          theta  1 → 0.5

    weights
      ~ %w  × 2

    follows from it
      ~ time  @1..4 → @1..2  2 ops: %fc, %spike
      ~ inputs  %fc → %extra  %spike

    cost    from   to  ratio
    MACs       4    4      =
    S-ACE  1,000  500  × 0.5
    "
  `);
});

it('diff exits with 0 where nothing differs, and says so in a line', async () => {
  const ran = await spikec(['diff', 'a.spike', 'b.spike#fast'], showing(result(network(4), network(4))));
  expect(ran).toEqual({
    code: 0,
    err: '',
    out: '--- a.spike\n+++ b.spike#fast\nidentical: 5 ops, 1 parameter\n',
  });
});

it('diff --json has the documented keys', async () => {
  const ran = await spikec(['diff', 'a.spike', 'b.spike#fast', '--json'], showing(changed));
  const json = JSON.parse(ran.out) as Record<string, unknown>;
  expect(json).toMatchObject({
    identical: false,
    added: ['extra'],
    removed: [],
    renamed: [{ from: 'fc', to: 'dense' }],
    cost,
    network: [{ field: 'coding.steps', from: 4, to: 2 }],
    weights: [{ id: 'w', op: 'fc', role: 'weight', equal: false, max_abs: 3, largest: 3, scale: 2 }],
    diagnostics: [],
  });
  expect(json['changed']).toEqual([
    { id: 'encode', field: 'steps', from: 4, to: 2 },
    { id: 'encode', field: 'time', from: '@1..4', to: '@1..2' },
    { id: 'spike', field: 'theta', from: 1, to: 0.5 },
  ]);
});

it('errors of any kind exit with 2, as diff does', async () => {
  const diffTargets = () => Promise.resolve({ diagnostics: [diagnostic('file/missing', { path: 'a.spike' })] });
  for (const flags of [[], ['--json']]) {
    const ran = await spikec(['diff', 'a.spike', 'b.spike', ...flags], { diffTargets });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('file/missing');
  }
});

it.each([
  ['one'],
  ['a', 'b', 'c', 'd'],
  ['a', 'b', '--all'],
  ['a', 'b', '--json', '--html'],
  ['a', 'b', '--html', '--snippet'],
  ['a', '--all', '--ir', 'tensor'],
  ['a', 'b#'],
  ['a', 'b', '--ir', 'llvm'],
])('diff %s %s %s is wrong usage', async (...args) => {
  const ran = await spikec(['diff', ...args]);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain('error[cli/usage]: ');
});

it('FILE CONFIG CONFIG is short for FILE#CONFIG FILE#CONFIG; options are handed over', async () => {
  let seen: unknown[] = [];
  const diffTargets: Driver['diffTargets'] = (...args) => {
    seen = args;
    return Promise.resolve({ value: changed, diagnostics: [] });
  };
  await spikec(['diff', 'x/net.spike', 'base', 'fast', '--at', 'fold-batchnorm'], { diffTargets });
  expect(seen).toEqual([
    { path: 'x/net.spike', config: 'base' },
    { path: 'x/net.spike', config: 'fast' },
    { allowOutside: false, at: 'fold-batchnorm' },
  ]);
});

it('--all is a table of every config; one that does not compile says why and makes the exit code 2', async () => {
  const configs = [
    { config: 'fast', result: changed },
    { config: 'broken', error: 'no coding' },
  ] as const;
  const diffConfigs = (list: readonly (typeof configs)[number][]) => () =>
    Promise.resolve({ value: { base: 'base', configs: list }, diagnostics: [] });
  const ran = await spikec(['diff', 'a.spike', '--all'], { diffConfigs: diffConfigs(configs) });
  expect(ran.code).toBe(2);
  expect(ran.out).toMatchInlineSnapshot(`
    "against base       changed  added  removed  renamed  parameters  MACs  S-ACE  bytes  latency
    fast                     2      1        0        1           1     =  × 0.5      =        =
    broken        not compiled

    broken: no coding
    "
  `);
  const fine = await spikec(['diff', 'a.spike', '--all', '--json'], { diffConfigs: diffConfigs(configs.slice(0, 1)) });
  expect(fine.code).toBe(1);
  expect(JSON.parse(fine.out)).toMatchObject({ base: 'base', configs: [{ config: 'fast', added: ['extra'] }] });
});

it('Markdown and HTML say the same; names from files stay text', async () => {
  const odd = '<script>alert(1)</script>|`*';
  const value = result(network(4), network(4, { id: odd }));
  const markdown = await spikec(['diff', 'a', 'b', '--markdown'], showing(value));
  expect(markdown.out).toContain('- → ``%fc → %<script>alert(1)</script>|`*``');
  expect(markdown.out).toContain('| S-ACE | 1,000 | 500 | × 0.5 |');
  const page = await spikec(['diff', 'a', 'b', '--html'], showing(value));
  expect(page.out).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page.out).not.toMatch(/<script|https?:|src=/);
  expect(page.out).toContain("default-src 'none'");
});

it('--snippet is a frame with the whole page in it, which can be put into another page', async () => {
  const odd = '"></iframe><script>alert(1)</script>';
  const value = result(network(4), network(4, { id: odd }));
  const page = (await spikec(['diff', 'a', 'b', '--html'], showing(value))).out;
  const { out } = await spikec(['diff', 'a', 'b', '--snippet'], showing(value));
  const [, inside] = /^<iframe\s[^>]*sandbox="allow-scripts"[^>]*\ssrcdoc="([^"]*)"\s*><\/iframe>\s*$/.exec(out)!;
  const signs: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  expect(inside!.replaceAll(/&([a-z#0-9]+);/g, (_, name: string) => signs[name]!)).toBe(page);
});

it('-o writes the file whole and says where', async () => {
  const path = join(temporaryFolder(), 'out', 'd.html');
  const ran = await spikec(['diff', 'a', 'b', '--html', '-o', path], showing(changed));
  expect(ran).toEqual({ code: 1, out: `${path}\n`, err: '' });
  expect(readFileSync(path, 'utf8')).toContain('<!doctype html>');
});

it('equations that differ are shown line by line', async () => {
  const from = network(4);
  const value = {
    kind: 'binary',
    op: '/',
    left: { kind: 'name', name: 'u' },
    right: { kind: 'number', value: 2 },
  } as const;
  const phases = phasesOf({
    charge: assignmentsOf(from.neurons.get('LIF')!, 'charge'),
    fire: [{ target: 's', value }],
  });
  const neurons = new Map([...from.neurons].map(([name, def]) => [name, { ...def, phases }]));
  const ran = await spikec(['diff', 'a', 'b'], showing(result(from, { ...from, neurons })));
  expect(ran.out).toContain('      fire\n        - s = u\n        + s = u / 2\n');
});
