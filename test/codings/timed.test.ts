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
import { type HandCoding, type HandTrain, simulateTimed, timedOf } from '../support/timed.js';

/** Each coding by its paper, written apart from the compiler: what is a spike, and what does it count. */
const phase = (steps: number, period: number): HandCoding => {
  const weight = (t: number): number => period * 2 ** -(1 + (t % period));
  return {
    steps,
    top: 1 - 2 ** -period,
    whole: false,
    neuron: () => {
      let u = 0;
      return (x, t) => {
        u += x;
        if (u < weight(t)) return silence;
        u -= weight(t);
        return { spike: 1, worth: weight(t) };
      };
    },
    maximum: (trains) => maxOfDigits(trains, steps, period, weight),
    input: (share) => digits(share, steps, period, weight),
  };
};

const pattern = (steps: number): HandCoding => {
  const weight = (t: number): number => steps * 2 ** -(1 + t);
  return {
    steps,
    top: 1 - 2 ** -steps,
    whole: true,
    neuron: () => {
      let u = (steps * 2 ** -steps) / 2;
      return (x, t) => {
        u += x;
        if (u < weight(t)) return silence;
        u -= weight(t);
        return { spike: 1, worth: weight(t) };
      };
    },
    maximum: (trains) => maxOfDigits(trains, steps, steps, weight),
    input: (share) => digits(share, steps, steps, weight),
  };
};

const burst = (steps: number, theta: number, beta: number, longest: number): HandCoding => {
  const neuron: HandCoding['neuron'] = () => {
    let u = 0;
    let inRow = 0;
    return (x) => {
      u += x;
      const threshold = theta * beta ** Math.min(inRow, longest);
      if (u < threshold) {
        inRow = 0;
        return silence;
      }
      u -= threshold;
      inRow++;
      return { spike: 1, worth: threshold };
    };
  };
  return {
    steps,
    top: 1,
    whole: false,
    neuron,
    maximum: (trains) =>
      grown(
        trains,
        ({ worth }) => worth,
        (by) => ({ spike: Number(by > 0), worth: by }),
      ),
    input: (share) => {
      const own = neuron();
      return Array.from({ length: steps }, (_, t) => withSign(own(Math.abs(share), t, 0), share));
    },
  };
};

const tsc = (steps: number): HandCoding => ({
  steps,
  top: 1,
  whole: false,
  neuron: () => {
    let u = 0.5;
    let on = 0;
    return (x) => {
      u += x;
      const now = Number(u >= 1);
      u -= now;
      const spike = now - on;
      on = now;
      return { spike, worth: now };
    };
  },
  maximum: (trains) => {
    const on = grown(
      trains,
      ({ worth }) => worth,
      (by) => ({ spike: 0, worth: by }),
    ).map(({ worth }) => worth);
    return on.map((now, t) => ({ spike: now - (on[t - 1] ?? 0), worth: now }));
  },
  input: (share) => {
    const count = Math.floor(Math.abs(share) * steps + 0.5);
    return Array.from({ length: steps }, (_, t) =>
      withSign(
        { spike: Number(t === 0 && count > 0) - Number(t === count && count > 0), worth: Number(t < count) },
        share,
      ),
    );
  },
});

const ttfs = (steps: number, tau: number): HandCoding => {
  const weight = (t: number): number => (tau === 0 ? steps - t : steps * Math.exp(-t / tau));
  const least = (t: number): number => (tau === 0 ? steps - t - 0.5 : steps * Math.exp(-(t + 0.5) / tau));
  const neuron: HandCoding['neuron'] = () => {
    let u = 0;
    let fired = false;
    return (x, t) => {
      u += x;
      if (fired || u < least(t)) return silence;
      fired = true;
      return { spike: 1, worth: weight(t) };
    };
  };
  return {
    steps,
    top: 1,
    whole: true,
    neuron,
    // the earliest spike of all
    maximum: (trains) => {
      const first = Math.min(
        ...trains.map((train) => train.findIndex(({ spike }) => spike === 1)).filter((t) => t >= 0),
      );
      return Array.from({ length: steps }, (_, t) => (t === first ? { spike: 1, worth: weight(t) } : silence));
    },
    input: (share) => {
      const own = neuron();
      return Array.from({ length: steps }, (_, t) => withSign(own(t === 0 ? Math.abs(share) * steps : 0, t, 0), share));
    },
  };
};

const ttfsDynamic = (steps: number): HandCoding => ({
  steps,
  top: 1,
  whole: false,
  neuron: () => {
    let u = 0;
    let fired = false;
    return (x, _, waits) => {
      u += x;
      const now = !fired && u - waits >= 1;
      fired ||= now;
      return { spike: Number(now), worth: Number(fired) };
    };
  },
  coming: (train, t, current) => {
    if (train[t]!.worth !== 0) return 0;
    return current === undefined ? Math.abs(train.at(-1)!.worth) : Number(current > 0);
  },
  maximum: (trains) =>
    trains[0]!.map((_, t) => {
      const on = (at: number): number => Number(at >= 0 && trains.some((train) => train[at]!.worth === 1));
      return { spike: on(t) - on(t - 1), worth: on(t) };
    }),
  input: (share) =>
    Array.from({ length: steps }, (_, t) => {
      const on = Math.abs(share) * (t + 1) >= 1;
      return withSign({ spike: Number(on && Math.abs(share) * t < 1), worth: Number(on) }, share);
    }),
});

const silence: HandTrain = { spike: 0, worth: 0 };

function withSign({ spike, worth }: HandTrain, x: number): HandTrain {
  return { spike: spike * Math.sign(x), worth: worth * Math.sign(x) };
}

/** Binary digits of the nearest code, as often as they fit. */
function digits(share: number, steps: number, bits: number, weight: (t: number) => number): HandTrain[] {
  const code = Math.floor(Math.abs(share) * (2 ** bits - 1) + 0.5);
  return Array.from({ length: steps }, (_, t) => {
    const digit = Math.floor(code / 2 ** (bits - 1 - (t % bits))) % 2;
    return withSign({ spike: digit, worth: digit * weight(t) }, share);
  });
}

/** Period by period the digits of the largest code. */
function maxOfDigits(
  trains: readonly (readonly HandTrain[])[],
  steps: number,
  period: number,
  weight: (t: number) => number,
): HandTrain[] {
  return Array.from({ length: steps }, (_, t) => {
    const start = t - (t % period);
    const codes = trains.map((train) =>
      train.slice(start, start + period).reduce((code, { spike }) => 2 * code + spike, 0),
    );
    const digit = Math.floor(Math.max(...codes) / 2 ** (period - 1 - (t % period))) % 2;
    return { spike: digit, worth: digit * weight(t) };
  });
}

/** How much the greatest sum so far grows at each step. */
function grown(
  trains: readonly (readonly HandTrain[])[],
  of: (one: HandTrain) => number,
  said: (by: number) => HandTrain,
): HandTrain[] {
  let before = 0;
  const sums = trains.map(() => 0);
  return trains[0]!.map((_, t) => {
    trains.forEach((train, i) => (sums[i]! += of(train[t]!)));
    const most = Math.max(...sums);
    const by = most - before;
    before = most;
    return said(by);
  });
}

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
      }, 60_000);
    }
  }
});

/** Integer codes of B bits, sent one bit a virtual step, the least first (IBRA eq. 6–9). */
const binary = (bits: number): HandCoding => {
  const sent = (code: number, t: number): HandTrain => {
    const bit = Math.floor(code / 2 ** t) % 2;
    return { spike: bit, worth: bit * bits * 2 ** t };
  };
  return {
    steps: bits,
    top: 2 ** bits - 1,
    whole: true,
    neuron: () => {
      let code = 0;
      return (x, t) => {
        if (t === 0) code = Math.max(0, Math.min(2 ** bits - 1, Math.floor(x / bits + 0.5)));
        return sent(code, t);
      };
    },
    maximum: (trains) => {
      const codes = trains.map((train) => train.reduce((code, { spike }, t) => code + spike * 2 ** t, 0));
      return Array.from({ length: bits }, (_, t) => sent(Math.max(...codes), t));
    },
    input: () => [],
  };
};

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
}, 60_000);
