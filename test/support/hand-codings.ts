import type { HandCoding, HandTrain } from './timed.js';

/** Each coding by its paper, written apart from the compiler: what is a spike, and what does it count. */
export const phase = (steps: number, period: number): HandCoding => {
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

export const pattern = (steps: number): HandCoding => {
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

export const burst = (steps: number, theta: number, beta: number, longest: number): HandCoding => {
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

export const tsc = (steps: number): HandCoding => ({
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

export const ttfs = (steps: number, tau: number): HandCoding => {
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

export const ttfsDynamic = (steps: number): HandCoding => ({
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

/** Integer codes of B bits, sent one bit a virtual step, the least first (IBRA eq. 6–9). */
export const binary = (bits: number): HandCoding => {
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

const plain = (spike: number): HandTrain => ({ spike, worth: spike });

/** Changes of the greatest count so far. */
export function maxOfCounts(trains: readonly (readonly HandTrain[])[]): HandTrain[] {
  const counts = trains.map(() => 0);
  let before = 0;
  return trains[0]!.map((_, t) => {
    trains.forEach((train, i) => (counts[i]! += train[t]!.spike));
    const most = Math.max(...counts);
    const by = most - before;
    before = most;
    return plain(by);
  });
}

/** Hu et al. 2023: a spike too many is taken back once the membrane is below 0. */
export const signedNeuron: HandCoding['neuron'] = () => {
  let [u, count] = [0.5, 0];
  return (x) => {
    u += x;
    let spike = 0;
    if (u >= 1) spike = 1;
    else if (u <= -0.001 && count > 0) spike = -1;
    u -= spike;
    count += spike;
    return plain(spike);
  };
};

export const plainNeuron: HandCoding['neuron'] = () => {
  let u = 0.5;
  return (x) => {
    u += x;
    const spike = Number(u >= 1);
    u -= spike;
    return plain(spike);
  };
};

/** Hao et al. 2023: a first run without sending, then one from a start that is higher or lower where its end says so. */
export function calibrated(currents: readonly number[], look: number): HandTrain[] {
  let u = 0.5;
  let count = 0;
  const [fired, silent]: [number[], number[]] = [[], []];
  for (const x of currents.slice(0, look)) {
    u += x;
    if (u >= 1) {
      fired.push(u);
      u -= 1;
      count++;
    } else silent.push(u);
  }
  let start = 0.5;
  if (u < 0 && count > 0) start -= Math.max(1, Math.min(...fired) - 1 + 0.001);
  else if (u >= 1) start += Math.max(1, silent.length === 0 ? 1 : 1 + 0.001 - Math.max(...silent));
  return currents.map((x) => {
    start += x;
    const spike = Number(start >= 1);
    start -= spike;
    return plain(spike);
  });
}

export function hand(steps: number, neuron: HandCoding['neuron'], given: Partial<HandCoding> = {}): HandCoding {
  return { steps, top: 1, whole: false, neuron, maximum: maxOfCounts, input: () => [], ...given };
}

/** Levels 0, 1/per … most/per of a membrane, rounded or with a start that makes the floor a rounding. */
export function levels(steps: number, per: number, most: number, rounded = false): HandCoding {
  const neuron: HandCoding['neuron'] = () => {
    let u = rounded ? 0 : 0.5 / per;
    return (x) => {
      u += x;
      const code = rounded ? roundEven(u * per) : Math.floor(u * per);
      const spike = Math.min(most, Math.max(0, code)) / per;
      u -= spike;
      return { spike, worth: spike };
    };
  };
  return { steps, top: most / per, whole: false, neuron, maximum: maxOfCounts, input: () => [] };
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  if (x - low === 0.5) return low % 2 === 0 ? low : low + 1;
  return Math.floor(x + 0.5);
}
