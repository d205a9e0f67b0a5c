import { present } from '../../../base/invariant.js';
import { type Network, type Op, numberAttr } from '../../../network/index.js';
import { type CType, ctypes } from '../ctypes.js';
import { NotInteger } from '../not-integer.js';
import type { Source } from '../unit.js';
import { biasOf, biasType, numbersOf, numbersType } from './bias.js';
import { type LinearNeuron, fireLines, linearNeuron } from './fire.js';
import { select } from './kernels.js';
import { type Potential, type Term, mostOf, repeated, sizeOf } from './values.js';

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
    fireFunction(source, neuron, lines, accumulators, kept.type, numbers.flips, extent[0]),
  );
  const merged = Math.min(silent + 1, steps);
  for (const { text } of [...accumulators, kept])
    source.line(`{ uint32_t i; for (i = 0; i < ${n}u; i++) ${text}[i] = 0; }`);
  for (const { term, text, type } of accumulators) firstSteps(layer, { term, text, type }, beta, merged, silent + 1, n);
  source.line(`{ uint32_t k; int64_t bt = ${repeated(beta, merged) * beta ** (silent + 1 - merged)}; ${numbers.bias}`);
  for (const [name, values] of [['unit', numbers.unit], ...numbers.gains.map((gain, j) => [`gain${j + 1}`, gain])])
    source.line(`  static const spk_numbers ${name} = ${values};`);
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
      ...numbers.gains.map((_, j) => `&gain${j + 1}`),
      kept.text,
      '&bias',
      'bt',
      '&unit',
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

/** The constants of a layer, in units of the first gain. */
function fixedPoint(
  { op, potential, source }: FiringLayer,
  { reset, beta, fraction }: LinearNeuron,
  bounds: readonly number[],
  biases: number,
  spikes: number,
): {
  /** Initializers of `spk_numbers`. */
  readonly gains: readonly string[];
  readonly unit: string;
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
  const flash = (values: readonly bigint[], what: string): string => numbersOf(source, `${what} of ${op.id}`, values);
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
  channels: number,
): string {
  if (lines.some((line) => line.includes('spk_select('))) source.define('spk_select', select);
  source.type(numbersType);
  source.type(biasType);
  const others = accumulators.slice(1);
  const params = [
    'uint32_t pixels, uint32_t channels',
    ...accumulators.map(({ type }, j) => `${ctypes[type].name} *restrict a${j}`),
    ...others.map((_, j) => `const spk_numbers *gain${j + 1}`),
    `${ctypes[prefix].name} *restrict p, const spk_bias *bias, int64_t bt, const spk_numbers *units, uint32_t shift`,
    'int32_t next, uint8_t *restrict out, uint32_t bytes',
  ].join(', ');
  // neurons that fill their bytes are decided eight at a time
  const eight = channels % 8 === 0;
  const sum = [
    `(int64_t)a0[i + j] * ${flips ? 'own[j]' : 'one'}`,
    ...others.map((_, j) => `(int64_t)a${j + 1}[i + j] * g${j + 1}[j]`),
    'drive[j]',
  ].join(' + ');
  const step = [
    'const int64_t unit = units8[j];',
    'const int32_t before = p[i + j];',
    `const int64_t u = ${sum} - ${reset * beta * 2 ** fraction} * unit * before;`,
    'int32_t s;',
    ...lines,
    `p[i + j] = (${ctypes[prefix].name})(${beta} * before + s);`,
    ...accumulators.map(({ type }, j) => `a${j}[i + j] = (${ctypes[type].name})(a${j}[i + j] * next);`),
    'fired[j] = s;',
  ];
  const text = (
    name: string,
  ): string => `/* One step of neurons, 8 channels at a time: u from what they have got and fired, then what the equations say. */
static void ${name}(${params}) {
  const int64_t one = (int64_t)1 << shift;
  uint32_t i, x, c, j;
${eight ? '' : '  for (i = 0; i < (pixels * channels + 7u) / 8u; i++) {\n    out[i] = 0;\n    if (bytes != 0) out[bytes + i] = 0;\n  }\n'}  for (c = 0; c < channels; c += 8) {
    int64_t units8[8], drive[8]${flips ? ', own[8]' : ''}${others.map((_, j) => `, g${j + 1}[8]`).join('')};
    const uint32_t n = ${eight ? '8' : 'channels - c < 8u ? channels - c : 8u'};
    uint32_t known = c, y = 0, column = 0;
    for (j = 0; j < n; j++) {
      units8[j] = spk_number(units, c + j);
${flips ? '      own[j] = units8[j] < 0 ? -one : one;\n      if (units8[j] < 0) units8[j] = -units8[j];\n' : ''}${others.map((_, j) => `      g${j + 1}[j] = spk_number(gain${j + 1}, c + j);\n`).join('')}      drive[j] = spk_number(&bias->values, c + j) * bt;
    }
    for (x = 0, i = c; x < pixels; x++, i += channels) {
      int32_t fired[8];
      uint32_t up = 0, down = 0;
      if (bias->rows != 0) {
        const uint32_t at = ((uint32_t)bias->rows[y] * bias->classes + bias->columns[column]) * channels + c;
        if (at != known) for (j = 0; j < n; j++) drive[j] = spk_number(&bias->values, at + j) * bt;
        known = at;
        if (++column == bias->width) { column = 0; y++; }
      }
      for (j = 0; j < n; j++) {
        ${step.join('\n        ')}
      }
      for (j = 0; j < n; j++) {
        up |= (uint32_t)(fired[j] > 0) << j;
        down |= (uint32_t)(fired[j] < 0) << j;
      }
${
  eight
    ? `      out[i >> 3] = (uint8_t)up;
      if (bytes != 0) out[bytes + (i >> 3)] = (uint8_t)down;`
    : `      up <<= i & 7u;
      down <<= i & 7u;
      out[i >> 3] |= (uint8_t)up;
      if (up >> 8 != 0u) out[(i >> 3) + 1u] |= (uint8_t)(up >> 8);
      if (bytes != 0) {
        out[bytes + (i >> 3)] |= (uint8_t)down;
        if (down >> 8 != 0u) out[bytes + (i >> 3) + 1u] |= (uint8_t)(down >> 8);
      }`
}
    }
  }
}`;
  return source.shared(text('NAME'), (name) => text(name), 'spk_fire');
}
