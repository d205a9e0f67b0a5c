import { type Diagnostic, fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import { type Coding, type Network, NetworkBuilder, type ValueType } from '../../network/index.js';
import {
  Equations,
  type ExtendedOp,
  attributesOf,
  codingOf,
  extensionVersion,
  problemOf,
  readExtension,
  versionOf,
  withGaps,
} from './extensions.js';
import { featuresRead, irShape, readersIn, withoutBatch } from './shapes.js';
import { flattened } from './flatten.js';
import type { FlatGraph, NirGraph, NirNode } from './graph.js';
import { NirLayers } from './layers.js';
import { type NirOrder, orderOf } from './order.js';
import { isNeuronType, neuronParameters } from './neurons.js';
import { parseSums } from './sums.js';
import { type NirTime, timeOf } from './time.js';

export interface ImportedNir {
  readonly network: Network;
  readonly time: NirTime;
  readonly notes: readonly Diagnostic[];
}

/** A NIR graph as a network whose input has frames, one a step: forward Euler with step dt, all states from 0. */
export function importNir(
  graph: NirGraph,
  said: Partial<NirTime>,
  file: { readonly name: string; readonly path: string },
): ImportedNir {
  const flat = withGaps(flattened(graph, file.path), file.path);
  const version = versionOf(graph);
  if (version !== undefined && version !== extensionVersion)
    fail('nir/extension-version', { version }, { file: file.path });
  const { time, notes } = timeOf(graph, flat, said, file.path);
  const coding = version === undefined ? undefined : codingOf(graph, file.path);
  if (coding !== undefined && said.coding !== undefined)
    fail(
      'nir/bad-option',
      { text: `coding=${said.coding}` },
      { file: file.path },
      { help: `the file's own metadata say its coding, ${coding.name}` },
    );
  const network = new NirImport(flat, time, file, version !== undefined).network(coding);
  return { network, time, notes };
}

class NirImport {
  readonly #builder: NetworkBuilder;
  readonly #layers: NirLayers;
  readonly #ids = new Map<string, string>();
  readonly #shapes = new Map<string, readonly number[]>();

  constructor(
    readonly flat: FlatGraph,
    readonly time: NirTime,
    readonly file: { readonly name: string; readonly path: string },
    /** Its metadata say what NIR can't. */
    readonly extended: boolean,
  ) {
    this.#builder = new NetworkBuilder(file.name);
    this.#layers = new NirLayers(this.#builder, file.path, time.dt);
  }

  network(coding: Coding | undefined): Network {
    const { nodes } = this.flat;
    const isDelay = (name: string): boolean =>
      nodes.get(name)!.type === 'Delay' && Math.min(...this.#delays(name)) >= 1;
    const order = orderOf(this.flat, isDelay, this.file.path);
    const outputs: string[] = [];
    for (const name of order.order) {
      const node = nodes.get(name)!;
      const id = this.#node(name, node, order);
      this.#ids.set(name, id);
      if (node.type === 'Output' && readersIn(this.flat, name).length === 0)
        outputs.push(this.#readOut(name, node, id));
    }
    if (outputs.length === 0) this.#layers.bad([...nodes.keys()][0] ?? 'graph', 'is in a graph without an Output');
    const network = this.#builder.finish(outputs);
    if (this.extended) {
      const said = coding === undefined ? network : { ...network, coding };
      const problem = problemOf(said);
      if (problem !== undefined) this.#layers.bad(problem.op, problem.message);
      return said;
    }
    return { ...network, coding: { name: this.time.coding, args: { steps: this.time.steps } } };
  }

  #readOut(name: string, { metadata }: NirNode, id: string): string {
    const said = metadata?.get('readout');
    // trains that the file doesn't read out have become values before
    if (this.extended && said === undefined) return id;
    const attrs =
      typeof said === 'string'
        ? attributesOf(said, (problem) => this.#layers.bad(name, problem))
        : { coding: this.time.coding };
    return this.#layers.add(this.#endId(metadata, 'readout', `${id}.readout`), 'decode', [id], attrs);
  }

  #endId(metadata: NirNode['metadata'], end: 'coding' | 'readout', usual: string): string {
    const own = metadata?.get(`${end}_layer`);
    return this.#layers.id(this.extended && typeof own === 'string' ? own : usual);
  }

  readonly #equations = new Equations();

  /** A layer that metadata say in full. */
  #extension(name: string, { kind, attrs, params, equations, layer }: ExtendedOp, order: NirOrder): string {
    const from = this.flat.nodes.get(name)!.metadata!.has('reads')
      ? this.flat.inputs.get(name)!.map((one) => this.#ids.get(one)!)
      : [this.#inputOf(name, order)];
    const id = this.#ahead.get(name) ?? this.#layers.id(layer ?? name);
    if (equations !== undefined)
      this.#builder.neuron(this.#equations.take(equations, (problem) => this.#layers.bad(name, problem)));
    const roles = [...params].map(([role, param]) => [role, this.#builder.param(`${id}.${role}`, param)]);
    const made = this.#layers.add(id, kind, from, attrs, Object.fromEntries(roles) as Record<string, string>);
    this.#shapes.set(name, this.#builder.typeOf(made).shape);
    return made;
  }

  /** What a node reads, summed where it is several. */
  #inputOf(name: string, { late }: NirOrder, from = this.flat.inputs.get(name)!): string {
    if (from.length === 0) return this.#layers.bad(name, 'reads nothing');
    const valueOf = (one: string): string =>
      late.get(name)?.has(one) === true ? this.#before(one) : this.#ids.get(one)!;
    const isWhole = from.length === this.flat.inputs.get(name)!.length;
    const said = this.extended && isWhole ? this.flat.nodes.get(name)!.metadata?.get('sums') : undefined;
    if (said !== undefined) return this.#summed(name, said, from, valueOf);
    const values = from.map(valueOf);
    return values
      .slice(1)
      .reduce(
        (sum, value, i) => this.#layers.add(this.#layers.id(`${name}.sum${i + 1}`), 'add', [sum, value]),
        values[0]!,
      );
  }

  /** Sums that metadata say, by what they add; nodes that read the same one share it. */
  readonly #sums = new Map<string, string>();

  #summed(name: string, said: unknown, from: readonly string[], valueOf: (node: string) => string): string {
    const sums = typeof said === 'string' ? parseSums(said, from) : undefined;
    if (sums === undefined) return this.#layers.bad(name, 'has metadata whose `sums` aren’t those of what it reads');
    const made: string[] = [];
    for (const [id, ...of] of sums) {
      const values = of.map((one) => (typeof one === 'number' ? made[one]! : valueOf(one)));
      const key = JSON.stringify([id, values]);
      const known = this.#sums.get(key) ?? this.#layers.add(this.#layers.id(id), 'add', values);
      this.#sums.set(key, known);
      made.push(known);
    }
    return made.at(-1)!;
  }

  readonly #earlier = new Map<string, string>();

  /** What a node gave some steps before, as a layer `id` if that is given. */
  #before(name: string, steps = 1, id?: string): string {
    const known = this.#earlier.get(`${name} ${steps}`);
    if (known !== undefined) return id === undefined ? known : this.#layers.add(id, 'identity', [known]);
    return this.#lagAhead(name, steps, id ?? this.#layers.id(`${name}.before${steps === 1 ? '' : steps}`));
  }

  /** A lag of what is computed behind it. */
  #lagAhead(name: string, steps: number, id: string): string {
    const node = this.flat.nodes.get(name)!;
    const target = this.#ids.get(name) ?? this.#reservedFor(name);
    const shape = this.#shapeAhead(name);
    const isSpike = ['IF', 'LIF', 'CubaLIF', 'Threshold'].includes(node.type);
    const said = (field: string, usual: number): number => {
      const value = this.extended ? node.metadata?.get(field) : undefined;
      return typeof value === 'object' && Number.isFinite(value.data[0]) ? value.data[0]! : usual;
    };
    const spike = {
      kind: 'spike',
      min: said('spike_min', 0),
      max: said('spike_max', 1),
      step: said('spike_step', 1),
    } as const;
    const code: ValueType['code'] = isSpike ? spike : { kind: 'psp' };
    const ahead: ValueType = { shape, time: { start: 1, steps: this.time.steps }, code };
    const made = this.#builder.tryAdd({ id, kind: 'lag', inputs: [target], attrs: { steps }, ahead });
    if (typeof made !== 'string') return this.#layers.bad(name, made.problem);
    this.#earlier.set(`${name} ${steps}`, id);
    return id;
  }

  readonly #ahead = new Map<string, string>();

  #reservedFor(name: string): string {
    const known = this.#ahead.get(name);
    if (known !== undefined) return known;
    const layer = this.extended ? this.flat.nodes.get(name)!.metadata?.get('layer') : undefined;
    const id = this.#layers.id(typeof layer === 'string' ? layer : name);
    this.#ahead.set(name, id);
    return id;
  }

  #own(name: string): string {
    return this.#ahead.get(name) ?? this.#layers.id(name);
  }

  /** The shape of neurons that are read before they are computed: that of their parameters, or of the weights before them. */
  #shapeAhead(start: string): readonly number[] {
    const seen = new Set<string>();
    for (let name = start; ;) {
      const known = this.#shapes.get(name);
      if (known !== undefined) return known;
      if (seen.has(name)) return this.#layers.bad(name, 'has a shape that only itself says');
      seen.add(name);
      const own = this.#ownShape(name);
      if (own !== undefined) return own;
      const from = this.flat.inputs.get(name)!.find((one) => this.#ids.has(one) || !seen.has(one));
      if (from === undefined) return this.#layers.bad(name, 'has a shape that nothing says');
      name = from;
    }
  }

  /** The shape of what a node gives, where its own arrays say it. */
  #ownShape(name: string): readonly number[] | undefined {
    const node = this.flat.nodes.get(name)!;
    if (isNeuronType(node.type)) {
      for (const { field } of neuronParameters[node.type]) {
        const value = node.fields.get(field);
        if (typeof value === 'object' && value.data.length > 1)
          return this.extended ? value.shape : irShape(value.shape);
      }
    }
    const isWeighted = node.type === 'Affine' || node.type === 'Linear';
    return isWeighted ? [this.#layers.needed(name, node, 'weight').shape[0] ?? 1] : undefined;
  }

  #node(name: string, node: NirNode, order: NirOrder): string {
    const extension = this.extended ? readExtension(node, (problem) => this.#layers.bad(name, problem)) : undefined;
    if (node.type === 'Delay') {
      const id = this.#ahead.get(name) ?? this.#layers.id(extension?.layer ?? name);
      this.#shapes.set(name, this.#builder.typeOf(this.#delay(name, id, order)).shape);
      return id;
    }
    if (extension !== undefined) return this.#extension(name, extension, order);
    if (this.extended && node.type === 'Output' && node.metadata?.has('gap') === true) {
      const id = this.#inputOf(name, order);
      this.#shapes.set(name, this.#builder.typeOf(id).shape);
      return id;
    }
    if (node.type === 'Input') return this.#input(name, node, order);
    const x = this.#inputOf(name, order);
    const id = this.#own(name);
    const made = isNeuronType(node.type)
      ? this.#layers.neurons(name, node, x, id)
      : this.#layers.layer(name, node, x, id, featuresRead(this.flat, name));
    this.#shapes.set(name, this.#builder.typeOf(made).shape);
    return made;
  }

  #input(name: string, node: NirNode, order: NirOrder): string {
    if (this.flat.inputs.get(name)!.length > 0)
      return this.#layers.add(this.#own(name), 'identity', [this.#inputOf(name, order)]);
    // other tools' sequences become images of one row; those of an extended file are what its layers say
    const written = [...this.#layers.needed(name, node, 'shape').data];
    const shape = this.extended ? written : withoutBatch(this.flat, name, irShape(written));
    if (shape.length === 0 || shape.some((n) => !Number.isInteger(n) || n < 1) || elementCount(shape) > 2 ** 26) {
      return this.#layers.bad(name, `has the shape [${shape.join(', ')}]`);
    }
    const id = this.#own(name);
    this.#layers.add(id, 'input', [], { shape });
    this.#shapes.set(name, shape);
    const said = node.metadata?.get('coding');
    // values that become trains later, or never
    if (this.extended && said === undefined) return id;
    const attrs =
      typeof said === 'string'
        ? { ...attributesOf(said, (problem) => this.#layers.bad(name, problem)), steps: this.time.steps }
        : { coding: this.time.coding, steps: this.time.steps };
    return this.#layers.add(this.#endId(node.metadata, 'coding', `${name}.frames`), 'encode', [id], attrs);
  }

  /** Whole steps of each value of a Delay. */
  #delays(name: string): number[] {
    const node = this.flat.nodes.get(name)!;
    return [...this.#layers.needed(name, node, 'delay').data].map((seconds) => {
      const steps = Math.round(seconds / this.time.dt);
      if (!(steps >= 0) || steps > 1e6) return this.#layers.bad(name, `delays by ${seconds} s`);
      return steps;
    });
  }

  /**
   * Values that are all late alike are one train; others are told apart by masks, and added. What is computed behind a Delay that
   * closes a cycle is as late as the Delay says, too.
   */
  #delay(name: string, own: string, order: NirOrder): string {
    const steps = this.#delays(name);
    const later = order.late.get(name) ?? new Set<string>();
    const now = this.flat.inputs.get(name)!.filter((one) => !later.has(one));
    const x = now.length > 0 || later.size === 0 ? this.#inputOf(name, order, now) : undefined;
    const distinct = [...new Set(steps)];
    const only = distinct.length === 1 && later.size + (x === undefined ? 0 : 1) === 1 ? own : undefined;
    const lagged = (by: number): string[] => {
      const known =
        x === undefined || by === 0
          ? x
          : this.#layers.add(only ?? this.#layers.id(`${name}.late${by}`), 'lag', [x], { steps: by });
      return [...(known === undefined ? [] : [known]), ...[...later].map((one) => this.#before(one, by, only))];
    };
    const masked = (made: string, by: number): string => {
      const { shape } = this.#builder.typeOf(made);
      if (steps.length !== elementCount(shape))
        return this.#layers.bad(name, `has ${steps.length} delays for [${shape.join(', ')}]`);
      const mask = Float64Array.from(steps, (one) => Number(one === by));
      const id = this.#layers.id(`${name}.by${by}`);
      return this.#layers.add(id, 'affine', [made], {}, { scale: this.#layers.param(id, 'scale', shape, mask) });
    };
    const parts = distinct.flatMap((by) => lagged(by).map((made) => (distinct.length === 1 ? made : masked(made, by))));
    if (parts.length === 1) return parts[0] === own ? own : this.#layers.add(own, 'identity', [parts[0]!]);
    return parts.slice(1).reduce((sum, part, i) => {
      const last = i === parts.length - 2;
      return this.#layers.add(last ? own : this.#layers.id(`${name}.sum${i + 1}`), 'add', [sum, part]);
    }, parts[0]!);
  }
}
