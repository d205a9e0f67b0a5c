import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type NirReader, exportNir } from '../../../src/backends/nir/index.js';
import { type Tensor, elementCount, tensor } from '../../../src/base/dtype.js';
import { encodeNir, loadNir } from '../../../src/data/nir.js';
import { lower } from '../../../src/lower/program/index.js';
import type { Network } from '../../../src/network/index.js';
import { inferencePlan, runPlan } from '../../../src/passes/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { hasModules, readTensors, runPython, writeTensors } from '../../support/pytorch.js';
import { seeded } from '../../support/random-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { networkFrom } from '../../support/train.js';

beforeAll(loadNir);

/** The table of docs/nir.md is of 100 inputs: SPIKEC_TABLE=1 makes it. */
const [steps, samples] = [20, process.env['SPIKEC_TABLE'] === undefined ? 20 : 100];

interface Case {
  readonly body: string;
  readonly neuron: string;
  readonly shape: readonly number[];
}

const dense = 'output image | linear(12) | spike | linear(6) | spike';
const image =
  'output image | conv(3, kernel: 3) | batchnorm | spike | conv(4, kernel: 3, stride: 2) | spike | flatten | linear(6) | spike';
const pooled = 'output image | conv(3, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(6) | spike';
const grouped =
  'output image | conv(4, kernel: 3) | spike | conv(8, kernel: 3, groups: 4) | spike | conv(6, kernel: 3, groups: 2) | spike';
const oblong = 'output image | conv(3, kernel: [1, 5]) | spike | conv(4, kernel: [3, 1], stride: [2, 1]) | spike';
const residual = 'h = image | linear(8) | spike  output h + (h | linear(8) | spike) | linear(6) | spike';
const recurrent = 'h = (image | linear(8)) + (h | delay(1) | linear(8)) | spike  output h | linear(6) | spike';
const cases: Readonly<Record<string, Case>> = {
  'LIF, dense': { body: dense, neuron: 'LIF(tau: 3, theta: 0.3)', shape: [8] },
  'IF, dense': { body: dense, neuron: 'IF(theta: 0.7, soft: false)', shape: [8] },
  'CubaLIF, dense': { body: dense, neuron: 'CubaLIF(current: 0.5, decay: 0.75, theta: 0.8)', shape: [8] },
  'LIF, convolutions': { body: image, neuron: 'LIF(tau: 2, theta: 0.3)', shape: [1, 8, 8] },
  'IF, convolutions': { body: image, neuron: 'IF(theta: 0.7, soft: false)', shape: [1, 8, 8] },
  'LIF, average pool': { body: pooled, neuron: 'LIF(tau: 2, theta: 0.3)', shape: [1, 8, 8] },
  'LIF, groups': { body: grouped, neuron: 'LIF(tau: 2, theta: 0.2)', shape: [1, 8, 8] },
  'LIF, oblong kernels': { body: oblong, neuron: 'LIF(tau: 2, theta: 0.1)', shape: [1, 8, 8] },
  'LIF, residual': { body: residual, neuron: 'LIF(tau: 3, theta: 0.3)', shape: [8] },
  'LIF, recurrent': { body: recurrent, neuron: 'LIF(tau: 3, theta: 0.3)', shape: [8] },
};

function networkOf({ body, neuron, shape }: Case): Network {
  const network = networkFrom(`
    use "spikec/neurons" { LIF, IF, CubaLIF }
    network Net { input image: real[${shape.join(', ')}]  ${body} }
    config c { network Net  neuron ${neuron}  coding events(steps: ${steps}) }`);
  return runPlan(network, inferencePlan()).network!;
}

/** Spikes of the last layer, [steps * samples, …]. */
function spikesOf(network: Network, frames: Float32Array): Float32Array {
  const readOut = network.ops.find(({ id }) => network.outputs.includes(id))!;
  const { program, outputs } = lower(network, { probes: { trains: (id) => id === readOut.inputs[0] } });
  const [input] = program.inputs;
  const shape = [steps * samples, ...input!.shape.slice(1).map(Number)];
  const made = evaluate(program, { [input!.id]: tensor('f32', shape, frames) });
  return Float32Array.from(made[outputs.probes.train.get(readOut.inputs[0]!)!]!.data);
}

/** Runs each file with its tool, or as the format says, step by step, all states from 0. */
const script = resolve('bench/nir-run.py');

interface Said {
  readonly failed: Readonly<Record<string, string>>;
}

/** The table of docs/nir.md, with what each tool said. */
function tableOf(
  wanted: ReadonlyMap<string, Float32Array>,
  found: ReadonlyMap<string, Tensor>,
  said: Said['failed'],
): string {
  const cell = (key: string): string => {
    const [ours, theirs] = [wanted.get(key)!, found.get(key)?.data];
    if (theirs === undefined) return `fails: ${said[key]}`;
    if (theirs.length !== ours.length) return `${theirs.length} values for ${ours.length}`;
    const differing = ours.filter((x, i) => x !== theirs[i]).length;
    return differing === 0 ? 'equal' : `${((100 * differing) / ours.length).toFixed(1)} % differ`;
  };
  const rows = Object.keys(cases).map((name) => [name, ...here.map((tool) => cell(`${name}: ${tool}`))]);
  return [['network', ...here], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Who has the spikes of spikec: docs/nir.md says why others don't. */
const agree = new Set([
  ...Object.keys(cases).map((name) => `${name}: euler`),
  ...['LIF, dense', 'CubaLIF, dense', 'LIF, convolutions', 'LIF, oblong kernels', 'LIF, residual'].flatMap((name) => [
    `${name}: snntorch`,
    `${name}: norse`,
  ]),
  ...['LIF, average pool: snntorch', 'IF, dense: norse', 'IF, convolutions: norse'],
]);

/** `euler`: nir.read, and the equations of its nodes by hand. */
const tools = ['euler', 'snntorch', 'norse', 'sinabs'] as const satisfies readonly (NirReader | 'euler')[];
const here = tools.filter((tool) =>
  hasModules(
    `spike trains of ${tool}`,
    ...['nir', 'torch', 'safetensors'],
    ...(tool === 'euler' ? [] : ['nirtorch', tool]),
  ),
);

describe.skipIf(here.length === 0)('exported networks in other tools', () => {
  it(`spike trains of ${samples} inputs are those of spikec`, () => {
    const folder = temporaryFolder();
    const jobs: object[] = [];
    const wanted = new Map<string, Float32Array>();
    const next = seeded(11);
    for (const [name, one] of Object.entries(cases)) {
      const network = networkOf(one);
      const frames = Float32Array.from({ length: steps * samples * elementCount(one.shape) }, () =>
        Number(next() < 0.5),
      );
      const key = name.replace(/[^A-Za-z]+/g, '-');
      writeTensors(folder, `${key}.safetensors`, { x: tensor('f32', [steps, samples, ...one.shape], frames) });
      const spikes = spikesOf(network, frames);
      const rate = spikes.reduce((sum, x) => sum + x, 0) / spikes.length;
      expect(rate, name).toBeGreaterThan(0.02);
      expect(rate, name).toBeLessThan(0.9);
      for (const tool of here) {
        const file = `${key}-${tool}.nir`;
        writeFileSync(join(folder, file), encodeNir(exportNir(network, tool === 'euler' ? 'nir' : tool).graph));
        jobs.push({ tool, file, frames: `${key}.safetensors`, key: `${name}: ${tool}`, dt: 1e-4 });
        wanted.set(`${name}: ${tool}`, spikes);
      }
    }
    writeFileSync(join(folder, 'jobs.json'), JSON.stringify(jobs));
    runPython(folder, [
      '-c',
      `import runpy, sys; sys.stdin = open("jobs.json"); runpy.run_path(${JSON.stringify(script)})`,
    ]);
    const found = readTensors(readFileSync(join(folder, 'found.safetensors')));
    const { failed: said } = JSON.parse(readFileSync(join(folder, 'said.json'), 'utf8')) as Said;
    if (process.env['SPIKEC_TABLE'] !== undefined) console.log(tableOf(wanted, found, said));
    for (const [key, spikes] of wanted) {
      const theirs = found.get(key)?.data;
      if (agree.has(key)) {
        expect(said[key]).toBeUndefined();
        expect(Float32Array.from(theirs!), key).toEqual(spikes);
      } else expect(theirs === undefined || spikes.some((x, i) => x !== theirs[i]), `${key} agrees by now`).toBe(true);
    }
  }, 600_000);
});
