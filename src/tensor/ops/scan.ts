import { type Tensor, allocate } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { wrap } from '../arrays.js';
import { ShapeError, sameInfo, showType, units, withUnits } from '../dims.js';
import type { PrimAttrs, Program, ScanAttrs, ValueInfo } from '../types.js';
import { type OpDef, checkCounts } from './def.js';

/** A tuple of tensors: what the evaluator makes of a scan. */
interface TupleTensor extends Tensor {
  readonly parts: readonly Tensor[];
}

/** The type of one step of a train of `steps` steps. */
export function stepType({ dtype, shape }: ValueInfo, steps: number, what: string): ValueInfo {
  const first = shape[0];
  if (first === undefined || units(first) % steps !== 0) {
    throw new ShapeError(`${what}: ${showType({ dtype, shape })} is no train of ${steps} steps`);
  }
  return { dtype, shape: [withUnits(first, units(first) / steps), ...shape.slice(1)] };
}

/** The type of `steps` steps of a value one after another along axis 0. */
export function trainType({ dtype, shape }: ValueInfo, steps: number, what: string): ValueInfo {
  const first = shape[0];
  if (first === undefined) throw new ShapeError(`${what}: a value without axes can't be stacked`);
  return { dtype, shape: [withUnits(first, units(first) * steps), ...shape.slice(1)] };
}

/** The types of a body's outputs, in order. */
export function bodyOutputs(body: Program): readonly ValueInfo[] {
  const types = new Map<string, ValueInfo>([...body.inputs, ...body.ops].map((value) => [value.id, value]));
  return Object.entries(body.outputs).map(([name, id]) => {
    const { dtype, shape } = present(types.get(id), `scan: output "${name}" of the body is "${id}", which it lacks`);
    return { dtype, shape };
  });
}

function inferScan(inputs: readonly ValueInfo[], { body, steps, states, scanned }: ScanAttrs): ValueInfo {
  checkCounts([steps], 1, 'scan steps', 1);
  checkCounts([states, scanned], 2, 'scan states and scanned');
  if (body.params.length > 0) throw new ShapeError(`scan: the body has params, such as "${body.params[0]!.id}"`);
  const ordered = Object.keys(body.outputs).find((name) => /^\d+$/.test(name));
  if (ordered !== undefined) throw new ShapeError(`scan: a number, "${ordered}", can't name an output of a body`);
  if (inputs.length !== body.inputs.length || states + scanned > inputs.length) {
    const kinds = `${states} states and ${scanned} trains`;
    throw new ShapeError(`scan: ${inputs.length} operands, ${kinds}, for a body of ${body.inputs.length} inputs`);
  }
  const outputs = bodyOutputs(body);
  if (outputs.length < states || outputs.length === 0) {
    throw new ShapeError(`scan: a body of ${outputs.length} outputs for ${states} states`);
  }
  inputs.forEach((input, i) => {
    const expected = body.inputs[i]!;
    const isTrain = i >= states && i < states + scanned;
    const given = isTrain ? stepType(input, steps, `scan: "${expected.id}"`) : input;
    if (!sameInfo(given, { dtype: expected.dtype, shape: expected.shape })) {
      throw new ShapeError(`scan: "${expected.id}" is ${showType(expected)} in the body, and given ${showType(given)}`);
    }
  });
  const next = outputs.slice(0, states);
  next.forEach((type, i) => {
    const state = body.inputs[i]!;
    if (!sameInfo(type, { dtype: state.dtype, shape: state.shape })) {
      throw new ShapeError(`scan: "${state.id}" is ${showType(state)}, its next value ${showType(type)}`);
    }
  });
  const trains = outputs.slice(states).map((type) => trainType(type, steps, 'scan'));
  return { dtype: 'f32', shape: [0], parts: [...next, ...trains] };
}

export const scan: OpDef<ScanAttrs> = {
  arity: 'many',
  attrs: ['body', 'steps', 'states', 'scanned', 'reverse'],
  doc: 'the tuple of results of a loop over `steps` time steps (see Loops)',
  infer: inferScan,
  evaluate: (operands, { attrs: { body, steps, states, scanned, reverse }, run }) => {
    const names = Object.keys(body.outputs);
    const trains = names.slice(states);
    const stacked = trains.map((): Tensor[] => []);
    let carried = operands.slice(0, states);
    for (let i = 0; i < steps; i++) {
      const t = reverse ? steps - 1 - i : i;
      const read = operands.slice(states, states + scanned).map((x) => stepOf(x, t, steps));
      const values = [...carried, ...read, ...operands.slice(states + scanned)];
      const results = run(body, Object.fromEntries(body.inputs.map(({ id }, k) => [id, values[k]!])));
      carried = names.slice(0, states).map((name) => results[name]!);
      trains.forEach((name, k) => (stacked[k]![t] = results[name]!));
    }
    const tuple: TupleTensor = {
      ...wrap('f32', [0], new Float32Array(0)),
      parts: [...carried, ...stacked.map(joined)],
    };
    return tuple;
  },
  gradient: 'body',
};

export const scanOutput: OpDef<PrimAttrs['scan_output']> = {
  arity: 1,
  attrs: ['index'],
  doc: "part `index` of a scan's results: the states' last values, then the stacked trains",
  infer: ([tuple], { index }) => {
    const part = tuple!.parts?.[index];
    if (part === undefined) throw new ShapeError(`scan_output: ${showType(tuple!)} has no part ${index}`);
    return part;
  },
  evaluate: ([tuple], { attrs }) => present((tuple as TupleTensor).parts[attrs.index], 'scan_output: no such part'),
  gradient: 'body',
};

/** Step t (from 0) of a train, without copying. */
function stepOf({ dtype, shape, data }: Tensor, t: number, steps: number): Tensor {
  const size = data.length / steps;
  return wrap(dtype, [shape[0]! / steps, ...shape.slice(1)], data.subarray(t * size, (t + 1) * size));
}

function joined(steps: readonly Tensor[]): Tensor {
  const { dtype, shape, data } = steps[0]!;
  const whole = allocate(dtype, data.length * steps.length);
  steps.forEach((step, t) => whole.set(step.data, t * data.length));
  return wrap(dtype, [shape[0]! * steps.length, ...shape.slice(1)], whole);
}
