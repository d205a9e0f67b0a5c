import { isBatch } from '../../tensor/dims.js';
import type { Tensor } from '../../base/dtype.js';
import { type Program, type TensorOp, attrsOf } from '../../tensor/types.js';
import { type DotProduct, findDotProducts } from './dots.js';
import { chooseLayouts, laidOut } from './layout.js';
import { buildRegion } from './region.js';
import type { LoopSegment, Partition, Segment, SessionSegment } from './segments.js';
import { type Group, type Scope, components, prepare, rootOf, scopeOf } from './stages.js';
import { type IntegerSynapse, findIntegerSynapses, withIntegerSynapses } from '../bytes/synapses.js';

/** Unrolled further, a kernel takes longer to compile than it saves. */
const largestRegion = 20_000;

export interface PartitionOptions {
  /** Whether synapses on small integers may be computed in bytes; the results are the same. */
  readonly integers?: boolean;
  /** Whether linear layers with few outputs get kernels of their own. */
  readonly dots?: boolean;
  /** Whether loops are the engine's own; otherwise they belong to sessions. */
  readonly loops?: boolean;
}

/** Splits a program into kernels, sessions, products of bytes and loops. */
export function partition(
  program: Program,
  { integers = true, dots: few = true, loops = true }: PartitionOptions = {},
): Partition {
  const plain = prepare(program);
  const dots = few ? findDotProducts({ ...program, ops: plain.ops }, plain.constants) : new Map<string, DotProduct>();
  const chosen = integers
    ? findIntegerSynapses({ ...program, ops: plain.ops }, plain.constants)
    : new Map<string, IntegerSynapse>();
  for (const id of dots.keys()) chosen.delete(id);
  for (;;) {
    const scope = scopeOf(withIntegerSynapses(program, chosen), chosen, dots, loops);
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

function makeSegment(scope: Scope, group: Group): Segment {
  const first = group.ops[0]!;
  const synapse = scope.synapses.get(first.id);
  if (synapse !== undefined) return { kind: 'integer', inputs: [first.inputs[0]!], outputs: [first.id], synapse };
  const dot = scope.dots.get(first.id);
  if (dot !== undefined) return { kind: 'dot', inputs: [first.inputs[0]!], outputs: [first.id], dot };
  if (scope.loops.has(first.id)) return makeLoop(scope, group);
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
  if (scope.results.has(id)) return true;
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
      body.push(scope.opOf(id));
    }
  };
  for (const op of group.ops) {
    op.inputs.forEach(need);
    body.push(op);
  }
  const batched = (id: string): boolean => infoOf(id).shape.some(isBatch);
  // The batch size is read off an input: where constants are spread over samples, one of the program's stands in.
  const measure = scope.program.inputs.find(({ id }) => batched(id));
  if (measure !== undefined && body.some(({ id }) => batched(id)) && !inputs.some(batched)) inputs.push(measure.id);
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

/**
 * A loop, its body cut up by itself. What is the same at every step and known is the body's own constant. In a body
 * nothing is computed in bytes, and loops in it belong to its sessions.
 */
function makeLoop(scope: Scope, group: Group): LoopSegment {
  const scan = group.ops.find(({ kind }) => kind === 'scan')!;
  const { body, steps, states, scanned, reverse } = attrsOf(scan, 'scan');
  const wanted = (part: number): readonly string[] =>
    group.ops.flatMap((op) => (op.kind === 'scan_output' && attrsOf(op, 'scan_output').index === part ? [op.id] : []));
  const known = (at: number): Tensor | undefined =>
    at < states + scanned ? undefined : scope.constants.get(scan.inputs[at]!);
  const program: Program = {
    ...body,
    inputs: body.inputs.filter((_, i) => known(i) === undefined),
    params: body.inputs.flatMap((input, i) => {
      const data = known(i);
      return data === undefined ? [] : [{ ...input, data }];
    }),
  };
  const given = body.inputs.map(({ id }, i) => ({ id, operand: scan.inputs[i]!, constant: known(i) !== undefined }));
  const ends = Object.values(body.outputs);
  return {
    kind: 'loop',
    inputs: [...new Set(scan.inputs)].filter((id) => !scope.constants.has(id)),
    outputs: group.ops.flatMap((op) => (op.kind === 'scan_output' ? [op.id] : [])),
    loop: {
      id: scan.id,
      steps,
      reverse,
      body: partition(program, { integers: false, dots: false, loops: false }),
      states: given.slice(0, states).map(({ id, operand }, i) => ({
        now: id,
        next: ends[i]!,
        initial: operand,
        final: wanted(i),
      })),
      trains: given.slice(states, states + scanned).map(({ id, operand }) => ({ step: id, whole: operand })),
      invariants: given
        .slice(states + scanned)
        .flatMap(({ id, operand, constant }) => (constant ? [] : [{ inner: id, outer: operand }])),
      stacked: ends.slice(states).map((step, k) => ({ step, whole: wanted(states + k) })),
    },
  };
}
