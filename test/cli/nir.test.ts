import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { encodeNir, loadNir, readNir } from '../../src/data/nir.js';
import type { NirArray, NirGraph, NirNode } from '../../src/frontends/nir/index.js';
import { array, nirGraph, nirNode } from '../support/nir.js';
import { integers, writeNpz } from '../support/npz.js';
import { seeded } from '../support/random-network.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Ran, spikec as runLine } from './fake.js';

beforeAll(loadNir);

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function spikec(...args: readonly string[]): Promise<Ran> {
  return runLine(
    args.map((arg) => arg.replaceAll('@', `${folder}/`)),
    driver,
  );
}

/** Two inputs, a linear layer, two neurons of the type. */
function written(name: string, neurons: NirNode): void {
  const graph = nirGraph(
    {
      input: nirNode('Input', { shape: array([2]) }),
      fc: nirNode('Affine', { weight: array([0.5, -0.25, 0.75, 1], [2, 2]), bias: array([0.1, 0]) }),
      neurons,
      output: nirNode('Output', { shape: array([2]) }),
    },
    [
      ['input', 'fc'],
      ['fc', 'neurons'],
      ['neurons', 'output'],
    ],
  );
  writeFileSync(join(folder, name), encodeNir(graph));
}

function lif(tau: number, r: number): NirNode {
  const each = (value: number): NirArray => array([value, value]);
  return nirNode('LIF', { tau: each(tau), r: each(r), v_leak: each(0), v_threshold: each(1), v_reset: each(0) });
}

it('steps and time step stand behind the name of a NIR file: compile, cost and diff', async () => {
  written('net.nir', lif(4e-3, 1));
  const ran = await spikec('compile', '@net.nir#steps=100,dt=1e-3', '--emit', 'c,ir,nir', '-o', '@net');
  expect(ran).toMatchObject({ code: 0, err: '' });
  const metadata = readNir(join(folder, 'net', 'network.nir')).metadata!;
  expect((metadata.get('steps') as NirArray).data[0]).toBe(100);
  // k = dt/τ = 1/4
  expect(readFileSync(join(folder, 'net', 'network.ir'), 'utf8')).toMatch(/ k=0\.25,/);
  const [few, more] = await Promise.all(
    ['@net.nir#steps=10', '@net.nir#dt=1e-3,steps=20'].map((one) => spikec('cost', one, '--json')),
  );
  expect([few!.code, more!.code]).toEqual([0, 0]);
  expect(few!.out).not.toBe(more!.out);
  expect((await spikec('diff', '@net.nir#steps=10,dt=1e-3', '@net.nir#steps=10,dt=1e-3')).code).toBe(0);
  expect((await spikec('diff', '@net.nir', 'steps=10,dt=1e-3', 'steps=20,dt=1e-3')).code).toBe(1);
});

it('with coding=direct an image stands at every step: it evaluates as the same image given as frames', async () => {
  written('net.nir', lif(4e-3, 3));
  const next = seeded(3);
  const images = Array.from({ length: 40 * 2 }, () => next() * 3);
  const frames = Array.from({ length: 40 }, (_, n) =>
    Array.from({ length: 6 }, () => images.slice(2 * n, 2 * n + 2)).flat(),
  );
  const labels = Array.from({ length: 40 }, () => Number(next() < 0.5));
  const write = (name: string, shape: number[], values: number[]): string =>
    writeNpz(join(folder, name), {
      x: { shape, data: Float32Array.from(values) },
      y: { shape: [40], data: integers(labels) },
    });
  const [asImages, asFrames] = [write('images.npz', [40, 2], images), write('frames.npz', [40, 6, 2], frames.flat())];
  const [direct, events] = await Promise.all([
    spikec('eval', '@net.nir#steps=6,dt=1e-3,coding=direct', '--data', asImages, '--json'),
    spikec('eval', '@net.nir#steps=6,dt=1e-3', '--data', asFrames, '--json'),
  ]);
  const { accuracy, spikes_per_neuron } = JSON.parse(direct.out);
  expect(spikes_per_neuron).toBeGreaterThan(0.1);
  expect(JSON.parse(events.out)).toMatchObject({ accuracy, spikes_per_neuron });
  const refused = await spikec('eval', '@net.nir#steps=6,dt=1e-3', '--data', asImages);
  expect(refused.err).toContain('NET.nir#coding=direct');
  const extended = await spikec(
    'compile',
    '@net.nir#steps=6,dt=1e-3',
    '--emit',
    'nir',
    '--nir-extensions',
    '-o',
    '@ext',
  );
  expect(extended.code).toBe(0);
  expect((await spikec('cost', '@ext/network.nir#coding=direct')).err).toContain(
    "the file's own metadata say its coding",
  );
});

it.each(['foo=1', 'foo', 'coding=rate', 'steps=0', 'steps=1.5', 'dt=-1', 'steps=10,,foo=2', 'steps'])(
  '%s behind the name of a NIR file is refused by its code',
  async (said) => {
    written('net.nir', lif(4e-3, 1));
    const { code, err } = await spikec('cost', `@net.nir#${said}`);
    expect(code).toBe(1);
    expect(err).toContain('nir/bad-option');
    expect(err).toContain(said.split(',').at(-1));
  },
);

function cubaLif(tauSyn: number, tauMem: number, r: number): NirNode {
  const { fields } = lif(tauMem, r);
  const others = [...fields].filter(([name]) => name !== 'tau');
  const own = { tau_syn: tauSyn, tau_mem: tauMem, w_in: 1 };
  const synapse = Object.entries(own).map(([name, value]) => [name, array([value, value])] as const);
  return { type: 'CubaLIF', fields: new Map([...others, ...synapse]) };
}

it.each([
  // what snnTorch writes for β = 0.75 with dt = 0.2 ms, of which r·dt/τ = 1
  { what: 'a gain of 1 within the time constants', neurons: lif(8e-4, 4), step: '0.0002', k: 0.25 },
  { what: 'a gain of 1 within the time constants', neurons: cubaLif(4e-4, 8e-4, 4), step: '0.0002', k: 0.25 },
  { what: 'r = 1, so that the step would be τ', neurons: lif(0.02, 1), step: '0.0001', k: 0.005 },
  { what: 'a step above τ', neurons: lif(0.02, 0.5), step: '0.0001', k: 0.005 },
  { what: 'a step above τ_syn', neurons: cubaLif(0.005, 0.02, 2), step: '0.0001', k: 0.005 },
  { what: 'a step of τ_syn', neurons: cubaLif(0.005, 0.02, 4), step: '0.0001', k: 0.005 },
])('the step that is assumed of $what is $step s, and said', async ({ neurons, step, k }) => {
  written('net.nir', neurons);
  const { code, err } = await spikec('compile', '@net.nir', '--emit', 'ir', '-o', '@out');
  expect(code).toBe(0);
  expect(err).toContain(`a time step of ${step} s`);
  const [, printed] = / k=([\d.e-]+)/.exec(readFileSync(join(folder, 'out', 'network.ir'), 'utf8')) ?? [];
  expect(Number(printed)).toBeCloseTo(k, 8);
});

/** The largest single-precision number below 1, and 1: what fires from 1 on, for who fires above and for who fires from there on. */
const below = 1 - 2 ** -24;

it.each([
  { tool: 'nir', dt: 1e-4, tau: 4e-4, theta: below },
  { tool: 'snntorch', dt: 1e-4, tau: 4e-4, theta: below },
  { tool: 'lava', dt: 1e-4, tau: 4e-4, theta: below },
  { tool: 'spikingjelly', dt: 1e-4, tau: 4e-4, theta: 1 },
  // its r is 1: in units of r = 1/(1 - 0.75)
  { tool: 'norse', dt: 1e-3, tau: 4e-3, theta: below / 4 },
  { tool: 'sinabs', dt: 1, tau: -1 / Math.log(0.75), theta: 1 },
  { tool: 'rockpool', dt: 1e-3, tau: -1e-3 / Math.log(0.75), theta: below },
  { tool: 'spyx', dt: 1, tau: 4, theta: below },
])('compile --nir-for $tool writes the step, decay and threshold that it reads', async ({ tool, dt, tau, theta }) => {
  writeFileSync(
    join(folder, 'net.spike'),
    `use "spikec/neurons" { LIF }
     network Net { input image: real[4]  output image | linear(3) | spike | linear(2) | spike }
     config c { network Net  neuron LIF(tau: 4, theta: 1)  coding events(steps: 7) }`,
  );
  const { code, err } = await spikec('compile', '@net.spike#c', '--emit', 'nir', '--nir-for', tool, '-o', '@out');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const graph: NirGraph = readNir(join(folder, 'out', 'network.nir'));
  expect((graph.metadata!.get('dt') as NirArray).data[0]).toBeCloseTo(dt, 10);
  const neurons = [...graph.nodes.values()].filter(({ type }) => type === 'LIF');
  expect(neurons).toHaveLength(2);
  for (const { fields } of neurons) {
    const each = (name: string): number[] => [...(fields.get(name) as NirArray).data];
    for (const value of each('tau')) expect(value / tau).toBeCloseTo(1, 6);
    for (const value of each('v_threshold')) expect(Math.fround(value)).toBe(Math.fround(theta));
  }
});

it('an export says of each layer its node, and whether it is faithful', async () => {
  written('net.nir', lif(4e-3, 1));
  const ran = await spikec('compile', '@net.nir#steps=4,dt=1e-3', '--emit', 'nir', '-o', '@again', '--json');
  expect(ran.code).toBe(0);
  const { nir } = JSON.parse(ran.out) as { nir: { layer: string; type: string; rating: string }[] };
  const nodes = readNir(join(folder, 'again', 'network.nir')).nodes;
  expect(nir.map(({ type, rating }) => [type, rating])).toContainEqual(['LIF', 'faithful']);
  expect(nir.map(({ type }) => type).toSorted()).toEqual(
    [...nodes.values()]
      .map(({ type }) => type)
      .filter((type) => type !== 'Output')
      .toSorted(),
  );
  const text = await spikec('compile', '@net.nir#steps=4,dt=1e-3', '--emit', 'nir', '-o', '@again');
  expect(text.out).toMatch(/NIR: %neurons\s+LIF\s+faithful/);
});
