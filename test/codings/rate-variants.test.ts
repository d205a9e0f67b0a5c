import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { driver } from '../../src/commands/index.js';
import { firingOps } from '../../src/cost/index.js';
import { openDataset } from '../../src/data/index.js';
import { conversionOf, lower } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { type ConfiguredPass, byLayer, configure, multiplyingOps, pipelines } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { Findings } from '../../src/workspace/findings.js';
import { openTarget } from '../../src/workspace/open.js';
import { convertToMeans, meansOf } from '../support/means.js';
import { randomFloatNetwork } from '../support/random-float-network.js';
import { randomImages, seeded } from '../support/random-network.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { calibrated, hand, levels, plainNeuron, signedNeuron } from '../support/hand-codings.js';
import { type HandCoding, type HandTrain, simulateTimed, timedOf } from '../support/timed.js';
import { tinyFloat, tinyImages } from '../support/tiny-onnx.js';

const range = (id: string): number => 1 + (id.length % 3) / 2;

/** Fires what a simulation in plain loops fires, spike for spike. */
function compare(
  network: Network,
  passes: readonly ConfiguredPass[],
  seed: number,
  coding: HandCoding,
  scale: number,
  uniform?: Float32Array,
): number {
  const { clipped, spiking } = convertToMeans(network, passes);
  expect(multiplyingOps(spiking)).toEqual([]);
  const x = randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4);
  const { spikes, logits } = simulateTimed(clipped, Float64Array.from(x), coding, scale);
  const { program, outputs, feeds } = lower(spiking, { probes: { trains: () => true } });
  const drawn = Object.fromEntries(
    feeds.randoms.map(({ id }) => [id, tensor('f32', [coding.steps, 2, 6, 6], uniform!)] as const),
  );
  const found = evaluate(program, { image: tensor('f32', [1, 2, 6, 6], x), ...drawn }, { precision: 'f64' });
  let negative = 0;
  for (const op of firingOps(spiking)) {
    const id = op.kind === 'encode' ? 'image' : op.id;
    const train = [...found[outputs.probes.train.get(op.id)!]!.data];
    expect([id, train]).toEqual([id, spikes.get(id)!.flat()]);
    negative += train.filter((s) => s < 0).length;
  }
  const size = Math.max(1, ...logits.map(Math.abs));
  [...found['0']!.data].forEach((v, i) => expect(Math.abs(v - logits[i]!)).toBeLessThan(1e-5 * size));
  return negative;
}

const seeds = fc.integer({ min: 1, max: 100_000 });
const stages = fc.integer({ min: 1, max: 3 });

it.each([
  ['rate', 'IF', { start: 0.5 }, 5, hand(5, plainNeuron)],
  ['mbif', 'MBIF', { start: 0.0625 }, 3, levels(3, 8, 15)],
  ['ibra', 'IBRALIF', { D: 5.11, N: 100 }, 1, levels(1, 100, 511, true)],
] as const)(
  '%s: every spike is that of a simulation in plain loops',
  (_, neuron, args, steps, coding) => {
    fc.assert(
      fc.property(seeds, stages, (seed, depth) => {
        compare(randomFloatNetwork(seed, depth), meansOf(neuron, args, steps, range), seed, coding, 0);
      }),
      { numRuns: 12 },
    );
  },
  240_000,
);

it('signed: every spike, negative ones too, is that of a simulation in plain loops', () => {
  let negative = 0;
  fc.assert(
    fc.property(seeds, stages, fc.integer({ min: 1, max: 15 }), (seed, depth, steps) => {
      const passes = meansOf('SignedIF', { start: 0.5 }, steps, range);
      negative += compare(randomFloatNetwork(seed, depth), passes, seed, hand(steps, signedNeuron), 0);
    }),
    { numRuns: 16 },
  );
  expect(negative).toBeGreaterThan(0);
});

it('offset: every spike is that of a simulation in plain loops that runs each layer twice', () => {
  let shifted = 0;
  fc.assert(
    fc.property(
      seeds,
      stages,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      (seed, depth, a, b) => {
        const [steps, look] = [Math.max(a, b), Math.min(a, b)];
        const args = { steps, look };
        const { neuron, silent } = conversionOf('offset')!;
        const passes = timedOf('offset', args, neuron(args), silent!(args), range);
        const train = (currents: readonly number[]): HandTrain[] => {
          const own = calibrated(currents, look);
          const plain = plainNeuron();
          shifted += Number(currents.some((x, t) => plain(x, t, 0).spike !== own[t]!.spike));
          return own;
        };
        compare(randomFloatNetwork(seed, depth), passes, seed, hand(steps, plainNeuron, { train }), 0);
      },
    ),
    { numRuns: 16 },
  );
  expect(shifted).toBeGreaterThan(0);
});

it('rate: regular input fires floor(t·p + ½) times in t steps, drawn input where its number lies below p', () => {
  fc.assert(
    fc.property(seeds, stages, fc.integer({ min: 1, max: 12 }), (seed, depth, steps) => {
      const random = seeded(seed);
      const uniform = Float32Array.from({ length: steps * 72 }, () => Math.floor(random() * 2 ** 24) / 2 ** 24);
      for (const encoder of ['regular', 'bernoulli'] as const) {
        let pixel = -1;
        const input = (share: number): HandTrain[] => {
          pixel++;
          return Array.from({ length: steps }, (_, t) => {
            const p = Math.abs(share);
            const upTo = (n: number): number => Math.floor(n * p + 0.5);
            const fires = encoder === 'regular' ? upTo(t + 1) - upTo(t) : Number(uniform[t * 72 + pixel]! < p);
            const spike = fires * Math.sign(share);
            return { spike, worth: spike };
          });
        };
        const passes = configure(pipelines['convert.means'], {
          'activation-ranges': { range: byLayer(range) },
          'insert-neurons': {
            neuron: { name: 'IF', args: { start: 0.5 } },
            steps,
            coding: { name: 'rate', args: { steps, seed: 0, input: 0.4 } },
            encoder,
          },
        });
        compare(randomFloatNetwork(seed, depth), passes, seed, hand(steps, plainNeuron, { input }), 0.4, uniform);
      }
    }),
    { numRuns: 10 },
  );
});

it('drawn input depends on the coding’s seed, and is the same on every engine', async () => {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  writeFileSync(join(folder, 'tiny.onnx'), tinyFloat());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  const spikes = async (seed: number, engine: 'onnxruntime' | 'fused' | 'tfjs'): Promise<number> => {
    const outDir = join(folder, `seed-${seed}-${engine}`);
    const given = { coding: 'rate', encoder: 'bernoulli', steps: 9, seed, calibrate: dataset, outDir } as const;
    const { value } = await driver.convertOnnx(join(folder, 'tiny.onnx'), given);
    const found = await driver.evaluateTarget({ path: value!.model }, { dataset, normalisation: {}, engine });
    return found.value!.spikes_per_neuron;
  };
  const first = await spikes(1, 'onnxruntime');
  expect(await spikes(1, 'fused')).toBe(first);
  expect(await spikes(1, 'tfjs')).toBe(first);
  expect(await spikes(2, 'onnxruntime')).not.toBe(first);
  dataset.close();
});

it('an ANN of QCFS activations with L levels gives in T = L steps of `rate` what it gives itself, where its input is a current', async () => {
  const folder = temporaryFolder();
  const random = seeded(11);
  const drawn = (n: number): number[] => Array.from({ length: n }, () => 2 * random() - 1);
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 6]);
  const number = (name: string, value: number): string => b.scalar(name, 'float', value);
  const sums = b.node('Gemm', ['x', b.floats('w', [5, 6], drawn(30)), b.floats('b', [5], drawn(5))], { transB: 1 });
  const [theta, levels] = [number('theta', 0.7), number('levels', 8)];
  const scaled = b.node('Add', [b.node('Mul', [b.node('Div', [sums, theta]), levels]), number('half', 0.5)]);
  const share = b.node('Div', [b.node('Floor', [scaled]), levels]);
  const held = b.node('Clip', [share, number('least', 0), number('most', 1)]);
  const last = b.node('Mul', [held, theta]);
  b.output(b.node('Gemm', [last, b.floats('v', [3, 5], drawn(15))], { transB: 1 }));
  writeFileSync(join(folder, 'qcfs.onnx'), b.bytes());
  const outDir = join(folder, 'out');
  const { value, diagnostics } = await driver.convertOnnx(join(folder, 'qcfs.onnx'), {
    coding: 'rate',
    steps: 8,
    outDir,
  });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(readFileSync(value!.model, 'utf8')).toMatch(/neuron +IF\(start: 0.5\)/);
  const run = (network: Network, x: Float32Array<ArrayBuffer>): number[] => [
    ...evaluate(lower(network).program, { x: tensor('f32', [1, 6], x) }, { precision: 'f64' })['0']!.data,
  ];
  const target = openTarget({ path: value!.model }, {}, new Findings());
  for (let n = 0; n < 20; n++) {
    const x = Float32Array.from(drawn(6));
    const wanted = run(target.source!.imported.network, x);
    run(target.compiled({}).network, x).forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 5));
  }
  expect(value!.check?.agreement ?? 1).toBe(1);
});
