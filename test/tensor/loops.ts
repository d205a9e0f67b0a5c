import { type Dim, type Program, ProgramBuilder, type Value } from '../../src/tensor/index.js';

/** One step of a loop over values of any builder. */
export type Step = (
  b: ProgramBuilder,
  states: readonly Value[],
  read: readonly Value[],
  fixed: readonly Value[],
) => { readonly next: readonly Value[]; readonly given: readonly Value[] };

/** The same loop as one scan, or as T copies of its step. */
export function loop(
  b: ProgramBuilder,
  steps: number,
  step: Step,
  initial: readonly Value[],
  trains: readonly Value[],
  fixed: readonly Value[],
  { unrolled = false, reverse = false } = {},
): { readonly final: readonly Value[]; readonly stacked: readonly Value[] } {
  const order = Array.from({ length: steps }, (_, i) => (reverse ? steps - 1 - i : i));
  if (unrolled) {
    let states = initial;
    const given: (readonly Value[])[] = [];
    for (const t of order) {
      const read = trains.map((x) => {
        const [first] = x.shape as [Dim];
        const size = (typeof first === 'number' ? first : first.batch) / steps;
        return b.sliceAxis(x, 0, t * size, (t + 1) * size);
      });
      const made = step(b, states, read, fixed);
      states = made.next;
      given[t] = made.given;
    }
    return {
      final: states,
      stacked: given[0]!.map((_, i) =>
        b.concat(
          given.map((all) => all[i]!),
          0,
        ),
      ),
    };
  }
  const inner = new ProgramBuilder('step');
  const one = ([first, ...rest]: readonly Dim[]): Dim[] => [
    typeof first === 'number' ? first / steps : { batch: first!.batch / steps },
    ...rest,
  ];
  const states = initial.map((x, i) => inner.input(`state${i}`, x.dtype, x.shape));
  const read = trains.map((x, i) => inner.input(`x${i}`, x.dtype, one(x.shape)));
  const same = fixed.map((x, i) => inner.input(`fixed${i}`, x.dtype, x.shape));
  const { next, given } = step(inner, states, read, same);
  next.forEach((x, i) => inner.output(`next${i}`, x));
  given.forEach((x, i) => inner.output(`given${i}`, x));
  return b.scan({ body: inner.build(), steps, initial, scanned: trains, invariants: fixed, reverse });
}

export interface LoopOptions {
  readonly unrolled?: boolean;
  readonly reverse?: boolean;
  readonly steps?: number;
  readonly dtype?: 'f32' | 'f64';
}

const N: Dim = { batch: 1 };

/** Two smooth states, a train, a weight used at every step and a bias; the loss sees trains and last states. */
export function smoothLoop({ unrolled, reverse, steps = 4, dtype = 'f64' }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('smooth');
  const x = b.input('x', dtype, [{ batch: steps }, 3]);
  const a = b.input('a', dtype, [N, 3]);
  const c = b.input('c', dtype, [N, 3]);
  const w = b.input('w', dtype, [3, 3]);
  const bias = b.input('bias', dtype, [3]);
  const step: Step = (s, [u, v], [now], [weight, shift]) => {
    const drive = s.add(s.matmul(u!, weight!, { transB: true }), s.add(now!, shift!));
    const next = s.tanh(s.add(drive, s.mul(v!, 0.5)));
    const other = s.sigmoid(s.sub(s.mul(v!, u!), next));
    return { next: [next, other], given: [s.mul(next, other), s.exp(s.neg(other))] };
  };
  const { final, stacked } = loop(b, steps, step, [a, c], [x], [w, bias], { unrolled, reverse });
  const weigh = (y: Value, by: number): Value => b.sumAll(b.mul(b.mul(y, y), by));
  b.output(
    'loss',
    [...stacked, ...final].map((y, i) => weigh(y, i + 1)).reduce((p, q) => b.add(p, q)),
  );
  b.output('train', stacked[0]!);
  b.output('last', final[1]!);
  return b.build();
}

/** An adapting neuron with surrogates, a detached reset, a truth value as a state, a count that has no gradient. */
export function spikingLoop({ unrolled, reverse, steps = 5, dtype = 'f32' }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('spiking');
  const x = b.input('x', dtype, [{ batch: steps }, 4]);
  const leak = b.input('leak', dtype, [4]);
  const zero = b.broadcast(b.scalar(dtype, 0), [N, 4]);
  const silent = b.broadcast(b.scalar('bool', 0), [N, 4]);
  const none = b.broadcast(b.scalar('i32', 0), [N, 4]);
  const step: Step = (s, [u, adapt, fired, count], [now], [decay]) => {
    const rest = s.select(s.detach(fired!), 0, u!);
    const charged = s.add(s.mul(rest, decay!), now!);
    const spike = s.ge(charged, s.add(s.mul(adapt!, 0.2), 1), { surrogate: 'triangle', surrogate_width: 2 });
    const train = s.cast(spike, dtype);
    const next = s.add(s.mul(adapt!, 0.9), train);
    return {
      next: [charged, next, spike, s.add(count!, s.cast(spike, 'i32'))],
      given: [train, charged],
    };
  };
  const { final, stacked } = loop(b, steps, step, [zero, zero, silent, none], [x], [leak], { unrolled, reverse });
  const total = b.add(b.sumAll(b.mul(stacked[0]!, stacked[1]!)), b.sumAll(b.mul(final[1]!, final[1]!)));
  b.output('loss', b.add(total, b.sumAll(b.cast(final[2]!, dtype))));
  b.output('train', stacked[0]!);
  b.output('count', final[3]!);
  return b.build();
}

/** A recurrent layer of leaky neurons: each step's spikes come back through `back`. The loss is of its last layer. */
export function recurrentLoop({ unrolled, steps = 50, dtype = 'f32' }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('recurrent');
  const x = b.input('x', dtype, [{ batch: steps }, 3]);
  const [w, back, out] = [b.input('w', dtype, [5, 3]), b.input('back', dtype, [5, 5]), b.input('out', dtype, [2, 5])];
  const current = b.matmul(x, w, { transB: true });
  const zero = b.broadcast(b.scalar(dtype, 0), [N, 5]);
  const step: Step = (s, [u, fired], [now], [weight]) => {
    const charged = s.add(s.add(s.mul(u!, 0.8), now!), s.matmul(fired!, weight!, { transB: true }));
    const spike = s.cast(s.ge(charged, 1, { surrogate: 'sigmoid' }), dtype);
    return { next: [s.sub(charged, s.detach(spike)), spike], given: [spike] };
  };
  const { stacked } = loop(b, steps, step, [zero, zero], [current], [back], { unrolled });
  const logits = b.matmul(stacked[0]!, out, { transB: true });
  b.output('loss', b.mul(b.sumAll(b.mul(logits, logits)), 1 / steps));
  b.output('spikes', stacked[0]!);
  return b.build();
}

/** Images [2N,C,H,W] a step through a convolution of the state of the step before; nothing batched but the train. */
export function convolvedLoop({ unrolled, steps = 3, dtype = 'f32' }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('convolved');
  const x = b.input('x', dtype, [{ batch: steps }, 2, 4, 4]);
  const w = b.input('w', dtype, [2, 2, 3, 3]);
  const scale = b.input('scale', dtype, [2, 1, 1]);
  const zero = b.broadcast(b.scalar(dtype, 0), [N, 2, 4, 4]);
  const same = { pads: [1, 1, 1, 1] };
  const step: Step = (s, [u], [now], [weight, by]) => {
    const next = s.tanh(s.add(s.mul(s.conv2d(u!, weight!, same), by!), now!));
    return { next: [next], given: [next, s.sum(next, [1, 2, 3])] };
  };
  const { final, stacked } = loop(b, steps, step, [zero], [b.conv2d(x, w, same)], [w, scale], { unrolled });
  b.output('loss', b.add(b.sumAll(b.mul(stacked[0]!, stacked[0]!)), b.sumAll(b.mul(stacked[1]!, stacked[1]!))));
  b.output('last', final[0]!);
  b.output('pooled', b.maxpool(stacked[0]!, { kernel: [2, 2] }));
  return b.build();
}

/** A running sum of rows without batch axis, integers stacked beside it. */
export function fixedLoop({ unrolled, reverse }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('fixed');
  const x = b.input('x', 'f32', [6, 2]);
  const k = b.input('k', 'i32', [3]);
  const batch = b.input('batch', 'f32', [N]);
  const step: Step = (s, [sum], [rows, number], [each]) => {
    const next = s.add(sum!, s.sum(rows!, [0], true));
    return { next: [next], given: [next, s.mul(number!, 2), s.mul(each!, s.reshape(s.cast(number!, 'f32'), []))] };
  };
  const zero = b.broadcast(b.scalar('f32', 0), [1, 2]);
  const { final, stacked } = loop(b, 3, step, [zero], [x, k], [batch], { unrolled, reverse });
  b.output('sums', stacked[0]!);
  b.output('numbers', stacked[1]!);
  b.output('products', stacked[2]!);
  b.output('total', final[0]!);
  return b.build();
}

/** A loop of three steps inside of each step of another: its trains are [3·2N, 2]. */
export function nestedLoop({ unrolled, dtype = 'f32' }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('nested');
  const x = b.input('x', dtype, [{ batch: 6 }, 2]);
  const w = b.input('w', dtype, [2, 2]);
  const inside: Step = (s, [u], [now], [weight]) => {
    const next = s.tanh(s.add(s.matmul(u!, weight!), now!));
    return { next: [next], given: [s.mul(next, 0.5)] };
  };
  const outside: Step = (s, [u], [three], [weight]) => {
    const { final, stacked } = loop(s, 3, inside, [u!], [three!], [weight!], { unrolled });
    return { next: [s.mul(final[0]!, 0.9)], given: [stacked[0]!] };
  };
  const zero = b.broadcast(b.scalar(dtype, 0), [N, 2]);
  const { final, stacked } = loop(b, 2, outside, [zero], [x], [w], { unrolled });
  b.output('loss', b.add(b.sumAll(b.mul(stacked[0]!, stacked[0]!)), b.sumAll(final[0]!)));
  b.output('all', stacked[0]!);
  return b.build();
}

/** A loop that reads no train: a weight is applied again and again. */
export function repeatedLoop({ unrolled, dtype = 'f32' }: LoopOptions = {}): Program {
  const b = new ProgramBuilder('repeated');
  const x = b.input('x', dtype, [N, 3]);
  const w = b.input('w', dtype, [3, 3]);
  const step: Step = (s, [u], _, [weight]) => {
    const next = s.tanh(s.matmul(u!, weight!));
    return { next: [next], given: [next] };
  };
  const { stacked } = loop(b, 6, step, [x], [], [w], { unrolled });
  b.output('loss', b.sumAll(b.mul(stacked[0]!, stacked[0]!)));
  b.output('all', stacked[0]!);
  return b.build();
}

export const loops: Readonly<Record<string, (options?: LoopOptions) => Program>> = {
  smooth: (options) => smoothLoop({ dtype: 'f32', ...options }),
  spiking: spikingLoop,
  'backwards in time': (options) => spikingLoop({ ...options, reverse: true }),
  recurrent: recurrentLoop,
  convolved: convolvedLoop,
  nested: nestedLoop,
  'without trains': repeatedLoop,
  'without batch': fixedLoop,
};

export const trainedIn: Readonly<Record<string, readonly string[]>> = {
  smooth: ['x', 'a', 'c', 'w', 'bias'],
  spiking: ['x', 'leak'],
  'backwards in time': ['x', 'leak'],
  recurrent: ['x', 'w', 'back', 'out'],
  convolved: ['x', 'w', 'scale'],
  nested: ['x', 'w'],
  'without trains': ['x', 'w'],
};
