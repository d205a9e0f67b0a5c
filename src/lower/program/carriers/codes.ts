import { tensor } from '../../../base/dtype.js';
import { present } from '../../../base/invariant.js';
import {
  type Network,
  type Op,
  centredCodes,
  channelScales,
  listAttr,
  numberAttr,
  opsById,
  paramOf,
} from '../../../network/index.js';
import type { Program, Value } from '../../../tensor/index.js';
import { lowerReal } from './real.js';
import { Lowering, folded } from '../context.js';
import { quantised } from './encode.js';
import { windowSum } from './stepwise.js';

/**
 * A quantised network in exact arithmetic, without spikes: convolutions, linear layers and averages
 * act on centred integer codes Q − zero (in f32, exact below 2²⁴), everything after them is f64. What an
 * SNN's codes are compared with. Outputs: the network's as `0`, `1`, …, and for every quantiser the
 * code above the lower end of its range, Q − min, under its id.
 */
export function lowerExactCodes(network: Network): Program {
  const lowering = new Lowering(network, { precision: 'f64' });
  const { builder } = lowering;
  const byId = opsById(network);
  const centred = new Map<string, Centred>();
  for (const op of network.ops) {
    builder.at(op.id);
    if (op.kind === 'input') {
      lowering.real.set(op.id, builder.cast(builder.input(op.id, 'f32', folded(1, op.type.shape)), 'f64'));
      continue;
    }
    const from = centred.get(op.inputs[0]!);
    const shape = present(byId.get(op.inputs[0]!), `lower: ${op.id} reads nothing`).type.shape;
    if (op.kind === 'quantize') lowerQuantiser(lowering, op, byId.get(op.inputs[0]!)!, centred);
    else if (from !== undefined && movesCodes(op)) keepCodes(lowering, op, from, shape, centred);
    else if (from !== undefined && accumulates(lowering, op))
      lowering.real.set(op.id, lowerInteger(lowering, op, from));
    else lowering.real.set(op.id, lowerOnReals(lowering, op));
  }
  network.outputs.forEach((id, n) => builder.output(String(n), builder.cast(lowering.realOf(id), 'f32')));
  return builder.build();
}

const singlePrecision = new Set(['conv', 'linear', 'avgpool', 'globalavgpool']);

/** Layers on values that are no codes; the heavy ones in f32, in which every engine has them. */
function lowerOnReals(lowering: Lowering, op: Op): Value {
  const { builder, real } = lowering;
  if (!singlePrecision.has(op.kind)) return lowerReal(lowering, op, 'f64');
  const [id] = op.inputs as [string];
  const wide = lowering.realOf(id);
  real.set(id, builder.cast(wide, 'f32'));
  const result = builder.cast(lowerReal(lowering, op, 'f32'), 'f64');
  real.set(id, wide);
  return result;
}

/** An integer multiple of a scale: Q − zero of a quantised value, or a sum of them. */
interface Centred {
  /** f32 integers. */
  readonly codes: Value;
  readonly scale: number;
}

function movesCodes(op: Op): boolean {
  if (op.kind === 'maxpool' || op.kind === 'flatten' || op.kind === 'reshape' || op.kind === 'globalavgpool')
    return true;
  return (
    op.kind === 'avgpool' && (op.attrs['include_pad'] === true || listAttr(op.attrs, 'pads').every((n) => n === 0))
  );
}

function accumulates(lowering: Lowering, op: Op): boolean {
  if (op.kind !== 'conv' && op.kind !== 'linear') return false;
  const { quant } = paramOf(lowering.network, op, 'weight');
  return quant !== undefined && (quant.axis === 0 || quant.scale.length === 1);
}

/** The input's quantiser rounds in f32, as every runtime does with an f32 image; inner ones in f64. */
function lowerQuantiser(lowering: Lowering, op: Op, from: Op, centred: Map<string, Centred>): void {
  const { builder } = lowering;
  const x = lowering.realOf(op.inputs[0]!);
  const code = quantised(lowering, from.kind === 'input' ? builder.cast(x, 'f32') : x, op.attrs);
  const [zero, min, scale] = ['zero', 'min', 'scale'].map((name) => numberAttr(op.attrs, name)) as [
    number,
    number,
    number,
  ];
  builder.output(op.id, builder.as('code').cast(min === 0 ? code : builder.sub(code, min), 'f32'));
  const codes = builder.cast(zero === 0 ? code : builder.sub(code, zero), 'f32');
  centred.set(op.id, { codes, scale });
  lowering.real.set(op.id, builder.mul(builder.cast(codes, 'f64'), scale));
}

/** Averages become sums of codes at a smaller scale, so that they stay integers. */
function keepCodes(
  lowering: Lowering,
  op: Op,
  from: Centred,
  inputShape: readonly number[],
  centred: Map<string, Centred>,
): void {
  const { builder } = lowering;
  let { codes, scale } = from;
  if (op.kind === 'maxpool') {
    const [kernel, stride, pads] = ['kernel', 'stride', 'pads'].map((name) => listAttr(op.attrs, name)) as [
      number[],
      number[],
      number[],
    ];
    codes = builder.maxpool(codes, { kernel, stride, pads });
  } else if (op.kind === 'avgpool' || op.kind === 'globalavgpool') {
    codes = windowSum(lowering, op, codes, inputShape[0]!);
    scale /=
      op.kind === 'avgpool' ? listAttr(op.attrs, 'kernel').reduce((a, b) => a * b, 1) : inputShape[1]! * inputShape[2]!;
  } else codes = builder.reshape(codes, folded(1, op.type.shape));
  centred.set(op.id, { codes, scale });
  lowering.real.set(op.id, builder.mul(builder.cast(codes, 'f64'), scale));
}

function lowerInteger(lowering: Lowering, op: Op, from: Centred): Value {
  const { builder } = lowering;
  const param = paramOf(lowering.network, op, 'weight');
  const { shape } = param.tensor;
  const weight = builder.param(`${op.id}.codes`, tensor('f32', shape, centredCodes(param)));
  const acc =
    op.kind === 'linear'
      ? builder.matmul(from.codes, weight, { transB: true })
      : builder.conv2d(from.codes, weight, {
          stride: listAttr(op.attrs, 'stride'),
          pads: listAttr(op.attrs, 'pads'),
          dilation: listAttr(op.attrs, 'dilation'),
          groups: numberAttr(op.attrs, 'groups'),
        });
  const wide = [shape[0]!, ...new Array<number>(op.type.shape.length - 1).fill(1)];
  const units = channelScales(param, shape[0]!).map((scale) => scale * from.scale);
  const real = builder.mul(builder.cast(acc, 'f64'), builder.constant(tensor('f64', wide, units)));
  const bias = lowering.perChannel(op, 'bias', 'f64', op.type.shape.length);
  return bias === undefined ? real : builder.add(real, bias);
}
