import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import {
  type LossSpec,
  ProgramBuilder,
  absoluteError,
  autodiff,
  distillationLoss,
  evaluate,
  lossOf,
} from '../../src/tensor/index.js';

const outputs = [0.3, -1.2, 2.0, -0.7, 0.4, 0.1, 1.5, -2.5, 0.6, 0.2, 0.9, -0.4];
const numbers = [0, 1, 0.25, 0.5, 0.4, 1, 1, 0, 0.3, 0.9, 0, 0.7];
const classes = [2, 0, 2, 1];
const weights = [1, 2.5, 0.5];

/** What PyTorch 2.13 gives in float64: `F.mse_loss`, `l1_loss`, `huber_loss`, `binary_cross_entropy_with_logits`, `cross_entropy`. */
const cases: readonly [string, LossSpec, readonly number[], number, readonly number[]][] = [
  [
    'mse',
    { kind: 'mse' },
    numbers,
    1.6118750000000002,
    [
      0.05, -0.366666666667, 0.291666666667, -0.2, 0, -0.15, 0.083333333333, -0.416666666667, 0.05, -0.116666666667,
      0.15, -0.183333333333,
    ],
  ],
  [
    'l1',
    { kind: 'l1' },
    numbers,
    1.0291666666666666,
    [1, -1, 1, -1, 0, -1, 1, -1, 1, -1, 1, -1].map((sign) => sign / 12),
  ],
  [
    'huber(delta: 0.8)',
    { kind: 'huber', delta: 0.8 },
    numbers,
    0.555,
    [
      0.025, -0.066666666667, 0.066666666667, -0.066666666667, 0, -0.066666666667, 0.041666666667, -0.066666666667,
      0.025, -0.058333333333, 0.066666666667, -0.066666666667,
    ],
  ],
  [
    'bce',
    { kind: 'bce' },
    numbers,
    0.8237718869569443,
    [
      0.047870209734, -0.064043731958, 0.052566423165, -0.014015647681, 0.016557305009, -0.03958506771, -0.015202126984,
      0.006321515002, 0.028804692185, -0.029180500224, 0.059245791885, -0.024890638343,
    ],
  ],
  [
    'bce with weights',
    { kind: 'bce', weights },
    numbers,
    0.972062719466694,
    [
      0.047870209734, -0.160109329896, 0.053808120269, -0.014015647681, -0.003508311985, -0.019792533855,
      -0.015202126984, 0.006321515002, 0.033233988358, -0.029180500224, 0.059245791885, -0.007428914923,
    ],
  ],
  [
    'cross_entropy with weights',
    { kind: 'cross_entropy', weights },
    classes,
    0.8852026871424207,
    [
      0.016590984687, 0.00370194907, -0.020292933757, -0.186550845716, 0.107162737327, 0.07938810839, 0.077978986251,
      0.001428234953, -0.079407221204, 0.155942602569, -0.241525717422, 0.085583114853,
    ],
  ],
  [
    'cross_entropy with weights and smoothing',
    { kind: 'cross_entropy', weights, smoothing: 0.1 },
    classes,
    1.020180861793753,
    [
      0.011948741394, -0.014199577937, 0.002250836542, -0.170546985018, 0.092216310052, 0.078330674966, 0.083568076552,
      -0.016852244407, -0.066715832146, 0.141257873709, -0.219143406164, 0.077885532456,
    ],
  ],
];

const labelsOf = (values: readonly number[]) =>
  values.length === 4 ? tensor('i32', [4], [...values]) : tensor('f64', [4, 3], [...values]);

function program(spec: LossSpec, labels: readonly number[], logits: readonly number[]) {
  const b = new ProgramBuilder('loss');
  const rows = logits.length / outputs.length;
  const x = b.input('x', 'f64', [{ batch: rows }, 3]);
  const wanted = b.input(
    'labels',
    labels.length === 4 ? 'i32' : 'f64',
    labels.length === 4 ? [{ batch: 1 }] : [{ batch: 1 }, 3],
  );
  b.output('loss', lossOf(b, spec, x, wanted));
  const forward = b.build();
  return evaluate(autodiff(forward, forward.outputs['loss']!, ['x']).program, {
    x: tensor('f64', [4 * rows, 3], [...logits]),
    labels: labelsOf(labels),
  });
}

it.each(cases)('%s and its gradient are those of PyTorch', (_, spec, labels, expected, gradient) => {
  const found = program(spec, labels, outputs);
  expect(found['loss']!.data[0]!).toBeCloseTo(expected, 12);
  gradient.forEach((value, i) => expect(found['grad.x']!.data[i]!).toBeCloseTo(value, 10));
});

it.each(cases)('%s is of the mean over the steps', (_, spec, labels, expected) => {
  const [up, down] = [outputs.map((v) => v + 0.7), outputs.map((v) => v - 0.7)];
  expect(program(spec, labels, [...up, ...down])['loss']!.data[0]!).toBeCloseTo(expected, 12);
});

it('bce of large outputs is finite', () => {
  const far = outputs.map((v) => 500 * v);
  const expected = far.map((z, i) => (z >= 0 ? (1 - numbers[i]!) * z : -numbers[i]! * z)).reduce((a, b) => a + b) / 12;
  expect(program({ kind: 'bce' }, numbers, far)['loss']!.data[0]!).toBeCloseTo(expected, 9);
});

it('the absolute error of a batch is the sum over samples of the mean over outputs', () => {
  const b = new ProgramBuilder('error');
  const x = b.input('x', 'f64', [{ batch: 1 }, 3]);
  b.output('error', absoluteError(b, x, b.input('labels', 'f64', [{ batch: 1 }, 3])));
  const found = evaluate(b.build(), { x: tensor('f64', [4, 3], [...outputs]), labels: labelsOf(numbers) });
  const expected = outputs.map((v, i) => Math.abs(v - numbers[i]!)).reduce((a, c) => a + c) / 3;
  expect(found['error']!.data[0]!).toBeCloseTo(expected, 12);
});

/** `F.kl_div(log_softmax(z/τ), log_softmax(t/τ), log_target=True, reduction='batchmean')·τ²` of PyTorch 2.13 in float64. */
const distilled: readonly [number, number, readonly number[]][] = [
  [
    2.5,
    1.6134359868887582,
    [
      -0.080282914603, -0.113619482014, 0.193902396617, -0.197996361619, 0.139404966123, 0.058591395496, 0.299117404769,
      -0.03690817392, -0.262209230849, -0.007353043022, 0.05758968047, -0.050236637449,
    ],
  ],
  [
    4,
    1.9126195020123624,
    [
      -0.071678760891, -0.123938573546, 0.195617334437, -0.198373382752, 0.14489878144, 0.053474601312, 0.349553825592,
      -0.073386540102, -0.27616728549, -0.005674418176, 0.056989109687, -0.051314691511,
    ],
  ],
];

it.each(distilled)(
  'a distillation at temperature %d and its gradient are those of PyTorch',
  (temperature, loss, gradient) => {
    const taught = [1, 0.5, -0.25, 2, -1, 0, -3, 0.1, 4, 0.7, 0.7, 0.7];
    const b = new ProgramBuilder('distill');
    const x = b.input('x', 'f64', [{ batch: 2 }, 3]);
    b.output('loss', distillationLoss(b, { temperature }, x, b.input('teacher', 'f64', [{ batch: 1 }, 3])));
    const forward = b.build();
    // two steps whose mean is the outputs: half of the gradient goes to each
    const steps = [0.7, -0.7].flatMap((shift) => outputs.map((value) => value + shift));
    const found = evaluate(autodiff(forward, forward.outputs['loss']!, ['x']).program, {
      x: tensor('f64', [8, 3], steps),
      teacher: tensor('f64', [4, 3], taught),
    });
    expect(found['loss']!.data[0]!).toBeCloseTo(loss, 12);
    for (const from of [0, 12])
      gradient.forEach((value, i) => expect(2 * found['grad.x']!.data[from + i]!).toBeCloseTo(value, 10));
  },
);
