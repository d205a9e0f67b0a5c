import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { conversionOf, lower } from '../../src/lower/program/index.js';
import { firingOps } from '../../src/cost/index.js';
import { configure, multiplyingOps, pipelines } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { convertToMeans, meansOf } from '../support/means.js';
import { randomFloatNetwork } from '../support/random-float-network.js';
import { randomImages } from '../support/random-network.js';
import { binary, burst, pattern, phase, tsc, ttfs, ttfsDynamic } from '../support/hand-codings.js';
import { type HandCoding, simulateTimed, timedOf } from '../support/timed.js';

const cases: readonly (readonly [string, Readonly<Record<string, number>> & { steps: number }, HandCoding])[] = [
  ['phase', { steps: 12, period: 4 }, phase(12, 4)],
  ['phase', { steps: 8, period: 8 }, phase(8, 8)],
  ['burst', { steps: 10, theta: 0.125, beta: 2, longest: 5 }, burst(10, 0.125, 2, 5)],
  ['burst', { steps: 7, theta: 0.25, beta: 1.5, longest: 2 }, burst(7, 0.25, 1.5, 2)],
  ['tsc', { steps: 9 }, tsc(9)],
  ['pattern', { steps: 5 }, pattern(5)],
  ['ttfs', { steps: 12, tau: 0 }, ttfs(12, 0)],
  ['ttfs', { steps: 12, tau: 4 }, ttfs(12, 4)],
  ['ttfs_dynamic', { steps: 12 }, ttfsDynamic(12)],
];

describe('a converted network fires what a simulation in plain loops fires, spike for spike', () => {
  for (const [name, args, hand] of cases) {
    for (const input of [0, 0.4]) {
      it(`${name} ${JSON.stringify(args)}, the input ${input === 0 ? 'as a current' : 'in spikes'}`, () => {
        fc.assert(
          fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 3 }), (seed, stages) => {
            const network = randomFloatNetwork(seed, stages);
            const range = (id: string): number => 1 + (id.length % 3) / 2;
            const { neuron, silent } = conversionOf(name)!;
            const passes = timedOf(name, { ...args, input }, neuron(args), silent?.(args) ?? 0, range);
            const { clipped, spiking } = convertToMeans(network, passes);
            expect(multiplyingOps(spiking)).toEqual([]);
            const x = randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4);
            const { spikes, logits } = simulateTimed(clipped, Float64Array.from(x), hand, input);
            const { program, outputs } = lower(spiking, { probes: { trains: () => true } });
            const found = evaluate(program, { image: tensor('f32', [1, 2, 6, 6], x) }, { precision: 'f64' });
            for (const op of firingOps(spiking)) {
              const id = op.kind === 'encode' ? 'image' : op.id;
              const train = [...found[outputs.probes.train.get(op.id)!]!.data];
              expect([id, train]).toEqual([id, spikes.get(id)!.flat()]);
            }
            const size = Math.max(1, ...logits.map(Math.abs));
            [...found['0']!.data].forEach((v, i) => expect(Math.abs(v - logits[i]!)).toBeLessThan(1e-5 * size));
          }),
          { numRuns: 8 },
        );
      });
    }
  }
});

it('binary: the bits of every code are those of a simulation in plain loops', () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 6 }),
      (seed, stages, bits) => {
        const network = randomFloatNetwork(seed, stages);
        const range = (id: string): number => 1 + (id.length % 3) / 2;
        const levels = { D: 2 ** bits - 1, N: 1 };
        const passes = [...meansOf('IBRALIF', levels, 1, range), ...configure(pipelines.planes, {})];
        const { clipped, spiking } = convertToMeans(network, passes);
        const x = randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4);
        const { spikes, logits } = simulateTimed(clipped, Float64Array.from(x), binary(bits), 0);
        const { program, outputs } = lower(spiking, { probes: { trains: () => true } });
        const found = evaluate(program, { image: tensor('f32', [1, 2, 6, 6], x) }, { precision: 'f64' });
        for (const op of spiking.ops) {
          const hand = op.kind === 'planes' ? spikes.get(op.inputs[0]!) : undefined;
          if (hand === undefined) continue;
          const train = [...found[outputs.probes.train.get(op.id)!]!.data];
          expect([op.id, train]).toEqual([op.id, hand.flat()]);
          compared++;
        }
        const size = Math.max(1, ...logits.map(Math.abs));
        [...found['0']!.data].forEach((v, i) => expect(Math.abs(v - logits[i]!)).toBeLessThan(1e-5 * size));
      },
    ),
    { numRuns: 12 },
  );
  expect(compared).toBeGreaterThan(12);
});
