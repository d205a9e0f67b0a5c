import { type Diagnostic, fail } from '../../base/diagnostics/index.js';
import { elementCount, tensor } from '../../base/dtype.js';
import { type Attrs, type Coding, type Network, NetworkBuilder, type ValueType } from '../../network/index.js';
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
import { irShape, namedPadding, withoutBatch } from './shapes.js';
import { flattened } from './flatten.js';
import type { FlatGraph, NirArray, NirGraph, NirNode } from './graph.js';
import { type NirOrder, orderOf } from './order.js';
import { isNeuronType, neuronOf, neuronParameters } from './neurons.js';
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
  const network = new NirImport(flat, time, file, version !== undefined).network(coding);
  return { network, time, notes };
}

class NirImport {
  readonly #builder: NetworkBuilder;
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
      if (node.type === 'Output' && !this.#isRead(name)) outputs.push(this.#readOut(name, node, id));
    }
    if (outputs.length === 0) this.#bad([...nodes.keys()][0] ?? 'graph', 'is in a graph without an Output');
    const network = this.#builder.finish(outputs);
    if (this.extended) {
      const said = coding === undefined ? network : { ...network, coding };
      const problem = problemOf(said);
      if (problem !== undefined) this.#bad(problem.op, problem.message);
      return said;
    }
    return { ...network, coding: { name: 'events', args: { steps: this.time.steps } } };
  }

  #isRead(name: string): boolean {
    return [...this.flat.inputs.values()].some((from) => from.includes(name));
  }

  #readOut(name: string, { metadata }: NirNode, id: string): string {
    const said = metadata?.get('readout');
    // trains that the file doesn't read out have become values before
    if (this.extended && said === undefined) return id;
    const attrs =
      typeof said === 'string' ? attributesOf(said, (problem) => this.#bad(name, problem)) : { coding: 'events' };
    return this.#add(this.#endId(metadata, 'readout', `${id}.readout`), 'decode', [id], attrs);
  }

  #endId(metadata: NirNode['metadata'], end: 'coding' | 'readout', usual: string): string {
    const own = metadata?.get(`${end}_layer`);
    return this.#id(this.extended && typeof own === 'string' ? own : usual);
  }

  readonly #equations = new Equations();

  /** A layer that metadata say in full. */
  #extension(name: string, { kind, attrs, params, equations, layer }: ExtendedOp, order: NirOrder): string {
    const from = this.flat.nodes.get(name)!.metadata!.has('reads')
      ? this.flat.inputs.get(name)!.map((one) => this.#ids.get(one)!)
      : [this.#inputOf(name, order)];
    const id = this.#ahead.get(name) ?? this.#id(layer ?? name);
    if (equations !== undefined)
      this.#builder.neuron(this.#equations.take(equations, (problem) => this.#bad(name, problem)));
    const roles = [...params].map(([role, param]) => [role, this.#builder.param(`${id}.${role}`, param)]);
    const made = this.#add(id, kind, from, attrs, Object.fromEntries(roles) as Record<string, string>);
    this.#shapes.set(name, this.#builder.typeOf(made).shape);
    return made;
  }

  #bad(node: string, problem: string): never {
    fail('nir/bad-node', { node, problem }, { file: this.file.path });
  }

  /** An id for a node that nothing else has: names may be anything. */
  #id(name: string): string {
    const plain = name.replace(/[^A-Za-z0-9_.-]/g, '_');
    let id = plain === '' ? 'node' : plain;
    while (this.#builder.has(id) || this.#reserved.has(id)) id = `${id}_`;
    this.#reserved.add(id);
    return id;
  }

  readonly #reserved = new Set<string>();

  #add(
    id: string,
    kind: Parameters<NetworkBuilder['add']>[0]['kind'],
    inputs: readonly string[],
    attrs: Attrs = {},
    params: Readonly<Record<string, string>> = {},
  ): string {
    const made = this.#builder.tryAdd({ id, kind, inputs, attrs, params });
    if (typeof made === 'string') return made;
    return this.#bad(id, made.problem);
  }

  #array(name: string, node: NirNode, field: string): NirArray | undefined {
    const value = node.fields.get(field);
    if (typeof value === 'string') return this.#bad(name, `has the text "${value.slice(0, 40)}" for ${field}`);
    if (value?.data.some((x) => !Number.isFinite(x))) return this.#bad(name, `has a ${field} that isn’t finite`);
    return value;
  }

  #needed(name: string, node: NirNode, field: string): NirArray {
    return this.#array(name, node, field) ?? this.#bad(name, `has no ${field}`);
  }

  #param(id: string, role: string, shape: readonly number[], data: Float64Array): string {
    return this.#builder.param(`${id}.${role}`, { tensor: tensor('f32', shape, data) });
  }

  /** What a node reads, summed where it is several. */
  #inputOf(name: string, { late }: NirOrder, from = this.flat.inputs.get(name)!): string {
    if (from.length === 0) return this.#bad(name, 'reads nothing');
    const values = from.map((one) => (late.get(name)?.has(one) === true ? this.#before(one) : this.#ids.get(one)!));
    return values
      .slice(1)
      .reduce((sum, value, i) => this.#add(this.#id(`${name}.sum${i + 1}`), 'add', [sum, value]), values[0]!);
  }

  readonly #earlier = new Map<string, string>();

  /** What a node gave some steps before, as a layer `id` if that is given. */
  #before(name: string, steps = 1, id?: string): string {
    const known = this.#earlier.get(`${name} ${steps}`);
    if (known !== undefined) return id === undefined ? known : this.#add(id, 'identity', [known]);
    return this.#lagAhead(name, steps, id ?? this.#id(`${name}.before${steps === 1 ? '' : steps}`));
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
    if (typeof made !== 'string') return this.#bad(name, made.problem);
    this.#earlier.set(`${name} ${steps}`, id);
    return id;
  }

  readonly #ahead = new Map<string, string>();

  #reservedFor(name: string): string {
    const known = this.#ahead.get(name);
    if (known !== undefined) return known;
    const layer = this.extended ? this.flat.nodes.get(name)!.metadata?.get('layer') : undefined;
    const id = this.#id(typeof layer === 'string' ? layer : name);
    this.#ahead.set(name, id);
    return id;
  }

  #own(name: string): string {
    return this.#ahead.get(name) ?? this.#id(name);
  }

  /** The shape of neurons that are read before they are computed: that of their parameters, or of the weights before them. */
  #shapeAhead(name: string, seen = new Set<string>()): readonly number[] {
    const known = this.#shapes.get(name);
    if (known !== undefined) return known;
    if (seen.has(name)) return this.#bad(name, 'has a shape that only itself says');
    seen.add(name);
    const node = this.flat.nodes.get(name)!;
    if (isNeuronType(node.type)) {
      for (const { field } of neuronParameters[node.type]) {
        const value = node.fields.get(field);
        if (typeof value === 'object' && value.data.length > 1) return irShape(value.shape);
      }
    }
    if (node.type === 'Affine' || node.type === 'Linear') return [this.#needed(name, node, 'weight').shape[0] ?? 1];
    const from = this.flat.inputs.get(name)!.find((one) => this.#ids.has(one) || !seen.has(one));
    return from === undefined ? this.#bad(name, 'has a shape that nothing says') : this.#shapeAhead(from, seen);
  }

  #node(name: string, node: NirNode, order: NirOrder): string {
    const extension = this.extended ? readExtension(node, (problem) => this.#bad(name, problem)) : undefined;
    if (node.type === 'Delay') {
      const id = this.#ahead.get(name) ?? this.#id(extension?.layer ?? name);
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
    if (isNeuronType(node.type)) return this.#neurons(name, node, order);
    const x = this.#inputOf(name, order);
    const id = this.#own(name);
    const made = this.#layer(name, node, x, id);
    this.#shapes.set(name, this.#builder.typeOf(made).shape);
    return made;
  }

  #layer(name: string, node: NirNode, x: string, id: string): string {
    const { shape } = this.#builder.typeOf(x);
    switch (node.type) {
      case 'Output':
        return this.#add(id, 'identity', [x]);
      case 'Affine':
      case 'Linear':
        return this.#linear(name, node, x, id);
      case 'Scale': {
        const scale = this.#needed(name, node, 'scale');
        const wide = scale.data.length === 1 ? [1] : irShape(scale.shape);
        return this.#add(id, 'affine', [x], {}, { scale: this.#param(id, 'scale', wide, scale.data) });
      }
      case 'Conv1d':
      case 'Conv2d':
        return this.#conv(name, node, x, id);
      case 'SumPool2d':
      case 'AvgPool2d':
        return this.#pool(name, node, x, id);
      case 'Flatten': {
        const whole = (field: string, usual: number): number => this.#array(name, node, field)?.data[0] ?? usual;
        const last = whole('end_dim', -1);
        const rank = shape.length;
        if (whole('start_dim', 0) !== 0 || (last !== -1 && last < rank - 1))
          return this.#bad(name, 'flattens some axes only');
        return rank === 1 ? this.#add(id, 'identity', [x]) : this.#add(id, 'flatten', [x]);
      }
      default:
        fail('nir/unknown-type', { node: name, type: node.type }, { file: this.file.path });
    }
  }

  #input(name: string, node: NirNode, order: NirOrder): string {
    if (this.flat.inputs.get(name)!.length > 0)
      return this.#add(this.#own(name), 'identity', [this.#inputOf(name, order)]);
    const shape = withoutBatch(this.flat, name, irShape([...this.#needed(name, node, 'shape').data]));
    if (shape.length === 0 || shape.some((n) => !Number.isInteger(n) || n < 1) || elementCount(shape) > 2 ** 26) {
      return this.#bad(name, `has the shape [${shape.join(', ')}]`);
    }
    const id = this.#own(name);
    this.#add(id, 'input', [], { shape });
    this.#shapes.set(name, shape);
    const said = node.metadata?.get('coding');
    // values that become trains later, or never
    if (this.extended && said === undefined) return id;
    const attrs =
      typeof said === 'string'
        ? { ...attributesOf(said, (problem) => this.#bad(name, problem)), steps: this.time.steps }
        : { coding: 'events', steps: this.time.steps };
    return this.#add(this.#endId(node.metadata, 'coding', `${name}.frames`), 'encode', [id], attrs);
  }

  #linear(name: string, node: NirNode, x: string, id: string): string {
    const weight = this.#needed(name, node, 'weight');
    const { shape } = this.#builder.typeOf(x);
    const [outputs, inputs] = weight.shape;
    if (weight.shape.length !== 2 || shape.length !== 1 || inputs !== shape[0]) {
      return this.#bad(name, `has a weight [${weight.shape.join(', ')}], and reads [${shape.join(', ')}]`);
    }
    const bias = node.type === 'Affine' ? this.#needed(name, node, 'bias') : undefined;
    return this.#add(
      id,
      'linear',
      [x],
      {},
      {
        weight: this.#param(id, 'weight', weight.shape, weight.data),
        ...this.#bias(name, bias, id, outputs!),
      },
    );
  }

  /** The parameter of a bias, where there is one: a number for each output. */
  #bias(name: string, bias: NirArray | undefined, id: string, outputs: number): { readonly bias?: string } {
    if (bias === undefined) return {};
    if (bias.data.length !== outputs) return this.#bad(name, `has a bias of ${bias.data.length} numbers`);
    return { bias: this.#param(id, 'bias', [outputs], bias.data) };
  }

  /** One or two whole numbers of a window. */
  #pair(name: string, node: NirNode, field: string, usual: number): [number, number] {
    const data = this.#array(name, node, field)?.data ?? Float64Array.of(usual);
    const single = node.type === 'Conv1d';
    const pair: [number, number] = single
      ? [field === 'padding' ? 0 : 1, data[0]!]
      : [data[0]!, data[data.length > 1 ? 1 : 0]!];
    const least = field === 'padding' ? 0 : 1;
    if (pair.some((n) => !Number.isInteger(n) || n < least || n > 65535))
      return this.#bad(name, `has the ${field} [${pair.join(', ')}]`);
    return pair;
  }

  #conv(name: string, node: NirNode, x: string, id: string): string {
    const weight = this.#needed(name, node, 'weight');
    const rank = node.type === 'Conv1d' ? 3 : 4;
    if (weight.shape.length !== rank) return this.#bad(name, `has a weight of ${weight.shape.length} axes`);
    const [outputs, inputs, ...taps] = weight.shape as [number, number, ...number[]];
    const kernel = (rank === 3 ? [1, taps[0]!] : taps) as [number, number];
    const [stride, dilation] = [this.#pair(name, node, 'stride', 1), this.#pair(name, node, 'dilation', 1)];
    const groups = this.#array(name, node, 'groups')?.data[0] ?? 1;
    const own = namedPadding(node, kernel, dilation) ?? this.#pair(name, node, 'padding', 0);
    const pads = own.length === 2 ? [...own, ...own] : own;
    const bias = this.#array(name, node, 'bias');
    return this.#add(
      id,
      'conv',
      [x],
      { kernel, stride, pads, dilation, groups },
      {
        weight: this.#param(id, 'weight', [outputs, inputs, ...kernel], weight.data),
        ...this.#bias(name, bias, id, outputs),
      },
    );
  }

  #pool(name: string, node: NirNode, x: string, id: string): string {
    const kernel = this.#pair(name, node, 'kernel_size', 1);
    const stride = node.fields.has('stride') ? this.#pair(name, node, 'stride', 1) : kernel;
    const [py, px] = this.#pair(name, node, 'padding', 0);
    const pads = [py, px, py, px];
    if (node.type === 'AvgPool2d') return this.#add(id, 'avgpool', [x], { kernel, stride, pads, include_pad: true });
    const mean = this.#add(this.#id(`${name}.mean`), 'avgpool', [x], { kernel, stride, pads, include_pad: true });
    const area = Float64Array.of(kernel[0] * kernel[1]);
    return this.#add(id, 'affine', [mean], {}, { scale: this.#param(id, 'scale', [1], area) });
  }

  /** Whole steps of each value of a Delay. */
  #delays(name: string): number[] {
    const node = this.flat.nodes.get(name)!;
    return [...this.#needed(name, node, 'delay').data].map((seconds) => {
      const steps = Math.round(seconds / this.time.dt);
      if (!(steps >= 0) || steps > 1e6) return this.#bad(name, `delays by ${seconds} s`);
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
        x === undefined || by === 0 ? x : this.#add(only ?? this.#id(`${name}.late${by}`), 'lag', [x], { steps: by });
      return [...(known === undefined ? [] : [known]), ...[...later].map((one) => this.#before(one, by, only))];
    };
    const masked = (made: string, by: number): string => {
      const { shape } = this.#builder.typeOf(made);
      if (steps.length !== elementCount(shape))
        return this.#bad(name, `has ${steps.length} delays for [${shape.join(', ')}]`);
      const mask = Float64Array.from(steps, (one) => Number(one === by));
      const id = this.#id(`${name}.by${by}`);
      return this.#add(id, 'affine', [made], {}, { scale: this.#param(id, 'scale', shape, mask) });
    };
    const parts = distinct.flatMap((by) => lagged(by).map((made) => (distinct.length === 1 ? made : masked(made, by))));
    if (parts.length === 1) return parts[0] === own ? own : this.#add(own, 'identity', [parts[0]!]);
    return parts.slice(1).reduce((sum, part, i) => {
      const last = i === parts.length - 2;
      return this.#add(last ? own : this.#id(`${name}.sum${i + 1}`), 'add', [sum, part]);
    }, parts[0]!);
  }

  #neurons(name: string, node: NirNode, order: NirOrder): string {
    const type = node.type as keyof typeof neuronParameters;
    const x = this.#inputOf(name, order);
    const { shape } = this.#builder.typeOf(x);
    const id = this.#own(name);
    const def = neuronOf(type);
    this.#builder.neuron(def);
    const attrs: Record<string, number | string> = { neuron: def.name };
    const params: Record<string, string> = {};
    for (const parameter of neuronParameters[type]) {
      const value = this.#array(name, node, parameter.field);
      if (value === undefined && parameter.usual === undefined) return this.#bad(name, `has no ${parameter.field}`);
      const own = value?.data ?? Float64Array.of(parameter.usual!);
      const data = own.map((one) => parameter.of(one, this.time.dt));
      const bad = own.find((one, i) => (parameter.isTime === true && one <= 0) || !Number.isFinite(data[i]));
      if (bad !== undefined) return this.#bad(name, `has a ${parameter.field} of ${bad}`);
      const [first] = data as unknown as [number];
      if (data.every((one) => one === first)) attrs[parameter.name] = first;
      else if (data.length === elementCount(shape))
        params[parameter.name] = this.#param(id, parameter.name, shape, data);
      else return this.#bad(name, `has ${data.length} numbers for ${parameter.field}, and reads [${shape.join(', ')}]`);
    }
    const made = this.#add(id, 'neuron', [x], attrs, params);
    this.#shapes.set(name, shape);
    return made;
  }
}
