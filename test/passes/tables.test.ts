import { describe, expect, it } from 'vitest';
import { type TypedArray, tensor } from '../../src/base/dtype.js';
import { exactCodes, lower, outputNames } from '../../src/lower/program/index.js';
import { type FunctionName, type Network, NetworkBuilder, functionNames, latencyOf } from '../../src/network/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { evaluate } from '../../src/tensor/index.js';
import { codeOf, staircaseOf } from '../../src/passes/network/sws/staircase.js';
import { randomImages } from '../support/random-network.js';
import { convert, surroundings, sws } from '../support/sws.js';
import { meansOf } from '../support/means.js';
import { costOf } from '../../src/cost/index.js';
import { runPipeline } from '../../src/passes/index.js';
import { random } from '../tensor/cases.js';

const count = 3;
const shape = [2, 6, 6];

/** [2,6,6] → a convolution to 4 channels, what `build` makes of it, a quantiser, 3 logits. */
function network(build: (b: NetworkBuilder, x: string) => string, quantiser = { scale: 0.03, zero: 20 }): Network {
  const next = random(5);
  const b = new NetworkBuilder('n');
  b.add({ id: 'image', kind: 'input', attrs: { shape } });
  quantise(b, 'q0', 'image', { scale: 1 / 255, zero: 0 });
  weighted(b, 'c1', 'q0', [4, 2, 3, 3], next);
  quantise(b, 'q2', build(b, 'c1'), quantiser);
  b.add({ id: 'f', kind: 'flatten', inputs: ['q2'] });
  weighted(b, 'fc', 'f', [3, 144], next);
  return b.finish(['fc']);
}

function quantise(b: NetworkBuilder, id: string, from: string, code: { scale: number; zero: number }): string {
  return b.add({ id, kind: 'quantize', inputs: [from], attrs: { ...code, min: 0, max: 255 } });
}

function weighted(b: NetworkBuilder, id: string, from: string, dims: number[], next: () => number): string {
  const length = dims.reduce((a, n) => a * n, 1);
  const codes = Int8Array.from({ length }, () => Math.floor(next() * 255) - 127);
  b.param(`${id}.w`, {
    tensor: { dtype: 'i8', shape: dims, data: codes },
    quant: { scale: [0.013], zero: [0], axis: 0 },
  });
  b.param(`${id}.b`, {
    tensor: tensor(
      'f64',
      [dims[0]!],
      Array.from({ length: dims[0]! }, () => next() - 0.5),
    ),
  });
  const params = { weight: `${id}.w`, bias: `${id}.b` };
  const window = { kernel: dims.slice(2), stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
  if (dims.length === 2) return b.add({ id, kind: 'linear', inputs: [from], params });
  return b.add({ id, kind: 'conv', inputs: [from], attrs: window, params });
}

function fn(b: NetworkBuilder, id: string, from: string, name: FunctionName): string {
  return b.add({ id, kind: 'function', inputs: [from], attrs: { name } });
}

function run(program: ReturnType<typeof lower>): Record<string, TypedArray> {
  const image = tensor('f32', [count, ...shape], randomImages(7, count, shape));
  const results = evaluate(program.program, { image });
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

/** The spiking network, whose codes have been compared with the quantised network's, layer by layer. */
function checked(source: Network, least: number, options = sws({ silent: 8 })): Network {
  const { quantised, spiking } = convert(source, options);
  const reference = run(lower(quantised, { carrier: exactCodes, probes: { codes: true } }));
  const found = run(lower(spiking, { probes: { codes: true } }));
  let compared = 0;
  for (const { id } of spiking.ops) {
    const [a, b] = [found[outputNames.codes(id)], reference[outputNames.codes(id)]];
    if (a === undefined || b === undefined) continue;
    compared++;
    expect([...a], id).toEqual([...b]);
    expect(new Set(a).size, `${id} says something`).toBeGreaterThan(1);
  }
  expect(compared).toBeGreaterThanOrEqual(least);
  const images = randomImages(7, count, shape);
  for (let n = 0; n < count; n++) {
    const image = Float64Array.from(images.slice(n * 72, (n + 1) * 72));
    const logits = evaluateAnn(quantised, image).get('fc')!;
    logits.forEach((logit, i) => expect(found['0']![n * 3 + i]).toBeCloseTo(logit, 3));
  }
  return spiking;
}

describe('a quantised function of one value', () => {
  const partial: readonly FunctionName[] = ['log', 'sqrt', 'reciprocal'];

  it.each(functionNames)('%s: every step of the table is where the function has it, and there is no other', (name) => {
    const source = network((b, x) => fn(b, 'y', x, name));
    const { runs } = convert(source, sws());
    const table = runs.find(({ pass }) => pass === 'tables')!.network;
    const [thresholds, levels] = ['q2.thresholds', 'q2.levels'].map((id) => table.params.get(id)!.tensor.data);
    const row = source.ops.find(({ id }) => id === 'y')!;
    const next = random(3);
    const near = Array.from(thresholds!, (t) => [t, t - 1e-9 * (1 + Math.abs(t)), t + 1e-9 * (1 + Math.abs(t))]).flat();
    const spread = Array.from({ length: 4000 }, () => (next() - 0.5) * 2 ** (next() * 40 - 20));
    const values = [...near, ...spread].filter((x) => !partial.includes(name) || x > 0);
    const one = (x: number): number => {
      const b = new NetworkBuilder('one');
      b.add({ id: 'x', kind: 'input', attrs: { shape: [1] } });
      b.add({ id: 'y', kind: 'function', inputs: ['x'], attrs: row.attrs });
      return evaluateAnn(b.finish(['y']), Float64Array.of(x)).get('y')![0]!;
    };
    for (const x of values) {
      const level = levels![thresholds!.filter((t) => t <= x).length];
      expect(level, `${name}(${x})`).toBe(codeOf(one(x), { scale: 0.03, zero: 20, min: 0, max: 255 }));
    }
  });

  it.each(['hardswish', 'swish', 'gelu', 'leaky_relu', 'mish', 'tanh', 'elu'] as const)(
    '%s becomes neurons whose codes are those of the quantised network',
    (name) => {
      const spiking = checked(
        network((b, x) => fn(b, 'y', x, name)),
        2,
      );
      expect(spiking.ops.map(({ kind }) => kind)).toEqual([
        'input',
        'encode',
        'conv',
        'recode',
        'flatten',
        'linear',
        'decode',
      ]);
      // it fires after its whole input: Tc steps later, whatever Ts is
      expect(latencyOf(spiking)).toBe(16);
      expect(
        latencyOf(
          convert(
            network((b, x) => fn(b, 'y', x, name)),
            sws({ silent: 2 }),
          ).spiking,
        ),
      ).toBe(16);
    },
  );

  it('x·Q(sigmoid x) of a quantised x is one table, without a multiplication', () => {
    const spiking = checked(
      network((b, x) => {
        quantise(b, 'q1', x, { scale: 0.04, zero: 120 });
        b.add({ id: 's', kind: 'sigmoid', inputs: ['q1'] });
        quantise(b, 'qs', 's', { scale: 1 / 256, zero: 0 });
        return b.add({ id: 'm', kind: 'mul', inputs: ['q1', 'qs'] });
      }),
      2,
    );
    expect(spiking.ops.filter(({ kind }) => kind === 'recode').map(({ id }) => id)).toEqual(['q2']);
    expect(spiking.ops.some(({ kind }) => kind === 'product' || kind === 'neuron')).toBe(false);
  });

  it('x·relu6(x + 3)/6, as exporters write it', () => {
    checked(
      network((b, x) => {
        b.param('three', { tensor: tensor('f64', [1], [3]) });
        b.param('one', { tensor: tensor('f64', [1], [1]) });
        b.param('sixth', { tensor: tensor('f64', [1], [1 / 6]) });
        b.add({ id: 'plus', kind: 'affine', inputs: [x], params: { scale: 'one', shift: 'three' } });
        b.add({ id: 'six', kind: 'clip', inputs: ['plus'], attrs: { min: 0, max: 6 } });
        b.add({ id: 'm', kind: 'mul', inputs: [x, 'six'] });
        return b.add({ id: 'y', kind: 'affine', inputs: ['m'], params: { scale: 'sixth' } });
      }),
      2,
    );
  });

  it('a quantiser that something else reads stays a layer, and the table is of its codes', () => {
    const spiking = checked(
      network((b, x) => {
        quantise(b, 'q1', x, { scale: 0.04, zero: 120 });
        quantise(b, 'qf', fn(b, 'y', 'q1', 'hardswish'), { scale: 0.03, zero: 20 });
        weighted(b, 'c2', 'q1', [4, 4, 3, 3], random(31));
        return b.add({ id: 'sum', kind: 'add', inputs: ['c2', 'qf'] });
      }),
      4,
    );
    const kinds = spiking.ops.map(({ id, kind }) => `${id} ${kind}`);
    expect(kinds).toContain('q1 neuron');
    expect(kinds).toContain('qf recode');
    expect(kinds).toContain('q2 neuron');
  });

  it.each([
    { beta: 2, steps: 4 },
    { beta: 2, steps: 10 },
    { beta: 1.5, steps: 16 },
  ])('in other codes too: $beta, $steps', ({ beta, steps }) => {
    const source = network((b, x) => fn(b, 'y', x, 'hardswish'));
    const { spiking } = convert(source, sws({ beta, steps, silent: steps }));
    const found = run(lower(spiking));
    const image = Float64Array.from(randomImages(7, count, shape).slice(0, 72));
    const logits = evaluateAnn(source, image).get('fc')!;
    const spread = Math.max(...logits) - Math.min(...logits);
    logits.forEach((logit, i) => expect(Math.abs(found['0']![i]! - logit)).toBeLessThan(0.35 * spread));
  });
});

it('a staircase finds turns that no sample hits, and steps of inner jumps', () => {
  const square = staircaseOf(
    { value: (x) => (x - 3.3) ** 2, jumps: [], around: [] },
    { scale: 1, zero: 0, min: 0, max: 9 },
  );
  expect(square.levels[0]).toBe(9);
  expect(Math.min(...square.levels)).toBe(0);
  expect(square.thresholds).toHaveLength(18);
  const saw = staircaseOf(
    { value: (x) => x - Math.floor(x), jumps: [0, 1, 2].map(Number), around: [0.5, 1.5] },
    { scale: 0.5, zero: 0, min: 0, max: 2 },
  );
  const at = (x: number): number => saw.levels[saw.thresholds.filter((t) => t <= x).length]!;
  expect([0.1, 0.3, 0.6, 0.8, 1, 1.1, 1.3].map(at)).toEqual([0, 1, 1, 2, 0, 0, 1]);
});

describe('the product of two quantised values', () => {
  const squeezeExcite = (): Network =>
    network((b, x) => {
      const next = random(17);
      b.add({ id: 'r', kind: 'relu', inputs: [x] });
      quantise(b, 'q1', 'r', { scale: 0.02, zero: 0 });
      b.add({ id: 'mean', kind: 'globalavgpool', inputs: ['q1'] });
      const gate = b.add({
        id: 'g',
        kind: 'conv',
        inputs: ['mean'],
        attrs: { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 },
        params: { weight: gateWeight(b, next) },
      });
      quantise(b, 'qg', fn(b, 'h', gate, 'hardsigmoid'), { scale: 1 / 255, zero: 0 });
      return b.add({ id: 'm', kind: 'mul', inputs: ['q1', 'qg'] });
    });

  function gateWeight(b: NetworkBuilder, next: () => number): string {
    const codes = Int8Array.from({ length: 16 }, () => Math.floor(next() * 255) - 127);
    return b.param('g.w', {
      tensor: { dtype: 'i8', shape: [4, 4, 1, 1], data: codes },
      quant: { scale: [0.01], zero: [0], axis: 0 },
    });
  }

  it('a gate of each channel (squeeze-excite) multiplies whole codes, exactly', () => {
    const spiking = checked(squeezeExcite(), 4);
    expect(spiking.ops.filter(({ kind }) => kind === 'product').map(({ id }) => id)).toEqual(['q2']);
    // encoder, q1 (8 behind), the gate (8 more), the product (8 more)
    expect(latencyOf(spiking)).toBe(32);
  });

  it('two values of one shape, with zero points', () => {
    checked(
      network(
        (b, x) => {
          quantise(b, 'qa', x, { scale: 0.04, zero: 120 });
          weighted(b, 'c2', 'q0', [4, 2, 3, 3], random(23));
          quantise(b, 'qb', 'c2', { scale: 0.03, zero: 100 });
          return b.add({ id: 'm', kind: 'mul', inputs: ['qa', 'qb'] });
        },
        { scale: 0.1, zero: 128 },
      ),
      4,
    );
  });
});

describe('a nonlinear value that no quantiser follows', () => {
  /** Its digits add up to it in the quantised network, and the trains of the spiking one carry them. */
  function left(build: (b: NetworkBuilder, x: string) => string, trains: number): Network {
    const spiking = checked(network(build), 2);
    const kinds = spiking.ops.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'digit_neuron' || kind === 'product')).toHaveLength(trains);
    return spiking;
  }

  it('a relu in front of a sum: four trains of 8 bits, 8 steps behind their input', () => {
    const spiking = left((b, x) => {
      b.add({ id: 'r', kind: 'relu', inputs: [x] });
      weighted(b, 'c2', 'q0', [4, 2, 3, 3], random(31));
      return b.add({ id: 'sum', kind: 'add', inputs: ['r', 'c2'] });
    }, 4);
    // encoder, the digits (8 behind), the sum's neurons (8 behind them)
    expect(latencyOf(spiking)).toBe(24);
  });

  it.each(['elu', 'swish', 'leaky_relu', 'hardswish', 'tanh'] as const)('%s of a value in float, averaged', (name) => {
    left((b, x) => {
      fn(b, 'y', x, name);
      const attrs = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1], include_pad: true };
      return b.add({ id: 'pool', kind: 'avgpool', inputs: ['y'], attrs });
    }, 4);
  });

  it('a clip with bounds on both sides of 0, and x·sigmoid(x) of a value in float', () => {
    left((b, x) => {
      b.add({ id: 'held', kind: 'clip', inputs: [x], attrs: { min: -0.75, max: 1.5 } });
      b.add({ id: 's', kind: 'sigmoid', inputs: [x] });
      b.add({ id: 'm', kind: 'mul', inputs: [x, 's'] });
      weighted(b, 'c2', 'q0', [4, 2, 3, 3], random(31));
      b.add({ id: 'part', kind: 'add', inputs: ['held', 'c2'] });
      return b.add({ id: 'sum', kind: 'add', inputs: ['part', 'm'] });
    }, 12);
  });

  it('a product of codes in front of a sum is exact with as many digits as it has', () => {
    left((b, x) => {
      quantise(b, 'qa', x, { scale: 0.04, zero: 120 });
      weighted(b, 'c2', 'q0', [4, 2, 3, 3], random(23));
      quantise(b, 'qb', 'c2', { scale: 0.03, zero: 100 });
      b.add({ id: 'm', kind: 'mul', inputs: ['qa', 'qb'] });
      weighted(b, 'c3', 'qa', [4, 4, 3, 3], random(29));
      return b.add({ id: 'sum', kind: 'add', inputs: ['m', 'c3'] });
    }, 2);
  });

  it('is refused by name where it has no bounds, or β is not 2', () => {
    const source = network((b, x) => {
      b.add({ id: 'r', kind: 'relu', inputs: [x] });
      return b.add({ id: 'sum', kind: 'add', inputs: ['r', x] });
    });
    const { diagnostics } = runPipeline(source, sws({ beta: 1.5, steps: 16 }), surroundings);
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['convert/nonlinearity', 'relu %r isn’t followed by a quantiser, but by another layer'],
    ]);
  });
});

it('means have no such form: refused by name, with the coding that has one', () => {
  const source = network((b, x) => fn(b, 'y', x, 'hardswish'));
  const { diagnostics } = runPipeline(source, meansOf('IF', {}, 8), surroundings);
  expect(diagnostics.map(({ code, message, help }) => [code, message, help])).toEqual([
    [
      'convert/no-spiking-form',
      'hardswish %y has no spiking form in the direct coding',
      'means carry no such function: convert the quantised network with --coding sws, where it is exact, or train with relus',
    ],
  ]);
});

it('costs count the products of codes once an image, in a row of their own, and the pass says so', () => {
  const source = network((b, x) => {
    quantise(b, 'qa', x, { scale: 0.04, zero: 120 });
    weighted(b, 'c2', 'q0', [4, 2, 3, 3], random(23));
    quantise(b, 'qb', 'c2', { scale: 0.03, zero: 100 });
    return b.add({ id: 'm', kind: 'mul', inputs: ['qa', 'qb'] });
  });
  const { network: spiking, diagnostics } = runPipeline(source, sws(), surroundings);
  expect(diagnostics.map(({ code, severity, help }) => [code, severity, help])).toEqual([
    ['convert/code-products', 'note', '%q2'],
  ]);
  const { layers, total } = costOf(spiking!);
  expect(layers.find(({ id }) => id === 'q2')).toMatchObject({ kind: 'product', macs: 144, real_macs: 144, steps: 1 });
  expect(total.real_macs).toBe(144);
});
