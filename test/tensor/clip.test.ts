import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { type GradientClip, ProgramBuilder, evaluate, trainingStep } from '../../src/tensor/index.js';

/** Weights after a step of SGD at rate 0.1 on Σ w³ + (w₀·Σ v)², whose gradients are 3.98, 12, 0.75 and 1.4, 1.4. */
function after(clip?: GradientClip): number[] {
  const b = new ProgramBuilder('clip');
  const w = b.param('w', tensor('f64', [3], [1, -2, 0.5]));
  const v = b.param('v', tensor('f64', [2], [0.3, 0.4]));
  const both = b.mul(b.sumAll(v), b.sumAll(b.slice(w, [0], [1])));
  b.output('loss', b.add(b.sumAll(b.mul(w, b.mul(w, w))), b.mul(both, both)));
  const step = trainingStep(b.build(), {
    loss: 'loss',
    train: ['w', 'v'],
    optimizer: { kind: 'sgd' },
    ...(clip === undefined ? {} : { clip }),
  });
  const states = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
  const clock = { learning_rate: tensor('f32', [], [0.1]), step: tensor('f32', [], [1]) };
  const found = evaluate(step.program, { ...states, ...clock });
  return ['next.w', 'next.v'].flatMap((name) => Array.from(found[name]!.data, Number));
}

it.each([
  // what PyTorch's clip_grad_norm_ and clip_grad_value_ make of it in float64
  [{ kind: 'norm', max: 2 }, [0.937903948091, -2.187224277113, 0.48829848268, 0.27815716767, 0.37815716767]],
  [{ kind: 'value', max: 1.5 }, [0.85, -2.15, 0.425, 0.16, 0.26]],
  // gradients that are shorter stay
  [{ kind: 'norm', max: 200 }, [0.602, -3.2, 0.425, 0.16, 0.26]],
  [undefined, [0.602, -3.2, 0.425, 0.16, 0.26]],
] as const)('gradients are clipped as PyTorch does: %o', (clip, expected) => {
  after(clip).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 7));
});
