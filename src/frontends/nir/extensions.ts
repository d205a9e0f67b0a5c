import { fail } from '../../base/diagnostics/index.js';
import { type DType, byteWidth, elementCount, tensor } from '../../base/dtype.js';
import { TokenStream } from '../../base/tokens.js';
import { type NeuronDef, neuronProblems, parseNeuron, printNeuron } from '../../equations/index.js';
import {
  type AttrValue,
  type Attrs,
  type Coding,
  type Network,
  type OpKind,
  type Param,
  type Problem,
  firstOversized,
  isOpKind,
  verifyNetwork,
  verifyValues,
} from '../../network/index.js';
import type { FlatGraph, NirArray, NirGraph, NirNode } from './graph.js';

/** What the metadata of nodes say beside NIR (docs/nir.md, "Extensions"): names of one version. */
export const extensionVersion = 1;

type Fields = ReadonlyMap<string, NirArray | string>;

/** A layer in full, as a node's metadata have it. */
export interface ExtendedOp {
  readonly kind: OpKind;
  readonly attrs: Attrs;
  readonly params: ReadonlyMap<string, Param>;
  /** Of neurons. */
  readonly equations?: NeuronDef;
  /** Its id, where the node's name isn't it. */
  readonly layer?: string;
  /** The Outputs from which a gap's values come, in order. */
  readonly reads?: readonly string[];
}

/** A layer as metadata of a node: {@link readExtension} gives it back. */
export function writeExtension(
  { kind, attrs, params, equations, layer, reads }: ExtendedOp,
  node: NirNode,
): Map<string, NirArray | string> {
  const fields = new Map<string, NirArray | string>([
    ['op', kind],
    ['attributes', attributesText(attrs)],
  ]);
  if (layer !== undefined) fields.set('layer', layer);
  if (reads !== undefined) fields.set('reads', JSON.stringify(reads));
  if (equations !== undefined) fields.set('equations', printNeuron(equations));
  for (const [role, param] of params) {
    const own = node.fields.get(role);
    if (typeof own === 'object' && isSame(own, param)) fields.set(`param_${role}_field`, role);
    else writeParam(fields, `param_${role}`, param);
  }
  return fields;
}

/** Whether a field of a node is a parameter, number by number. */
function isSame({ shape, data }: NirArray, { tensor, quant }: Param): boolean {
  return (
    quant === undefined &&
    tensor.dtype === 'f32' &&
    shape.join() === tensor.shape.join() &&
    tensor.data.every((x, i) => Object.is(x, data[i]))
  );
}

function writeParam(
  fields: Map<string, NirArray | string>,
  name: string,
  { tensor: { dtype, shape, data }, quant }: Param,
): void {
  const isInteger = dtype !== 'f32' && dtype !== 'f64';
  const narrow = isInteger && byteWidth[dtype] === 1;
  fields.set(name, {
    shape,
    data: Float64Array.from(data),
    ...(isInteger ? { integer: true } : {}),
    ...(narrow ? { narrow } : {}),
  });
  fields.set(`${name}_type`, dtype);
  if (quant === undefined) return;
  fields.set(`${name}_scale`, { shape: [quant.scale.length], data: Float64Array.from(quant.scale) });
  fields.set(`${name}_zero`, { shape: [quant.zero.length], data: Float64Array.from(quant.zero), integer: true });
  fields.set(`${name}_axis`, { shape: [], data: Float64Array.of(quant.axis), integer: true });
}

/** Attributes as JSON; numbers that JSON doesn't have are `{"number": "Infinity"}`. */
export function attributesText(attrs: Attrs): string {
  return JSON.stringify(attrs, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value,
  );
}

/** Ends the reading of a node for what is wrong with its metadata. */
type Bad = (problem: string) => never;

/** The layer that a node's metadata say; undefined for a node that is what NIR says. */
export function readExtension({ metadata: fields, fields: plain }: NirNode, bad: Bad): ExtendedOp | undefined {
  const kind = fields?.get('op');
  if (fields === undefined || kind === undefined) return undefined;
  if (typeof kind !== 'string' || !isOpKind(kind)) return bad('has metadata of an unknown `op`');
  const layer = textOf(fields, 'layer', bad);
  const reads = textOf(fields, 'reads', bad);
  const equations = textOf(fields, 'equations', bad);
  return {
    kind,
    attrs: attributesOf(textOf(fields, 'attributes', bad) ?? '{}', bad),
    params: paramsOf(fields, plain, bad),
    ...(layer === undefined ? {} : { layer }),
    ...(reads === undefined ? {} : { reads: namesOf(reads, bad) }),
    ...(equations === undefined ? {} : { equations: neuronOf(equations, bad) }),
  };
}

function textOf(fields: Fields, name: string, bad: Bad): string | undefined {
  const value = fields.get(name);
  return value === undefined || typeof value === 'string' ? value : bad(`has metadata whose \`${name}\` is no text`);
}

function jsonOf(text: string, name: string, bad: Bad): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return bad(`has metadata whose \`${name}\` isn't JSON`);
  }
}

function namesOf(text: string, bad: Bad): readonly string[] {
  const names = jsonOf(text, 'reads', bad);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    return bad('has metadata whose `reads` are no list of names');
  }
  return names;
}

function neuronOf(text: string, bad: Bad): NeuronDef {
  try {
    const tokens = new TokenStream({ name: 'equations', text });
    tokens.expect('neuron');
    return parseNeuron(tokens);
  } catch (error) {
    return bad(`has equations that can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What `attributes`, or `coding`, say. */
export function attributesOf(text: string, bad: Bad): Attrs {
  const made = jsonOf(text, 'attributes', bad);
  if (typeof made !== 'object' || made === null || Array.isArray(made))
    return bad('has metadata whose `attributes` are no object');
  return Object.fromEntries(Object.entries(made).map(([name, value]) => [name, attributeOf(value, name, bad)]));
}

function attributeOf(value: unknown, name: string, bad: Bad): AttrValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((one) => numberOf(one, name, bad));
  return numberOf(value, name, bad);
}

function numberOf(value: unknown, name: string, bad: Bad): number {
  if (typeof value === 'number') return value;
  const text = typeof value === 'object' && value !== null && 'number' in value ? String(value.number) : '';
  return ['Infinity', '-Infinity', 'NaN'].includes(text)
    ? Number(text)
    : bad(`has metadata with the attribute "${name}" that is no number`);
}

function paramsOf(fields: Fields, plain: Fields, bad: Bad): ReadonlyMap<string, Param> {
  const params = new Map<string, Param>();
  for (const [field, dtype] of fields) {
    const own = /^param_(\w+)_field$/.exec(field)?.[1];
    if (own !== undefined && typeof dtype === 'string') {
      const value = arrayOf(plain, dtype, bad) ?? bad(`has no ${dtype}, which its metadata name`);
      params.set(own, { tensor: tensor('f32', value.shape, value.data) });
      continue;
    }
    const [, name, role] = /^(param_(\w+))_type$/.exec(field) ?? [];
    if (name === undefined || role === undefined || typeof dtype !== 'string') continue;
    const value = arrayOf(fields, name, bad) ?? bad(`has no ${name} in its metadata`);
    if (!isDType(dtype)) return bad(`has a ${name} of the type "${dtype.slice(0, 20)}"`);
    if (elementCount(value.shape) !== value.data.length) return bad(`has a ${name} that isn't the array that it says`);
    const scale = arrayOf(fields, `${name}_scale`, bad);
    const quant =
      scale === undefined
        ? {}
        : {
            quant: {
              scale: [...scale.data],
              zero: [...(arrayOf(fields, `${name}_zero`, bad)?.data ?? scale.data.map(() => 0))],
              axis: arrayOf(fields, `${name}_axis`, bad)?.data[0] ?? 0,
            },
          };
    const axis = quant.quant?.axis ?? 0;
    const each = quant.quant?.scale.length ?? 1;
    if (
      !(Number.isInteger(axis) && axis >= 0) ||
      (each !== 1 && each !== value.shape[axis]) ||
      ![1, each].includes(quant.quant?.zero.length ?? 1)
    )
      return bad(`has a ${name} whose scales aren't one for each index of an axis`);
    params.set(role, { tensor: tensor(dtype, value.shape, value.data), ...quant });
  }
  return params;
}

function arrayOf(fields: Fields, name: string, bad: Bad): NirArray | undefined {
  const value = fields.get(name);
  return typeof value === 'string' ? bad(`has text for ${name} in its metadata`) : value;
}

function isDType(name: string): name is DType {
  return Object.hasOwn(byteWidth, name);
}

/** What a file's metadata say of its extensions: the version, if it has any. */
export function versionOf({ metadata }: NirGraph): number | undefined {
  const value = metadata?.get('extensions');
  return typeof value === 'object' ? value.data[0] : undefined;
}

/** The coding of a file that says it. */
export function codingOf({ metadata }: NirGraph, file: string): Coding | undefined {
  const name = metadata?.get('coding');
  if (typeof name !== 'string') return undefined;
  const args = metadata?.get('coding_attributes');
  const bad = (problem: string): never => fail('nir/bad-node', { node: 'metadata', problem }, { file });
  return { name, args: typeof args === 'string' ? attributesOf(args, bad) : {} };
}

/** What is wrong with a network that metadata say: it is checked as a network's text is. */
export function problemOf(network: Network): Problem | undefined {
  const [problem] = [...verifyNetwork(network, 1), ...verifyValues(network)];
  const large = firstOversized(network);
  if (problem !== undefined || large === undefined) return problem;
  return { op: large.op.id, message: 'has more elements than a value can have' };
}

/** Equations of neurons by their name, which no others may have. */
export class Equations {
  readonly #texts = new Map<string, string>();

  /** Equations that are right, and new or as they were. */
  take(def: NeuronDef, bad: Bad): NeuronDef {
    const [problem] = neuronProblems(def);
    if (problem !== undefined) bad(`has equations in which ${problem}`);
    const text = printNeuron(def);
    const known = this.#texts.get(def.name);
    if (known !== undefined && known !== text) bad(`has other equations by the name ${def.name} than a node before`);
    this.#texts.set(def.name, text);
    return def;
  }
}

/** The nodes of a graph with the layers that stand in its gaps reading the Outputs that they name. */
export function withGaps(flat: FlatGraph, file: string): FlatGraph {
  const inputs = new Map(flat.inputs);
  for (const [name, { type, metadata }] of flat.nodes) {
    const bad = (problem: string): never => fail('nir/bad-node', { node: name, problem }, { file });
    const text = type === 'Input' ? metadata?.get('reads') : undefined;
    if (typeof text !== 'string') continue;
    const reads = namesOf(text, bad).map((one) => name.slice(0, name.lastIndexOf('.') + 1) + one);
    const missing = reads.find((one) => flat.nodes.get(one)?.type !== 'Output');
    if (missing !== undefined) return bad(`reads "${missing}", which is no Output`);
    inputs.set(name, reads);
  }
  return { nodes: flat.nodes, inputs };
}

/** A node with metadata beside those that it has. */
export function withMetadata(node: NirNode, more: Fields): NirNode {
  return { ...node, metadata: new Map([...(node.metadata ?? []), ...more]) };
}
