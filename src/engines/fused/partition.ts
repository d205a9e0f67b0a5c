import type { Tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { isBatch } from '../../tensor/dims.js';
import { opDef } from '../../tensor/ops/index.js';
import { repeatedPixels } from '../../tensor/patterns.js';
import type { Program, TensorOp, ValueInfo } from '../../tensor/types.js';
import { type DotProduct, dotChannelsLast, findDotProducts } from './dots.js';
import {
  chooseLayouts,
  isNeutral,
  lastConstant,
  lastName,
  lastShape,
  toChannelsLast,
  withTransposes,
} from './layout.js';
import { type RegionGraph, type Space, buildRegion, elementSpace, spaceKey } from './region.js';
import { type IntegerSynapse, findIntegerSynapses, synapseNames, withIntegerSynapses } from './synapses.js';

/** A kernel: element-wise ops, computed in one pass over memory. */
export interface KernelSegment {
  readonly kind: 'kernel';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly region: RegionGraph;
}

/** Ops that one onnxruntime session runs, as a program of their own. */
export interface SessionSegment {
  readonly kind: 'session';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly program: Program;
}

/** A convolution or linear layer as a product of bytes. */
export interface IntegerSegment {
  readonly kind: 'integer';
  /** The bytes. */
  readonly inputs: readonly [string];
  /** The sums, i32. */
  readonly outputs: readonly [string];
  readonly synapse: IntegerSynapse;
}

/** A linear layer with few outputs, by a kernel of its own. */
export interface DotSegment {
  readonly kind: 'dot';
  readonly inputs: readonly [string];
  readonly outputs: readonly [string];
  readonly dot: DotProduct;
}

export type Segment = KernelSegment | SessionSegment | IntegerSegment | DotSegment;

export interface Partition {
  /** In order of execution. */
  readonly segments: readonly Segment[];
  /** Values that are another value's memory under another shape or name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Params, constants, and what was computed from these alone. */
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly infoOf: (id: string) => ValueInfo;
}

/** Unrolled further, a kernel takes longer to compile than it saves. */
const largestRegion = 20_000;

export interface PartitionOptions {
  /** Whether synapses on small integers may be computed in bytes; the results are the same. */
  readonly integers?: boolean;
}

/** Splits a program into kernels, sessions, and products of bytes. */
export function partition(program: Program, { integers = true }: PartitionOptions = {}): Partition {
  const plain = prepare(program);
  const dots = findDotProducts({ ...program, ops: plain.ops }, plain.constants);
  const chosen = integers
    ? findIntegerSynapses({ ...program, ops: plain.ops }, plain.constants)
    : new Map<string, IntegerSynapse>();
  for (const id of dots.keys()) chosen.delete(id);
  for (;;) {
    const scope = scopeOf(withIntegerSynapses(program, chosen), chosen, dots);
    const segments = components(scope).map((group) => makeSegment(scope, group));
    const layouts = chooseLayouts({
      segments,
      returned: new Set(Object.values(program.outputs).map((id) => rootOf(scope.aliases, id))),
      rootOf: (id) => rootOf(scope.aliases, id),
      infoOf: scope.infoOf,
      isConstant: (id) => scope.constants.has(id),
    });
    if (layouts.conflicts.length === 0) return laidOut(scope, segments, layouts.channelsLast);
    for (const { synapse } of layouts.conflicts) chosen.delete(synapse.op.id);
  }
}

function scopeOf(
  program: Program,
  chosen: ReadonlyMap<string, IntegerSynapse>,
  dots: ReadonlyMap<string, DotProduct>,
): Scope {
  const { ops, constants, infoOf } = prepare(program);
  const synapses = new Map([...chosen.values()].map((synapse) => [synapseNames.sums(synapse.op.id), synapse]));
  return {
    program,
    ops,
    constants,
    infoOf,
    synapses,
    dots,
    ...classify(ops, constants, infoOf),
    readers: readersOf(ops),
  };
}

/** Reorders what is kept channels last, and turns values where the two orders meet. */
function laidOut(scope: Scope, segments: readonly Segment[], channelsLast: ReadonlySet<KernelSegment>): Partition {
  const aliases = new Map(scope.aliases);
  const constants = new Map(scope.constants);
  const named = new Map<string, ValueInfo>();
  const infoOf = (id: string) => named.get(id) ?? scope.infoOf(id);
  const madeLast = new Set<string>();
  const readLast = new Set<string>();
  const readPlain = new Set(Object.values(scope.program.outputs).map((id) => rootOf(aliases, id)));
  for (const segment of segments) {
    const last = segment.kind === 'integer' || (segment.kind === 'kernel' && channelsLast.has(segment));
    if (last) for (const id of segment.outputs) if (!isNeutral(infoOf(id).shape)) madeLast.add(id);
    for (const id of segment.inputs) (last ? readLast : readPlain).add(rootOf(aliases, id));
  }
  const declareLast = (id: string) => {
    const { dtype, shape } = scope.infoOf(id);
    named.set(lastName(id), { dtype, shape: lastShape(shape) });
  };
  for (const id of madeLast) {
    aliases.set(lastName(id), id);
    declareLast(id);
  }
  const result = segments.map((segment): Segment => {
    if (segment.kind === 'integer') return segment;
    if (segment.kind === 'dot') {
      const isLast = madeLast.has(rootOf(scope.aliases, segment.inputs[0]));
      return isLast ? { ...segment, dot: dotChannelsLast(segment.dot) } : segment;
    }
    if (segment.kind === 'kernel') {
      if (!channelsLast.has(segment)) return segment;
      return toChannelsLast(
        segment,
        (id) => (madeLast.has(id) ? id : lastName(id)),
        (id) => constants.set(lastName(id), lastConstant(scope.constants.get(id)!)),
      );
    }
    for (const id of segment.outputs) if (readLast.has(id) && !isNeutral(infoOf(id).shape)) declareLast(id);
    return withTransposes(
      segment,
      (id) => rootOf(scope.aliases, id),
      scope.infoOf,
      (id) => madeLast.has(id),
      (id) => ({
        last: named.has(lastName(id)),
        plain: readPlain.has(id) || !named.has(lastName(id)),
      }),
    );
  });
  return { segments: result, aliases, constants, infoOf };
}

interface Classes {
  readonly stage: ReadonlyMap<string, number>;
  readonly space: ReadonlyMap<string, Space>;
  readonly aliases: ReadonlyMap<string, string>;
}

interface Scope extends Classes {
  readonly program: Program;
  readonly ops: readonly TensorOp[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly infoOf: (id: string) => ValueInfo;
  readonly readers: ReadonlyMap<string, readonly TensorOp[]>;
  /** Integer synapses by the ids of their sums. */
  readonly synapses: ReadonlyMap<string, IntegerSynapse>;
  readonly dots: ReadonlyMap<string, DotProduct>;
}

/** Ops that run together, in the program's order. */
interface Group {
  readonly space: Space | undefined;
  readonly ops: TensorOp[];
  readonly members: Set<string>;
}

function readersOf(ops: readonly TensorOp[]): Map<string, TensorOp[]> {
  const readers = new Map<string, TensorOp[]>();
  for (const op of ops) {
    for (const input of new Set(op.inputs)) readers.set(input, [...(readers.get(input) ?? []), op]);
  }
  return readers;
}

/** Live ops without constants; what depends on constants alone is computed here, by the reference. */
function prepare(program: Program) {
  const types = new Map<string, ValueInfo>();
  const constants = new Map<string, Tensor>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) types.set(value.id, value);
  for (const { id, data } of program.params) constants.set(id, data);
  const live = new Set(Object.values(program.outputs));
  for (const op of [...program.ops].reverse()) if (live.has(op.id)) for (const input of op.inputs) live.add(input);
  const ops: TensorOp[] = [];
  for (const op of program.ops) {
    if (!live.has(op.id)) continue;
    const operands = op.inputs.map((id) => constants.get(id));
    if (op.kind === 'const' || (operands.every((x) => x !== undefined) && isCheaplyConstant(op))) {
      constants.set(op.id, evaluateConstant(op, operands as Tensor[]));
    } else ops.push(op);
  }
  const infoOf = (id: string) => present(types.get(id), `fused: no value ${id}`);
  return { ops, constants, infoOf };
}

/** Without batch axis, and not a product or a convolution, which the reference computes slowly. */
function isCheaplyConstant(op: TensorOp): boolean {
  const heavy = ['matmul', 'conv2d', 'conv2d_input_grad', 'conv2d_weight_grad', 'broadcast'];
  return !op.shape.some(isBatch) && !heavy.includes(op.kind);
}

function evaluateConstant(op: TensorOp, operands: readonly Tensor[]): Tensor {
  const shape = op.shape as readonly number[];
  return opDef(op.kind).evaluate(operands, { attrs: op.attrs, inputs: operands, dtype: op.dtype, shape, n: 1 });
}

/**
 * Gives every op a stage: odd for kernels, even for sessions, never before its operands'. Ops
 * of one stage that feed each other run together, which cannot make a cycle: a way out of a
 * segment and back into it would raise the stage.
 */
function classify(
  ops: readonly TensorOp[],
  constants: ReadonlyMap<string, Tensor>,
  infoOf: (id: string) => ValueInfo,
): Classes {
  const stage = new Map<string, number>();
  const space = new Map<string, Space>();
  const aliases = new Map<string, string>();
  const repeats = pixelRepeats(ops, infoOf);
  for (const op of ops) {
    if (op.kind === 'reshape' && !constants.has(op.inputs[0]!) && !repeats.has(op.id)) {
      aliases.set(op.id, op.inputs[0]!);
      continue;
    }
    const own = elementSpace(op, infoOf);
    if (own !== undefined) space.set(op.id, own);
    let earliest = own === undefined ? 0 : 1;
    for (const input of op.inputs) {
      const root = rootOf(aliases, input);
      const before = stage.get(root);
      if (before === undefined) continue;
      const beforeSpace = space.get(root);
      if (own === undefined) earliest = Math.max(earliest, beforeSpace === undefined ? before : before + 1);
      else if (beforeSpace === undefined) earliest = Math.max(earliest, before + 1);
      else
        earliest = Math.max(earliest, root === input && spaceKey(own) === spaceKey(beforeSpace) ? before : before + 2);
    }
    stage.set(op.id, earliest);
  }
  return { stage, space, aliases };
}

/** Ops that together repeat pixels, which the ONNX backend has one operator for: sessions keep them whole. */
function pixelRepeats(ops: readonly TensorOp[], infoOf: (id: string) => ValueInfo): Set<string> {
  const makers = new Map(ops.map((op) => [op.id, op]));
  const found = new Set<string>();
  for (const op of ops) {
    if (repeatedPixels(op, (id) => makers.get(id), infoOf) === undefined) continue;
    const [repeated] = op.inputs as [string];
    for (const id of [op.id, repeated, makers.get(repeated)!.inputs[0]!]) found.add(id);
  }
  return found;
}

/** The value whose memory an alias is. */
export function rootOf(aliases: ReadonlyMap<string, string>, id: string): string {
  let root = id;
  for (let of = aliases.get(root); of !== undefined; of = aliases.get(root)) root = of;
  return root;
}

/** Connected ops of equal stage and equal loop, in order of stage. */
function components({ ops, stage, space, aliases, synapses, dots }: Scope): Group[] {
  const isAlone = (id: string) => synapses.has(id) || dots.has(id);
  const parent = new Map<string, string>();
  const find = (id: string): string => {
    let root = id;
    while (parent.get(root)! !== root) root = parent.get(root)!;
    parent.set(id, root);
    return root;
  };
  for (const op of ops) {
    if (!stage.has(op.id)) continue;
    parent.set(op.id, op.id);
    for (const input of op.inputs) {
      const other = rootOf(aliases, input);
      if (isAlone(op.id) || isAlone(other)) continue;
      if (stage.get(other) === stage.get(op.id)) parent.set(find(other), op.id);
    }
  }
  const groups = new Map<string, Group>();
  for (const op of ops) {
    if (!stage.has(op.id)) continue;
    const key = find(op.id);
    const group = groups.get(key) ?? { space: space.get(op.id), ops: [], members: new Set() };
    groups.set(key, group);
    group.ops.push(op);
    group.members.add(op.id);
  }
  return [...groups.values()].sort((a, b) => stage.get(a.ops[0]!.id)! - stage.get(b.ops[0]!.id)!);
}

function makeSegment(scope: Scope, group: Group): Segment {
  const first = group.ops[0]!;
  const synapse = scope.synapses.get(first.id);
  if (synapse !== undefined) return { kind: 'integer', inputs: [first.inputs[0]!], outputs: [first.id], synapse };
  const dot = scope.dots.get(first.id);
  if (dot !== undefined) return { kind: 'dot', inputs: [first.inputs[0]!], outputs: [first.id], dot };
  const outputs = group.ops.map((op) => op.id).filter((id) => isNeededOutside(scope, group, id));
  if (group.space !== undefined) {
    const region = buildRegion(
      group.space,
      group.ops,
      outputs,
      scope.infoOf,
      (id) => scope.constants.get(id),
      (id) => scope.synapses.has(id),
    );
    if (region.graph.nodes.length <= largestRegion) {
      const inputs = region.sources.map((source) => source.id).filter((id) => !scope.constants.has(id));
      return { kind: 'kernel', inputs, outputs, region };
    }
  }
  return makeSession(scope, group, outputs);
}

/** Whether a value, itself or under another shape, is an output or read by another segment. */
function isNeededOutside(scope: Scope, group: Group, id: string): boolean {
  if (Object.values(scope.program.outputs).includes(id)) return true;
  return (scope.readers.get(id) ?? []).some((op) => {
    if (!scope.aliases.has(op.id)) return !group.members.has(op.id);
    // Kernels read another shape of their own values only in a later kernel.
    return group.space !== undefined || isNeededOutside(scope, group, op.id);
  });
}

function makeSession(scope: Scope, group: Group, outputs: readonly string[]): SessionSegment {
  const { constants, aliases, infoOf } = scope;
  const body: TensorOp[] = [];
  const inputs: string[] = [];
  const params: string[] = [];
  const done = new Set<string>(group.members);
  const need = (id: string): void => {
    if (done.has(id)) return;
    done.add(id);
    const alias = aliases.has(id) && group.members.has(rootOf(aliases, id));
    if (constants.has(id)) params.push(id);
    else if (!alias) inputs.push(id);
    else {
      // A reshape of a value made here is done here.
      need(aliases.get(id)!);
      body.push(scope.ops.find((op) => op.id === id)!);
    }
  };
  for (const op of group.ops) {
    op.inputs.forEach(need);
    body.push(op);
  }
  const typed = (id: string) => ({ id, dtype: infoOf(id).dtype, shape: infoOf(id).shape });
  const program: Program = {
    name: scope.program.name,
    inputs: inputs.map(typed),
    params: params.map((id) => ({ ...typed(id), data: constants.get(id)! })),
    ops: body,
    outputs: Object.fromEntries(outputs.map((id) => [id, id])),
  };
  return { kind: 'session', inputs, outputs, program };
}
