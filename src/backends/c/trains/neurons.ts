import { present } from '../../../base/invariant.js';
import { type Network, type Op, numberAttr } from '../../../network/index.js';
import { type CType, ctypes } from '../ctypes.js';
import { NotInteger } from '../not-integer.js';
import type { Source } from '../unit.js';
import { biasOf, biasType } from './bias.js';
import { type LinearNeuron, fireLines, linearNeuron } from './fire.js';
import { type Potential, type Term, mostOf, sizeOf } from './values.js';

/** A layer of neurons that is written. */
export interface FiringLayer {
  readonly network: Network;
  readonly op: Op<'neuron'>;
  readonly potential: Potential;
  /** Where its train is, and the bytes of a plane. */
  readonly out: string;
  readonly outBytes: number;
  readonly source: Source;
  readonly memory: (type: CType, count: number) => string;
  readonly accumulate: (
    term: Term,
    acc: { text: string; type: CType },
    beta: number,
    first: string,
    count: string,
  ) => readonly string[];
}

interface Accumulator {
  readonly term: Term;
  readonly text: string;
  readonly type: CType;
}

/**
 * Neurons over all of their steps. With the first term's gain g, their membrane is kept in units of it: u/g = A + Σ (g_j/g)·A_j +
 * (b/g)·B − (c·β/g)·P, A the sum of the first term's integers, so that only constants are rounded, to 2^−F.
 */
export function writeNeurons(layer: FiringLayer): void {
  const { op, network, potential, source, memory } = layer;
  const { extent, terms, steps } = potential;
  if ('hold' in op.attrs) throw new NotInteger(op.id, 'it holds its input');
  const { code } = op.type;
  const [low, high] = code.kind === 'spike' ? [code.min, code.max] : [-Infinity, Infinity];
  if (low < -1 || high > 1) throw new NotInteger(op.id, 'its spikes have several levels');
  const neuron = linearNeuron(
    op.id,
    present(network.neurons.get(op.attrs.neuron), 'c: no neuron'),
    parametersOf(network, op),
  );
  const { beta } = neuron;
  const silent = op.attrs.silent ?? 0;
  const T = steps + silent;
  const bounds = terms.map((term) => mostOf(term, beta, T));
  if (bounds.some((most) => most > 2 ** 31 - 1)) throw new NotInteger(op.id, 'its sums don’t fit 32 bits');
  const n = sizeOf(extent);
  const accumulators = terms.map((term, j): Accumulator => {
    const type = term.weights === undefined && bounds[j]! <= 32767 ? 'i16' : 'i32';
    return { term, type, text: memory(type, n) };
  });
  const spikes = repeated(beta, T - silent);
  const prefix = { type: spikes <= 32767 ? ('i16' as const) : ('i32' as const), text: '' };
  const kept = { ...prefix, text: memory(prefix.type, n) };
  const numbers = fixedPoint(layer, neuron, bounds, repeated(beta, T), spikes);
  const variants = variantsOf(op.id, neuron, silent, T);
  const names = variants.map(({ lines }) =>
    fireFunction(source, neuron, lines, accumulators, kept.type, numbers.flips),
  );
  const merged = Math.min(silent + 1, steps);
  for (const { text } of [...accumulators, kept])
    source.line(`{ uint32_t i; for (i = 0; i < ${n}u; i++) ${text}[i] = 0; }`);
  for (const { term, text, type } of accumulators) firstSteps(layer, { term, text, type }, beta, merged, silent + 1, n);
  source.line(`{ uint32_t k; int64_t bt = ${repeated(beta, merged) * beta ** (silent + 1 - merged)}; ${numbers.bias}`);
  let from = silent + 1;
  for (const [v, { until }] of variants.entries()) {
    source.line(`  for (k = ${from}u; k <= ${until}u; k++) {`);
    if (steps > silent + 1) {
      const guarded = until > steps;
      source.line(`    if (k > ${silent + 1}u${guarded ? ` && k <= ${steps}u` : ''}) {`);
      for (const { term, text, type } of accumulators) {
        for (const line of layer.accumulate(term, { text, type }, beta, 'k - 1u', '1u')) source.line(`      ${line}`);
      }
      source.line('    }');
    }
    const planes = low < 0 ? 2 : 1;
    const args = [
      `${extent[1] * extent[2]}u`,
      `${extent[0]}u`,
      ...accumulators.map(({ text }) => text),
      ...numbers.gains.flatMap(({ name, step }) => [name, `${step}u`]),
      kept.text,
      '&bias',
      'bt',
      numbers.unit.name,
      `${numbers.unit.step}u`,
      `${numbers.shift}u`,
      `k < ${T}u ? ${beta} : 1`,
      `${layer.out} + (k - ${silent + 1}u) * ${planes * layer.outBytes}u`,
      ...(planes === 2 ? [`${layer.outBytes}u`] : ['0u']),
    ];
    source.line(`    ${names[v]!}(${args.join(', ')});`);
    source.line(`    bt = bt * ${beta} + ${steps >= T ? '1' : `(k < ${steps}u)`};`);
    source.line('  }');
    from = until + 1;
  }
  source.line('}');
}

/** Σ_{k < count} β^k. */
function repeated(beta: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += beta ** k;
  return sum;
}

function parametersOf(network: Network, op: Op<'neuron'>): Map<string, number> {
  if (Object.keys(op.params).length > 0) throw new NotInteger(op.id, 'its parameters differ from neuron to neuron');
  const def = present(network.neurons.get(op.attrs.neuron), 'c: no neuron');
  return new Map(def.params.map(({ name, default: fallback = NaN }) => [name, numberAttr(op.attrs, name, fallback)]));
}

/** The steps before the first decision: of trains in bits, merged to one sum. */
function firstSteps(layer: FiringLayer, acc: Accumulator, beta: number, merged: number, at: number, n: number): void {
  const { source, accumulate } = layer;
  const target = { text: acc.text, type: acc.type };
  const scaled = (by: string): string =>
    `{ uint32_t i; for (i = 0; i < ${n}u; i++) ${acc.text}[i] = (${ctypes[acc.type].name})(${acc.text}[i] * ${by}); }`;
  if (acc.term.train.kind === 'bits') {
    for (const line of accumulate(acc.term, target, beta, '0', `${merged}u`)) source.line(line);
  } else {
    source.line(`{ uint32_t k; for (k = 0; k < ${merged}u; k++) {`);
    source.line(`  ${scaled(String(beta))}`);
    for (const line of accumulate(acc.term, target, beta, 'k', '1u')) source.line(`  ${line}`);
    source.line('} }');
  }
  if (at > merged) source.line(scaled(String(beta ** (at - merged))));
}

interface FlashNumbers {
  readonly name: string;
  /** 1 where there is one a channel, 0 where all have the same. */
  readonly step: number;
}

/** The constants of a layer, in units of the first gain. */
function fixedPoint(
  { op, potential, source }: FiringLayer,
  { reset, beta, fraction }: LinearNeuron,
  bounds: readonly number[],
  biases: number,
  spikes: number,
): {
  readonly gains: readonly FlashNumbers[];
  readonly unit: FlashNumbers;
  /** Some gains are negative. */
  readonly flips: boolean;
  readonly shift: number;
  readonly bias: string;
} {
  const { terms, bias = [0], extent } = potential;
  const channels = extent[0];
  const [own, ...others] = terms.map(({ gain }) => gain) as [readonly number[], ...(readonly number[])[]];
  // where all weights are 0 any gain does
  const signed = own.map((g, c) => (g === 0 && terms[0]!.weights?.sums[c] === 0 ? 1 : g));
  const first = signed.map(Math.abs);
  if (first.some((g) => !(g > 0))) throw new NotInteger(op.id, 'a gain in front of it is 0');
  const per = (values: ArrayLike<number>, c: number): number => (values.length === 1 ? values[0]! : values[c]!);
  const isWide = bias.length > channels;
  const pixels = sizeOf(extent) / channels;
  let most = bounds[0]!;
  for (let c = 0; c < channels; c++) {
    const g = per(first, c);
    const b = isWide
      ? Math.max(...Array.from({ length: pixels }, (_, x) => Math.abs(bias[c * pixels + x]!)))
      : Math.abs(per(bias, c));
    const rest = others.reduce((sum, gain, j) => sum + (Math.abs(per(gain, c)) / g) * bounds[j + 1]!, 0);
    most = Math.max(most, bounds[0]! + rest + (b / g) * biases + ((reset * beta + 2) / g) * (spikes + 2));
  }
  const shift = Math.min(48, Math.floor(61.5 - Math.log2(most)));
  if (shift < 16) throw new NotInteger(op.id, 'its numbers need more than 64 bits');
  const one = 2 ** shift;
  const inUnits = (values: ArrayLike<number>, by = 1): bigint[] => {
    const wide = Math.max(values.length, first.length);
    return Array.from({ length: wide }, (_, c) => BigInt(Math.round((per(values, c) / per(first, c)) * by * one)));
  };
  const flash = (values: readonly bigint[], what: string): FlashNumbers => ({
    name: source.numbers('i64', values, `${what} of ${op.id}`).name,
    step: values.length > 1 ? 1 : 0,
  });
  const gains = others.map((gain) => flash(inUnits(gain), 'gain'));
  // its sign is the gain's
  const flips = signed.some((g) => g < 0);
  const units = inUnits([1], 2 ** -fraction).map((one, c) => (per(signed, c) < 0 ? -one : one));
  const unit = flash(units, 'unit');
  const at = (c: number, x: number): number => (isWide ? bias[c * pixels + x]! : per(bias, c));
  const scaled = (c: number, x: number): bigint => BigInt(Math.round((at(c, x) / per(first, c)) * one));
  return { gains, unit, flips, shift, bias: biasOf(source, op.id, extent, isWide, scaled) };
}

interface Variant {
  readonly lines: readonly string[];
  /** The last step that it is for. */
  until: number;
}

/** Steps whose equations are the same once all that is known is. */
function variantsOf(id: string, neuron: LinearNeuron, silent: number, T: number): readonly Variant[] {
  const variants: Variant[] = [];
  for (let t = silent + 1; t <= T; t++) {
    const lines = fireLines(id, neuron, t, T);
    const last = variants.at(-1);
    if (last !== undefined && last.lines.join('\n') === lines.join('\n')) last.until = t;
    else variants.push({ lines, until: t });
  }
  return variants;
}

/** The function that decides a step of a layer; layers whose equations and types agree share it. */
function fireFunction(
  source: Source,
  { beta, reset, fraction }: LinearNeuron,
  lines: readonly string[],
  accumulators: readonly Accumulator[],
  prefix: CType,
  flips: boolean,
): string {
  source.type(biasType);
  const others = accumulators.slice(1);
  const params = [
    'uint32_t pixels, uint32_t channels',
    ...accumulators.map(({ type }, j) => `${ctypes[type].name} *a${j}`),
    ...others.map((_, j) => `const spk_i64 *g${j + 1}, uint32_t g${j + 1}_step`),
    `${ctypes[prefix].name} *p, const spk_bias *bias, int64_t bt, const spk_i64 *units, uint32_t unit_step, uint32_t shift`,
    'int32_t next, uint8_t *out, uint32_t bytes',
  ].join(', ');
  const sum = [
    flips ? '(int64_t)a0[i] * (own < 0 ? -one : one)' : '(int64_t)a0[i] * one',
    ...others.map((_, j) => `(int64_t)a${j + 1}[i] * g${j + 1}[c * g${j + 1}_step]`),
    'b[c * bias->step] * bt',
  ].join(' + ');
  const text = (
    name: string,
  ): string => `/* One step of neurons: u from what they have got and fired, then what the equations say. */
static void ${name}(${params}) {
  const int64_t one = (int64_t)1 << shift;
  uint32_t i = 0, x, c;
  uint8_t up = 0, down = 0;
  for (x = 0; x < pixels; x++) {
    const spk_i64 *b = bias->values;
    if (bias->rows != 0) b += ((uint32_t)bias->rows[x / bias->width] * bias->classes + bias->columns[x % bias->width]) * channels;
    for (c = 0; c < channels; c++, i++) {
${flips ? '      const int64_t own = units[c * unit_step], unit = own < 0 ? -own : own;' : '      const int64_t unit = units[c * unit_step];'}
      const int32_t before = p[i];
      const int64_t u = ${sum} - ${reset * beta * 2 ** fraction} * unit * before;
      int32_t s;
      ${lines.join('\n      ')}
      p[i] = (${ctypes[prefix].name})(${beta} * before + s);
${accumulators.map(({ type }, j) => `      a${j}[i] = (${ctypes[type].name})(a${j}[i] * next);`).join('\n')}
      up |= (uint8_t)((s > 0) << (i & 7u));
      down |= (uint8_t)((s < 0) << (i & 7u));
      if ((i & 7u) == 7u) {
        out[i >> 3] = up;
        if (bytes != 0) out[bytes + (i >> 3)] = down;
        up = down = 0;
      }
    }
  }
  if ((i & 7u) != 0) {
    out[i >> 3] = up;
    if (bytes != 0) out[bytes + (i >> 3)] = down;
  }
}`;
  return source.shared(text('NAME'), (name) => text(name), 'spk_fire');
}
