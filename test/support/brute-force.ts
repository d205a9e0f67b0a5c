import { type Network, type Op, type Param, type ValueType, attrsOf } from '../../src/network/index.js';

type Values = Float64Array<ArrayBuffer>;

/**
 * A spiking network simulated the obvious way, apart from everything the compiler does: global time,
 * step by step, one neuron after the other, delay lines as queues, float64. One image. `decided` is told
 * how far each membrane was from its threshold: at 0 the order of additions decides. `shown` is told what each op shows at each step.
 */
export function simulate(
  network: Network,
  image: ArrayLike<number>,
  decided: (distance: number) => void = () => undefined,
  shown: (t: number, id: string, values: Values) => void = () => undefined,
): Map<string, Values> {
  const cells = network.ops.map((op) => makeCell(op, network, decided));
  const now = new Map<string, Values>();
  const last = Math.max(
    ...network.ops.map(({ type: { time } }) => (time === undefined ? 0 : time.start + time.steps - 1)),
  );
  for (let t = 0; t <= last; t++) {
    for (const [n, op] of network.ops.entries()) {
      if (op.kind === 'input') now.set(op.id, Float64Array.from(image));
      else
        now.set(
          op.id,
          cells[n]!(
            t,
            op.inputs.map((id) => now.get(id)!),
          ),
        );
      shown(t, op.id, now.get(op.id)!);
    }
  }
  return now;
}

/** What an op shows at global step t, given what its inputs show at t. Step 0 is before everything. */
type Cell = (t: number, inputs: Values[]) => Values;

const size = (type: ValueType): number => type.shape.reduce((a, b) => a * b, 1);
const list = (op: Op, name: string): number[] => [...(attrsOf(op)[name] as number[])];
const within = (type: ValueType, t: number): boolean =>
  type.time === undefined || (t >= type.time.start && t < type.time.start + type.time.steps);

function values(
  network: Network,
  op: Op,
  role: string,
): { data: ArrayLike<number>; shape: readonly number[] } | undefined {
  const param: Param | undefined = network.params.get(op.params[role] ?? '');
  return param === undefined ? undefined : { data: param.tensor.data, shape: param.tensor.shape };
}

/** A constant of a channel or of a single neuron. */
function constantAt(
  of: { data: ArrayLike<number>; shape: readonly number[] } | undefined,
  shape: readonly number[],
  i: number,
  otherwise: number,
): number {
  if (of === undefined) return otherwise;
  const inner = shape.slice(1).reduce((a, b) => a * b, 1);
  if (of.data.length === 1) return of.data[0]!;
  if (of.data.length === shape[0]) return of.data[Math.floor(i / inner)]!;
  if (of.data.length === inner) return of.data[i % inner]!;
  return of.data[i]!;
}

function makeCell(op: Op, network: Network, decided: (distance: number) => void): Cell {
  const byId = new Map(network.ops.map((other) => [other.id, other]));
  const from = byId.get(op.inputs[0] ?? '');
  const silentCell =
    (compute: (inputs: Values[]) => Values): Cell =>
    (t, inputs) =>
      t === 0 || !within(op.type, t) ? new Float64Array(size(op.type)) : compute(inputs);
  switch (op.kind) {
    case 'input':
      return (_, [x]) => x!;
    case 'encode':
      return encoder(op, decided);
    case 'neuron':
      return neurons(op, from!, decided);
    case 'delay': {
      const queue = Array.from({ length: Number(attrsOf(op)['steps']) }, () => new Float64Array(size(op.type)));
      return (t, [x]) => {
        if (t === 0) return new Float64Array(size(op.type));
        queue.push(x!);
        return queue.shift()!;
      };
    }
    case 'maxprefix':
      return maxPrefix(op, from!);
    case 'decode': {
      const sum = new Float64Array(size(op.type));
      const beta = Number(attrsOf(op)['beta']);
      return (t, [z]) => {
        if (t > 0 && within(from!.type, t)) for (let i = 0; i < sum.length; i++) sum[i] = beta * sum[i]! + z![i]!;
        return sum;
      };
    }
    case 'add':
      return silentCell(([a, b]) => a!.map((x, i) => x + b![i]!));
    case 'flatten':
    case 'reshape':
      return silentCell(([x]) => x!);
    case 'concat':
      return silentCell((parts) => Float64Array.from(parts.flatMap((part) => [...part])));
    case 'affine':
      return silentCell(([x]) => {
        const [scale, shift] = [values(network, op, 'scale'), values(network, op, 'shift')];
        return x!.map((v, i) => v * constantAt(scale, op.type.shape, i, 1) + constantAt(shift, op.type.shape, i, 0));
      });
    case 'linear':
    case 'conv':
    case 'avgpool':
    case 'globalavgpool':
      return silentCell(([x]) => window(op, from!, network, x!));
    default:
      throw new Error(`brute force: ${op.kind}`);
  }
}

function halfToEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + Math.abs(below % 2) : Math.round(x);
}

/** Levels stand in single precision: where a digit hangs on less, it is as well decided the other way. */
function encoder(op: Op, decided: (distance: number) => void): Cell {
  const a = op.attrs as Record<string, number | string>;
  const [scale, zero, min, max, amplitude, beta, steps] = [
    'scale',
    'zero',
    'min',
    'max',
    'amplitude',
    'beta',
    'steps',
  ].map((n) => Number(a[n])) as number[];
  const rest: number[] = [];
  const prefix: number[] = [];
  return (t, [x]) =>
    x!.map((pixel, i) => {
      if (t === 0 || t > steps!) return 0;
      if (t === 1) {
        const ratio = Math.fround(Math.fround(pixel) / Math.fround(scale!));
        const rounded = halfToEven(ratio);
        const code = Math.min(max!, Math.max(min!, rounded + zero!));
        const level = (code - min!) / amplitude!;
        rest[i] = beta === 2 ? halfToEven(level) : level;
        prefix[i] = 0;
      }
      const weight = beta! ** (steps! - t);
      let s = 0;
      if (beta !== 2 && Math.abs(Math.abs(rest[i]!) - weight / 2) < beta! ** steps! * 2 ** -22) decided(0);
      if (beta === 2) s = rest[i]! >= weight ? 1 : 0;
      else if (rest[i]! >= weight / 2) s = 1;
      else if (rest[i]! <= -weight / 2 && prefix[i]! >= 1) s = -1;
      rest[i]! -= s * weight;
      prefix[i] = beta! * prefix[i]! + s;
      return s;
    });
}

/** TSA, as docs/sws.md has it. */
function neurons(op: Op, from: Op, decided: (distance: number) => void): Cell {
  const n = (name: string): number => Number(attrsOf(op)[name]);
  const [beta, steps, silent, threshold, limit] = ['beta', 'steps', 'silent', 'threshold', 'limit'].map(n) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const u = new Float64Array(size(op.type));
  const emitted = new Float64Array(size(op.type));
  const start = from.type.time!.start;
  return (t, [z]) => {
    const g = t - start + 1;
    if (t === 0 || g < 1 || g > steps + silent) return new Float64Array(u.length);
    return u.map((_, i) => {
      u[i] = beta * u[i]! + (g <= steps ? z![i]! : 0);
      if (g <= silent) return 0;
      const last = g === steps + silent;
      const high = threshold * beta ** silent;
      decided(Math.abs(Math.abs(u[i]!) - high));
      const roof = limit === 0 ? Infinity : Math.floor(limit / beta ** (steps + silent - g));
      let s = 0;
      if ((last ? u[i]! > high : u[i]! >= high) && beta * emitted[i]! + 1 <= roof) s = 1;
      else if ((last ? u[i]! < -high : u[i]! <= -high) && emitted[i]! >= 1) s = -1;
      u[i]! -= s * beta ** silent;
      emitted[i] = beta * emitted[i]! + s;
      return s;
    });
  };
}

function maxPrefix(op: Op, from: Op): Cell {
  const beta = Number(attrsOf(op)['beta']);
  const prefixes = new Float64Array(size(from.type));
  const before = new Float64Array(size(op.type));
  return (t, [s]) => {
    if (t === 0 || !within(op.type, t)) return new Float64Array(before.length);
    for (let i = 0; i < prefixes.length; i++) prefixes[i] = beta * prefixes[i]! + s![i]!;
    const out = new Float64Array(before.length);
    eachWindow(op, from, (o, inputs) => {
      const top = Math.max(...inputs.map(({ index }) => prefixes[index]!));
      out[o] = top - beta * before[o]!;
      before[o] = top;
    });
    return out;
  };
}

/** Calls `visit` with every output position of a pool and the real inputs under its window. */
function eachWindow(
  op: Op,
  from: Op,
  visit: (output: number, inputs: { index: number; ky: number; kx: number }[]) => void,
): void {
  const [channels, height, width] = from.type.shape as [number, number, number];
  const [, outHeight, outWidth] = op.type.shape as [number, number, number];
  const [kh, kw] = list(op, 'kernel') as [number, number];
  const [sh, sw] = list(op, 'stride') as [number, number];
  const [top, left] = list(op, 'pads') as [number, number];
  for (let c = 0; c < channels; c++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++) {
        const inputs = [];
        for (let ky = 0; ky < kh; ky++)
          for (let kx = 0; kx < kw; kx++) {
            const [y, x] = [oy * sh - top + ky, ox * sw - left + kx];
            if (y >= 0 && y < height && x >= 0 && x < width)
              inputs.push({ index: (c * height + y) * width + x, ky, kx });
          }
        visit((c * outHeight + oy) * outWidth + ox, inputs);
      }
}

/** gain·(weights on the input) + bias. Averages of spike levels stay sums where the type says so. */
function window(op: Op, from: Op, network: Network, x: Values): Values {
  const out = new Float64Array(size(op.type));
  if (op.kind === 'linear') {
    const { data, shape } = values(network, op, 'weight')!;
    for (let o = 0; o < shape[0]!; o++) for (let i = 0; i < shape[1]!; i++) out[o]! += data[o * shape[1]! + i]! * x[i]!;
  } else if (op.kind === 'conv') convolve(op, from, values(network, op, 'weight')!, x, out);
  else {
    const divisor = (count: number): number => (op.type.code.kind === 'spike' ? 1 : count);
    if (op.kind === 'globalavgpool') {
      const area = x.length / out.length;
      x.forEach((v, i) => (out[Math.floor(i / area)]! += v / divisor(area)));
    } else {
      const full = list(op, 'kernel').reduce((a, b) => a * b, 1);
      eachWindow(op, from, (o, inputs) => {
        const count = attrsOf(op)['include_pad'] === true ? full : inputs.length;
        out[o] = inputs.reduce((sum, { index }) => sum + x[index]!, 0) / divisor(count);
      });
    }
  }
  const [gain, bias] = [values(network, op, 'gain'), values(network, op, 'bias')];
  return out.map((v, i) => v * constantAt(gain, op.type.shape, i, 1) + constantAt(bias, op.type.shape, i, 0));
}

function convolve(
  op: Op,
  from: Op,
  weight: { data: ArrayLike<number>; shape: readonly number[] },
  x: Values,
  out: Values,
): void {
  const [, height, width] = from.type.shape as [number, number, number];
  const [channels, outHeight, outWidth] = op.type.shape as [number, number, number];
  const [, inner, kh, kw] = weight.shape as [number, number, number, number];
  const [[sh, sw], [top, left], [dh, dw]] = [list(op, 'stride'), list(op, 'pads'), list(op, 'dilation')] as [
    number[],
    number[],
    number[],
  ];
  const perGroup = channels / Number(attrsOf(op)['groups']);
  for (let o = 0; o < channels; o++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++) {
        let sum = 0;
        for (let i = 0; i < inner; i++)
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const [y, xx] = [oy * sh! - top! + ky * dh!, ox * sw! - left! + kx * dw!];
              if (y < 0 || y >= height || xx < 0 || xx >= width) continue;
              const channel = Math.floor(o / perGroup) * inner + i;
              sum += weight.data[((o * inner + i) * kh + ky) * kw + kx]! * x[(channel * height + y) * width + xx]!;
            }
        out[(o * outHeight + oy) * outWidth + ox] = sum;
      }
}
