import { bodyOutputs, trainType } from '../ops/scan.js';
import { type Program, type ScanAttrs, type TensorOp, attrsOf } from '../types.js';
import { withoutDeadCode } from './dead-code.js';

/** The program whose loops carry, read and stack only what is used: bodies are free of dead code. */
export function trimmedScans(program: Program): Program {
  const used = usedParts(program);
  const indices = new Map<string, ReadonlyMap<number, number>>();
  const ops = program.ops.flatMap((op): TensorOp[] => {
    if (op.kind === 'scan') {
      const parts = used.get(op.id) ?? new Set();
      if (parts.size === 0) return [];
      const trimmed = trim(op, parts);
      indices.set(op.id, trimmed.indices);
      return [trimmed.op];
    }
    if (op.kind !== 'scan_output') return [op];
    const index = indices.get(op.inputs[0]!)?.get(attrsOf(op, 'scan_output').index);
    return index === undefined ? [] : [{ ...op, attrs: { index } }];
  });
  return { ...program, ops };
}

/** The parts of scans that something reads. */
function usedParts(program: Program): ReadonlyMap<string, ReadonlySet<number>> {
  const read = new Set([...program.ops.flatMap(({ inputs }) => inputs), ...Object.values(program.outputs)]);
  const used = new Map<string, Set<number>>();
  for (const op of program.ops) {
    if (op.kind !== 'scan_output' || !read.has(op.id)) continue;
    const scan = op.inputs[0]!;
    used.set(scan, (used.get(scan) ?? new Set()).add(attrsOf(op, 'scan_output').index));
  }
  return used;
}

function trim(op: TensorOp, used: ReadonlySet<number>): { op: TensorOp; indices: ReadonlyMap<number, number> } {
  const attrs = attrsOf(op, 'scan');
  const names = Object.keys(attrs.body.outputs);
  const { kept, body: live } = liveParts(attrs, used);
  const reads = new Set([...live.ops.flatMap(({ inputs }) => inputs), ...Object.values(live.outputs)]);
  const isKept = (_: unknown, i: number): boolean =>
    i < attrs.states ? kept.has(i) : reads.has(attrs.body.inputs[i]!.id);
  const indices = new Map([...names.keys()].filter((i) => kept.has(i)).map((i, at) => [i, at]));
  const inputs = attrs.body.inputs.filter(isKept);
  const whole = [indices.size === names.length, inputs.length === attrs.body.inputs.length];
  if (whole.every(Boolean) && live.ops.length === attrs.body.ops.length) {
    return { op, indices };
  }
  const states = attrs.body.inputs.slice(0, attrs.states).filter(isKept).length;
  const scanned = attrs.body.inputs.slice(0, attrs.states + attrs.scanned).filter(isKept).length - states;
  const body: Program = { ...live, inputs };
  const parts = bodyOutputs(body).map((type, i) => (i < states ? type : trainType(type, attrs.steps, op.id)));
  const trimmed: ScanAttrs = { ...attrs, body, states, scanned };
  return { op: { ...op, inputs: op.inputs.filter(isKept), attrs: { ...trimmed }, parts }, indices };
}

/** The parts that are used, and the states that these need; the body that computes just them. */
function liveParts({ body, states }: ScanAttrs, used: ReadonlySet<number>) {
  const outputs = Object.entries(body.outputs);
  let kept = used;
  for (;;) {
    const live = withoutDeadCode({
      ...body,
      outputs: Object.fromEntries(outputs.filter((_, i) => kept.has(i))),
    });
    const reads = new Set([...live.ops.flatMap(({ inputs }) => inputs), ...Object.values(live.outputs)]);
    const needed = body.inputs.slice(0, states).flatMap(({ id }, i) => (reads.has(id) ? [i] : []));
    const next = new Set([...kept, ...needed]);
    if (next.size === kept.size) return { kept, body: live };
    kept = next;
  }
}
