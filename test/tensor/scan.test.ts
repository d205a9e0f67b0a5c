import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/base/dtype.js';
import {
  type Program,
  ProgramBuilder,
  ShapeError,
  attrsOf,
  autodiff,
  evaluate,
  parseProgram,
  peakBytes,
  printProgram,
  simplify,
  verify,
} from '../../src/tensor/index.js';
import { feedsFor } from './cases.js';
import { convolvedLoop, loops, recurrentLoop, smoothLoop, spikingLoop, trainedIn } from './loops.js';

function values(results: Readonly<Record<string, Tensor>>): Record<string, number[]> {
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
}

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(0, ...Array.from(a, (x, i) => Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))));
}

/** The largest error of the gradients against central differences. */
function slopeError(program: Program, wrt: readonly string[]): number {
  const { program: differentiated, unreached } = autodiff(program, program.outputs['loss']!, wrt);
  expect(verify(differentiated)).toEqual([]);
  expect(unreached).toEqual([]);
  const feeds = feedsFor(program, 2, 3, 1);
  const results = evaluate(differentiated, feeds);
  const h = 1e-5;
  return Math.max(
    ...wrt.map((id) => {
      const original = feeds[id]!;
      const slopes = Array.from(original.data, (_, i) => {
        const loss = (shift: number): number => {
          const data = original.data.slice();
          data[i]! += shift;
          return evaluate(program, { ...feeds, [id]: { ...original, data } as Tensor })['loss']!.data[0]!;
        };
        return (loss(h) - loss(-h)) / (2 * h);
      });
      return worst(results[`grad.${id}`]!.data, slopes);
    }),
  );
}

describe('a loop', () => {
  for (const [name, make] of Object.entries(loops)) {
    it(`computes what its steps compute one after another: ${name}`, () => {
      const [looped, unrolled] = [make(), make({ unrolled: true })];
      expect(verify(looped)).toEqual([]);
      const feeds = feedsFor(looped, 2);
      expect(values(evaluate(looped, feeds))).toEqual(values(evaluate(unrolled, feeds)));
    });

    it(`is read back from its text form: ${name}`, () => {
      const text = printProgram(make());
      const { value, diagnostics } = parseProgram({ name: 'loop.txt', text });
      expect(diagnostics).toEqual([]);
      expect(value).toEqual(make());
      expect(printProgram(value!)).toBe(text);
    });

    it(`keeps its values bit for bit when it is simplified: ${name}`, () => {
      const program = make();
      const simple = simplify(program);
      expect(verify(simple)).toEqual([]);
      const feeds = feedsFor(program, 3, 5);
      expect(values(evaluate(simple, feeds))).toEqual(values(evaluate(program, feeds)));
    });
  }

  it('evaluates in float64 throughout where that is asked for', () => {
    const feeds = feedsFor(recurrentLoop(), 2);
    const run = (unrolled: boolean) => evaluate(recurrentLoop({ unrolled }), feeds, { precision: 'f64' });
    expect(run(false)['loss']!.dtype).toBe('f64');
    expect(values(run(false))).toEqual(values(run(true)));
  });
});

describe('the gradient of a loop', () => {
  it('agrees with finite differences through two states, trains and weights used at every step', () => {
    expect(slopeError(smoothLoop(), trainedIn['smooth']!)).toBeLessThan(1e-8);
    expect(slopeError(smoothLoop({ reverse: true }), trainedIn['smooth']!)).toBeLessThan(1e-8);
    expect(slopeError(convolvedLoop({ dtype: 'f64' }), trainedIn['convolved']!)).toBeLessThan(1e-8);
  });

  it('is again a loop, the other way, and no op is copied per step', () => {
    const { program } = autodiff(smoothLoop({ steps: 40 }), smoothLoop().outputs['loss']!, ['w']);
    const found = program.ops.filter(({ kind }) => kind === 'scan').map((op) => attrsOf(op, 'scan').reverse);
    expect(found).toEqual([false, true]);
    const few = autodiff(smoothLoop({ steps: 4 }), smoothLoop().outputs['loss']!, ['w']).program;
    expect(program.ops.length).toBe(few.ops.length);
  });

  for (const [name, wrt] of Object.entries(trainedIn)) {
    it(`is that of its steps one after another, surrogates included: ${name}`, () => {
      const make = loops[name]!;
      const of = (unrolled: boolean) => {
        const program = make({ unrolled, dtype: 'f64' });
        const { program: differentiated, unreached } = autodiff(program, program.outputs['loss']!, wrt);
        expect(verify(differentiated)).toEqual([]);
        expect(unreached).toEqual([]);
        return evaluate(differentiated, feedsFor(program, 3, 11));
      };
      const [looped, unrolled] = [of(false), of(true)];
      for (const id of wrt) {
        expect(worst(looped[`grad.${id}`]!.data, unrolled[`grad.${id}`]!.data)).toBeLessThan(1e-10);
        expect(looped[`grad.${id}`]!.data.some((v) => v !== 0)).toBe(true);
      }
    });
  }

  it('has a gradient of its own: second derivatives agree with finite differences', () => {
    const wrt = ['w', 'a'];
    const first = smoothLoop({ steps: 3 });
    const { program, gradients } = autodiff(first, first.outputs['loss']!, wrt);
    const b = new ProgramBuilder('second');
    b.include(program);
    const square = wrt.map((id) => b.value(gradients[id]!)).map((g) => b.sumAll(b.mul(g, g)));
    b.output('loss', b.add(square[0]!, square[1]!));
    expect(slopeError(b.build(), ['w', 'x'])).toBeLessThan(1e-6);
  });

  it('of a recurrent layer with surrogates over 50 steps is that of the unrolled layer', () => {
    const of = (unrolled: boolean) => {
      const program = recurrentLoop({ unrolled, dtype: 'f64', steps: 50 });
      return evaluate(autodiff(program, program.outputs['loss']!, ['back', 'w']).program, feedsFor(program, 2, 4, 1));
    };
    for (const id of ['grad.back', 'grad.w']) expect(worst(of(false)[id]!.data, of(true)[id]!.data)).toBeLessThan(1e-9);
  });
});

describe('simplifying a loop', () => {
  it('drops stacked trains, states and operands that nothing reads', () => {
    const b = new ProgramBuilder('unused');
    b.include(spikingLoop());
    const program = spikingLoop();
    const only = simplify({ ...program, outputs: { count: program.outputs['count']! } });
    const scan = only.ops.find(({ kind }) => kind === 'scan')!;
    const { body, states } = attrsOf(scan, 'scan');
    // the count needs every other state, but no train
    expect(states).toBe(4);
    expect(Object.keys(body.outputs)).toHaveLength(4);
    const train = simplify({ ...program, outputs: { train: program.outputs['train']! } });
    const { body: shorter, states: fewer } = attrsOf(
      train.ops.find(({ kind }) => kind === 'scan')!,
      'scan',
    );
    expect(fewer).toBe(3);
    expect(Object.keys(shorter.outputs)).toHaveLength(4);
    const feeds = feedsFor(program, 2);
    expect(values(evaluate(only, feeds))['count']).toEqual(values(evaluate(program, feeds))['count']);
    expect(values(evaluate(train, feeds))['train']).toEqual(values(evaluate(program, feeds))['train']);
  });

  it('computes two equal loops once, and tells apart loops whose constants differ in the sign of zero', () => {
    const twice = (constants: readonly number[]) => {
      const b = new ProgramBuilder('twice');
      const x = b.input('x', 'f32', [{ batch: 2 }, 1]);
      constants.forEach((value, i) => {
        const inner = new ProgramBuilder('step');
        const one = inner.input('x', 'f32', [{ batch: 1 }, 1]);
        inner.output('y', inner.max(one, inner.scalar('f32', value)));
        b.output(`y${i}`, b.scan({ body: inner.build(), steps: 2, initial: [], scanned: [x] }).stacked[0]!);
      });
      return simplify(b.build()).ops.filter(({ kind }) => kind === 'scan').length;
    };
    expect(twice([0.5, 0.5])).toBe(1);
    expect(twice([0, -0])).toBe(2);
  });
});

describe('what a loop refuses', () => {
  const inner = (): ProgramBuilder => new ProgramBuilder('step');
  const misuse = (make: (b: ProgramBuilder) => unknown): string => {
    try {
      make(new ProgramBuilder('p'));
    } catch (error) {
      expect(error).toBeInstanceOf(ShapeError);
      return (error as Error).message;
    }
    throw new Error('nothing was refused');
  };

  it('says which operand, state or train does not fit', () => {
    const body = (make: (b: ProgramBuilder) => void): Program => {
      const b = inner();
      make(b);
      return b.build();
    };
    const counting = body((b) => b.output('next', b.add(b.input('u', 'f32', [{ batch: 1 }]), 1)));
    const growing = body((b) => b.output('next', b.cast(b.input('u', 'f32', [2]), 'i32')));
    const reading = body((b) => b.output('y', b.neg(b.input('x', 'f32', [2]))));
    const numbered = body((b) => b.output('0', b.neg(b.input('x', 'f32', [2]))));
    expect(misuse((b) => b.scan({ body: counting, steps: 2, initial: [b.input('u', 'f32', [3])] }))).toContain(
      '"u" is f32[N] in the body, and given f32[3]',
    );
    expect(misuse((b) => b.scan({ body: growing, steps: 2, initial: [b.input('u', 'f32', [2])] }))).toContain(
      '"u" is f32[2], its next value i32[2]',
    );
    expect(
      misuse((b) => b.scan({ body: reading, steps: 3, initial: [], scanned: [b.input('x', 'f32', [4])] })),
    ).toContain('f32[4] is no train of 3 steps');
    expect(
      misuse((b) => b.scan({ body: numbered, steps: 2, initial: [], scanned: [b.input('x', 'f32', [4])] })),
    ).toContain("can't name an output");
    expect(misuse((b) => b.scan({ body: counting, steps: 0, initial: [b.input('u', 'f32', [3])] }))).toContain('steps');
  });

  it('finds a tuple that is read by another op, and mistakes in a body, in text', () => {
    const text = printProgram(smoothLoop());
    const problem = (changed: string): string => parseProgram({ name: 'p', text: changed }).diagnostics[0]!.message;
    expect(problem(text.replace(/output "last" = .*/, 'output "last" = %scan'))).toContain('"scan", which is a tuple');
    expect(problem(text.replace('= tanh %add.2', '= tanh %nowhere'))).toContain('in its body');
    expect(problem(text.replace('steps=4', 'steps=5'))).toContain('no train of 5 steps');
  });
});

describe('the memory of a loop', () => {
  it('counts its results and one step of its body', () => {
    const [short, long] = [smoothLoop({ steps: 10 }), smoothLoop({ steps: 1000 })].map((p) => peakBytes(p, 1));
    // 990 more steps of a train read and two stacked, 3 values of 8 bytes each, and a few of what the loss makes of them
    expect(long! - short!).toBeGreaterThanOrEqual(990 * 3 * 3 * 8);
    expect(long! - short!).toBeLessThanOrEqual(990 * 6 * 3 * 8);
  });
});
