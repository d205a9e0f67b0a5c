import type { DType, Tensor } from '../../base/dtype.js';
import { invariant, present } from '../../base/invariant.js';
import { isBatch, sameShape, units } from '../../tensor/dims.js';
import { attrsOf, type Dim, type TensorOp, type ValueInfo } from '../../tensor/types.js';
import { Graph } from './graph.js';
import { isElementKind } from './scalar.js';

/**
 * The elements that a region's loop runs over: `inner` for each of the N samples of a batch, at
 * one time step; or, for values without batch axis, `inner` alone.
 */
export interface Space {
  readonly batched: boolean;
  readonly inner: readonly number[];
}

/** A value read by a region. A batched one has `steps` of N samples each. */
export interface Source {
  readonly id: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly batched: boolean;
}

/** A value written by a region: one node per step. */
export interface Sink {
  readonly id: string;
  readonly dtype: DType;
  readonly steps: readonly number[];
}

export interface RegionGraph {
  readonly space: Space;
  /** How many steps of each batched value are computed alike, as so many times as large a batch with one step each. */
  readonly times: number;
  readonly graph: Graph;
  readonly sources: readonly Source[];
  readonly sinks: readonly Sink[];
}

export function spaceOf(shape: readonly Dim[]): Space | undefined {
  const [first, ...rest] = shape;
  const batched = first !== undefined && isBatch(first);
  const inner = batched ? rest : shape;
  if (inner.some((dim) => isBatch(dim) || dim === 0) || (batched && first.batch === 0)) return undefined;
  return { batched, inner: inner.map(units) };
}

export function spaceKey(space: Space): string {
  return `${space.batched ? 'N' : ''}[${space.inner.join()}]`;
}

/** The loop that could compute an op, or undefined: the op isn't element-wise, or not simply so. */
export function elementSpace(op: TensorOp, infoOf: (id: string) => ValueInfo): Space | undefined {
  const space = spaceOf(op.shape);
  if (space === undefined) return undefined;
  const inputs = op.inputs.map(infoOf);
  if (isElementKind(op.kind) || op.kind === 'cast' || op.kind === 'detach') {
    return inputs.every((input) => isOperand(input.shape, op.shape)) ? space : undefined;
  }
  return isPlaneMovement(op, inputs) ? space : undefined;
}

/** Equal to the result's shape, or without batch axis and repeated along it. */
function isOperand(shape: readonly Dim[], result: readonly Dim[]): boolean {
  if (sameShape(shape, result)) return true;
  if (shape.some(isBatch)) return false;
  return shape.length < result.length || !isBatch(result[0] ?? 1) || shape[0] === 1;
}

/** Steps of a train taken out, joined, or put around: no arithmetic, only other step numbers. */
function isPlaneMovement(op: TensorOp, inputs: readonly ValueInfo[]): boolean {
  const input = inputs[0];
  const batched = isBatch(op.shape[0] ?? 1);
  switch (op.kind) {
    case 'slice': {
      const { starts, steps } = attrsOf(op, 'slice');
      const shape = input!.shape;
      return batched && op.shape.every((dim, i) => i === 0 || (starts[i] === 0 && steps[i] === 1 && dim === shape[i]));
    }
    case 'concat':
      return batched && attrsOf(op, 'concat').axis === 0;
    case 'pad': {
      const { before, after } = attrsOf(op, 'pad');
      return batched && before.every((count, i) => i === 0 || (count === 0 && after[i] === 0));
    }
    case 'broadcast':
      return isOperand(input!.shape, op.shape);
    case 'reshape':
      return sameShape(input!.shape, op.shape);
    default:
      return false;
  }
}

/** Trains of so many steps that all steps of are computed alike aren't unrolled. */
const longTrain = 32;

/** How many steps a region computes alike: no step is taken out, joined or put around; 1 where it is unrolled instead. */
function alikeSteps({ batched }: Space, ops: readonly TensorOp[]): number {
  if (!batched) return 1;
  const steps = units(ops[0]!.shape[0]!);
  const alike = ops.every(
    ({ kind, shape }) => kind !== 'slice' && kind !== 'concat' && kind !== 'pad' && units(shape[0]!) === steps,
  );
  return steps >= longTrain && alike ? steps : 1;
}

/** One of the `times` steps of a batched value. */
function oneOf({ dtype, shape }: ValueInfo, times: number): ValueInfo {
  const [first, ...rest] = shape;
  if (first === undefined || !isBatch(first)) return { dtype, shape };
  return { dtype, shape: [{ batch: units(first) / times }, ...rest] };
}

/** Unrolls a region's ops over their steps, where those aren't computed alike. `outputs` are the values needed outside it; `isExact` tells of integers below 2²⁴. */
export function buildRegion(
  space: Space,
  ops: readonly TensorOp[],
  outputs: readonly string[],
  infoOf: (id: string) => ValueInfo,
  constantOf: (id: string) => Tensor | undefined,
  isExact: (id: string) => boolean,
): RegionGraph {
  const graph = new Graph();
  const times = alikeSteps(space, ops);
  const sources: Source[] = [];
  const values = new Map<string, readonly number[]>();
  const stepsOf = (id: string): readonly number[] => {
    const known = values.get(id);
    if (known !== undefined) return known;
    const steps = readSource(graph, sources, id, oneOf(infoOf(id), times), constantOf(id), isExact(id));
    values.set(id, steps);
    return steps;
  };
  for (const op of ops) {
    const steps = unroll(graph, op, op.inputs.map(stepsOf));
    values.set(op.id, stretch(steps, space.batched ? units(op.shape[0]!) / times : 1));
  }
  const sinks = outputs.map((id) => ({
    id,
    dtype: infoOf(id).dtype,
    steps: present(values.get(id), `fused region: ${id}`),
  }));
  return { space, times, graph, sources, sinks };
}

function readSource(
  graph: Graph,
  sources: Source[],
  id: string,
  { dtype, shape }: ValueInfo,
  constant: Tensor | undefined,
  exact: boolean,
): number[] {
  if (constant !== undefined && constant.data.every((v) => Object.is(v, constant.data[0]))) {
    return [graph.constant(dtype, constant.data[0]!)];
  }
  const batched = shape.some(isBatch);
  sources.push({ id, dtype, shape, batched });
  const source = sources.length - 1;
  if (!batched) return [graph.repeat(dtype, source)];
  return Array.from({ length: units(shape[0]!) }, (_, step) => graph.load(dtype, source, step, exact));
}

/** What has one node is the same at every step. */
function stretch(steps: readonly number[], count: number): readonly number[] {
  return steps.length === count ? steps : new Array<number>(count).fill(steps[0]!);
}

/** The steps of an op's result; one alone if all are the same. */
function unroll(graph: Graph, op: TensorOp, operands: readonly (readonly number[])[]): readonly number[] {
  const first = operands[0]!;
  switch (op.kind) {
    case 'slice': {
      const { starts, ends, steps } = attrsOf(op, 'slice');
      return first.slice(starts[0], ends[0]).filter((_, t) => t % steps[0]! === 0);
    }
    case 'concat':
      return operands.flat();
    case 'pad': {
      const { before, after, value } = attrsOf(op, 'pad');
      const fill = [graph.constant(op.dtype, value)];
      return [...stretch(fill, before[0]!), ...first, ...stretch(fill, after[0]!)];
    }
    case 'cast':
      return first.map((node) => graph.cast(op.dtype, node));
    case 'broadcast':
    case 'reshape':
    case 'detach':
      return first;
    default:
      return applyElementwise(graph, op, operands);
  }
}

function applyElementwise(graph: Graph, op: TensorOp, operands: readonly (readonly number[])[]): number[] {
  const kind = op.kind;
  invariant(isElementKind(kind), `fused region: ${kind} is not element-wise`);
  const count = Math.max(...operands.map((steps) => steps.length));
  const wide = operands.map((steps) => stretch(steps, count));
  return Array.from({ length: count }, (_, t) =>
    graph.apply(
      kind,
      op.dtype,
      wide.map((steps) => steps[t]!),
    ),
  );
}
