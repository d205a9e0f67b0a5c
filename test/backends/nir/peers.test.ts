import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type NirReader, exportNir } from '../../../src/backends/nir/index.js';
import { elementCount, tensor } from '../../../src/base/dtype.js';
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

const [steps, samples] = [20, 100];

interface Case {
  readonly body: string;
  readonly neuron: string;
  readonly shape: readonly number[];
}

const dense = 'output image | linear(12) | spike | linear(6) | spike';
const image =
  'output image | conv(3, kernel: 3) | batchnorm | spike | conv(4, kernel: 3, stride: 2) | spike | flatten | linear(6) | spike';
const pooled = 'output image | conv(3, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(6) | spike';
const residual = 'h = image | linear(8) | spike  output h + (h | linear(8) | spike) | linear(6) | spike';
const recurrent = 'h = (image | linear(8)) + (h | delay(1) | linear(8)) | spike  output h | linear(6) | spike';
const cases: Readonly<Record<string, Case>> = {
  'LIF, dense': { body: dense, neuron: 'LIF(tau: 3, theta: 0.3)', shape: [8] },
  'IF, dense': { body: dense, neuron: 'IF(theta: 0.7, soft: false)', shape: [8] },
  'CubaLIF, dense': { body: dense, neuron: 'CubaLIF(current: 0.5, decay: 0.75, theta: 0.8)', shape: [8] },
  'LIF, convolutions': { body: image, neuron: 'LIF(tau: 2, theta: 0.3)', shape: [1, 8, 8] },
  'IF, convolutions': { body: image, neuron: 'IF(theta: 0.7, soft: false)', shape: [1, 8, 8] },
  'LIF, average pool': { body: pooled, neuron: 'LIF(tau: 2, theta: 0.3)', shape: [1, 8, 8] },
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

/** Runs each file with its tool, step by step, all states from 0. */
const script = `
import json, sys, warnings, logging
logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
import nir, torch
from safetensors.torch import load_file, save_file
jobs = json.loads(sys.stdin.read())
steps = ${steps}

def run(tool, path, x):
    graph = nir.read(path)
    if tool == "sinabs":
        from sinabs.nir import from_nir
        flat = x.transpose(0, 1).flatten(0, 1)
        y = from_nir(graph, batch_size=x.shape[1])(flat)
        y = y[0] if isinstance(y, tuple) else y
        return y.reshape(x.shape[1], steps, *y.shape[1:]).transpose(0, 1)
    def opened():
        if tool == "norse":
            import norse.torch
            return norse.torch.from_nir(graph)
        from snntorch.import_nir import import_from_nir
        return import_from_nir(nir.read(path))
    # one input after another: NIR's axes have no batch, and Flatten takes whatever axis is first
    trains = []
    for n in range(x.shape[1]):
        net, state, ys = opened(), None, []
        for t in range(steps):
            y, state = net(x[t, n], state)
            ys.append(y)
        trains.append(torch.stack(ys))
    return torch.stack(trains, 1)

found, said = {}, {}
for job in jobs:
    x = load_file(job["frames"])["x"]
    try:
        with torch.no_grad():
            y = run(job["tool"], job["file"], x)
        found[job["key"]] = y.flatten(0, 1).float().contiguous()
    except Exception as error:
        said[job["key"]] = f"{type(error).__name__}: {error}"[:200]
save_file(found, "found.safetensors")
open("said.json", "w").write(json.dumps(said))
`;

/** Who has the spikes of spikec: docs/nir.md says why others don't. */
const agree = new Set([
  ...['LIF, dense', 'CubaLIF, dense', 'LIF, convolutions', 'LIF, residual'].flatMap((name) => [
    `${name}: snntorch`,
    `${name}: norse`,
  ]),
  ...['LIF, average pool: snntorch', 'IF, dense: norse', 'IF, convolutions: norse'],
]);

const tools: readonly NirReader[] = ['snntorch', 'norse', 'sinabs'];
const here = tools.filter((tool) =>
  hasModules(`spike trains of ${tool}`, 'nir', 'nirtorch', 'torch', 'safetensors', tool),
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
        writeFileSync(join(folder, file), encodeNir(exportNir(network, tool).graph));
        jobs.push({ tool, file, frames: `${key}.safetensors`, key: `${name}: ${tool}` });
        wanted.set(`${name}: ${tool}`, spikes);
      }
    }
    writeFileSync(join(folder, 'jobs.json'), JSON.stringify(jobs));
    runPython(folder, ['-c', `import sys; sys.stdin = open("jobs.json")\n${script}`]);
    const found = readTensors(readFileSync(join(folder, 'found.safetensors')));
    const said = JSON.parse(readFileSync(join(folder, 'said.json'), 'utf8')) as Record<string, string>;
    for (const [key, spikes] of wanted) {
      const theirs = found.get(key)?.data;
      if (agree.has(key)) {
        expect(said[key]).toBeUndefined();
        expect(Float32Array.from(theirs!), key).toEqual(spikes);
      } else expect(theirs === undefined || spikes.some((x, i) => x !== theirs[i]), `${key} agrees by now`).toBe(true);
    }
  }, 180_000);
});
