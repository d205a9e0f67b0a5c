import { tensor } from '../../base/dtype.js';
import {
  type Dim,
  type PrimAttrs,
  type Program,
  type ProgramInput,
  type TensorOp,
  isBatch,
} from '../../tensor/index.js';
import { type Emit, reshapeTarget } from './context.js';
import { type GraphWriter, valueInfo } from './writer.js';

/** The name of part `index` of a scan's results. */
function partName(scan: string, index: number): string {
  return `::${scan}.${index}`;
}

/**
 * ONNX's Scan: states and trains are its operands; what is the same at every step is read from the graph around. Trains
 * get an axis for time, [T, kN, …], and lose it behind the loop.
 */
export const scan: Emit<PrimAttrs['scan']> = ({ w, op, attrs, names, inputs, emitBody }) => {
  const { steps, states, scanned, reverse } = attrs;
  const given = names.slice(states + scanned);
  const own = named(op.id, attrs.body, attrs.body.inputs.length - given.length, given);
  // a Scan wants something to scan: where a loop reads no train, zeros are counted off
  const tick: ProgramInput = { id: `::${op.id}/tick`, dtype: 'f32', shape: [] };
  const body = scanned > 0 ? own : { ...own, inputs: [...own.inputs, tick] };
  const inner = w.inner(body);
  emitBody(inner, body);
  const results = Object.values(body.outputs).map((id, i) => inner.node('Identity', [id], {}, `::${op.id}/out.${i}`));
  const types = new Map([...attrs.body.inputs, ...attrs.body.ops].map((value) => [value.id, value]));
  const outputs = Object.values(attrs.body.outputs).map((id, i) => {
    const { dtype, shape } = types.get(id)!;
    return valueInfo(results[i]!, dtype, shape);
  });
  const trains = names.slice(states, states + scanned).map((name, i) => {
    const { shape } = inputs[states + i]!;
    return w.node('Reshape', [name, w.ints(withTime(shape, steps))]);
  });
  if (scanned === 0) trains.push(ticks(w, steps));
  const stacked = results.slice(states).map((_, i) => `${partName(op.id, states + i)}.steps`);
  const direction = reverse ? 1 : 0;
  w.nodes(
    'Scan',
    [...names.slice(0, states), ...trains],
    {
      body: { graph: inner.finishBody(outputs) },
      num_scan_inputs: trains.length,
      scan_input_directions: trains.map(() => direction),
      scan_output_directions: stacked.map(() => direction),
    },
    [...results.slice(0, states).map((_, i) => partName(op.id, i)), ...stacked],
  );
  stacked.forEach((name, i) => {
    const { shape } = op.parts![states + i]!;
    w.node('Reshape', [name, w.ints(reshapeTarget(shape))], {}, partName(op.id, states + i));
  });
};

export const scanOutput: Emit<PrimAttrs['scan_output']> = ({ w, op, attrs, out }) => {
  w.node('Identity', [partName(op.inputs[0]!, attrs.index)], {}, out);
};

function ticks(w: GraphWriter, steps: number): string {
  return w.share(`ticks(${steps})`, (name) => w.initializer(name, tensor('f32', [steps], new Float32Array(steps))));
}

/** [T·k, …] as [T, k, …], and [T·kN, …] as [T, −1, …]. */
function withTime([first, ...rest]: readonly Dim[], steps: number): number[] {
  return [steps, isBatch(first!) ? -1 : first! / steps, ...reshapeTarget(rest)];
}

/** A body under names that its graph alone has; its inputs from `from` on are values around it. */
function named(scan: string, body: Program, from: number, given: readonly string[]): Program {
  const outer = new Map(body.inputs.slice(from).map(({ id }, i) => [id, given[i]!]));
  const name = (id: string): string => outer.get(id) ?? `::${scan}/${id}`;
  const renamed = (op: TensorOp): TensorOp => ({ ...op, id: name(op.id), inputs: op.inputs.map(name) });
  return {
    name: `${scan} ${body.name}`,
    inputs: body.inputs.slice(0, from).map((input) => ({ ...input, id: name(input.id) })),
    params: [],
    ops: body.ops.map(renamed),
    outputs: Object.fromEntries(Object.entries(body.outputs).map(([output, id]) => [output, name(id)])),
  };
}
