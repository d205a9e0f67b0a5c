import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { exportNir, nirReaders } from '../../../src/backends/nir/index.js';
import { tensor } from '../../../src/base/dtype.js';
import { DiagnosticError } from '../../../src/base/diagnostics/index.js';
import { encodeNir, loadNir, readNir } from '../../../src/data/nir.js';
import type { NirArray } from '../../../src/frontends/nir/index.js';
import type { Network } from '../../../src/network/index.js';
import { inferencePlan, runPlan } from '../../../src/passes/index.js';
import { nirTools } from '../../../src/workspace/types.js';
import { array, imported, nirGraph, nirNode, stepsOf } from '../../support/nir.js';
import { hasModules, runPython } from '../../support/pytorch.js';
import { seeded } from '../../support/random-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { networkFrom } from '../../support/train.js';

beforeAll(loadNir);

const steps = 12;

/** A neuron with a gain for each channel, neuron or step. */
function gained(per: string): string {
  return `neuron Own(gain = learn(1, per: ${per})) {
    state u = 0  charge u = u / 2 + gain * x  fire s = u >= 0.4  reset u = where(s, 0, u)  surrogate atan }`;
}

function model(body: string, { neuron = 'LIF(tau: 2, theta: 0.4)', input = 'real[1, 8, 8]', own = '' } = {}): Network {
  const network = networkFrom(`
    ${own}
    use "spikec/neurons" { LIF, IF, PLIF, MBLIF, CubaLIF, Ternary, LI }
    network Net { input image: ${input}  ${body} }
    config c { network Net  neuron ${neuron}  coding events(steps: ${steps}) }`);
  return runPlan(network, inferencePlan()).network!;
}

function drawn(count: number): number[][] {
  const next = seeded(3);
  return Array.from({ length: steps }, () => Array.from({ length: count }, () => Math.round(next() * 8) / 4));
}

/** Written, read back and imported. */
function roundTrip(network: Network): Network {
  const path = join(temporaryFolder(), 'net.nir');
  writeFileSync(path, encodeNir(exportNir(network).graph));
  return imported(readNir(path), steps);
}

const chain = 'output image | conv(3, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(4) | spike';
const recurrent = 'h = (image | linear(6)) + (h | delay(1) | linear(6)) | spike  output h | linear(3) | spike';

it('networks go to NIR and back with the same spikes: convolutions, leaks, synapses, recurrence, sums', () => {
  const cases = [
    { network: model(chain), inputs: 64 },
    { network: model(chain, { neuron: 'IF(theta: 0.5, soft: false)' }), inputs: 64 },
    { network: model(chain, { neuron: 'PLIF(theta: 0.5)' }), inputs: 64 },
    {
      network: model(recurrent, { input: 'real[5]', neuron: 'CubaLIF(current: 0.5, decay: 0.75, theta: 0.8)' }),
      inputs: 5,
    },
    { network: model(recurrent, { input: 'real[5]' }), inputs: 5 },
  ];
  for (const { network, inputs } of cases) {
    const frames = drawn(inputs);
    const spikes = stepsOf(network, frames);
    expect(new Set(spikes.flat()).size).toBe(2);
    expect(stepsOf(roundTrip(network), frames)).toEqual(spikes);
  }
});

const two = nirNode('Output', { shape: array([2]) });

it.each([
  ['I', { r: [1000, 500] }],
  ['IF', { r: [1500, 900], v_threshold: [0.7, 0.9], v_reset: [0, -0.1] }],
  ['LI', { tau: [7e-4, 9e-4], r: [3, 2], v_leak: [0.1, -0.2] }],
  ['LIF', { tau: [7e-4, 9e-4], r: [3, 2], v_leak: [0.1, -0.2], v_threshold: [0.7, 0.9], v_reset: [0, -0.1] }],
  ['CubaLI', { tau_syn: [5e-4, 3e-4], tau_mem: [7e-4, 9e-4], w_in: [1.5, 0.5], r: [3, 2], v_leak: [0.1, -0.2] }],
] as readonly (readonly [string, Readonly<Record<string, readonly number[]>>])[])(
  '%s that is read is written as the same type, with the same numbers of each neuron',
  (type, numbers) => {
    const fields = Object.fromEntries(Object.entries(numbers).map(([name, both]) => [name, array(both)]));
    const graph = nirGraph({ input: nirNode('Input', { shape: array([2]) }), node: nirNode(type, fields), two }, [
      ['input', 'node'],
      ['node', 'two'],
    ]);
    const written = exportNir(imported(graph, steps)).graph.nodes.get('node')!;
    expect(written.type).toBe(type);
    expect([...written.fields.keys()].sort()).toEqual(Object.keys(numbers).sort());
    for (const [name, both] of Object.entries(numbers)) {
      const found = written.fields.get(name) as NirArray;
      expect(found.shape).toEqual([2]);
      both.forEach((value, i) => expect(found.data[i]! - value, name).toBeCloseTo(0, value > 10 ? 3 : 6));
    }
  },
);

it('a convolution keeps its groups, windows that differ by axis, and the gain behind its weight', () => {
  const next = seeded(5);
  const graph = nirGraph(
    {
      input: nirNode('Input', { shape: array([4, 5, 6]) }),
      conv: nirNode('Conv2d', {
        weight: array(
          Array.from({ length: 48 }, () => Math.round(next() * 8) / 4 - 1),
          [4, 2, 2, 3],
        ),
        ...{ stride: array([2, 1]), padding: array([1, 0]), dilation: array([1, 2]), groups: array([2], []) },
        bias: array([0.5, -1, 2, 0]),
      }),
      two,
    },
    [
      ['input', 'conv'],
      ['conv', 'two'],
    ],
  );
  const plain = imported(graph, steps);
  const gain = { tensor: tensor('f32', [4], [2, 0.5, -1, 3]) };
  const scaled: Network = {
    ...plain,
    ops: plain.ops.map((op) => (op.kind === 'conv' ? { ...op, params: { ...op.params, gain: 'gain' } } : op)),
    params: new Map([...plain.params, ['gain', gain]]),
  };
  const frames = drawn(120);
  const values = stepsOf(scaled, frames);
  expect(values).not.toEqual(stepsOf(plain, frames));
  expect(stepsOf(roundTrip(plain), frames)).toEqual(stepsOf(plain, frames));
  expect(stepsOf(roundTrip(scaled), frames)).toEqual(values);
});

it('a delay in a chain stays one, also of one step', () => {
  const network = model('output image | delay(1) | linear(4) | spike', { input: 'real[5]' });
  const frames = drawn(5);
  const spikes = stepsOf(network, frames);
  expect(new Set(spikes.flat()).size).toBe(2);
  expect(stepsOf(roundTrip(network), frames)).toEqual(spikes);
});

it('a refusal names the option that writes it all the same, once for what several layers have in common', () => {
  try {
    exportNir(model(chain, { neuron: 'LIF(tau: 2, theta: 0.4, soft: true)' }));
    expect.unreachable();
  } catch (error) {
    const helps = (error as DiagnosticError).diagnostics.map(({ help }) => JSON.stringify(help) ?? '');
    expect(helps.map((help) => help.includes('--nir-extensions'))).toEqual([true]);
  }
});

it('what NIR can’t say is refused once, with the names of the layers that have it in common', () => {
  const refused = (network: Network): string[] => {
    try {
      exportNir(network);
    } catch (error) {
      if (error instanceof DiagnosticError) return error.diagnostics.map(({ code, message }) => `${code}: ${message}`);
      throw error;
    }
    return [];
  };
  expect(refused(model(chain, { neuron: 'LIF(tau: 2, theta: 0.4, soft: true)' }))).toEqual([
    "nir/unsupported: %output.spike and %output.spike_2: NIR can't say a reset by subtraction",
  ]);
  const six = Array.from({ length: 6 }, () => 'conv(2, kernel: 3) | spike').join(' | ');
  const deep = model(`output image | ${six}`, { neuron: 'LIF(tau: 2, soft: true)' });
  expect(refused(deep)).toEqual([
    "nir/unsupported: %output.spike, %output.spike_2, %output.spike_3 and 3 more layers: NIR can't say a reset by subtraction",
  ]);
  expect(refused(model(chain, { neuron: 'MBLIF(tau: 4, theta: 0.6)' }))[0]).toContain('spikes of several levels');
  expect(refused(model(chain.replace('avgpool', 'maxpool')))[0]).toContain('max pooling');
  const padded = model(chain.replace('avgpool(2)', 'avgpool(3, stride: 2, pad: 1)'));
  expect(refused(padded)).toEqual([]);
  const uncounted = padded.ops.map((op) =>
    op.kind === 'avgpool' ? { ...op, attrs: { ...op.attrs, include_pad: false } } : op,
  );
  expect(refused({ ...padded, ops: uncounted })[0]).toContain('averages that leave padding out');
  const twice = model('h = image | linear(3) | spike  output h + h | linear(2) | spike', { input: 'real[5]' });
  expect(refused(twice)[0]).toContain('the sum of a value with itself');
  const timed = 'state u = 0  charge u = u / 2 + x / t  fire s = u >= 0.4  reset u = where(s, 0, u)  surrogate atan';
  expect(refused(model(chain, { neuron: 'Own', own: `neuron Own { ${timed} }` }))).toEqual([
    "nir/unsupported: %output.spike and %output.spike_2: NIR can't say neurons that read the time",
  ]);
  const stepwise = model('output image | linear(2) | spike', { input: 'real[5]', neuron: 'Own', own: gained('step') });
  expect(refused(stepwise)).toEqual([]);
  const [name, gains] = [...stepwise.params].find(([key]) => key.endsWith('.gain'))!;
  const differing = {
    ...gains,
    tensor: tensor(
      'f32',
      [steps],
      Array.from({ length: steps }, (_, t) => 1 + t),
    ),
  };
  expect(refused({ ...stepwise, params: new Map([...stepwise.params, [name, differing]]) })).toEqual([
    "nir/unsupported: %output.spike: NIR can't say neurons whose parameters differ from step to step",
  ]);
});

it.each(['channel', 'neuron'])('parameters that neurons learn per %s are those of each neuron of the file', (per) => {
  const network = model('output image | conv(3, kernel: 3) | spike', { neuron: 'Own', own: gained(per) });
  const [name, { tensor: learned }] = [...network.params].find(([key]) => key.endsWith('.gain'))!;
  const differing = {
    tensor: tensor(
      'f32',
      learned.shape,
      learned.data.map((_, i) => 0.5 + (i % 7) / 4),
    ),
  };
  const varied: Network = { ...network, params: new Map([...network.params, [name, differing]]) };
  const frames = drawn(64);
  const spikes = stepsOf(varied, frames);
  expect(spikes).not.toEqual(stepsOf(network, frames));
  expect(stepsOf(roundTrip(varied), frames)).toEqual(spikes);
});

it('a recurrence of several steps is a Delay, of which it is said that tools may add a step', () => {
  const network = model(recurrent.replace('delay(1)', 'delay(3)'), { input: 'real[5]' });
  const frames = drawn(5);
  expect(stepsOf(network, frames)).not.toEqual(stepsOf(model(recurrent, { input: 'real[5]' }), frames));
  expect(stepsOf(roundTrip(network), frames)).toEqual(stepsOf(network, frames));
  const late = exportNir(model(recurrent.replace('delay(1)', 'delay(3)'), { input: 'real[5]' }));
  expect(late.approximate.map(({ code }) => code)).toEqual(['nir/approximate']);
  const delay = [...late.graph.nodes.values()].find(({ type }) => type === 'Delay')!.fields.get('delay');
  expect(delay).toMatchObject({ shape: [6] });
  expect(typeof delay === 'object' && delay.data[0]).toBeCloseTo(3e-4, 12);
  const norse = exportNir(model(recurrent.replace('delay(1)', 'delay(3)'), { input: 'real[5]' }), 'norse');
  const longer = [...norse.graph.nodes.values()].find(({ type }) => type === 'Delay')!.fields.get('delay');
  expect(typeof longer === 'object' && longer.data[0]).toBeCloseTo(3e-3, 12);
  expect(exportNir(model(recurrent, { input: 'real[5]' })).approximate).toEqual([]);
});

it('every tool gets the step, decay and threshold that it reads', () => {
  expect([...nirTools].sort()).toEqual([...nirReaders].sort());
  const network = model(chain);
  const field = (reader: (typeof nirReaders)[number], name: string): number => {
    const lif = [...exportNir(network, reader).graph.nodes.values()].find(({ type }) => type === 'LIF')!;
    const value = lif.fields.get(name);
    return typeof value === 'object' ? value.data[0]! : NaN;
  };
  const theta = Math.fround(0.4);
  expect(field('snntorch', 'tau')).toBeCloseTo(2e-4, 12);
  expect(field('snntorch', 'r')).toBe(2);
  expect(field('norse', 'tau')).toBeCloseTo(2e-3, 12);
  expect(Math.exp(-1 / field('sinabs', 'tau'))).toBeCloseTo(0.5, 12);
  expect(field('spikingjelly', 'v_threshold')).toBe(theta);
  expect(field('snntorch', 'v_threshold')).toBeLessThan(theta);
  expect(field('snntorch', 'v_threshold')).toBeGreaterThan(theta - 1e-7);
});

const hasNir = hasModules('nir.read of what is written', 'nir');

it.skipIf(!hasNir)('nir.read accepts what is written, with its check of types', () => {
  const folder = temporaryFolder();
  for (const network of [model(chain), model(recurrent, { input: 'real[5]' })]) {
    const { graph } = exportNir(network);
    writeFileSync(join(folder, 'net.nir'), encodeNir(graph));
    const nodes = runPython(folder, ['-c', 'import nir; print(len(nir.read("net.nir").nodes))']);
    expect(Number(nodes)).toBe(graph.nodes.size);
  }
});
