import { units } from './dims.js';
import { type Program, type TensorOp, type ValueInfo, attrsOf } from './types.js';

/** The program with its loops that `chosen` takes replaced by copies of their steps; the results are the same. */
export function unrolled(program: Program, chosen: (scan: TensorOp) => boolean): Program {
  const renamed = new Map<string, string>();
  const current = (id: string): string => renamed.get(id) ?? id;
  const scans = new Map<string, ReturnType<typeof copies>>();
  const ops: TensorOp[] = [];
  for (const original of program.ops) {
    const op = { ...original, inputs: original.inputs.map(current) };
    const scan = op.kind === 'scan_output' ? scans.get(op.inputs[0]!) : undefined;
    if (op.kind === 'scan' && chosen(op)) {
      const copied = copies(op);
      ops.push(...copied.ops);
      scans.set(op.id, copied);
    } else if (scan === undefined) ops.push(op);
    else {
      const { index } = attrsOf(op, 'scan_output');
      const last = scan.final[index];
      if (last !== undefined) renamed.set(op.id, last);
      else ops.push({ ...scan.stacked[index - scan.final.length]!, id: op.id });
    }
  }
  const outputs = Object.fromEntries(Object.entries(program.outputs).map(([name, id]) => [name, current(id)]));
  return { ...program, ops, outputs };
}

/** A scan's steps one after another; the ids of its states' last values, and the ops that stack its trains. */
function copies(scan: TensorOp) {
  const { body, steps, states, scanned, reverse } = attrsOf(scan, 'scan');
  const ops: TensorOp[] = [];
  const outputs = Object.values(body.outputs);
  const constants = body.ops.filter(({ kind }) => kind === 'const');
  for (const op of constants) ops.push({ ...op, id: `${scan.id}/${op.id}` });
  const fixed = new Map(constants.map(({ id }) => [id, `${scan.id}/${id}`]));
  body.inputs.slice(states + scanned).forEach(({ id }, i) => fixed.set(id, scan.inputs[states + scanned + i]!));
  let carried = scan.inputs.slice(0, states);
  const given: (readonly string[])[] = [];
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    const names = new Map(fixed);
    carried.forEach((id, k) => names.set(body.inputs[k]!.id, id));
    body.inputs.slice(states, states + scanned).forEach((input, k) => {
      const id = `${scan.id}/${t}/${input.id}`;
      ops.push(stepOf(id, scan.inputs[states + k]!, input, t));
      names.set(input.id, id);
    });
    for (const op of body.ops) {
      if (op.kind === 'const') continue;
      const id = `${scan.id}/${t}/${op.id}`;
      const inputs = op.inputs.map((input) => names.get(input)!);
      ops.push({ ...op, id, inputs, ...(scan.from === undefined ? {} : { from: scan.from }) });
      names.set(op.id, id);
    }
    const results = outputs.map((id) => names.get(id)!);
    carried = results.slice(0, states);
    given[t] = results.slice(states);
  }
  const stacked = outputs.slice(states).map((_, k): TensorOp => {
    const { dtype, shape } = scan.parts![states + k]!;
    return { id: '', kind: 'concat', inputs: given.map((all) => all[k]!), attrs: { axis: 0 }, dtype, shape };
  });
  return { ops, final: carried, stacked };
}

function stepOf(id: string, train: string, { dtype, shape }: ValueInfo, t: number): TensorOp {
  const sizes = shape.map(units);
  const starts = sizes.map((size, axis) => (axis === 0 ? t * size : 0));
  const ends = sizes.map((size, axis) => (axis === 0 ? (t + 1) * size : size));
  return { id, kind: 'slice', inputs: [train], attrs: { starts, ends, steps: sizes.map(() => 1) }, dtype, shape };
}
