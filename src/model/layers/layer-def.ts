import type { Setting } from '../schema.js';
import type { LayerAttr } from '../types.js';
import type { NeuronUse, TensorValue, Value } from '../values.js';

/** What a layer's definition may do to the network it is put into. */
export interface LayerSite {
  /**
   * Adds a layer. `name` is its part of the id: the name the user wrote, or `shortcut.conv` for a
   * part of a composite.
   */
  add(
    name: string,
    kind: string,
    inputs: readonly TensorValue[],
    shape: readonly number[],
    attrs?: Readonly<Record<string, LayerAttr>>,
    neuron?: NeuronUse,
  ): TensorValue;
  /**
   * Adds a layer with a weight of shape [outputs, inputs a group, …taps], and a bias an output where `attrs` doesn't leave
   * it out.
   */
  weighted(
    name: string,
    kind: string,
    input: TensorValue,
    shape: readonly number[],
    weight: readonly number[],
    attrs?: Readonly<Record<string, LayerAttr>>,
  ): TensorValue;
  /** Reports that the shape that reaches the layer doesn't suit it. */
  wrongShape(needs: string, found: TensorValue): undefined;
  /** Reports that an argument doesn't suit the others, or the input whose shape it is for. */
  wrongArgument(name: string, expected: string, found: string, of?: TensorValue): undefined;
  /** Reports that two inputs don't fit, in which sizes, and what may be meant. */
  mismatch(left: TensorValue, right: TensorValue, why: string, help?: string): undefined;
}

/** A layer as a function of the language: `x | conv(32, kernel: 3)`. */
export interface LayerDef {
  /** What it does, without its name: what docs/language.md and editors say. */
  readonly doc: string;
  readonly inputs: { readonly min: number; readonly max: number };
  readonly parameters: readonly Setting[];
  /** Gives values of earlier time steps: it may read a name that its own line binds, or one below. */
  readonly readsAhead?: true;
  /**
   * The result's shape where those of some inputs aren't known yet (`known` are the others): of what stands in a cycle.
   * Undefined, or missing: it doesn't follow.
   */
  readonly shapeWithout?: (
    known: readonly TensorValue[],
    args: ReadonlyMap<string, Value>,
  ) => readonly number[] | undefined;
  /** Result, or nothing where a problem was reported. */
  readonly build: (
    site: LayerSite,
    inputs: readonly [TensorValue, ...TensorValue[]],
    args: ReadonlyMap<string, Value>,
    name: string,
  ) => TensorValue | undefined;
}

export const one = { min: 1, max: 1 } as const;

export const axisDoc = 'which axis, from 0 without the batch; negative numbers count from the last';

export function numberOf(args: ReadonlyMap<string, Value>, name: string): number | undefined {
  const value = args.get(name);
  return value?.kind === 'number' ? value.value : undefined;
}

export function boolOf(args: ReadonlyMap<string, Value>, name: string): boolean | undefined {
  const value = args.get(name);
  return value?.kind === 'bool' ? value.value : undefined;
}

/** Height and width from `3` or `[3, 5]`. */
export function pairOf(args: ReadonlyMap<string, Value>, name: string): readonly [number, number] | undefined {
  const value = args.get(name);
  if (value?.kind === 'number') return [value.value, value.value];
  if (value?.kind !== 'list') return undefined;
  const [height, width] = value.items;
  return height?.kind === 'number' && width?.kind === 'number' ? [height.value, width.value] : undefined;
}

/** Whether a shape is [channels, height, width]. */
export function isImage(shape: readonly number[]): shape is readonly [number, number, number] {
  return shape.length === 3;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
