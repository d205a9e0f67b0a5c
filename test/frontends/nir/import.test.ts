import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { File as H5File } from 'h5wasm/node';
import { beforeAll, expect, it } from 'vitest';
import { DiagnosticError } from '../../../src/base/diagnostics/index.js';
import { encodeNir, loadNir, readNir } from '../../../src/data/nir.js';
import { type NirGraph, importNir, parseTime } from '../../../src/frontends/nir/index.js';
import { array, file, imported, nirGraph, nirNode, stepsOf } from '../../support/nir.js';
import type { Network } from '../../../src/network/index.js';
import { seeded } from '../../support/random-network.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

beforeAll(loadNir);

const [dt, T] = [1e-4, 24];
const next = seeded(7);
const frames = Array.from({ length: T }, () => Array.from({ length: 3 }, () => Number(next() < 0.5)));
const weight = [0.9, -0.4, 0.7, 0.3, 1.1, -0.6];
const bias = [0.05, 0.1];
const [tau, r, leak, theta, reset] = [
  [5e-4, 8e-4],
  [5, 8],
  [0.02, -0.01],
  [0.7, 0.9],
  [0, -0.1],
];

const lif = nirNode('LIF', {
  tau: array(tau!),
  r: array(r!),
  v_leak: array(leak!),
  v_threshold: array(theta!),
  v_reset: array(reset!),
});
const input = nirNode('Input', { shape: array([3]) });
const output = nirNode('Output', { shape: array([2]) });
const affine = nirNode('Affine', { weight: array(weight, [2, 3]), bias: array(bias) });

/** Forward Euler by hand; `back` is what comes back of the spikes of the step before. */
function simulate(back: (spikes: readonly number[]) => readonly number[] = () => [0, 0]): number[][] {
  const v = [0, 0];
  let before = [0, 0];
  return frames.map((x) => {
    const fed = back(before);
    before = [0, 1].map((i) => {
      const current = [0, 1, 2].reduce((sum, j) => sum + weight[i * 3 + j]! * x[j]!, bias[i]!) + fed[i]!;
      v[i]! += (dt / tau![i]!) * (leak![i]! - v[i]! + r![i]! * current);
      const s = Number(v[i]! > theta![i]!);
      if (s === 1) v[i] = reset![i]!;
      return s;
    });
    return before;
  });
}

function codeOf(graph: () => unknown): string {
  try {
    graph();
  } catch (error) {
    if (error instanceof DiagnosticError)
      return error.diagnostics.map(({ code, message }) => `${code}: ${message}`).join('\n');
    throw error;
  }
  return 'no error';
}

const simple = nirGraph({ input, affine, lif, output }, [
  ['input', 'affine'],
  ['affine', 'lif'],
  ['lif', 'output'],
]);

it('a LIF is forward Euler, spikes above the threshold and is reset in the same step', () => {
  const spikes = simulate();
  expect(spikes.flat().filter((s) => s === 1).length).toBeGreaterThan(6);
  expect(stepsOf(imported(simple, T), frames)).toEqual(spikes);
});

/** Each type's numbers of two neurons. */
const neurons: readonly (readonly [string, Readonly<Record<string, readonly [number, number]>>])[] = [
  ['I', { r: [1000, 500] }],
  ['IF', { r: [1500, 900], v_threshold: [0.7, 0.9], v_reset: [0, -0.1] }],
  ['LI', { tau: [7e-4, 9e-4], r: [3, 2], v_leak: [0.1, -0.2] }],
  ['LIF', { tau: [7e-4, 9e-4], r: [3, 2], v_leak: [0.1, -0.2], v_threshold: [0.7, 0.9], v_reset: [0, -0.1] }],
  ['CubaLI', { tau_syn: [5e-4, 3e-4], tau_mem: [7e-4, 9e-4], w_in: [1.5, 0.5], r: [3, 2], v_leak: [0.1, -0.2] }],
  [
    'CubaLIF',
    {
      ...{ tau_syn: [5e-4, 3e-4], tau_mem: [7e-4, 9e-4], w_in: [1.5, 2.5], r: [3, 2], v_leak: [0.1, -0.2] },
      ...{ v_threshold: [0.7, 0.9], v_reset: [0, -0.1] },
    },
  ],
  // one of them is met exactly, and isn't passed
  ['Threshold', { threshold: [1, 0.75] }],
];

it.each(neurons)('%s is forward Euler with the step that is said, neuron by neuron', (type, numbers) => {
  const step = 2e-4;
  const driven = Array.from({ length: T }, () => [0, 1].map(() => Math.floor(next() * 5) / 2));
  const expected = [0, 1].map((neuron) => {
    const p = Object.fromEntries(Object.entries(numbers).map(([name, both]) => [name, both[neuron]!]));
    const [above, tauOf] = [p['v_threshold'] ?? p['threshold'], p['tau'] ?? p['tau_mem']];
    let [i, v] = [0, 0];
    return driven.map((frame) => {
      const x = frame[neuron]!;
      if (p['tau_syn'] !== undefined) i += (step / p['tau_syn']) * (-i + p['w_in']! * x);
      const fed = p['tau_syn'] === undefined ? x : i;
      if (type === 'Threshold') v = x;
      else if (tauOf === undefined) v += step * p['r']! * fed;
      else v += (step / tauOf) * (p['v_leak']! - v + p['r']! * fed);
      if (above === undefined) return v;
      const fired = v > above;
      if (fired) v = p['v_reset'] ?? 0;
      return Number(fired);
    });
  });
  const node = nirNode(type, Object.fromEntries(Object.entries(numbers).map(([name, both]) => [name, array(both)])));
  const graph = nirGraph({ input: nirNode('Input', { shape: array([2]) }), node, output }, [
    ['input', 'node'],
    ['node', 'output'],
  ]);
  const found = stepsOf(imported(graph, T, step), driven);
  for (const [neuron, values] of expected.entries()) {
    expect(new Set(values).size).toBeGreaterThan(1);
    values.forEach((value, t) => expect(found[t]![neuron], `${t}`).toBeCloseTo(value, 4));
  }
});

/** What a window does to [C, H, W]: weights [outputs, inputs of a group, kernel], pads top, left, bottom, right. */
interface Windowed {
  readonly shape: readonly [number, number, number];
  readonly kernel: readonly [number, number];
  readonly weight: (out: number, inner: number, ky: number, kx: number) => number;
  readonly bias?: readonly number[];
  readonly outputs: number;
  readonly stride?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
  readonly dilation?: readonly [number, number];
  readonly groups?: number;
}

function windowed(x: readonly number[], { shape, kernel, weight, outputs, ...rest }: Windowed): number[] {
  const { stride = [1, 1], pads = [0, 0, 0, 0], dilation = [1, 1], groups = 1, bias = [] } = rest;
  const [channels, height, width] = shape;
  const size = (n: number, axis: 0 | 1): number =>
    Math.floor((n + pads[axis] + pads[axis + 2]! - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) + 1;
  const inner = channels / groups;
  const all: number[] = [];
  for (let out = 0; out < outputs; out++) {
    const first = Math.floor(out / (outputs / groups)) * inner;
    for (let row = 0; row < size(height, 0); row++) {
      for (let column = 0; column < size(width, 1); column++) {
        let sum = bias[out] ?? 0;
        for (let c = 0; c < inner; c++) {
          for (let ky = 0; ky < kernel[0]; ky++) {
            for (let kx = 0; kx < kernel[1]; kx++) {
              const [y, z] = [
                row * stride[0] - pads[0] + ky * dilation[0],
                column * stride[1] - pads[1] + kx * dilation[1],
              ];
              if (y < 0 || y >= height || z < 0 || z >= width) continue;
              sum += weight(out, c, ky, kx) * x[((first + c) * height + y) * width + z]!;
            }
          }
        }
        all.push(sum);
      }
    }
  }
  return all;
}

const taps = Array.from({ length: 64 }, () => Math.floor(next() * 9) / 4 - 1);
const read = (inner: number, [rows, columns]: readonly [number, number]) => {
  return (out: number, c: number, ky: number, kx: number) => taps[((out * inner + c) * rows + ky) * columns + kx]!;
};

it.each([
  {
    what: 'Conv2d with groups and windows that differ by axis',
    node: nirNode('Conv2d', {
      weight: array(taps.slice(0, 48), [4, 2, 2, 3]),
      ...{ stride: array([2, 1]), padding: array([1, 0]), dilation: array([1, 2]), groups: array([2], []) },
      bias: array([0.5, -1, 2, 0]),
    }),
    window: {
      ...{ shape: [4, 5, 6], kernel: [2, 3], weight: read(2, [2, 3]), outputs: 4, bias: [0.5, -1, 2, 0] },
      ...{ stride: [2, 1], pads: [1, 0, 1, 0], dilation: [1, 2], groups: 2 },
    },
  },
  {
    what: 'Conv2d with padding "same" of an even kernel',
    node: nirNode('Conv2d', { weight: array(taps.slice(0, 32), [2, 2, 2, 4]), padding: 'same', bias: array([0, 1]) }),
    window: {
      ...{ shape: [2, 5, 6], kernel: [2, 4], weight: read(2, [2, 4]), outputs: 2, bias: [0, 1], pads: [0, 1, 1, 2] },
    },
  },
  {
    what: 'Conv2d with padding "valid"',
    node: nirNode('Conv2d', { weight: array(taps.slice(0, 12), [2, 1, 2, 3]), padding: 'valid' }),
    window: { shape: [1, 5, 6], kernel: [2, 3], weight: read(1, [2, 3]), outputs: 2 },
  },
  {
    what: 'Conv1d',
    node: nirNode('Conv1d', {
      weight: array(taps.slice(0, 18), [3, 2, 3]),
      ...{ stride: array([2]), padding: array([1]), dilation: array([1]), groups: array([1], []) },
      bias: array([0, 1, -1]),
    }),
    window: {
      ...{ shape: [2, 1, 8], kernel: [1, 3], weight: read(2, [1, 3]), outputs: 3, bias: [0, 1, -1] },
      ...{ stride: [1, 2], pads: [0, 1, 0, 1] },
    },
  },
  {
    what: 'SumPool2d',
    node: nirNode('SumPool2d', { kernel_size: array([2, 3]), stride: array([1, 2]), padding: array([1, 0]) }),
    window: {
      ...{ shape: [2, 5, 7], kernel: [2, 3], weight: () => 1, outputs: 2, groups: 2 },
      ...{ stride: [1, 2], pads: [1, 0, 1, 0] },
    },
  },
  {
    what: 'AvgPool2d, by its kernel where no stride is said',
    node: nirNode('AvgPool2d', { kernel_size: array([2, 3]), padding: array([0, 1]) }),
    window: {
      ...{ shape: [2, 4, 7], kernel: [2, 3], weight: () => 1 / 6, outputs: 2, groups: 2 },
      ...{ stride: [2, 3], pads: [0, 1, 0, 1] },
    },
  },
] as readonly { readonly what: string; readonly node: ReturnType<typeof nirNode>; readonly window: Windowed }[])(
  '$what: what its sum says',
  ({ node, window }) => {
    const [channels, height, width] = window.shape;
    const images = [0, 1].map(() =>
      Array.from({ length: channels * height * width }, () => Math.floor(next() * 5) / 2),
    );
    const shape = node.type === 'Conv1d' ? [channels, width] : window.shape;
    const graph = nirGraph({ input: nirNode('Input', { shape: array(shape) }), node, output }, [
      ['input', 'node'],
      ['node', 'output'],
    ]);
    const found = stepsOf(imported(graph, images.length), images);
    images.forEach((x, t) => {
      const expected = windowed(x, window);
      expect(found[t]).toHaveLength(expected.length);
      expected.forEach((value, i) => expect(found[t]![i], `${t} ${i}`).toBeCloseTo(value, 5));
    });
  },
);

it('a cycle carries what was fired a step before; so does a nested graph that has one', () => {
  const back = [0.4, -0.5, -0.3, 0.2];
  const recurrent = nirNode('Linear', { weight: array(back, [2, 2]) });
  const spikes = simulate(([a, b]) => [back[0]! * a! + back[1]! * b!, back[2]! * a! + back[3]! * b!]);
  const flat = nirGraph({ input, affine, lif, recurrent, output }, [
    ...simple.edges,
    ['lif', 'recurrent'],
    ['recurrent', 'lif'],
  ]);
  expect(stepsOf(imported(flat, T), frames)).toEqual(spikes);
  const inside = nirGraph({ in: nirNode('Input', { shape: array([2]) }), lif, w: recurrent, out: output }, [
    ['in', 'lif'],
    ['lif', 'w'],
    ['w', 'lif'],
    ['lif', 'out'],
  ]);
  const nested = nirGraph({ input, affine, block: nirNode('NIRGraph', {}, inside), output }, [
    ['input', 'affine'],
    ['affine', 'block'],
    ['block', 'output'],
  ]);
  expect(stepsOf(imported(nested, T), frames)).toEqual(spikes);
});

it('delays are whole steps, one a value; several edges into a node add up, one that is there twice counts once', () => {
  const delay = nirNode('Delay', { delay: array([0, 2 * dt, 5 * dt]) });
  const scale = nirNode('Scale', { scale: array([2, 3, 4]) });
  const graph = nirGraph({ input, delay, scale, output }, [
    ['input', 'delay'],
    ['input', 'scale'],
    ['delay', 'output'],
    ['scale', 'output'],
    ['scale', 'output'],
  ]);
  const late = (t: number, i: number): number => frames[t - [0, 2, 5][i]!]?.[i] ?? 0;
  const expected = frames.map((x, t) => x.map((v, i) => v * [2, 3, 4][i]! + late(t, i)));
  const network = imported(graph, T);
  const sum = network.ops.find(({ kind, id }) => kind === 'add' && id.startsWith('output'))!;
  const probed = {
    ...network,
    ops: network.ops.map((op) => (op.kind === 'decode' ? { ...op, inputs: [sum.id] } : op)),
  };
  expect(stepsOf(probed as typeof network, frames)).toEqual(expected);
});

it('files written and read again hold the same graph, old ones without reset and input weight too', () => {
  const path = join(temporaryFolder(), 'a.nir');
  writeFileSync(path, encodeNir(simple));
  const read = readNir(path);
  expect([...read.nodes].sort()).toEqual([...simple.nodes].sort());
  expect(read.edges).toEqual(simple.edges);
  const old = nirNode('CubaLIF', {
    tau_syn: array([5e-4]),
    tau_mem: array([1e-3]),
    r: array([2]),
    v_leak: array([0]),
    v_threshold: array([1]),
  });
  const network = imported(nirGraph({ input, affine, lif: old, output }, simple.edges), T);
  const op = network.ops.find(({ kind }) => kind === 'neuron')!;
  expect(op.attrs).toMatchObject({ w: 1, to: 0, theta: 1 });
});

it('the step is what is said, what the file says, or what its neurons agree on; what is assumed is said', () => {
  const time = (graph: NirGraph, text?: string) => importNir(graph, parseTime(text), file);
  expect(time(simple, 'steps=9,dt=2e-4').time).toEqual({ steps: 9, dt: 2e-4, coding: 'events' });
  expect(time(simple).time).toEqual({ steps: 32, dt: 1e-4, coding: 'events' });
  expect(time(simple).notes.map(({ code }) => code)).toEqual(['nir/assumed', 'nir/assumed']);
  const said = {
    ...simple,
    metadata: new Map([
      ['dt', array([1e-3], [])],
      ['steps', array([50], [])],
    ]),
  };
  expect(time(said)).toMatchObject({ time: { steps: 50, dt: 1e-3 }, notes: [] });
  for (const [name, value] of [
    ['steps', 1.5],
    ['steps', 0],
    ['steps', 1e9],
    ['dt', -1],
    ['dt', 0],
    ['dt', Infinity],
  ] as const) {
    const bad = { ...simple, metadata: new Map([[name, array([value], [])]]) };
    expect(codeOf(() => time(bad))).toContain(
      `nir/bad-metadata: the file's metadata say ${name} = ${value}, which is no`,
    );
    // what is said behind the name holds in its place
    expect(time(bad, 'steps=9,dt=2e-4').time).toEqual({ steps: 9, dt: 2e-4, coding: 'events' });
  }
  expect(codeOf(() => parseTime('steps=0'))).toBe('nir/bad-option: "steps=0" says nothing about a NIR file');
  expect(codeOf(() => parseTime('fast'))).toBe('nir/bad-option: "fast" says nothing about a NIR file');
});

it('a Flatten that counts the batch is whole where the weights behind it take all values; one bias serves all outputs', () => {
  const image = nirNode('Input', { shape: array([2, 1, 3]) });
  const flatten = nirNode('Flatten', { start_dim: array([1]), end_dim: array([-1]) });
  const weights = Array.from({ length: 12 }, (_, i) => (i - 5) / 4);
  const network = (inputs: number): Network =>
    imported(
      nirGraph(
        {
          input: image,
          flatten,
          affine: nirNode('Affine', { weight: array(weights.slice(0, 2 * inputs), [2, inputs]), bias: array([0.5]) }),
          output,
        },
        [
          ['input', 'flatten'],
          ['flatten', 'affine'],
          ['affine', 'output'],
        ],
      ),
      1,
    );
  const x = [1, 0, 1, 1, 1, 0];
  const sums = [0, 1].map((i) => x.reduce((sum, one, j) => sum + weights[6 * i + j]! * one, 0.5));
  expect(stepsOf(network(6), [x])).toEqual([sums]);
  expect(codeOf(() => network(3))).toContain('flattens some axes only');
});

it('graphs that can’t be run are refused by the name of a node', () => {
  const chain = (node: ReturnType<typeof nirNode>): NirGraph =>
    nirGraph({ input, x: node, output }, [
      ['input', 'x'],
      ['x', 'output'],
    ]);
  const refused = (graph: NirGraph): string => codeOf(() => imported(graph, T));
  expect(refused(chain(nirNode('Quantum')))).toBe(
    'nir/unknown-type: node "x" has the type "Quantum", which NIR doesn\'t have',
  );
  expect(refused(chain(nirNode('Linear')))).toBe('nir/bad-node: node "x" has no weight');
  expect(refused(chain(nirNode('Linear', { weight: array([1, 2, 3, 4], [2, 2]) })))).toContain('reads [3]');
  expect(refused(chain(nirNode('LIF', { tau: array([0]), r: array([1]), v_threshold: array([1]) })))).toContain(
    'tau of 0',
  );
  expect(refused(chain(nirNode('LIF', { tau: array([-1e-3]), r: array([1]), v_threshold: array([1]) })))).toContain(
    'tau of -0.001',
  );
  expect(refused(chain(nirNode('LIF', { tau: 'soon', r: array([1]), v_threshold: array([1]) })))).toContain(
    'the text "soon"',
  );
  expect(refused(chain(nirNode('Scale', { scale: array([NaN]) })))).toContain('isn’t finite');
  expect(refused(chain(nirNode('Delay', { delay: array([-1]) })))).toContain('delays by -1 s');
  expect(refused(nirGraph({ input, output }, [['input', 'ghost']]))).toBe(
    'nir/unknown-node: an edge leads from "input" to "ghost", but there is no node "ghost"',
  );
  expect(
    refused(nirGraph({ input: nirNode('Input', { shape: array([1e9, 1e9]) }), output }, [['input', 'output']])),
  ).toContain('has the shape');
  const scale = nirNode('Scale', { scale: array([1]) });
  expect(
    refused(
      nirGraph({ input, scale, output }, [
        ['input', 'scale'],
        ['scale', 'scale'],
        ['scale', 'output'],
      ]),
    ),
  ).toContain('nir/cycle');
});

it('files that are no NIR are said so: not HDF5, cut off, without a graph', () => {
  const folder = temporaryFolder();
  const written = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const whole = encodeNir(simple);
  for (const path of [
    written('text.nir', 'neurons'),
    written('empty.nir', ''),
    written('cut.nir', whole.subarray(0, whole.length / 3)),
  ]) {
    expect(codeOf(() => readNir(path))).toContain('nir/unreadable');
  }
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n';
  expect(codeOf(() => readNir(written('pointer.nir', pointer)))).toContain('git lfs pull');
  expect(codeOf(() => readNir(written('checkpoint.nir', 'PK\x03\x04')))).toContain('ZIP archive');
  expect(readFileSync(written('whole.nir', whole)).length).toBe(whole.length);
  for (let at = 100; at < whole.length; at += 397) {
    const damaged = Uint8Array.from(whole);
    damaged[at]! ^= 0xff;
    const said = codeOf(() => imported(readNir(written('damaged.nir', damaged)), T));
    expect(said).toMatch(/^(no error|nir\/|network\/)/);
  }
});

it('arrays that would take far more memory than the file has bytes are refused by their shapes', () => {
  const path = join(temporaryFolder(), 'vast.nir');
  const vast = (shape: readonly [number, number], many: number): string => {
    const written = new H5File(path, 'w');
    const node = written.create_group('node');
    node.create_dataset({ name: 'type', data: 'NIRGraph' });
    const nodes = node.create_group('nodes');
    for (let i = 0; i < many; i++) {
      const own = nodes.create_group(`layer${i}`);
      own.create_dataset({ name: 'type', data: 'Linear' });
      own.create_dataset({
        name: 'weight',
        data: new Float32Array(shape[0] * shape[1]),
        shape: [...shape],
        chunks: [64, shape[1]],
        compression: 'gzip',
      });
    }
    written.close();
    return codeOf(() => readNir(path));
  };
  expect(vast([2 ** 11, 2 ** 10], 1)).toBe('no error');
  expect(vast([2 ** 12, 2 ** 12], 1)).toMatch(
    /^nir\/unreadable: .*up to "weight" it takes 26\d MB, and four times its size and 134 MB/,
  );
  // all arrays of a file together
  expect(vast([2 ** 11, 2 ** 10], 5)).toMatch(/^nir\/unreadable: .*up to "weight" it takes 1[67]\d MB/);
});

it('depth is no limit: a cycle of 12,000 nodes', () => {
  const count = 12_000;
  const scale = nirNode('Scale', { scale: array([1, 1, 1]) });
  const ids = Array.from({ length: count }, (_, i) => `n${i}`);
  const edges = ids.slice(1).map((id, i) => [ids[i]!, id] as const);
  const chained = nirGraph(
    {
      input,
      ...Object.fromEntries(ids.map((id) => [id, scale])),
      back: nirNode('Delay', { delay: array([1e-4, 1e-4, 1e-4]) }),
      output: nirNode('Output', { shape: array([3]) }),
    },
    [['input', 'n0'], ...edges, [ids.at(-1)!, 'output'], [ids.at(-1)!, 'back'], ['back', 'n0']],
  );
  const { network } = importNir(chained, { steps: 2 }, file);
  expect(network.ops.filter(({ kind }) => kind === 'affine')).toHaveLength(count);
  expect(network.ops.filter(({ kind }) => kind === 'lag')).toHaveLength(1);
});
