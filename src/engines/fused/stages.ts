import type { Tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { isBatch } from '../../tensor/dims.js';
import { evaluate } from '../../tensor/evaluate.js';
import { opDef } from '../../tensor/ops/index.js';
import { repeatedPixels } from '../../tensor/patterns.js';
import type { Program, TensorOp, ValueInfo } from '../../tensor/types.js';
import type { DotProduct } from './dots.js';
import { type Space, elementSpace, spaceKey } from './region.js';
import { type IntegerSynapse, synapseNames } from '../bytes/synapses.js';

interface Classes {
  readonly stage: ReadonlyMap<string, number>;
  readonly space: ReadonlyMap<string, Space>;
  readonly aliases: ReadonlyMap<string, string>;
}

export interface Scope extends Classes {
  readonly program: Program;
  readonly ops: readonly TensorOp[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly infoOf: (id: string) => ValueInfo;
  readonly readers: ReadonlyMap<string, readonly TensorOp[]>;
  readonly opOf: (id: string) => TensorOp;
  /** Ids of the values that the program gives. */
  readonly results: ReadonlySet<string>;
  /** Integer synapses by the ids of their sums. */
  readonly synapses: ReadonlyMap<string, IntegerSynapse>;
  readonly dots: ReadonlyMap<string, DotProduct>;
  /** Loops, and the parts of their results. */
  readonly loops: ReadonlySet<string>;
}

/** Ops that run together, in the program's order. */
export interface Group {
  readonly space: Space | undefined;
  readonly ops: TensorOp[];
  readonly members: Set<string>;
}

function readersOf(ops: readonly TensorOp[]): Map<string, TensorOp[]> {
  const readers = new Map<string, TensorOp[]>();
  for (const op of ops) {
    for (const input of new Set(op.inputs)) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [op]);
      else known.push(op);
    }
  }
  return readers;
}

/** Everything the partition looks at. */
export function scopeOf(
  program: Program,
  chosen: ReadonlyMap<string, IntegerSynapse>,
  dots: ReadonlyMap<string, DotProduct>,
  ownLoops: boolean,
): Scope {
  const { ops, constants, infoOf } = prepare(program);
  const loops = new Set(ownLoops ? ops.filter(isOfLoop).map(({ id }) => id) : []);
  const byId = new Map(ops.map((op) => [op.id, op]));
  const synapses = new Map([...chosen.values()].map((synapse) => [synapseNames.sums(synapse.op.id), synapse]));
  return {
    program,
    ops,
    constants,
    infoOf,
    synapses,
    dots,
    loops,
    ...classify(ops, constants, infoOf, loops),
    readers: readersOf(ops),
    opOf: (id) => present(byId.get(id), `fused: no op ${id}`),
    results: new Set(Object.values(program.outputs)),
  };
}

function isOfLoop({ kind }: TensorOp): boolean {
  return kind === 'scan' || kind === 'scan_output';
}

/** Live ops without constants; what depends on constants alone is computed here, by the reference. */
export function prepare(program: Program) {
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
  const heavy = ['scan', 'scan_output', 'matmul', 'conv2d', 'conv2d_input_grad', 'conv2d_weight_grad', 'broadcast'];
  return !op.shape.some(isBatch) && !heavy.includes(op.kind);
}

function evaluateConstant(op: TensorOp, operands: readonly Tensor[]): Tensor {
  const shape = op.shape as readonly number[];
  const run = (body: Program, inputs: Readonly<Record<string, Tensor>>) => evaluate(body, inputs);
  return opDef(op.kind).evaluate(operands, { attrs: op.attrs, inputs: operands, dtype: op.dtype, shape, n: 1, run });
}

/**
 * Gives every op a stage: odd for kernels, even for sessions, never before its operands'. Ops
 * of one stage that feed each other run together, which cannot make a cycle: a way out of a
 * segment and back into it would raise the stage. A loop is no part of a session: what it reads
 * and what reads it have other stages.
 */
function classify(
  ops: readonly TensorOp[],
  constants: ReadonlyMap<string, Tensor>,
  infoOf: (id: string) => ValueInfo,
  loops: ReadonlySet<string>,
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
      const apart = (loops.has(op.id) || loops.has(root)) && !(op.kind === 'scan_output' && loops.has(root));
      if (own === undefined && beforeSpace === undefined) earliest = Math.max(earliest, apart ? before + 2 : before);
      else if (own === undefined) earliest = Math.max(earliest, before + 1);
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

/** Connected ops of equal stage and equal space, in order of stage. */
export function components({ ops, stage, space, aliases, synapses, dots, loops }: Scope): Group[] {
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
      if (loops.has(op.id) !== loops.has(other)) continue;
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
