import { type DType, type Tensor, tensor } from '../base/dtype.js';
import { batchAxis, concreteShape, isBatch, showType } from './dims.js';
import { lastUses } from './last-use.js';
import { opDef } from './ops/index.js';
import type { Program, ValueInfo } from './types.js';

export interface EvaluateOptions {
  /**
   * `f64` computes every f32 value in float64 without rounding ("exact arithmetic") and
   * takes and returns f64 tensors in their place. The default rounds each result to its dtype.
   */
  readonly precision?: 'f64';
  /** Called with every value as soon as it is computed. */
  readonly onValue?: (id: string, value: Tensor) => void;
  /** The batch size N where no input has a batch axis. */
  readonly batch?: number;
}

/**
 * The reference evaluator: runs a program op by op, slowly and obviously. Every other way
 * to run a program is compared with it.
 */
export function evaluate(
  program: Program,
  inputs: Readonly<Record<string, Tensor>>,
  options: EvaluateOptions = {},
): Record<string, Tensor> {
  const n = batchSize(program, inputs) ?? options.batch ?? 1;
  const fed = program.inputs.map((input) => {
    const value = inputs[input.id];
    const exact = options.precision === 'f64' && input.dtype === 'f32' && value?.dtype === 'f64';
    return [input.id, checkedFeed(exact ? { ...input, dtype: 'f64' } : input, value, n)] as const;
  });
  return runOps(program, Object.fromEntries(fed), n, options);
}

function runOps(
  program: Program,
  inputs: Readonly<Record<string, Tensor>>,
  n: number,
  { precision, onValue }: EvaluateOptions,
): Record<string, Tensor> {
  const exact = (dtype: DType): DType => (precision === 'f64' && dtype === 'f32' ? 'f64' : dtype);
  const values = new Map<string, Tensor>();
  const types = new Map<string, ValueInfo>();
  const keep = (id: string, type: ValueInfo, value: Tensor) => {
    types.set(id, type);
    values.set(id, value);
  };
  for (const input of program.inputs) keep(input.id, input, toDType(inputs[input.id]!, exact(input.dtype)));
  for (const param of program.params) keep(param.id, param, toDType(param.data, exact(param.dtype)));
  const run = (body: Program, fed: Readonly<Record<string, Tensor>>) =>
    runOps(body, fed, n, precision === undefined ? {} : { precision });
  const dead = lastUses(program);
  const returned = new Set(Object.values(program.outputs));
  program.ops.forEach((op, i) => {
    const result = opDef(op.kind).evaluate(
      op.inputs.map((id) => values.get(id)!),
      {
        attrs: op.attrs,
        inputs: op.inputs.map((id) => types.get(id)!),
        dtype: exact(op.dtype),
        shape: concreteShape(op.shape, n),
        n,
        run,
      },
    );
    keep(op.id, op, result);
    onValue?.(op.id, result);
    for (const id of dead[i]!) if (!returned.has(id)) values.delete(id);
  });
  return Object.fromEntries(Object.entries(program.outputs).map(([name, id]) => [name, values.get(id)!]));
}

function toDType(value: Tensor, dtype: DType): Tensor {
  return value.dtype === dtype ? value : tensor(dtype, value.shape, value.data);
}

/** The batch size N that the fed tensors have; undefined where no input has a batch axis. */
export function batchSize(program: Program, inputs: Readonly<Record<string, Tensor>>): number | undefined {
  for (const input of program.inputs) {
    const axis = batchAxis(input.shape);
    const dim = input.shape[axis];
    const fed = inputs[input.id];
    if (dim === undefined || !isBatch(dim) || fed === undefined) continue;
    const n = (fed.shape[axis] ?? NaN) / dim.batch;
    if (!Number.isInteger(n)) {
      throw new TypeError(`input "${input.id}" is ${showType(input)}, but [${fed.shape.join(',')}] was fed`);
    }
    return n;
  }
  return undefined;
}

/** The fed tensor, if it is there and fits the input for a batch of `n`. */
export function checkedFeed(input: ValueInfo & { readonly id: string }, fed: Tensor | undefined, n: number): Tensor {
  if (fed === undefined) throw new TypeError(`input "${input.id}" (${showType(input)}) was not fed`);
  const shape = concreteShape(input.shape, n);
  const fits =
    fed.dtype === input.dtype && fed.shape.length === shape.length && shape.every((d, i) => d === fed.shape[i]);
  if (!fits) {
    throw new TypeError(
      `input "${input.id}" is ${showType(input)} with N = ${n}, but ${fed.dtype}[${fed.shape.join(',')}] was fed`,
    );
  }
  return fed;
}
