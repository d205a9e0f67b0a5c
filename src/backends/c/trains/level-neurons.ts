import { present } from '../../../base/invariant.js';
import {
  type Assignment,
  type NeuronDef,
  assignmentsOf,
  assignmentsUntilOutput,
  valueOf,
} from '../../../equations/index.js';
import { type Network, type Op, numberAttr, optionalParam, realValues } from '../../../network/index.js';
import { type CType, ctypes } from '../ctypes.js';
import { NotInteger } from '../not-integer.js';
import { integerLiteral } from '../source.js';
import { biasOf, biasType, numbersOf, numbersType } from './bias.js';
import { type Amount, FixedPoint, NeedsDivisor, type Units, known, nearest } from './fixed-point.js';
import { type FiringLayer } from './neurons.js';
import { writePlanes } from './level-kernels.js';
import { type Potential, type Real, levelsOf, planesOf, sizeOf } from './values.js';

/** A layer of neurons on currents that count alike at every step, with what its train is made of. */
export interface LevelLayer extends FiringLayer {
  readonly depth: number;
  readonly signed: boolean;
  readonly unit: number;
  /** A pointer to the numbers of a real term. */
  readonly real: (train: Real) => string;
}

interface Step {
  readonly lines: readonly string[];
  /** States that it reads and that it leaves, by their place among the neuron's. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  until: number;
}

/**
 * Neurons of any equations that stay in whole numbers: membranes are 64-bit numbers in fixed point, in units of a layer's threshold. Only
 * the constants are rounded, as many bits behind the point as 64 leave; what leaks by halves leaks exactly.
 */
export function writeLevelNeurons(layer: LevelLayer): void {
  const { op, network, potential, source, memory } = layer;
  const { extent, terms } = potential;
  const def = present(network.neurons.get(op.attrs.neuron), 'c: no neuron');
  if (def.states.some(({ units }) => units !== undefined))
    throw new NotInteger(op.id, 'its neurons have several membranes');
  const T = op.attrs.hold ?? potential.steps;
  const env = parametersOf(network, op, def);
  const numbers = unitsOf(layer, def, env, T);
  const steps = stepsOf(layer, def, env, T, numbers.units);
  const n = sizeOf(extent);
  const trains = terms.map((term) =>
    term.train.kind === 'real'
      ? { term, real: term.train, text: layer.real(term.train), type: term.train.type }
      : { term, real: undefined, text: memory('i32', n), type: 'i32' as const },
  );
  const stored = def.states.map((_, i) =>
    steps.some(({ reads, writes }) => reads.includes(i) || writes.includes(i)) ? memory('i64', n) : undefined,
  );
  const names = steps.map((step) => stepFunction(layer, step, trains, numbers.units));
  const sum = (k: string): readonly string[] =>
    trains.flatMap(({ term, real, text }) => {
      if (real !== undefined) return [];
      const planes = planesOf(term.train);
      return [
        `{ uint32_t i; for (i = 0; i < ${n}u; i++) ${text}[i] = 0; }`,
        ...layer.accumulate(term, { text, type: 'i32' }, 2, planes === 1 ? k : `${k} * ${planes}u`, `${planes}u`),
      ];
    });
  const held = 'hold' in op.attrs;
  if (held) for (const line of sum('0')) source.line(line);
  source.line(`{ uint32_t k; ${numbers.bias}`);
  for (const [name, values] of numbers.gains) source.line(`  static const spk_numbers ${name} = ${values};`);
  let from = 1;
  for (const [v, { until, reads, writes }] of steps.entries()) {
    source.line(`  for (k = ${from}u; k <= ${until}u; k++) {`);
    if (!held) for (const line of sum('(k - 1u)')) source.line(`    ${line}`);
    const planes = (layer.signed ? 2 : 1) * layer.depth;
    const args = [
      `${extent[1] * extent[2]}u`,
      `${extent[0]}u`,
      ...trains.flatMap(({ text, real }, j) => [
        text,
        real === undefined ? `&gain${j}` : doubleTable(layer, j, numbers.units),
      ]),
      '&bias',
      ...stored.flatMap((text, i) => (text !== undefined && (reads.includes(i) || writes.includes(i)) ? [text] : [])),
      `${layer.out} + (k - 1u) * ${planes * layer.outBytes}u`,
      `${layer.outBytes}u`,
    ];
    source.line(`    ${names[v]!}(${args.join(', ')});`);
    source.line('  }');
    from = until + 1;
  }
  source.line('}');
}

function parametersOf(network: Network, op: Op<'neuron'>, def: NeuronDef): Map<string, number> {
  return new Map(
    def.params.map(({ name, default: fallback = NaN }) => {
      const param = optionalParam(network, op, name);
      if (param === undefined) return [name, numberAttr(op.attrs, name, fallback)] as const;
      const values = realValues(param);
      if (values.length !== 1) throw new NotInteger(op.id, 'its parameters differ from neuron to neuron');
      return [name, values[0]!] as const;
    }),
  );
}

const per = (values: ArrayLike<number>, c: number): number => (values.length === 1 ? values[0]! : values[c]!);

interface Numbers {
  readonly units: Units;
  /** Names and initializers of `spk_numbers`. */
  readonly gains: readonly (readonly [name: string, values: string])[];
  readonly bias: string;
}

/** In what the layer counts, and its constants in that. */
function unitsOf(layer: LevelLayer, def: NeuronDef, env: ReadonlyMap<string, number>, T: number): Numbers {
  const { op, potential, source } = layer;
  const { terms, bias = [0], extent } = potential;
  const channels = extent[0];
  const divisor = divisorOf(layer, def, env, T);
  const probe = { divisor, bits: 48, grain: 0, slack: 0n };
  const leaks = Array.from({ length: T }, (_, k) => written(layer, def, env, k + 1, T, probe).leaked);
  const grain = leaks.reduce((sum, leak) => sum + leak, 0);
  const bounds = terms.map(({ train, weights }) => levelsOf(train) * (weights?.most ?? 1));
  if (bounds.some((most, j) => terms[j]!.train.kind !== 'real' && most > 2 ** 31 - 1))
    throw new NotInteger(op.id, 'its sums don’t fit 32 bits');
  const most = terms.reduce((sum, { gain }, j) => sum + bounds[j]! * largest(gain), largest(bias)) / divisor;
  const top = (2 ** layer.depth * layer.unit) / divisor;
  const least = Math.log2((most + top + 4) * T);
  const bits = Math.min(48, Math.floor(60 - Math.max(2, grain / T) - least));
  const rounding = T * (terms.reduce((sum, { train }, j) => sum + (train.kind === 'real' ? 2 : bounds[j]!), 8) / 2 + 8);
  const slack = 2 ** grain * Math.ceil(rounding);
  if (bits - grain < 20 || slack > 2 ** (bits - 16)) throw new NotInteger(op.id, 'its numbers need more than 64 bits');
  const units: Units = { divisor, bits, grain, slack: BigInt(slack) };
  const fixed = new FixedPoint(op.id, new Map(), units);
  const gains = terms.flatMap(({ gain, train }, j) =>
    train.kind === 'real'
      ? []
      : [
          [
            `gain${j}`,
            numbersOf(
              source,
              `gain of ${op.id}`,
              gain.map((g) => fixed.inUnits(g)),
            ),
          ] as const,
        ],
  );
  const isWide = bias.length > channels;
  const pixels = sizeOf(extent) / channels;
  const at = (c: number, x: number): bigint => fixed.inUnits(isWide ? bias[c * pixels + x]! : per(bias, c));
  return { units, gains, bias: biasOf(source, op.id, extent, isWide, at) };
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** What a layer's membranes are floored by; otherwise a number that they are compared with. */
function divisorOf(layer: LevelLayer, def: NeuronDef, env: ReadonlyMap<string, number>, T: number): number {
  try {
    const compared = written(layer, def, env, 1, T, undefined).threshold;
    return compared !== undefined && compared > 0 ? compared : 1;
  } catch (error) {
    if (error instanceof NeedsDivisor && Number.isFinite(error.divisor) && error.divisor > 0) return error.divisor;
    throw error;
  }
}

/** Steps whose code is the same. */
function stepsOf(
  layer: LevelLayer,
  def: NeuronDef,
  env: ReadonlyMap<string, number>,
  T: number,
  units: Units,
): readonly Step[] {
  const steps: Step[] = [];
  for (let t = 1; t <= T; t++) {
    const { lines, reads, writes } = written(layer, def, env, t, T, units);
    const last = steps.at(-1);
    if (last?.lines.join('\n') === lines.join('\n')) last.until = t;
    else steps.push({ lines, reads, writes, until: t });
  }
  return steps;
}

/** The lines of step t of T: `x` is what comes in, `z0` … the states before it; they leave `s` and write the states behind. */
function written(
  { op, unit }: LevelLayer,
  def: NeuronDef,
  given: ReadonlyMap<string, number>,
  t: number,
  T: number,
  units: Units | undefined,
): {
  readonly lines: readonly string[];
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly leaked: number;
  readonly threshold: number | undefined;
} {
  const env = new Map<string, Amount>([...given].map(([name, value]) => [name, known(value)]));
  env.set('t', known(t));
  env.set('T', known(T));
  env.set('x', { kind: 'fixed', text: 'x', factor: 1 });
  for (const [i, { name, initial }] of def.states.entries()) {
    const begin = valueOf(initial, given);
    if (begin === undefined) throw new NotInteger(op.id, 'a state of it doesn’t begin at a number');
    env.set(name, t === 1 ? known(begin) : { kind: 'fixed', text: `z${i}`, factor: 1 });
  }
  const writer = new FixedPoint(op.id, env, units);
  const lines: { readonly name?: string; readonly text: string }[] = [];
  const assign = ({ target, value }: Assignment): void => {
    const amount = writer.of(value);
    if (amount.kind === 'known' || /^\w+$/.test(amount.text)) return void env.set(target, amount);
    const name = `v${lines.length}`;
    const type = amount.kind === 'fixed' ? 'int64_t' : 'int32_t';
    lines.push({ name, text: `const ${type} ${name} = ${amount.text};` });
    env.set(target, { ...amount, text: name });
  };
  for (const assignment of assignmentsUntilOutput(def)) assign(assignment);
  lines.push({ text: `s = ${levelText(op.id, present(env.get('s'), 'c: no output'), unit)};` });
  const writes: number[] = [];
  if (t < T) {
    for (const assignment of assignmentsOf(def).slice(assignmentsUntilOutput(def).length)) assign(assignment);
    for (const [i, { name }] of def.states.entries()) {
      lines.push({ text: `y${i}[i + j] = ${writer.fixed(env.get(name)!)};` });
      writes.push(i);
    }
  }
  // what nothing reads isn't written
  const kept: string[] = [];
  for (const { name, text } of lines.toReversed()) {
    if (name === undefined || kept.some((line) => new RegExp(`\\b${name}\\b`).test(line))) kept.unshift(text);
  }
  const reads = def.states.flatMap((_, i) => (kept.some((line) => new RegExp(`\\bz${i}\\b`).test(line)) ? [i] : []));
  return { lines: kept, reads, writes, leaked: writer.leaked, threshold: writer.threshold };
}

/** The output as how many of its units: what the train carries. */
function levelText(layer: string, s: Amount, unit: number): string {
  const times = (s.kind === 'known' ? s.value : s.kind === 'truth' ? 1 : s.factor) / unit;
  if (s.kind === 'fixed' || Math.abs(times - Math.round(times)) > 1e-6) {
    throw new NotInteger(layer, 'its output isn’t whole');
  }
  if (s.kind === 'known') return String(Math.round(times));
  return Math.round(times) === 1 ? s.text : `${s.text} * ${Math.round(times)}`;
}

/** What a real term is multiplied by, in units of 2^grain. */
function doubleTable(
  { potential: { terms }, source, op }: LevelLayer,
  j: number,
  { divisor, bits, grain }: Units,
): string {
  const scale = 2 ** (bits - grain) / divisor;
  const { gain } = terms[j]!;
  const table = source.numbers(
    'f64',
    Array.from(gain, (g) => g * scale),
    `gain of ${op.id}`,
  );
  return table.name;
}

/** The function of a step; layers whose equations and types agree share it. */
function stepFunction(
  { source, depth, signed }: LevelLayer,
  { lines, reads, writes }: Step,
  trains: readonly {
    readonly real: Real | undefined;
    readonly type: CType;
    readonly term: Potential['terms'][number];
  }[],
  { divisor, bits, grain }: Units,
): string {
  for (const line of lines) source.helpersIn(line);
  if (lines.some((line) => line.includes('spk_nearest('))) source.define('spk_nearest', nearest);
  source.type(numbersType);
  source.type(biasType);
  const states = [...new Set([...reads, ...writes])].sort((a, b) => a - b);
  const params = [
    'uint32_t pixels, uint32_t channels',
    ...trains.map(({ real, type }, j) =>
      real === undefined
        ? `const ${ctypes[type].name} *restrict a${j}, const spk_numbers *gain${j}`
        : `const ${real.planar ? 'float' : ctypes[type].name} *restrict a${j}, const double *gain${j}`,
    ),
    'const spk_bias *bias',
    ...states.map((i) => `spk_i64 *restrict y${i}`),
    'uint8_t *restrict out, uint32_t bytes',
  ].join(', ');
  const isOne = (j: number): boolean => trains[j]!.term.gain.length === 1;
  const scale = 2 ** (bits - grain) / divisor;
  const limits = trains.map(({ term }) => levelsOf(term.train) * largest(term.gain) * scale);
  const sum = trains.map(({ real }, j) => {
    if (real === undefined) return `(int64_t)a${j}[i + j] * g${j}[j]`;
    const at = real.planar ? '(c + j) * pixels + p' : 'i + j';
    return `spk_fixed((double)a${j}[${at}] * gain${j}[${isOne(j) ? '0' : 'c + j'}], ${2 ** grain}, ${integerLiteral(Math.ceil(limits[j]!))})`;
  });
  if (trains.some(({ real }) => real !== undefined)) source.define('spk_fixed', toFixed);
  const step = [
    `const int64_t x = ${[...sum, 'drive[j]'].join(' + ')};`,
    ...reads.map((i) => `const int64_t z${i} = y${i}[i + j];`),
    'int32_t s;',
    ...lines,
    'fired[j] = s;',
  ];
  const planes = source.define(`spk_planes_${depth}${signed ? '_signed' : ''}`, writePlanes(depth, signed));
  const text = (
    name: string,
  ): string => `/* One step of neurons, 8 channels at a time: what comes in, in fixed point, then what the equations say. */
static void ${name}(${params}) {
  uint32_t i, p, c, j;
  for (i = 0; i < bytes * ${(signed ? 2 : 1) * depth}u; i++) out[i] = 0;
  for (c = 0; c < channels; c += 8) {
    int64_t drive[8]${trains.map(({ real }, j) => (real === undefined ? `, g${j}[8]` : '')).join('')};
    const uint32_t n = channels - c < 8u ? channels - c : 8u;
    uint32_t known = c, y = 0, column = 0;
    for (j = 0; j < n; j++) {
${trains.map(({ real }, j) => (real === undefined ? `      g${j}[j] = spk_number(gain${j}, c + j);\n` : '')).join('')}      drive[j] = spk_number(&bias->values, c + j);
    }
    for (p = 0, i = c; p < pixels; p++, i += channels) {
      int32_t fired[8];
      if (bias->rows != 0) {
        const uint32_t at = ((uint32_t)bias->rows[y] * bias->classes + bias->columns[column]) * channels + c;
        if (at != known) for (j = 0; j < n; j++) drive[j] = spk_number(&bias->values, at + j);
        known = at;
        if (++column == bias->width) { column = 0; y++; }
      }
      for (j = 0; j < n; j++) {
        ${step.join('\n        ')}
      }
      ${planes}(fired, n, i, out, bytes);
    }
  }
}`;
  return source.shared(text('NAME'), (name) => text(name), 'spk_step');
}

/** A real number in units of so much, to the nearest. */
const toFixed = `static int64_t spk_fixed(double x, int64_t grain, int64_t most) {
  const double limit = (double)most, inside = x > -limit ? (x < limit ? x : limit) : -limit;
  return (int64_t)(inside < 0.0 ? inside - 0.5 : inside + 0.5) * grain;
}`;
