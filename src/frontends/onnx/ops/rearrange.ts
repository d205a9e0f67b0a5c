import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import { type Constant, reshapedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { asImage, viewed } from '../image.js';
import { mostComputed } from '../tensor-data.js';
import { type RealValue, type Value, onGridOf } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { expand as repeated } from './with-constant.js';
import { reshaped } from './layout.js';

/** Pixels as channels and back, and repeated values: numbers in other places. */
export const rearrangeOps: OnnxOpTable = {
  DepthToSpace: { inputs: [1, 1], run: depthToSpace },
  SpaceToDepth: { inputs: [1, 1], run: spaceToDepth },
  Expand: { inputs: [2, 2], run: expand },
};

function blockOf(context: NodeContext): number {
  const block = context.int('blocksize', 0);
  if (block < 1 || block > 1e4) context.badAttribute('blocksize', block);
  return block;
}

/** [b·b·C, H, W] → [C, H·b, W·b]; mode CRD has the channels first. */
function depthToSpace(context: NodeContext): readonly Value[] {
  const { value, rewrap } = context.realOrCodes(0);
  const x = context.inOwnLayout(value);
  const b = blockOf(context);
  const [channels, height, width] = imageOf(context, x);
  const mode = context.string('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') context.badAttribute('mode', mode);
  if (channels % (b * b) !== 0) context.shapeMismatch(`${channels} channels aren’t blocks of ${b}×${b}`);
  const c = channels / (b * b);
  const [apart, perm] =
    mode === 'DCR'
      ? [
          [b, b, c, height, width],
          [2, 3, 0, 4, 1],
        ]
      : [
          [c, b, b, height, width],
          [0, 3, 1, 4, 2],
        ];
  return [rewrap(moved(context, x, apart, perm, [c, height * b, width * b]))];
}

/** [C, H, W] → [b·b·C, H/b, W/b]. */
function spaceToDepth(context: NodeContext): readonly Value[] {
  const { value, rewrap } = context.realOrCodes(0);
  const x = context.inOwnLayout(value);
  const b = blockOf(context);
  const [c, height, width] = imageOf(context, x);
  if (height % b !== 0 || width % b !== 0)
    context.shapeMismatch(`${height}×${width} pixels aren’t blocks of ${b}×${b}`);
  const apart = [c, height / b, b, width / b, b];
  return [rewrap(moved(context, x, apart, [2, 4, 0, 1, 3], [b * b * c, height / b, width / b]))];
}

function imageOf(context: NodeContext, x: RealValue): readonly [number, number, number] {
  const shape = context.shapeOf(x);
  if (shape.length !== 3) context.badForm(`its input has ${shape.length + 1} axes`, 'it needs [N, C, H, W]');
  return shape as [number, number, number];
}

/** The axes apart, in another order, and together again. */
function moved(
  context: NodeContext,
  x: RealValue,
  apart: readonly number[],
  perm: readonly number[],
  shape: readonly number[],
): RealValue {
  const wide = context.emit({ kind: 'reshape', inputs: [x], attrs: { shape: [...apart] }, suffix: 'apart' });
  const turned = context.emit({ kind: 'transpose', inputs: [wide], attrs: { perm: [...perm] }, suffix: 'moved' });
  const result = context.emit({
    kind: 'reshape',
    inputs: [turned],
    attrs: { shape: [...shape] },
    origin: context.output,
  });
  return onGridOf(x, result);
}

/** Axes of size 1 of an image, repeated. */
function expand(context: NodeContext): readonly Value[] {
  const target = context.integers(1, 'the shape') ?? [];
  const input = context.input(0);
  if (input.kind === 'constant') return [expandedConstant(context, input, target)];
  const { value, rewrap } = context.realOrCodes(0);
  const from = context.onnxShape(value);
  const aligned = [...Array<number>(Math.max(0, from.length - target.length)).fill(1), ...target];
  const [batch, ...rest] = aligned;
  const shape = rest.map((n, i) => (n === 1 ? from[i + 1]! : n));
  const text = `[${['N', ...from.slice(1)].join(', ')}] to [${target.join(', ')}]`;
  const keepsBatch = batch === 1 || Number.isNaN(batch) || batch === context.graph.fixedBatch;
  if (aligned.length !== from.length || !keepsBatch)
    context.badForm(`it expands ${text}`, 'the axes must stay as many');
  const fits = shape.every((n, i) => n === from[i + 1] || (from[i + 1] === 1 && Number.isInteger(n) && n > 0));
  if (!fits) context.shapeMismatch(`it expands ${text}`);
  if (elementCount(shape) === elementCount(from.slice(1))) return [context.input(0)];
  if (from.length !== 4 || shape[0] !== from[1])
    context.badForm(`it expands ${text}`, 'rows and columns of an image may be repeated');
  const { x, view } = asImage(context, reshaped(context, value, from.slice(1), undefined));
  const [, height, width] = context.shapeOf(x);
  const places = (to: number, length: number): number[] => Array.from({ length: to }, (_, i) => (length === 1 ? 0 : i));
  const attrs = { rows: places(shape[1]!, height!), columns: places(shape[2]!, width!) };
  const made = context.emit({ kind: 'resample', inputs: [x], attrs, origin: context.output });
  return [rewrap(viewed(onGridOf(x, made), view))];
}

/** A constant for each sample of the batch stays one for all. */
function expandedConstant(context: NodeContext, input: Constant, target: readonly number[]): Constant {
  const rank = Math.max(input.shape.length, target.length);
  const align = (shape: readonly number[]): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [from, wanted] = [align(input.shape), align(target)];
  const shape = wanted.map((n, i) => (Number.isNaN(n) || n === 1 ? from[i]! : n));
  if (shape.some((n, i) => from[i] !== 1 && from[i] !== n))
    context.shapeMismatch(`it expands "${input.name}" [${input.shape.join(', ')}] to [${target.join(', ')}]`);
  if (elementCount(shape) > mostComputed)
    fail('onnx/too-large', { what: 'an expanded constant', shape }, context.place);
  return repeated(reshapedConstant(input, from), from, shape);
}
