import type { NeuronDef, NeuronUse } from '../equations/index.js';
import type { Span } from '../base/source.js';
import type { GraphDeclaration } from '../syntax/index.js';
import type { Declared } from './declared.js';

export type { NeuronUse } from '../equations/index.js';

/** What an expression can be worth. */
export type Value =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | BlockValue
  | { readonly kind: 'network' | 'config'; readonly name: string }
  | { readonly kind: 'neuron'; readonly use: NeuronUse }
  /** A declared neuron before it has its arguments. */
  | { readonly kind: 'neuronDef'; readonly def: NeuronDef }
  /** One of several named things with arguments: `sgd(lr: 0.1)`, `cosine`. */
  | { readonly kind: 'choice'; readonly choice: Choice }
  /** Several of them, added up. */
  | { readonly kind: 'sum'; readonly terms: readonly Term[] }
  | TensorValue
  /** A value of the network whose shape is being found out. */
  | { readonly kind: 'hole' }
  /** Something already reported. */
  | { readonly kind: 'error' };

/** A block, perhaps with some of its arguments: `InterlaminarBlock(gamma: 0.25)`. */
export interface BlockValue {
  readonly kind: 'block';
  readonly declared: Declared<GraphDeclaration>;
  readonly set?: { readonly values: ReadonlyMap<string, Value>; readonly place: Span };
}

export interface TensorValue {
  readonly kind: 'tensor';
  /** Id of the op whose result it is. */
  readonly op: string;
  readonly shape: readonly number[];
  /** The kind of the layer that makes it. */
  readonly layer?: string;
  /** Where it was made. */
  readonly place: Span;
}

export interface Choice {
  readonly name: string;
  readonly args: Readonly<Record<string, SettingValue>>;
  readonly place: Span;
}

/** `factor * choice`, of a sum. */
export interface Term {
  readonly factor: number;
  readonly term: Choice;
}

export type SettingValue = number | boolean | string | readonly SettingValue[] | Choice | Term;

export const errorValue: Value = { kind: 'error' };

/** What a value is, in words: `the number 3`, `a list of 2`, `a value of shape [16, 32, 32]`. */
export function describeValue(value: Value): string {
  switch (value.kind) {
    case 'number':
      return String(value.value);
    case 'bool':
      return String(value.value);
    case 'string':
      return `the string ${JSON.stringify(value.value.length > 40 ? `${value.value.slice(0, 40)}…` : value.value)}`;
    case 'list':
      return `a list of ${value.items.length}`;
    case 'block':
      return `the block \`${value.declared.declaration.name.text}\``;
    case 'network':
    case 'config':
      return `the ${value.kind} \`${value.name}\``;
    case 'neuron':
      return `the neuron \`${value.use.def.name}\``;
    case 'neuronDef':
      return `the neuron \`${value.def.name}\``;
    case 'choice':
      return `\`${value.choice.name}\``;
    case 'sum':
      return `a sum of ${value.terms.length}`;
    case 'tensor':
      return `a value of shape ${describeShape(value.shape)}`;
    case 'hole':
      return 'a value of the network';
    case 'error':
      return 'something wrong';
  }
}

export function describeShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
