import { type Constant, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { asImage, viewed } from '../image.js';
import type { OnnxOpTable } from './define.js';
import { type LinearPlan, fusible, linearPlan } from './synapse.js';

/** [N,C,H,W] with weight [C,O/g,kh,kw] (+ bias [O]); [N,C,L] as images of height 1. */
export const transposedOps: OnnxOpTable = {
  ConvTranspose: {
    inputs: [2, 3],
    run: (c) => [fusible(c, transposedConvolution(c, c.constant(1, 'the weight'), c.optionalConstant(2, 'the bias')))],
  },
};

function transposedConvolution(context: NodeContext, weight: Constant, bias: Constant | undefined): LinearPlan {
  const { x, view } = asImage(context, context.realInAnyLayout(0));
  const shape = context.shapeOf(x);
  const spatial = view?.length === 3 ? 1 : 2;
  if (weight.shape.length !== spatial + 2) {
    context.badForm(
      `its weight has ${weight.shape.length} axes, its input ${spatial + 2}`,
      'supported are 2-D transposed convolutions, [N, C, H, W] with a weight [C, O/groups, kh, kw], and 1-D ones',
    );
  }
  const groups = context.int('group', 1);
  const [channels, perGroup, ...taps] = weight.shape as [number, number, ...number[]];
  if (groups < 1 || channels !== shape[0] || channels % groups !== 0) {
    context.shapeMismatch(
      `weight "${weight.name}" [${weight.shape.join(', ')}] with ${groups} group(s) takes ${channels} channels, ` +
        `its input "${context.node.inputs[0]}" is [${['N', ...shape].join(', ')}]`,
    );
  }
  const declared = context.ints('kernel_shape') ?? [];
  if (declared.length > 0 && declared.join() !== taps.join()) {
    context.shapeMismatch(
      `kernel_shape is [${declared.join(', ')}], its weight "${weight.name}" is [${weight.shape.join(', ')}]`,
    );
  }
  const attrs = { ...readScattering(context, shape.slice(1), taps), groups };
  const byOutput = weightByOutput(weight, groups, spatial === 1 ? [1, ...taps] : taps);
  const plan = linearPlan(context, { kind: 'transposed_conv', inputs: [x], attrs }, byOutput, bias);
  if (view === undefined) return plan;
  const shapeBehind = spatial === 1 ? [perGroup * groups, 1] : plan.shape;
  return { ...plan, shape: shapeBehind, emit: (fused) => viewed(plan.emit(fused), view) };
}

/** [C, O/g, kh, kw] → [O, C/g, kh, kw]. */
function weightByOutput(weight: Constant, groups: number, [kh, kw]: readonly number[]): Constant {
  const [channels, perGroup] = weight.shape as [number, number];
  const within = channels / groups;
  if (groups === 1) return transposedConstant(reshapedConstant(weight, [channels, perGroup, kh!, kw!]), [1, 0, 2, 3]);
  const grouped = reshapedConstant(weight, [groups, within, perGroup, kh! * kw!]);
  return reshapedConstant(transposedConstant(grouped, [0, 2, 1, 3]), [groups * perGroup, within, kh!, kw!]);
}

interface Scattering {
  readonly kernel: number[];
  readonly stride: number[];
  readonly pads: number[];
  readonly dilation: number[];
  readonly output_padding: number[];
}

/** What ONNX says of the output's length: strides, pads and output_padding, or the length itself (output_shape, auto_pad). */
function readScattering(context: NodeContext, input: readonly number[], taps: readonly number[]): Scattering {
  const spatial = taps.length;
  const lifted = (list: readonly number[], first: number): number[] => (spatial === 1 ? [first, ...list] : [...list]);
  const ones = Array<number>(spatial).fill(1);
  const kernel = lifted(taps, 1);
  const stride = lifted(context.sizes('strides', spatial, 1, ones), 1);
  const dilation = lifted(context.sizes('dilations', spatial, 1, ones), 1);
  const output_padding = lifted(context.sizes('output_padding', spatial, 0, Array<number>(spatial).fill(0)), 0);
  const tooFar = output_padding.findIndex((n, axis) => n >= stride[axis]!);
  if (tooFar !== -1) {
    context.badForm(
      `its output_padding ${output_padding[tooFar]} is not smaller than its stride ${stride[tooFar]}`,
      'rows that no input reaches hold the bias alone: leave them out, or pad the result',
    );
  }
  const whole = [0, 1].map(
    (axis) => stride[axis]! * (input[axis]! - 1) + output_padding[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1,
  );
  const pads = (): readonly number[] => {
    const autoPad = context.string('auto_pad', 'NOTSET');
    const given = context.ints('output_shape') ?? [];
    if (!['NOTSET', '', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(autoPad))
      context.badAttribute('auto_pad', autoPad);
    if (given.length === 0 && !autoPad.startsWith('SAME')) {
      if (autoPad === 'VALID') return [0, 0, 0, 0];
      const list = context.sizes('pads', 2 * spatial, 0, Array<number>(2 * spatial).fill(0));
      return spatial === 1 ? [0, list[0]!, 0, list[1]!] : list;
    }
    const wanted =
      given.length === 0
        ? input.map((n, axis) => n * stride[axis]!)
        : lifted(context.sizes('output_shape', given.length, 1).slice(-spatial), 1);
    const totals = whole.map((n, axis) => n - wanted[axis]!);
    if (totals.some((n) => n < 0)) {
      context.badForm(
        `its output [${wanted.join(', ')}] is larger than what its kernel reaches, [${whole.join(', ')}]`,
      );
    }
    const less = totals.map((n) => Math.floor(n / 2));
    const more = totals.map((n, axis) => n - less[axis]!);
    return autoPad === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less];
  };
  return { kernel, stride, pads: [...pads()], dilation, output_padding };
}
