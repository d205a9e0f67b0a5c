import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../src/lower/program/index.js';
import { type Network, paramOf, realValues, attrsOf } from '../../src/network/index.js';
import { allocateBits } from '../../src/passes/network/allocate-bits.js';
import { isWeighted, quantiseWeights } from '../../src/passes/network/quantise-weights.js';
import { byLayer, runPipeline, withOptions } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { randomImages, randomNetwork } from '../support/random-network.js';
import { convert, sws, surroundings } from '../support/sws.js';

const images = tensor('f32', [2, 2, 6, 6], randomImages(3, 2, [2, 6, 6]));

function quantised(network: Network, bits: (id: string) => number | undefined): Network {
  return runPipeline(network, [withOptions(quantiseWeights, { bits: byLayer(bits) })], surroundings).network!;
}

function weightsOf(network: Network): { id: string; bits: unknown; values: Float64Array; shape: readonly number[] }[] {
  return network.ops.filter(isWeighted).map((op) => {
    const weight = paramOf(network, op, 'weight');
    return { id: op.id, bits: attrsOf(op)['weight_bits'], values: realValues(weight), shape: weight.tensor.shape };
  });
}

describe('quantise-weights', () => {
  it('each output channel is on a grid of its own whose error no scanned scale beats', () => {
    const network = randomNetwork(11, 3);
    const before = weightsOf(network);
    const after = weightsOf(quantised(network, () => 3));
    expect(after.length).toBeGreaterThan(1);
    for (const [n, { values, shape, bits }] of after.entries()) {
      expect(bits).toBe(3);
      const row = values.length / shape[0]!;
      for (let o = 0; o < shape[0]!; o++) {
        const real = [...before[n]!.values.slice(o * row, (o + 1) * row)];
        const grid = [...values.slice(o * row, (o + 1) * row)];
        expect(new Set(grid).size).toBeLessThanOrEqual(8);
        const found = real.reduce((sum, w, i) => sum + (w - grid[i]!) ** 2, 0);
        const most = Math.max(...real.map(Math.abs));
        // as in numpy: clip(round(w/s), -4, 3)·s for many s of both signs
        const scan = Array.from({ length: 800 }, (_, i) => ((i + 1) / 400) * (most / 4)).flatMap((s) => [s, -s]);
        const errors = scan.map((s) =>
          real.reduce((sum, w) => sum + (w - Math.min(3, Math.max(-4, Math.round(w / s))) * s) ** 2, 0),
        );
        expect(found).toBeLessThanOrEqual(1.05 * Math.min(...errors) + 1e-12);
      }
    }
  });

  it('codes that fit already stay, and layers that are not named too', () => {
    const network = randomNetwork(5, 3);
    const [first] = weightsOf(network);
    const same = quantised(network, (id) => (id === first!.id ? 8 : undefined));
    expect(weightsOf(same).map(({ values }) => values)).toEqual(weightsOf(network).map(({ values }) => values));
    expect(weightsOf(same).map(({ bits }) => bits)).toEqual([
      8,
      ...weightsOf(network)
        .slice(1)
        .map(() => undefined),
    ]);
  });

  it('SWS stays lossless: with Ts = Tc every code equals the re-quantised network’s', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 8 }), (seed, bits) => {
        const options = sws({ silent: 8, weightBits: () => bits });
        const { quantised: reference, spiking } = convert(randomNetwork(seed, 2), options);
        expect(weightsOf(reference).every((one) => one.bits === bits)).toBe(true);
        const exact = evaluate(lower(reference, { carrier: exactCodes, probes: { codes: true } }).program, {
          image: images,
        });
        const found = evaluate(lower(spiking, { probes: { codes: true } }).program, { image: images });
        for (const { id } of spiking.ops.filter(({ kind }) => kind === 'neuron')) {
          expect([...found[outputNames.codes(id)]!.data], `${id} of seed ${seed}`).toEqual([
            ...exact[outputNames.codes(id)]!.data,
          ]);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('allocate-bits', () => {
  it('gives the bits with the least sum of errors, or says what the least budget is', () => {
    const network = randomNetwork(11, 3);
    const ids = weightsOf(network).map(({ id }) => id);
    const choices = new Map(
      ids.map((id, i) => [id, [2, 4].map((bits) => ({ bits, cost: bits, error: bits === 2 ? i + 1 : 0 }))] as const),
    );
    const run = (budget: number) =>
      runPipeline(network, [withOptions(allocateBits, { choices, budget, unit: 's_ace', fixed: 5 })], surroundings);
    // one layer may have 4 bits: the last has the greatest error with 2
    const allocated = weightsOf(run(2 * ids.length + 2).network!);
    expect(allocated.map(({ bits }) => bits)).toEqual(ids.map((_, i) => (i === ids.length - 1 ? 4 : 2)));
    const short = run(2 * ids.length - 1);
    expect(short.diagnostics.map(({ code, message }) => [code, message])).toEqual([
      [
        'allocate/budget',
        `the budget of an S-ACE of ${2 * ids.length + 4} can’t be met: the smallest possible is an S-ACE of ${2 * ids.length + 5}`,
      ],
    ]);
  });

  it('says where the exact search grew too large', () => {
    const network = randomNetwork(11, 3);
    const tried = [2, 3, 4].map((bits) => ({ bits, cost: bits + 0.5, error: 1 / bits }));
    const choices = new Map(
      weightsOf(network).map(({ id }, i) => [id, tried.map((one) => ({ ...one, cost: one.cost + i }))]),
    );
    const found = runPipeline(network, [withOptions(allocateBits, { choices, budget: 30, states: 1 })], surroundings);
    expect(found.diagnostics.map(({ code, severity }) => [code, severity])).toEqual([['allocate/greedy', 'note']]);
    expect(weightsOf(found.network!).every(({ bits }) => typeof bits === 'number')).toBe(true);
  });
});
