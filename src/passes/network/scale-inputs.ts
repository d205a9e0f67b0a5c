import { elementCount } from '../../base/dtype.js';
import { mappedTensor } from '../../base/lazy-tensor.js';
import { type Param, realTensor } from '../../network/index.js';

/** Times one number: codes of a quantised weight stay, its scales change. */
export function timesScalar(param: Param, factor: number): Param {
  if (param.quant !== undefined) {
    return { tensor: param.tensor, quant: { ...param.quant, scale: param.quant.scale.map((s) => s * factor) } };
  }
  return { tensor: mappedTensor(realTensor(param), (w) => w * factor) };
}

/** Which input channel entry i of a row of outputs o weighs, of a weight [out, in/groups, …taps] over `inputs` channels. */
export function inputChannels(shape: readonly number[], inputs: number): (o: number, i: number) => number {
  const [out, within] = shape as [number, number];
  const perGroup = out / (inputs / within);
  return (o, i) => Math.floor(o / perGroup) * within + i;
}

/**
 * A weight [out, in/groups, …taps] with input channel i multiplied by scale[i]. Where an output reads one channel, codes of
 * a quantised weight stay; else it becomes real.
 */
export function timesInputs(param: Param, scale: Float64Array): Param {
  const { shape } = param.tensor;
  const [out, within, ...kernel] = shape as [number, number, ...number[]];
  if (scale.every((s) => s === scale[0])) return timesScalar(param, scale[0]!);
  const channel = inputChannels(shape, scale.length);
  const { quant } = param;
  if (quant !== undefined && within === 1 && (quant.axis === 0 || quant.scale.length === 1)) {
    const spread = (list: readonly number[], o: number): number => list[list.length === 1 ? 0 : o]!;
    const outputs = Array.from({ length: out }, (_, o) => o);
    const scales = outputs.map((o) => spread(quant.scale, o) * scale[channel(o, 0)]!);
    return { tensor: param.tensor, quant: { scale: scales, zero: outputs.map((o) => spread(quant.zero, o)), axis: 0 } };
  }
  const taps = elementCount(kernel);
  const factors = Float64Array.from(scale);
  const values = mappedTensor(realTensor(param), (w, at) => {
    const i = Math.floor(at / taps);
    return w * factors[channel(Math.floor(i / within), i % within)]!;
  });
  return { tensor: values };
}
