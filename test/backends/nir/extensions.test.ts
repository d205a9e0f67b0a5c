import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportNir } from '../../../src/backends/nir/index.js';
import { DiagnosticError } from '../../../src/base/diagnostics/index.js';
import { tensor } from '../../../src/base/dtype.js';
import { encodeNir, loadNir, readNir } from '../../../src/data/nir.js';
import { type NirArray, importNir } from '../../../src/frontends/nir/index.js';
import { lower } from '../../../src/lower/program/index.js';
import { type Network, verifyNetwork } from '../../../src/network/index.js';
import { inferencePlan, runPlan } from '../../../src/passes/index.js';
import { concreteShape, evaluate, simplify } from '../../../src/tensor/index.js';
import { Findings } from '../../../src/workspace/findings.js';
import { openTarget } from '../../../src/workspace/open.js';
import { cases } from '../../golden/net/cases.js';
import { expectDiagnostic } from '../../support/expect-diagnostic.js';
import { hasModules, runPython } from '../../support/pytorch.js';
import { seeded } from '../../support/random-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { networkFrom } from '../../support/train.js';

beforeAll(loadNir);

/** Trains and values of the layers that both networks have, of a random input. */
function valuesOf(network: Network, shared: ReadonlySet<string>): ReadonlyMap<string, readonly number[]> {
  const { program, outputs } = lower(network, { probes: { trains: (id) => shared.has(id) } });
  const ready = simplify(program);
  const next = seeded(7);
  const feeds = Object.fromEntries(
    ready.inputs.map(({ id, shape }) => {
      const concrete = concreteShape(shape, 1);
      const count = concrete.reduce((product, n) => product * n, 1);
      return [
        id,
        tensor(
          'f32',
          concrete,
          Array.from({ length: count }, () => next() * 2 - 0.5),
        ),
      ];
    }),
  );
  const made = evaluate(ready, feeds);
  const found = [...outputs.probes.train].map(([id, name]): [string, readonly number[]] => [id, [...made[name]!.data]]);
  return new Map([...found, ['', [...made[0]!.data]]]);
}

/** What a plain run tries of each file: one configuration, of small ones all; `SPIKEC_SLOW_TESTS=1` tries all. */
/** Those whose evaluation takes long, and whose layers others have. */
const large = /spikeyolo|sew-resnet50|spikformer-dvs/;
const slow = process.env['SPIKEC_SLOW_TESTS'] === '1';
const targets = cases.flatMap(({ name, files, targets }) =>
  targets
    .filter(({ command, networksOnly }) => command === undefined && networksOnly !== true)
    .filter((_, i) => slow || (i === 0 && !large.test(name)) || /^(import|examples-diff|models-starter)/.test(name))
    .map(({ target, planes }) => ({
      label: `${name}: ${target}${planes === true ? ' --planes' : ''}`,
      files,
      target,
      planes,
    })),
);

function model(body: string, neuron: string, shape = '[1, 8, 8]'): Network {
  const network = networkFrom(`
    use "spikec/neurons" { LIF, MBLIF }
    network Net { input image: real${shape}  ${body} }
    config c { network Net  neuron ${neuron}  coding direct(steps: 6) }`);
  return runPlan(network, inferencePlan()).network!;
}

const written: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'spikec-nir-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('networks that NIR alone refuses, in NIR with extensions', () => {
  it.each(targets)(
    '$label: comes back with the same trains',
    ({ label, files, target, planes }) => {
      const own = temporaryFolder();
      for (const [name, content] of Object.entries(files)) writeFileSync(join(own, name), content);
      const [path, config] = target.split('#');
      const opened = openTarget(
        { path: join(own, path!), ...(config === undefined ? {} : { config }) },
        {},
        new Findings(),
      );
      const { network } = opened.compiled({ ...(planes === true ? { planes } : {}) });
      const { graph, nodes } = exportNir(network, 'nir', true);
      // NIR alone says them, and export.test.ts holds that
      if (nodes.every(({ rating }) => rating !== 'extended')) return;
      const file = join(folder, `${label.replace(/[^\w]+/g, '-')}.nir`);
      writeFileSync(file, encodeNir(graph));
      // the check of types takes a group's channels for those of the input
      const isGrouped = network.ops.some(({ kind, attrs }) => kind === 'conv' && attrs.groups !== 1);
      if (!isGrouped) written.push(file);
      const back = importNir(readNir(file), {}, { name: network.name, path: file }).network;
      expect(verifyNetwork(back)).toEqual([]);
      expect(back.coding).toEqual(network.coding);
      const shared = new Set(back.ops.map(({ id }) => id).filter((id) => network.ops.some((op) => op.id === id)));
      expect([...network.ops].filter(({ id, kind }) => kind === 'neuron' && !shared.has(id))).toEqual([]);
      const wanted = valuesOf(network, shared);
      const found = valuesOf(back, shared);
      expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
      for (const [id, values] of wanted) expect(found.get(id), id).toEqual(values);
    },
    240_000,
  );

  it('what differs is in words too: resets, levels of spikes, max pools', () => {
    const network = model(
      'output image | conv(3, kernel: 3) | spike | maxpool(2) | flatten | linear(4) | spike',
      'MBLIF(tau: 4, theta: 0.6)',
    );
    const { graph, nodes } = exportNir(network, 'nir', true);
    const pool = [...graph.nodes.values()].find(({ type }) => type === 'SumPool2d')!;
    expect(pool.metadata!.get('pool')).toBe('max');
    const neurons = [...graph.nodes.values()].filter(({ type }) => type === 'LIF');
    expect(neurons).toHaveLength(2);
    const { metadata, fields } = neurons[0]!;
    const number = (value: unknown): number => (value as NirArray).data[0]!;
    // MBLIF: two integer and one fractional bit by default; its first level is reached at theta/2, and it is reset to 0
    expect(metadata!.get('reset')).toBe('value');
    expect(['spike_min', 'spike_max', 'spike_step'].map((name) => number(metadata!.get(name)))).toEqual([0, 7, 0.5]);
    expect(number(fields.get('v_threshold'))).toBeCloseTo(0.3, 6);
    expect(nodes.filter(({ rating }) => rating === 'extended').map(({ why }) => why)).toEqual([
      'spikes of several levels',
      'the greatest of several values (max pooling)',
      'spikes of several levels',
    ]);
    const soft = exportNir(
      model('output image | linear(4) | spike', 'LIF(tau: 2, theta: 0.75, soft: true)', '[5]'),
      'nir',
      true,
    );
    const lif = [...soft.graph.nodes.values()].find(({ type }) => type === 'LIF')!;
    expect(lif.metadata!.get('reset')).toBe('subtract');
    expect(number(lif.metadata!.get('reset_by'))).toBeCloseTo(0.75, 9);
  });

  it('a recurrent network of multi-bit spikes comes back with the same trains', () => {
    const body = 'h = (image | linear(6)) + (h | delay(1) | linear(6)) | spike  output h | linear(3) | spike';
    const network = model(body, 'MBLIF(tau: 2, theta: 0.1)', '[5]');
    const back = importNir(exportNir(network, 'nir', true).graph, {}, { name: 'net', path: 'net.nir' }).network;
    const shared = new Set(network.ops.filter(({ kind }) => kind === 'neuron').map(({ id }) => id));
    const wanted = valuesOf(network, shared);
    expect(new Set([...wanted.values()].flat()).size).toBeGreaterThan(2);
    expect(valuesOf(back, shared)).toEqual(wanted);
  });

  it('sums come back under their ids, in their order, one for all that read it', () => {
    const body = `a = image | linear(6) | spike
      b = a | linear(6) | spike
      c = (image | linear(6)) + ((a | linear(6)) + b | spike)
      d = a + b
      h = c + (h | delay(1) | linear(6)) | spike
      output (d | linear(3)) + (d | linear(3)) + (h | linear(3)) | spike`;
    const network = model(body, 'LIF(tau: 2, theta: 0.3)', '[6]');
    const back = importNir(exportNir(network, 'nir', true).graph, {}, { name: 'net', path: 'net.nir' }).network;
    const sums = ({ ops }: Network): readonly string[] =>
      ops.flatMap(({ id, kind, inputs }) => (kind === 'add' ? [`${id} = ${inputs.join(' + ')}`] : [])).sort();
    expect(sums(network).length).toBeGreaterThan(5);
    expect(sums(back)).toEqual(sums(network));
    const shared = new Set(network.ops.map(({ id }) => id).filter((id) => back.ops.some((op) => op.id === id)));
    expect(shared.size).toBeGreaterThan(15);
    expect(valuesOf(back, shared)).toEqual(valuesOf(network, shared));
  });

  it.each([
    '[["a"]]',
    '[["s", "image", "image"]]',
    '[["s", "a_spike", "other"]]',
    '[["s", 0, "a_spike"]]',
    '["s"]',
    '{',
  ])('sums that aren’t those of the edges are refused: %s', (text) => {
    const body = 'a = image | linear(6) | spike  output a + (a | linear(6) | spike) | linear(3) | spike';
    const { graph } = exportNir(model(body, 'LIF(tau: 2, theta: 0.3)', '[6]'), 'nir', true);
    const [id, reader] = [...graph.nodes].find(([, { metadata }]) => metadata?.has('sums') === true)!;
    const metadata = new Map([...reader.metadata!, ['sums', text] as const]);
    const nodes = new Map([...graph.nodes, [id, { ...reader, metadata }]]);
    expect(() => importNir({ ...graph, nodes }, {}, { name: 'net', path: 'net.nir' })).toThrow('`sums`');
  });

  it.each([
    ['op', 'nothing', 'has metadata of an unknown `op`'],
    ['attributes', '{', "has metadata whose `attributes` isn't JSON"],
    ['attributes', '[]', 'has metadata whose `attributes` are no object'],
    ['attributes', '{"neuron": {}}', 'has metadata with the attribute "neuron" that is no number'],
    ['equations', 'neuron X(', "has equations that can't be read"],
  ])('metadata whose %s is %s are refused by the name of the node', (name, text, said) => {
    const { graph } = exportNir(
      model('output image | linear(4) | spike', 'LIF(tau: 2, theta: 0.75, soft: true)', '[5]'),
      'nir',
      true,
    );
    const [id, lif] = [...graph.nodes].find(([, { type }]) => type === 'LIF')!;
    const nodes = new Map([...graph.nodes, [id, { ...lif, metadata: new Map([...lif.metadata!, [name, text]]) }]]);
    const read = (): unknown => importNir({ ...graph, nodes }, {}, { name: 'net', path: 'net.nir' });
    expect(read).toThrow(DiagnosticError);
    expect(read).toThrow(said);
  });

  it('metadata of another version of the extensions are refused', () => {
    const { graph } = exportNir(model('output image | linear(4) | spike', 'LIF(tau: 2)', '[5]'), 'nir', true);
    const metadata = new Map([...graph.metadata!, ['extensions', { shape: [], data: Float64Array.of(9) }]]);
    expectDiagnostic('nir/extension-version', () =>
      importNir({ ...graph, metadata }, {}, { name: 'net', path: 'net.nir' }),
    );
  });

  it.skipIf(!hasModules('nir.read of extended files', 'nir'))('nir.read accepts them, with its check of types', () => {
    expect(written.length).toBeGreaterThan(20);
    const script = 'import sys, nir\nfor path in sys.argv[1:]: nir.read(path)\nprint("read")';
    expect(runPython(folder, ['-c', script, ...written])).toContain('read');
  });
});
