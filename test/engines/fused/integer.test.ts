import { expect, it } from 'vitest';
import { elementCount, tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { partition } from '../../../src/engines/fused/partition.js';
import { type Program, ProgramBuilder, type Value, evaluate } from '../../../src/tensor/index.js';
import { randomInputs, seeded, tsaLayer } from './programs.js';

const steps = 3;

interface Net {
  readonly b: ProgramBuilder;
  readonly random: () => number;
}

function integers({ b, random }: Net, shape: readonly number[]): Value {
  const values = Array.from({ length: elementCount(shape) }, () => Math.floor(random() * 255) - 127);
  return b.param(`w${Math.floor(random() * 1e9)}`, tensor('f32', shape, values));
}

function conv(
  net: Net,
  x: Value,
  outs: number,
  kernel: readonly number[],
  stride: readonly number[],
  pads: readonly number[],
): Value {
  const weight = integers(net, [outs, x.shape[1] as number, ...kernel]);
  return net.b.op('conv2d', [x, weight], { stride, pads, dilation: [1, 1], groups: 1 });
}

function neurons({ b, random }: Net, psp: Value): Value {
  const scaled = b.mul(psp, 1 / 64);
  return tsaLayer(b, scaled, { steps, wait: 1, shape: psp.shape.slice(1) as number[], random }).spikes;
}

/** A residual network with all that changes the order of values: strides, pools, reshapes, a linear layer. */
function residualNetwork(random: () => number, size: number): Program {
  const b = new ProgramBuilder('residual');
  const net = { b, random };
  const x = b.input('x', 'f32', [{ batch: steps }, 3, size, size + 1]);
  const first = neurons(net, conv(net, x, 5, [3, 3], [1, 1], [1, 1, 1, 1]));
  const second = neurons(net, conv(net, first, 4, [3, 2], [2, 1], [1, 0, 2, 1]));
  const third = conv(net, second, 6, [3, 3], [1, 1], [1, 1, 1, 1]);
  const skip = conv(net, first, 6, [1, 1], [2, 1], [0, 0, 0, 0]);
  const [height, width] = [2, 3].map((axis) => Math.min(third.shape[axis] as number, skip.shape[axis] as number));
  const [left, right] = [third, skip].map((x) => b.slice(x, [0, 0, 0, 0], [steps, 6, height!, width!]));
  const joined = neurons(net, b.add(left!, right!));
  const pointwise = neurons(net, conv(net, joined, 7, [1, 1], [1, 1], [0, 0, 0, 0]));
  const pooled = b.op('maxpool', [pointwise], { kernel: [2, 2], stride: [1, 1], pads: [0, 0, 0, 0] });
  const after = neurons(net, conv(net, pooled, 3, [2, 2], [1, 1], [0, 0, 0, 0]));
  const flat = b.reshape(after, [{ batch: steps }, elementCount(after.shape.slice(1) as number[])]);
  const hidden = neurons(net, b.matmul(flat, integers(net, [flat.shape[1] as number, 9])));
  const logits = b.op('matmul', [hidden, integers(net, [6, 9])], { transA: false, transB: true });
  b.output('logits', logits);
  for (const [name, spikes] of Object.entries({ first, second, hidden })) {
    const count = b.add(
      b.op('abs', [b.sliceAxis(spikes, 0, 0, 1)], {}),
      b.op('abs', [b.sliceAxis(spikes, 0, 2, 3)], {}),
    );
    const length = elementCount(count.shape.slice(1) as number[]);
    const weights = b.param(
      `fan.${name}`,
      tensor(
        'f32',
        [length, 2],
        Array.from({ length: 2 * length }, () => random() * 90),
      ),
    );
    b.output(`counts ${name}`, b.matmul(b.reshape(count, [{ batch: 1 }, length]), weights));
  }
  b.output('pooled', pooled);
  return b.build();
}

it('computes synapses in bytes with the reference evaluator’s sums', async () => {
  for (const size of [5, 8]) {
    const random = seeded(size);
    const program = residualNetwork(random, size);
    const kinds = partition(program).segments.map((segment) => segment.kind);
    expect(kinds.filter((kind) => kind === 'integer').length).toBeGreaterThanOrEqual(4);
    expect(kinds.filter((kind) => kind === 'dot')).toHaveLength(3);
    for (const integersToo of [true, false]) {
      const executable = await fusedEngine.open(program, { threads: 1, samples: 2, integers: integersToo });
      for (const n of [1, 3]) {
        const inputs = randomInputs(program, n, random);
        expect(await executable.step(inputs)).toEqual(evaluate(program, inputs));
      }
      await executable.dispose();
    }
  }
});
