import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Network, latencyOf } from '../../src/network/index.js';
import { type SilentChoice, silentFront } from '../../src/passes/allocation/silence.js';
import { randomNetwork, seeded, withSkip } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

const steps = 8;

function neuronsOf(network: Network): readonly string[] {
  return network.ops.filter(({ kind }) => kind === 'neuron').map(({ id }) => id);
}

/** Every combination of periods with the latency that the pass schedule-time gives it. */
function allPeriods(
  network: Network,
  choices: ReadonlyMap<string, readonly SilentChoice[]>,
): { latency: number; error: number }[] {
  let partial: { silent: Map<string, number>; error: number }[] = [{ silent: new Map(), error: 0 }];
  for (const [id, options] of choices) {
    partial = partial.flatMap(({ silent, error }) =>
      options.map((one) => ({ silent: new Map(silent).set(id, one.silent), error: error + one.error })),
    );
  }
  return partial.map(({ silent, error }) => {
    const { spiking } = convert(network, sws({ silent: (id) => silent.get(id)! }));
    return { latency: latencyOf(spiking), error };
  });
}

function choicesFor(ids: readonly string[], seed: number): Map<string, SilentChoice[]> {
  const next = seeded(seed);
  return new Map(
    ids.map((id) => {
      const errors = [0, 1, 2].map(() => Math.floor(next() * 20)).sort((a, b) => b - a);
      return [id, errors.map((error, silent) => ({ silent: silent * 2, error }))] as const;
    }),
  );
}

it('for every latency the error is the least of all combinations, scheduled by the compiler', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 3 }), (seed, stages) => {
      const network = randomNetwork(seed, stages);
      const { spiking } = convert(network, sws({ silent: 0 }));
      const ids = neuronsOf(spiking);
      if (ids.length === 0 || ids.length > 4) return;
      const choices = choicesFor(ids, seed);
      const all = allPeriods(network, choices);
      const front = silentFront(spiking, choices, steps);
      for (const { latency } of all) {
        const best = Math.min(...all.filter((one) => one.latency <= latency).map(({ error }) => error));
        expect(front.findLast((one) => one.latency <= latency)?.error, `seed ${seed}, latency ${latency}`).toBe(best);
      }
      for (const { silent, latency, error, exact } of front) {
        const made = convert(network, sws({ silent: (id) => silent.get(id)! })).spiking;
        expect([latencyOf(made), exact]).toEqual([latency, true]);
        const sum = ids.reduce((s, id) => s + choices.get(id)!.find((one) => one.silent === silent.get(id))!.error, 0);
        expect(sum).toBe(error);
      }
      compared++;
    }),
    { numRuns: 25 },
  );
  expect(compared).toBeGreaterThan(5);
});

it('layers on parallel branches share the time of the longer one', () => {
  const { spiking } = convert(withSkip(), sws({ silent: 0 }));
  const ids = neuronsOf(spiking);
  const choices = new Map(ids.map((id) => [id, [0, 1, 2].map((silent) => ({ silent, error: 2 - silent }))] as const));
  const front = silentFront(spiking, choices, steps);
  expect(front.at(-1)!.error).toBe(0);
  expect(front.map(({ latency }) => latency)).toEqual([...front.map(({ latency }) => latency)].sort((a, b) => a - b));
});

it('a latency that is too short leaves nothing', () => {
  const { spiking } = convert(withSkip(), sws({ silent: 0 }));
  const choices = new Map(neuronsOf(spiking).map((id) => [id, [{ silent: 1, error: 0 }]] as const));
  expect(silentFront(spiking, choices, steps, steps)).toEqual([]);
});
