import { fail } from '../../base/diagnostics/index.js';
import { elementCount, tensor } from '../../base/dtype.js';
import type { Attrs, NetworkBuilder } from '../../network/index.js';
import type { NirArray, NirNode } from './graph.js';
import { neuronOf, neuronParameters } from './neurons.js';
import { irShape, namedPadding } from './shapes.js';

/** Makes a layer of each node of a NIR graph; whatever is wrong with a node is an error with its name. */
export class NirLayers {
  readonly #reserved = new Set<string>();

  constructor(
    readonly builder: NetworkBuilder,
    /** Of the file. */
    readonly path: string,
    readonly dt: number,
  ) {}

  bad(node: string, problem: string): never {
    fail('nir/bad-node', { node, problem }, { file: this.path });
  }

  /** An id for a node that nothing else has: names may be anything. */
  id(name: string): string {
    const plain = name.replace(/[^A-Za-z0-9_.-]/g, '_');
    let id = plain === '' ? 'node' : plain;
    while (this.builder.has(id) || this.#reserved.has(id)) id = `${id}_`;
    this.#reserved.add(id);
    return id;
  }

  add(
    id: string,
    kind: Parameters<NetworkBuilder['add']>[0]['kind'],
    inputs: readonly string[],
    attrs: Attrs = {},
    params: Readonly<Record<string, string>> = {},
  ): string {
    const made = this.builder.tryAdd({ id, kind, inputs, attrs, params });
    if (typeof made === 'string') return made;
    return this.bad(id, made.problem);
  }

  array(name: string, node: NirNode, field: string): NirArray | undefined {
    const value = node.fields.get(field);
    if (typeof value === 'string') return this.bad(name, `has the text "${value.slice(0, 40)}" for ${field}`);
    if (value?.data.some((x) => !Number.isFinite(x))) return this.bad(name, `has a ${field} that isn’t finite`);
    return value;
  }

  needed(name: string, node: NirNode, field: string): NirArray {
    return this.array(name, node, field) ?? this.bad(name, `has no ${field}`);
  }

  param(id: string, role: string, shape: readonly number[], data: Float64Array): string {
    return this.builder.param(`${id}.${role}`, { tensor: tensor('f32', shape, data) });
  }

  /** What a node that is neither an input, a delay nor neurons is; `features` are what the weights that read it take. */
  layer(name: string, node: NirNode, x: string, id: string, features?: number): string {
    switch (node.type) {
      case 'Output':
        return this.add(id, 'identity', [x]);
      case 'Affine':
      case 'Linear':
        return this.#linear(name, node, x, id);
      case 'Scale': {
        const scale = this.needed(name, node, 'scale');
        const wide = scale.data.length === 1 ? [1] : irShape(scale.shape);
        return this.add(id, 'affine', [x], {}, { scale: this.param(id, 'scale', wide, scale.data) });
      }
      case 'Conv1d':
      case 'Conv2d':
        return this.#conv(name, node, x, id);
      case 'SumPool2d':
      case 'AvgPool2d':
        return this.#pool(name, node, x, id);
      case 'Flatten':
        return this.#flatten(name, node, x, id, features);
      default:
        fail('nir/unknown-type', { node: name, type: node.type }, { file: this.path });
    }
  }

  /** All axes. Tools that count the batch begin at axis 1: that is meant where the weights behind it take all values. */
  #flatten(name: string, node: NirNode, x: string, id: string, features: number | undefined): string {
    const { shape } = this.builder.typeOf(x);
    const whole = (field: string, usual: number): number => this.array(name, node, field)?.data[0] ?? usual;
    const [start, last] = [whole('start_dim', 0), whole('end_dim', -1)];
    const isMeant = start === 0 || (start === 1 && features === elementCount(shape));
    if (!isMeant || (last !== -1 && last < shape.length - 1)) return this.bad(name, 'flattens some axes only');
    return shape.length === 1 ? this.add(id, 'identity', [x]) : this.add(id, 'flatten', [x]);
  }

  #linear(name: string, node: NirNode, x: string, id: string): string {
    const weight = this.needed(name, node, 'weight');
    const { shape } = this.builder.typeOf(x);
    const [outputs, inputs] = weight.shape;
    if (weight.shape.length !== 2 || shape.length !== 1 || inputs !== shape[0]) {
      return this.bad(name, `has a weight [${weight.shape.join(', ')}], and reads [${shape.join(', ')}]`);
    }
    const bias = node.type === 'Affine' ? this.needed(name, node, 'bias') : undefined;
    return this.add(
      id,
      'linear',
      [x],
      {},
      {
        weight: this.param(id, 'weight', weight.shape, weight.data),
        ...this.#bias(name, bias, id, outputs!),
      },
    );
  }

  /** The parameter of a bias, where there is one: a number for each output, or one for all. */
  #bias(name: string, bias: NirArray | undefined, id: string, outputs: number): { readonly bias?: string } {
    if (bias === undefined) return {};
    const { length } = bias.data;
    if (length !== outputs && length !== 1) return this.bad(name, `has a bias of ${length} numbers`);
    const data = length === 1 ? new Float64Array(outputs).fill(bias.data[0]!) : bias.data;
    return { bias: this.param(id, 'bias', [outputs], data) };
  }

  /** One or two whole numbers of a window. */
  #pair(name: string, node: NirNode, field: string, usual: number): [number, number] {
    const data = this.array(name, node, field)?.data ?? Float64Array.of(usual);
    const single = node.type === 'Conv1d';
    const pair: [number, number] = single
      ? [field === 'padding' ? 0 : 1, data[0]!]
      : [data[0]!, data[data.length > 1 ? 1 : 0]!];
    const least = field === 'padding' ? 0 : 1;
    if (pair.some((n) => !Number.isInteger(n) || n < least || n > 65535))
      return this.bad(name, `has the ${field} [${pair.join(', ')}]`);
    return pair;
  }

  #conv(name: string, node: NirNode, x: string, id: string): string {
    const weight = this.needed(name, node, 'weight');
    const rank = node.type === 'Conv1d' ? 3 : 4;
    if (weight.shape.length !== rank) return this.bad(name, `has a weight of ${weight.shape.length} axes`);
    const [outputs, inputs, ...taps] = weight.shape as [number, number, ...number[]];
    const kernel = (rank === 3 ? [1, taps[0]!] : taps) as [number, number];
    const [stride, dilation] = [this.#pair(name, node, 'stride', 1), this.#pair(name, node, 'dilation', 1)];
    const groups = this.array(name, node, 'groups')?.data[0] ?? 1;
    const own = namedPadding(node, kernel, dilation) ?? this.#pair(name, node, 'padding', 0);
    const pads = own.length === 2 ? [...own, ...own] : own;
    const bias = this.array(name, node, 'bias');
    return this.add(
      id,
      'conv',
      [x],
      { kernel, stride, pads, dilation, groups },
      {
        weight: this.param(id, 'weight', [outputs, inputs, ...kernel], weight.data),
        ...this.#bias(name, bias, id, outputs),
      },
    );
  }

  #pool(name: string, node: NirNode, x: string, id: string): string {
    const kernel = this.#pair(name, node, 'kernel_size', 1);
    const stride = node.fields.has('stride') ? this.#pair(name, node, 'stride', 1) : kernel;
    const [py, px] = this.#pair(name, node, 'padding', 0);
    const pads = [py, px, py, px];
    if (node.type === 'AvgPool2d') return this.add(id, 'avgpool', [x], { kernel, stride, pads, include_pad: true });
    const mean = this.add(this.id(`${name}.mean`), 'avgpool', [x], { kernel, stride, pads, include_pad: true });
    const area = Float64Array.of(kernel[0] * kernel[1]);
    return this.add(id, 'affine', [mean], {}, { scale: this.param(id, 'scale', [1], area) });
  }

  neurons(name: string, node: NirNode, x: string, id: string): string {
    const type = node.type as keyof typeof neuronParameters;
    const { shape } = this.builder.typeOf(x);
    const def = neuronOf(type);
    this.builder.neuron(def);
    const attrs: Record<string, number | string> = { neuron: def.name };
    const params: Record<string, string> = {};
    for (const parameter of neuronParameters[type]) {
      const value = this.array(name, node, parameter.field);
      if (value === undefined && parameter.usual === undefined) return this.bad(name, `has no ${parameter.field}`);
      const own = value?.data ?? Float64Array.of(parameter.usual!);
      const data = own.map((one) => parameter.of(one, this.dt));
      const bad = own.find((one, i) => (parameter.isTime === true && one <= 0) || !Number.isFinite(data[i]));
      if (bad !== undefined) return this.bad(name, `has a ${parameter.field} of ${bad}`);
      const [first] = data as unknown as [number];
      if (data.every((one) => one === first)) attrs[parameter.name] = first;
      else if (data.length === elementCount(shape))
        params[parameter.name] = this.param(id, parameter.name, shape, data);
      else return this.bad(name, `has ${data.length} numbers for ${parameter.field}, and reads [${shape.join(', ')}]`);
    }
    return this.add(id, 'neuron', [x], attrs, params);
  }
}
