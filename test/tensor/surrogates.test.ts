import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { ProgramBuilder, type SurrogateAttrs, autodiff, evaluate, surrogateTable } from '../../src/tensor/index.js';

/** The gradient of [x ≥ 0] by autodiff, f64. */
function gradient(attrs: SurrogateAttrs, xs: readonly number[]): readonly number[] {
  const b = new ProgramBuilder('p');
  const x = b.param('x', tensor('f64', [xs.length], xs));
  b.output('loss', b.as('loss').sumAll(b.cast(b.ge(x, 0, attrs), 'f64')));
  const { program } = autodiff(b.build(), 'loss', ['x']);
  return [...evaluate(program, {})['grad.x']!.data];
}

const at = [-3, -1, -0.9, -0.3, 0.2, 0.8, 1.3, 2.5];

// what `backward` of the classes of SpikingJelly 2.0.0 and snnTorch 1.0.0 gives at these places, float64
const peers: readonly (readonly [SurrogateAttrs, readonly number[]])[] = [
  [{ surrogate: 'piecewise_quadratic', surrogate_alpha: 1.5 }, [0, 0, 0, 0.825, 1.05, 0, 0, 0]],
  [
    { surrogate: 'piecewise_exp', surrogate_alpha: 1.5 },
    [
      0.008331747403681729, 0.16734762011132237, 0.19443019548441864, 0.47822111371633, 0.5556136655112884,
      0.22589565893415153, 0.10670555368988516, 0.01763830939200683,
    ],
  ],
  [
    { surrogate: 'soft_sign', surrogate_alpha: 2.5 },
    [
      0.01730103806228374, 0.10204081632653063, 0.11834319526627217, 0.4081632653061225, 0.5555555555555554,
      0.13888888888888884, 0.06920415224913494, 0.023781212841854936,
    ],
  ],
  [
    { surrogate: 'erf' },
    [
      2.617301239249265e-16, 0.020666985354092053, 0.04419172333201105, 0.7872434317142872, 0.9615412988393078,
      0.08722905863394531, 0.0013080500497232807, 1.5670866531017336e-11,
    ],
  ],
  [{ surrogate: 'leaky', surrogate_leak: 0.02 }, [0.02, 0.5, 0.5, 0.5, 0.5, 0.5, 0.02, 0.02]],
  [
    { surrogate: 'nonzero_sign_log_abs', surrogate_alpha: 1.5 },
    [
      0.27272727272727276, 0.6000000000000001, 0.6382978723404256, 1.0344827586206897, 1.1538461538461537,
      0.6818181818181818, 0.5084745762711864, 0.31578947368421056,
    ],
  ],
  [
    { surrogate: 's2nn' },
    [
      2.4576547405332702e-5, 0.07065082485316447, 0.10355837403815205, 0.7115777625872228, 0.8333333333333334,
      0.5555555555555556, 0.4347826086956522, 0.2857142857142857,
    ],
  ],
  [
    { surrogate: 'q_pseudo_spike' },
    [
      0.02040816326530612, 0.1111111111111111, 0.1275510204081633, 0.39062499999999994, 0.5102040816326532,
      0.14792899408284022, 0.07716049382716049, 0.027777777777777776,
    ],
  ],
  [{ surrogate: 'leaky_k_relu', surrogate_slope: 1.5, surrogate_leak: 0.1 }, [0.1, 0.1, 0.1, 0.1, 1.5, 1.5, 1.5, 1.5]],
  [{ surrogate: 'log_tailed_relu', surrogate_leak: 0.2 }, [0.2, 0.2, 0.2, 0.2, 1, 1, 0.7692307692307692, 0.4]],
  [
    { surrogate: 'spike_rate_escape', surrogate_slope: 3 },
    [
      0.054946916666202536, 0.4060058497098381, 0.44870585766790516, 0.8175953791020378, 1.3479868923516647,
      2.456192259233946, 2.2224546620451537, 0.6693904804452895,
    ],
  ],
  [
    { surrogate: 'sparse_fast_sigmoid', surrogate_slope: 3 },
    [0, 0, 0, 0, 0, 0, 0.041649312786339016, 0.01384083044982699],
  ],
  [
    { surrogate: 'fast_sigmoid', surrogate_slope: 3 },
    [
      0.01, 0.0625, 0.07304601899196493, 0.2770083102493075, 0.39062499999999994, 0.08650519031141866,
      0.041649312786339016, 0.01384083044982699,
    ],
  ],
  [
    { surrogate: 'atan' },
    [
      0.011132579720891595, 0.09199966835037524, 0.11118054255842127, 0.5295868534440545, 0.7169568003248977,
      0.1366764984976091, 0.056562265085437616, 0.015952772771638105,
    ],
  ],
  [
    { surrogate: 'sigmoid' },
    [
      2.4576547405332702e-5, 0.07065082485316447, 0.10355837403815205, 0.7115777625872228, 0.8556387860811776,
      0.1505270758182854, 0.02182479769534561, 0.00018158323094363062,
    ],
  ],
  [{ surrogate: 'rectangle' }, [0, 0, 0, 1, 1, 0, 0, 0]],
];

it.each(peers)('%j has the derivative that other libraries compute', (attrs, expected) => {
  gradient(attrs, at).forEach((value, i) => expect(value, `at ${at[i]}`).toBeCloseTo(expected[i]!, 12));
});

it('super_spike is alpha/(1 + |v|)²', () => {
  expect(gradient({ surrogate: 'super_spike', surrogate_alpha: 3 }, [-1, 0, 2])).toEqual([0.75, 3, 1 / 3]);
});

it('every surrogate is 0 outside of its support, and not all 0 within', () => {
  for (const [name, { args, support }] of Object.entries(surrogateTable)) {
    const given = Object.fromEntries(Object.entries(args).map(([arg, value]) => [`surrogate_${arg}`, value]));
    const grid = Array.from({ length: 401 }, (_, i) => (i - 200) / 50 + 0.001);
    const slope = gradient({ surrogate: name, ...given }, grid);
    const [lo, hi] = support?.(args as never) ?? [-Infinity, Infinity];
    expect(slope.every(Number.isFinite), name).toBe(true);
    expect(
      slope.some((value, i) => value !== 0 && grid[i]! >= lo && grid[i]! <= hi),
      name,
    ).toBe(true);
    if (support !== undefined)
      expect(
        slope.every((value, i) => value === 0 || (grid[i]! >= lo && grid[i]! <= hi)),
        name,
      ).toBe(true);
  }
});
