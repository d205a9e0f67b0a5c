import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TypedArray, tensor } from '../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../src/lower/program/index.js';
import { type Network, latencyOf } from '../../src/network/index.js';
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
  const results = evaluate(program, { image: images(seed) });
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

function layers(network: Network): readonly string[] {
  return network.ops.filter((op) => op.kind === 'neuron' || op.kind === 'encode').map((op) => op.id);
}

describe('SWS conversion of random quantised networks', () => {
  it('with Ts = Tc every code equals the quantised network’s in exact arithmetic', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 4 }), (seed, stages) => {
        const { quantised, spiking } = convert(randomNetwork(seed, stages), sws({ silent: 8 }));
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
      }),
      { numRuns: 60 },
    );
  });

  it('its logits equal a step-by-step simulation in global time with delay lines', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(0, 1, 2, 5),
        fc.constantFrom(
          { beta: 2, steps: 8 },
          { beta: 2, steps: 4 },
          { beta: 2, steps: 5 },
          { beta: 3, steps: 6 },
          { beta: 1.5, steps: 8 },
        ),
        fc.constantFrom('half', 'full'),
        (seed, stages, silent, { beta, steps }, threshold) => {
          const options = sws({ beta, steps, threshold, silent: Math.min(silent, steps) });
          const { spiking } = convert(randomNetwork(seed, stages, beta === 2), options);
          const found = [...run(spiking, seed)['0']!];
          const batch = images(seed).data;
          for (let n = 0; n < count; n++) {
            let nearest = Infinity;
            const decided = (distance: number): void => void (nearest = Math.min(nearest, distance));
            const image = batch.subarray(n * 72, (n + 1) * 72);
            const expected = simulate(spiking, image, decided).get(spiking.outputs[0]!)!;
            // a membrane exactly at its threshold: the order of additions decides, in either program
            if (nearest < 1e-9) continue;
            compared++;
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
