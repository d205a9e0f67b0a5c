import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TypedArray, tensor } from '../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../src/lower/program/index.js';
import { type Network, latencyOf, rewrite } from '../../src/network/index.js';
import { spikeAmplitude } from '../../src/passes/network/sws/codes.js';
import { evaluate } from '../../src/tensor/index.js';
import { simulate } from '../support/brute-force.js';
import { chain, randomImages, randomNetwork, withSkip } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

const count = 3;

function images(seed: number): ReturnType<typeof tensor<'f32'>> {
  return tensor('f32', [count, 2, 6, 6], randomImages(seed, count, [2, 6, 6]));
}

/** Logits, codes and membranes of a spiking network by its tensor program, in the reference evaluator. */
function run(spiking: Network, seed: number): Record<string, TypedArray> {
  const program = lower(spiking, { probes: { codes: true } }).program;
  const results = evaluate(program, { image: images(seed) }, { precision: 'f64' });
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

function layers(network: Network): readonly string[] {
  return network.ops.filter((op) => op.kind === 'neuron' || op.kind === 'encode').map((op) => op.id);
}

/** The codes of every layer are those of the quantised network in exact arithmetic. */
function expectExact(quantised: Network, spiking: Network, seed: number): void {
  const reference = evaluate(lower(quantised, { carrier: exactCodes, probes: { codes: true } }).program, {
    image: images(seed),
  });
  const found = run(spiking, seed);
  for (const id of layers(spiking)) {
    expect([...found[outputNames.codes(id)]!], `${id} of seed ${seed}`).toEqual([
      ...reference[outputNames.codes(id)]!.data,
    ]);
  }
  const [a, b] = [[...found['0']!], [...reference['0']!.data]];
  a.forEach((logit, i) => expect(logit).toBeCloseTo(b[i]!, 4));
}

/** Its quantisers with so many bits, over the same range. */
function withBits(network: Network, bits: number): Network {
  const most = 2 ** bits - 1;
  return rewrite(network, (op, inputs, to) => {
    if (op.kind !== 'quantize') return to.copy(op, inputs);
    const { scale, zero, min, max } = op.attrs;
    const share = most / (max - min);
    const attrs = { ...op.attrs, scale: scale / share, zero: Math.round((zero - min) * share), min: 0, max: most };
    return to.copy(op, inputs, { attrs });
  });
}

describe('SWS conversion of random quantised networks', () => {
  it('with Ts = Tc every code equals the quantised network’s in exact arithmetic', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 4 }), (seed, stages) => {
        const { quantised, spiking } = convert(randomNetwork(seed, stages), sws({ silent: 8 }));
        expectExact(quantised, spiking, seed);
      }),
      { numRuns: 60 },
    );
  });

  it('so it does with codes of 3 to 8 bits and Tc from 3 to 16, those of 4 bits at Tc = 4 among them', () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 3, max: 16 }),
        (seed, stages, steps) => {
          const bits = Math.min(8, steps);
          const source = withBits(randomNetwork(seed, stages), bits);
          const { quantised, spiking } = convert(source, sws({ steps, silent: steps }));
          expectExact(quantised, spiking, seed);
          seen.add(steps);
        },
      ),
      { numRuns: 60, examples: Array.from({ length: 14 }, (_, i): [number, number, number] => [i, 2, i + 3]) }, // prettier-ignore
    );
    expect(seen.size).toBe(14);
  }, 120_000);

  it('its spikes and logits are those of a step-by-step simulation in global time with delay lines', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(0, 1, 2, 5),
        fc.constantFrom(1.5, 2, 3),
        fc.integer({ min: 3, max: 16 }),
        fc.constantFrom('half', 'full'),
        (seed, stages, silent, beta, steps, threshold) => {
          const options = sws({ beta, steps, threshold, silent: Math.min(silent, steps) });
          const { spiking } = convert(randomNetwork(seed, stages, beta === 2), options);
          const { program, outputs } = lower(spiking, { probes: { trains: () => true } });
          const results = evaluate(program, { image: images(seed) }, { precision: 'f64' });
          const found = [...results['0']!.data];
          const trains = new Map([...outputs.probes.train].map(([id, name]) => [id, results[name]!.data] as const));
          const started = new Map(spiking.ops.map(({ id, type }) => [id, type.time?.start ?? 1] as const));
          const batch = images(seed).data;
          for (let n = 0; n < count; n++) {
            let nearest = Infinity;
            const decided = (distance: number): void => void (nearest = Math.min(nearest, distance));
            const image = batch.subarray(n * 72, (n + 1) * 72);
            const differing: string[] = [];
            let spikes = 0;
            const shown = (t: number, id: string, values: Float64Array): void => {
              const at = t - started.get(id)!;
              const train = at < 0 || at >= steps ? undefined : trains.get(id);
              if (train === undefined) return;
              const own = train.subarray((at * count + n) * values.length, (at * count + n + 1) * values.length);
              if (values.some((s, i) => s !== own[i])) differing.push(`${id} at step ${t} of seed ${seed}`);
              spikes += values.filter((s) => s !== 0).length;
            };
            const expected = simulate(spiking, image, decided, shown).get(spiking.outputs[0]!)!;
            // a membrane exactly at its threshold: the order of additions decides, in either program
            if (nearest < 1e-9) continue;
            compared++;
            expect(differing).toEqual([]);
            expect(spikes).toBeGreaterThan(0);
            expected.forEach((logit, i) => {
              expect(found[n * 3 + i], `seed ${seed}, logit ${i}`).toBeCloseTo(logit, 4);
            });
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(compared).toBeGreaterThan(90);
  });

  it('the imported network and its rewritten forms compute the same reals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 4 }), (seed, stages) => {
        const network = randomNetwork(seed, stages);
        const { quantised } = convert(network, sws());
        const logits = (of: Network): number[] => [
          ...evaluate(lower(of, { precision: 'f64' }).program, { image: images(seed) })['0']!.data,
        ];
        const before = logits(network);
        logits(quantised).forEach((logit, i) => expect(logit).toBeCloseTo(before[i]!, 9));
      }),
      { numRuns: 40 },
    );
  });
});

describe('SWS schedule', () => {
  it('latency is Tc + Ts·L on the critical path (SWS eq. 6)', () => {
    for (const silent of [0, 1, 2, 3]) {
      const { spiking } = convert(chain(3), sws({ silent }));
      expect(latencyOf(spiking)).toBe(8 + silent * 3);
    }
  });

  it('silent periods may differ by layer', () => {
    const options = sws({ silent: (id) => (id === 'q1' ? 5 : 1) });
    expect(latencyOf(convert(chain(3), options).spiking)).toBe(8 + 5 + 1 + 1);
  });

  it('a skip path gets a delay line as long as the path beside it', () => {
    const { spiking } = convert(withSkip(), sws({ silent: 2 }));
    const delays = spiking.ops.filter((op) => op.kind === 'delay');
    expect(delays.map((op) => op.attrs['steps'])).toEqual([2]);
  });
});

describe('spike amplitude', () => {
  it('with β = 3 is finer where the largest code is reached from above: 15 is 27 − 9 − 3', () => {
    expect([spikeAmplitude(255, 3, 6), spikeAmplitude(15, 3, 4), spikeAmplitude(7, 3, 3)]).toEqual([
      1,
      15 / 40,
      7 / 13,
    ]);
    expect([spikeAmplitude(15, 2, 4), spikeAmplitude(15, 2, 6)]).toEqual([1, 1]);
  });

  it('is 1 for 8 bits at Tc = 8 and 17 at Tc = 4', () => {
    for (const [steps, amplitude] of [
      [8, 1],
      [4, 17],
    ] as const) {
      const { spiking } = convert(chain(1), sws({ steps }));
      const neuron = spiking.ops.find((op) => op.kind === 'neuron')!;
      expect(neuron.attrs['amplitude']).toBe(amplitude);
    }
  });
});
