import { describe, expect, it } from 'vitest';
import { elementCount, tensor, type Tensor } from '../../../src/base/dtype.js';
import { emitC } from '../../../src/backends/c-program/index.js';
import { type Program, ProgramBuilder, byteCodes, concreteShape, evaluate } from '../../../src/tensor/index.js';
import { nativeEngines } from '../../support/native.js';
import { random } from '../../tensor/cases.js';

/** Small whole numbers: sums of their products are exact, whatever the order. */
function whole(shape: readonly number[], seed: number): Tensor {
  const next = random(seed);
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => Math.floor(next() * 7) - 3),
  );
}

const layers = [
  { label: 'a layer', channels: 16, kernel: [3, 3], attrs: { pads: [1, 1, 1, 1] } },
  { label: 'few channels, strides', channels: 3, kernel: [2, 2], attrs: { stride: [2, 2] } },
] as const;

/** Two steps of spikes and a shortcut of others, pooled, then a convolution and its filter's gradient, which trains it. */
function step(): Program {
  const b = new ProgramBuilder('spikes');
  layers.forEach(({ channels, kernel, attrs }, i) => {
    const image = [channels, 8, 6];
    const spikes = (id: string) => {
      const x = b.input(id, 'f32', [{ batch: 2 }, ...image]);
      const steps = [0, 1].map((t) => b.cast(b.ge(b.sliceAxis(x, 0, t, t + 1), 1), 'f32'));
      return b.concat(steps, 0);
    };
    const sum = b.add(
      spikes(`x${i}`),
      b.select(b.ge(b.input(`s${i}`, 'f32', [{ batch: 2 }, ...image]), 2), b.scalar('f32', 3), 0),
    );
    const pooled = b.avgpool(sum, { kernel: [2, 2] });
    const w = b.input(`w${i}`, 'f32', [5, channels, ...kernel]);
    const y = b.conv2d(pooled, w, attrs);
    const full = { stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...attrs, kernel };
    b.output(`next.w${i}`, b.add(w, b.conv2dWeightGrad(pooled, y, full)));
    b.output(`y${i}`, b.mul(pooled, 0.5));
  });
  return b.build();
}

describe('spikes in bytes', () => {
  it('are sums of choices and their means, of which 255 is the most', () => {
    const b = new ProgramBuilder('codes');
    const x = b.input('x', 'f32', [{ batch: 1 }, 1, 4, 4]);
    const spike = b.cast(b.ge(x, 1), 'f32');
    const chosen: Record<string, readonly [value: { readonly id: string }, code: unknown]> = {
      spike: [spike, { hi: 1, unit: 1 }],
      mean: [b.avgpool(b.add(spike, spike), { kernel: [2, 2] }), { hi: 8, unit: 0.25 }],
      most: [b.avgpool(b.select(b.ge(x, 1), b.scalar('f32', 15), 0), { kernel: [4, 4] }), { hi: 240, unit: 1 / 16 }],
      beyond: [b.avgpool(b.select(b.ge(x, 1), b.scalar('f32', 16), 0), { kernel: [4, 4] }), undefined],
      ninths: [b.avgpool(spike, { kernel: [3, 3] }), undefined],
      mixed: [
        b.add(
          b.avgpool(spike, { kernel: [4, 4] }),
          b.avgpool(b.avgpool(spike, { kernel: [2, 2] }), { kernel: [2, 2] }),
        ),
        { hi: 32, unit: 1 / 16 },
      ],
      negative: [b.select(b.ge(x, 1), b.scalar('f32', -1), 0), undefined],
      minusZero: [b.select(b.ge(x, 1), b.scalar('f32', -0), 1), undefined],
      fraction: [b.select(b.ge(x, 1), b.scalar('f32', 0.5), 0), undefined],
      real: [b.floor(x), undefined],
      nothing: [b.select(b.ge(x, 1), b.scalar('f32', 1), b.floor(x)), undefined],
      product: [b.mul(spike, -1), undefined],
    };
    for (const [name, [value]] of Object.entries(chosen)) b.output(name, b.detach(value as typeof x));
    const codes = byteCodes(b.build());
    for (const [name, [{ id }, code]] of Object.entries(chosen)) expect(codes.get(id), name).toEqual(code);
  });

  it('lie so where kernels and convolutions read them, not where a matrix product does', () => {
    const stored = (program: Program) =>
      emitC(program, { lanes: 16, registers: 32 }, { storesBytes: true }).buffers.flatMap(({ unit }) => unit ?? []);
    expect(stored(step()).filter((unit) => unit === 0.25)).toHaveLength(layers.length);
    expect(stored(step()).filter((unit) => unit === 1).length).toBeGreaterThan(0);
    const b = new ProgramBuilder('rows');
    const spike = b.cast(b.ge(b.input('x', 'f32', [{ batch: 1 }, 8]), 1), 'f32');
    b.output('y', b.matmul(spike, b.input('w', 'f32', [8, 4])));
    expect(stored(b.build())).toEqual([]);
  });
});

describe.each(nativeEngines)('on $name, spikes in bytes', (engine) => {
  it('give the results of floats to the last bit', async () => {
    const program = step();
    const states = new Map(
      program.inputs.flatMap(({ id, shape }, i) =>
        id.startsWith('w') ? [[id, whole(concreteShape(shape, 1), i)]] : [],
      ),
    );
    const opened = await engine.open(program, { threads: 2, states });
    const feeds = Object.fromEntries(
      program.inputs.flatMap(({ id, shape }, i) => (states.has(id) ? [] : [[id, whole(concreteShape(shape, 5), i)]])),
    );
    const [found, expected] = [
      await opened.step(feeds),
      evaluate(program, { ...feeds, ...Object.fromEntries(states) }),
    ];
    layers.forEach((_, i) => expect(found[`y${i}`]!.data).toEqual(expected[`y${i}`]!.data));
    for (const [id, { data }] of await opened.read()) expect(data, id).toEqual(expected[`next.${id}`]!.data);
    await opened.dispose();
  });
});
