import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { exportNir, nirReaders } from '../../../src/backends/nir/index.js';
import { DiagnosticError } from '../../../src/base/diagnostics/index.js';
import { encodeNir, loadNir, readNir } from '../../../src/data/nir.js';
import type { Network } from '../../../src/network/index.js';
import { inferencePlan, runPlan } from '../../../src/passes/index.js';
import { nirTools } from '../../../src/workspace/types.js';
import { imported, stepsOf } from '../../support/nir.js';
import { hasModules, runPython } from '../../support/pytorch.js';
import { seeded } from '../../support/random-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { networkFrom } from '../../support/train.js';

beforeAll(loadNir);

const steps = 12;

function model(body: string, { neuron = 'LIF(tau: 2, theta: 0.4)', input = 'real[1, 8, 8]' } = {}): Network {
  const network = networkFrom(`
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

it('what NIR can’t say is refused layer by layer, with its name', () => {
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
    "nir/unsupported: %output.spike: NIR can't say a reset by subtraction",
    "nir/unsupported: %output.spike_2: NIR can't say a reset by subtraction",
  ]);
  expect(refused(model(chain, { neuron: 'MBLIF(tau: 4, theta: 0.6)' }))[0]).toContain('spikes of several levels');
  expect(refused(model(chain.replace('avgpool', 'maxpool')))[0]).toContain('max pooling');
});

it('a recurrence of several steps is a Delay, of which it is said that tools may add a step', () => {
  const late = exportNir(model(recurrent.replace('delay(1)', 'delay(3)'), { input: 'real[5]' }));
  expect(late.approximate.map(({ code }) => code)).toEqual(['nir/approximate']);
  const delay = [...late.graph.nodes.values()].find(({ type }) => type === 'Delay')!.fields.get('delay');
  expect(delay).toMatchObject({ shape: [6] });
  expect(typeof delay === 'object' && delay.data[0]).toBeCloseTo(3e-4, 12);
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
