import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { castTensor, elementsOf, lazyTensor } from '../base/lazy-tensor.js';
import { present } from '../base/invariant.js';
import type { Network, Op, Param } from './types.js';

/** An op, as far as its parameters go. */
type WithParams = Pick<Op, 'id' | 'params'>;

/** The parameter in a role of an op; a bug where it is missing. */
export function paramOf(network: Pick<Network, 'params'>, op: WithParams, role: string): Param {
  return present(optionalParam(network, op, role), `${op.id}: no parameter in role ${role}`);
}

export function optionalParam(network: Pick<Network, 'params'>, op: WithParams, role: string): Param | undefined {
  const name = op.params[role];
  return name === undefined ? undefined : network.params.get(name);
}

/** An f64 parameter. */
export function realParam(shape: readonly number[], values: ArrayLike<number>): Param {
  return { tensor: tensor('f64', shape, values) };
}

/** Number of elements that share one index of `axis` and everything before it. */
function innerSize(shape: readonly number[], axis: number): number {
  return elementCount(shape.slice(axis + 1));
}

/** The real values a parameter stands for, in float64: (code − zero)·scale where it is quantised. */
export function realValues({ tensor: { data, shape }, quant }: Param): Float64Array<ArrayBuffer> {
  const values = new Float64Array(data);
  if (quant !== undefined) dequantise(values, 0, shape, quant);
  return values;
}

/** Codes from the one with index `start` on become the real values that they stand for. */
function dequantise(
  values: Float64Array,
  start: number,
  shape: readonly number[],
  { axis, scale, zero }: NonNullable<Param['quant']>,
): void {
  const inner = innerSize(shape, axis);
  const size = shape[axis] ?? 1;
  for (let i = 0; i < values.length; i++) {
    const c = scale.length === 1 ? 0 : Math.floor((start + i) / inner) % size;
    values[i] = (values[i]! - zero[zero.length === 1 ? 0 : c]!) * scale[c]!;
  }
}

/** {@link realValues} as a tensor, whose contents of a large parameter are made when they are read. */
export function realTensor({ tensor: from, quant }: Param): Tensor<'f64'> {
  if (quant === undefined) return from.dtype === 'f64' ? (from as Tensor<'f64'>) : castTensor('f64', from);
  return lazyTensor('f64', from.shape, (into, start) => {
    into.set(elementsOf(from, start, start + into.length));
    dequantise(into, start, from.shape, quant);
  });
}

/** Integer codes less their zero point: what a spiking synapse accumulates. Only for quantised parameters. */
export function centredCodes({ tensor: { data, shape }, quant }: Param): Float64Array<ArrayBuffer> {
  const codes = Float64Array.from(data);
  if (quant === undefined) throw new TypeError('centredCodes: the parameter is not quantised');
  centre(codes, 0, shape, quant);
  return codes;
}

/** Takes the zero points from the codes from the one with index `start` on. */
function centre(
  codes: Float64Array,
  start: number,
  shape: readonly number[],
  { axis, zero }: NonNullable<Param['quant']>,
): void {
  if (zero.every((z) => z === 0)) return;
  const inner = innerSize(shape, axis);
  const size = shape[axis] ?? 1;
  for (let i = 0; i < codes.length; i++) {
    codes[i] = codes[i]! - zero[zero.length === 1 ? 0 : Math.floor((start + i) / inner) % size]!;
  }
}

/** {@link centredCodes} as a tensor of f32, whose contents of a large parameter are made when they are read. */
export function centredTensor({ tensor: from, quant }: Param): Tensor<'f32'> {
  if (quant === undefined) throw new TypeError('centredTensor: the parameter is not quantised');
  return lazyTensor('f32', from.shape, (into, start) => {
    const codes = Float64Array.from(elementsOf(from, start, start + into.length));
    centre(codes, start, from.shape, quant);
    into.set(codes);
  });
}

/** Values of one scale per output channel, whether it was stored once or per channel of axis 0. */
export function channelScales(param: Param, channels: number): Float64Array<ArrayBuffer> {
  const scale = param.quant?.scale ?? [1];
  return Float64Array.from({ length: channels }, (_, c) => scale[scale.length === 1 ? 0 : c]!);
}

/** A network's parameters as plain named tensors, scales and zero points beside their codes; for safetensors. */
export function paramsToTensors(params: ReadonlyMap<string, Param>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { tensor: values, quant }] of params) {
    tensors.set(name, values);
    if (quant === undefined) continue;
    tensors.set(`${name}.scale`, tensor('f64', [quant.scale.length], quant.scale));
    tensors.set(`${name}.zero`, tensor('i32', [quant.zero.length], quant.zero));
    tensors.set(`${name}.axis`, tensor('i32', [1], [quant.axis]));
  }
  return tensors;
}

/** The inverse of {@link paramsToTensors}. */
export function tensorsToParams(tensors: ReadonlyMap<string, Tensor>): Map<string, Param> {
  const params = new Map<string, Param>();
  const parts = /^(.*)\.(scale|zero|axis)$/;
  for (const [name, values] of tensors) {
    const part = parts.exec(name);
    if (part !== null && tensors.has(part[1]!) && tensors.has(`${part[1]}.axis`)) continue;
    const scale = tensors.get(`${name}.scale`);
    const zero = tensors.get(`${name}.zero`);
    const axis = tensors.get(`${name}.axis`);
    if (scale === undefined || zero === undefined || axis === undefined) params.set(name, { tensor: values });
    else
      params.set(name, {
        tensor: values,
        quant: { scale: [...scale.data], zero: [...zero.data], axis: axis.data[0]! },
      });
  }
  return params;
}
