import { InvariantError, present } from '../../../base/invariant.js';
import { type Network, type Op, numberAttr } from '../../../network/index.js';
import type { Arena, Buffer } from '../arena.js';
import { type CType, ctypes } from '../ctypes.js';
import { NotInteger } from '../not-integer.js';
import { doubleLiteral } from '../source.js';
import type { Source } from '../unit.js';
import type { FiringLayer } from './neurons.js';
import {
  addBits,
  addBytes,
  addLevels,
  bitsConv,
  gatherKernel,
  gatherName,
  geometry,
  levelsConv,
  poolBits,
  rolled,
  rowKernel,
  scatterKernel,
  spikeKernel,
  spikeLists,
} from './kernels.js';
import { layers } from './layers.js';
import { type Relaying, writeChosen, writeConcat, writeLag } from './relays.js';
import {
  type Bits,
  type Extent,
  type Pooled,
  type Potential,
  type Term,
  type Value,
  type Windows,
  mostOf,
  planeBytes,
  repeated,
  sizeOf,
} from './values.js';
import { weightArray } from './weights.js';

/** An argument of `run` for an input or an output of the network. */
export interface RunArgument {
  readonly id: string;
  readonly name: string;
}

/** Sums that spikes are added to. */
export interface Accumulator {
  readonly text: string;
  readonly type: CType;
}

/** A network of spikes being written in integers, layer by layer, each over all of its steps. */
export abstract class TrainEmitter {
  readonly #values = new Map<string, Value>();
  protected position = 0;

  constructor(
    readonly network: Network,
    readonly source: Source,
    readonly arena: Arena,
  ) {}

  /** What a layer gives that is written for itself, neither input nor read-out. */
  protected abstract written(op: Op, from: Value): Value;

  /** The sum of a term over all steps, in an accumulator of so many. */
  protected abstract allSteps(term: Term, acc: Accumulator, steps: number, beta: number, n: number): readonly string[];

  /** What reaches a layer. */
  protected abstract potentialOf(op: Op, from: Value): Potential;

  /** What the sum over so many steps is multiplied by to be read out. */
  protected abstract shareOf(op: Op<'decode'>, steps: number): number;

  /** Throws {@link NotInteger} where a layer has no form in integers. */
  write(inputs: readonly RunArgument[], outputs: readonly RunArgument[]): void {
    const { network, source } = this;
    source.type(geometry);
    for (const op of network.ops) {
      const from = op.inputs.map((id) => this.#valueOf(op, id));
      const write = (one: Op, reads: readonly Value[]): Value => this.#layer(one, reads, inputs, outputs);
      const value = layers[op.kind]({ network, op, inputs: from, written: write });
      this.#values.set(op.id, value);
      this.position++;
    }
    const read = network.ops.filter(({ kind }) => kind === 'decode').map(({ id }) => id);
    const other = network.outputs.find((id) => !read.includes(id));
    if (other !== undefined) throw new NotInteger(other, 'it is an output, and no read-out');
  }

  /** Layers are written one behind the other, each over all of its steps: none reads what stands below. */
  #valueOf(op: Op, id: string): Value {
    const value = this.#values.get(id);
    if (value === undefined && op.kind === 'lag') throw new NotInteger(op.id, 'it closes a cycle');
    return present(value, `c: %${id} has no value`);
  }

  #layer(op: Op, reads: readonly Value[], inputs: readonly RunArgument[], outputs: readonly RunArgument[]): Value {
    const [from] = reads;
    if (op.kind === 'input') {
      const argument = inputs.find(({ id }) => id === op.id);
      return { kind: 'image', name: present(argument, `c: no argument ${op.id}`).name };
    }
    const relaying: Relaying = {
      source: this.source,
      bits: (...given) => this.bits(...given),
      train: (train) => this.train(train, 1),
    };
    if (op.kind === 'concat') return writeConcat(relaying, op, reads);
    if (op.kind === 'lag') return writeLag(relaying, op, from);
    if (op.kind === 'resample' || op.kind === 'slice') return writeChosen(relaying, op, from);
    if (op.kind !== 'decode') return this.written(op, from!);
    const at = outputs.find(({ id }) => id === op.id);
    if (at === undefined) throw new NotInteger(op.id, 'something reads what it gives');
    return this.#decode(op, from!, at.name);
  }

  protected bits(
    op: Op,
    extent: Extent,
    signed: boolean,
    { depth, top, unit }: Pick<Bits, 'depth' | 'top' | 'unit'> = { depth: 1, top: 1, unit: 1 },
  ): Bits {
    const steps = present(op.type.time, `c: %${op.id} has no time`).steps;
    const buffer = this.arena.add('u8', planeBytes(extent) * (signed ? 2 : 1) * depth * steps, this.position);
    return { kind: 'bits', buffer, extent, steps, signed, depth, top, unit };
  }

  protected windows({ from, to, kernel, stride, pads, dilation, groups }: Windows): string {
    const [channels, ...size] = from;
    const fields = [channels, ...size, to[0], ...kernel, to[1], to[2], ...stride, pads[0], pads[1], ...dilation];
    if (fields.some((n) => n! > 65535)) throw new NotInteger('', 'it is too large');
    return `static const spk_windows s = {${[...fields, channels / groups, to[0] / groups].join(', ')}};`;
  }

  protected use(buffer: Buffer): string {
    buffer.to = Math.max(buffer.to, this.position);
    return this.source.address(buffer, 0);
  }

  protected train({ buffer, extent, signed }: Bits, beta: number): string {
    const fields = [this.use(buffer), `${planeBytes(extent)}u`, `${signed ? 2 : 1}u`, `${beta}u`];
    return `const spk_train t = {${fields.join(', ')}};`;
  }

  /** Lines that add steps `first` … `first + count` (C expressions) of a term to its accumulator. */
  protected readonly accumulate = (
    term: Term,
    acc: Accumulator,
    beta: number,
    first: string,
    count: string,
  ): readonly string[] => {
    const { train, weights } = term;
    if (train.kind === 'real') throw new InvariantError('c: real numbers are no spikes');
    const bits = train.kind === 'bits';
    const own = bits ? this.train(train, beta) : '';
    if (weights === undefined) {
      const accType = ctypes[acc.type].name;
      if (bits) {
        const whole = sizeOf(train.extent) % 8 === 0;
        const key = `spk_add_${acc.type}${whole ? '_bytes' : ''}`;
        const name = this.source.define(key, (whole ? addBytes : addBits)(key, accType));
        return [`{ ${own} ${name}(&t, ${first}, ${count}, ${acc.text}); }`];
      }
      const name = `spk_add_${train.type}_${acc.type}`;
      this.source.define(name, addLevels(name, ctypes[train.type].name, accType));
      return [
        ...this.#pooled(train, beta, first),
        `${name}(${this.#levels(train)}, ${sizeOf(train.extent)}u, ${acc.text});`,
      ];
    }
    const w = weights.bits;
    if (w !== 4 && w !== 8) this.source.helper('spk_bits');
    this.source.define(`spk_row_${w}`, rowKernel(w));
    const array = this.#weightName(weights);
    const windows = this.windows(weights.windows);
    const gather = bits ? gatherOf(weights, repeated(beta, Number.parseInt(count, 10))) : undefined;
    if (gather !== undefined) {
      const name = gatherName(w, gather.eachRow);
      this.source.define('spk_list', spikeLists);
      if (w === 4) this.source.type(rolled);
      this.source.define(name, gatherKernel(w, gather.eachRow));
      const args = [acc.text, '&s', array, `${gather.levelBits}u`, this.#lists(weights)];
      return [`{ ${own} ${windows} ${name}(&t, ${first}, ${count}, ${args.join(', ')}); }`];
    }
    const scattered = weights.windows.scattered === true;
    const spike = scattered ? `spk_scatter_${w}` : `spk_spike_${w}`;
    this.source.define(spike, scattered ? scatterKernel(w) : spikeKernel(w));
    const kernel = scattered ? `scattered_${w}` : String(w);
    if (bits) {
      const synapse = this.source.define(`spk_synapse_${kernel}`, bitsConv(`spk_synapse_${kernel}`, spike));
      return [`{ ${own} ${windows} ${synapse}(&t, ${first}, ${count}, ${acc.text}, &s, ${array}); }`];
    }
    const type = ctypes[train.type].name;
    const key = `spk_levels_${kernel}_${type.replace('spk_', '')}`;
    const name = this.source.define(key, levelsConv(key, spike, type));
    const size = sizeOf(train.extent);
    return [
      ...this.#pooled(train, beta, first),
      `{ ${windows} ${name}(${this.#levels(train)}, ${size}u, ${acc.text}, &s, ${array}); }`,
    ];
  };

  readonly #weightNames = new Map<unknown, string>();

  #weightName(weights: NonNullable<Term['weights']>): string {
    const name = this.#weightNames.get(weights) ?? weightArray(this.source, weights);
    this.#weightNames.set(weights, name);
    return name;
  }

  readonly #listBuffers = new Map<NonNullable<Term['weights']>, Buffer>();

  /** Memory for the spikes of the rows that a window reaches. */
  #lists(weights: NonNullable<Term['weights']>): string {
    const { from, kernel, dilation } = weights.windows;
    const rows = (kernel[0] - 1) * dilation[0] + 1;
    const count = rows * (from[2] * (from[0] + 1) + 1);
    const buffer = this.#listBuffers.get(weights) ?? this.arena.add('i32', count, this.position);
    this.#listBuffers.set(weights, buffer);
    return this.use(buffer);
  }

  readonly #levelBuffers = new Map<Pooled, { readonly at: number; readonly buffer: Buffer }>();

  #levels(train: Pooled): string {
    const known = this.#levelBuffers.get(train);
    const buffer =
      known?.at === this.position ? known.buffer : this.arena.add(train.type, sizeOf(train.extent), this.position);
    this.#levelBuffers.set(train, { at: this.position, buffer });
    return this.use(buffer);
  }

  /** The sums over the windows of a step. */
  #pooled(train: Pooled, beta: number, step: string): readonly string[] {
    const name = `spk_pool_${train.type}`;
    this.source.define(name, poolBits(name, ctypes[train.type].name));
    return [
      `{ ${this.train(train.from, beta)} ${this.windows(train.windows)} ${name}(&t, ${step}, ${train.from.depth}u, ${this.#levels(train)}, &s); }`,
    ];
  }

  protected firing(op: Op<'neuron'>, potential: Potential, train: Bits): FiringLayer {
    return {
      network: this.network,
      op,
      potential,
      out: this.source.address(train.buffer, 0),
      outBytes: planeBytes(potential.extent),
      source: this.source,
      memory: (type, count) => this.use(this.arena.add(type, count, this.position)),
      accumulate: this.accumulate,
    };
  }

  /** The sum over all steps, as a real number: gain times it, and what the bias adds. */
  #decode(op: Op<'decode'>, from: Value, output: string): Value {
    const potential = this.potentialOf(op, from);
    const beta = numberAttr(op.attrs, 'beta', 1);
    if (!Number.isInteger(beta)) throw new NotInteger(op.id, 'a step doesn’t count a whole number of the next');
    const { terms, extent, steps, bias } = potential;
    const [channels, height, width] = extent;
    const [n, pixels] = [sizeOf(extent), height * width];
    const sums: string[] = [];
    const share = this.shareOf(op, steps);
    for (const term of terms) {
      if (term.train.kind === 'real') throw new NotInteger(op.id, 'it reads the image');
      const most = mostOf(term, beta, steps);
      if (most > 2 ** 31 - 1) throw new NotInteger(op.id, 'its sums don’t fit 32 bits');
      const acc = { text: this.use(this.arena.add('i32', n, this.position)), type: 'i32' as const };
      this.source.line(`{ uint32_t i; for (i = 0; i < ${n}u; i++) ${acc.text}[i] = 0; }`);
      for (const line of this.allSteps(term, acc, steps, beta, n)) this.source.line(line);
      const gains = term.gain.map((g) => g * share);
      const gain = this.source.numbers('f64', gains, `gain of ${op.id}`);
      sums.push(`${gain.name}[${term.gain.length === 1 ? '0' : 'c'}] * (double)${acc.text}[x * ${channels}u + c]`);
    }
    let times = 0;
    for (let k = 0; k < steps; k++) times += beta ** k;
    if (bias !== undefined) {
      const values = this.source.numbers('f64', Array.from(bias), `bias of ${op.id}`);
      const at = bias.length === 1 ? '0' : bias.length === channels ? 'c' : `c * ${pixels}u + x`;
      sums.push(`${values.name}[${at}] * ${doubleLiteral(times * share)}`);
    }
    this.source.line(`{ uint32_t c, x; for (x = 0; x < ${pixels}u; x++) for (c = 0; c < ${channels}u; c++)`);
    this.source.line(`    ${output}[c * ${pixels}u + x] = (float)(${sums.join(' + ')}); }`);
    return { ...potential };
  }
}

/**
 * How a synapse is computed from its outputs, where 16 and more of them read the same spikes at several places, and their sums over a row
 * of a window fit 16 bits: of how many bits a level is, and whether the sums over whole windows don't fit.
 */
function gatherOf(
  { windows, outputs, bits, most, mostOfRow, rows }: NonNullable<Term['weights']>,
  level: number,
): { readonly levelBits: number; readonly eachRow: boolean } | undefined {
  const { from, to, groups, dilation, scattered } = windows;
  if (
    scattered === true ||
    groups > 1 ||
    dilation[1] > 1 ||
    outputs < 16 ||
    to[1] * to[2] === 1 ||
    mostOfRow * level > 32767
  )
    return undefined;
  const levelBits = Math.floor(Math.log2(level)) + 2;
  // a list's entry: where the weights are, and the level
  const row = Math.ceil((outputs * bits) / 8);
  const places = (rows.length / outputs + from[2]) * row;
  return places * 2 ** levelBits < 2 ** 31 ? { levelBits, eachRow: most * level > 32767 } : undefined;
}
