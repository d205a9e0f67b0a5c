import { elementCount } from '../../base/dtype.js';
import type { Setting } from '../schema.js';
import { type TensorValue, type Value, describeShape } from '../values.js';
import { type LayerDef, type LayerSite, isImage, one } from './layer-def.js';
import { padOf, sizesParameter, windowOver, windowOver3 } from './window.js';

const parameters: readonly Setting[] = [
  sizesParameter('kernel', 'height and width of the window', 2),
  { ...sizesParameter('stride', 'how far windows are apart'), otherwise: '`kernel`' },
  padOf('none'),
];

/** Over height and width of every depth, then over the depth: the greatest and the mean of a box are those of its slices. */
function pooledDeep(
  site: LayerSite,
  input: TensorValue,
  args: ReadonlyMap<string, Value>,
  name: string,
  kind: 'avgpool' | 'maxpool',
): TensorValue | undefined {
  const window = windowOver3(site, input, args, 'none');
  if (window === undefined) return undefined;
  const { kernel, stride, pads, spatial } = window;
  if (pads.some((pad, side) => pad >= kernel[side % 3]!))
    return site.wrongArgument('pad', `smaller than its window ${describeShape(kernel)}`, describeShape(pads));
  const [channels, depth, rows, columns] = input.shape as [number, number, number, number];
  const [deep, height, width] = spatial as [number, number, number];
  const shaped = (part: string, from: TensorValue, shape: readonly number[]): TensorValue =>
    site.add(part, 'reshape', [from], shape, { shape });
  const slices = shaped(`${name}.slices`, input, [channels * depth, rows, columns]);
  const within = site.add(`${name}.within`, kind, [slices], [channels * depth, height, width], {
    kernel: kernel.slice(1),
    stride: stride.slice(1),
    pads: [pads[1]!, pads[2]!, pads[4]!, pads[5]!],
  });
  const lines = shaped(`${name}.lines`, within, [channels, depth, height * width]);
  const across = site.add(`${name}.across`, kind, [lines], [channels, deep, height * width], {
    kernel: [kernel[0]!, 1],
    stride: [stride[0]!, 1],
    pads: [pads[0]!, 0, pads[3]!, 0],
  });
  return shaped(name, across, [channels, deep, height, width]);
}

function pool(kind: 'avgpool' | 'maxpool', doc: string): LayerDef {
  return {
    doc,
    inputs: one,
    parameters,
    build(site, [input], args, name) {
      if (input.shape.length === 4) return pooledDeep(site, input, args, name, kind);
      const window = windowOver(site, input, args, 'none');
      if (window === undefined) return undefined;
      const { kernel, stride, pads, spatial } = window;
      // A window that lies in the padding has no maximum, and no mean of anything.
      if (pads.some((pad, side) => pad >= kernel[side % 2]!)) {
        return site.wrongArgument('pad', `smaller than its window ${describeShape(kernel)}`, describeShape(pads));
      }
      return site.add(name, kind, [input], [input.shape[0]!, ...spatial], { kernel, stride, pads });
    },
  };
}

export const avgpool = pool(
  'avgpool',
  'mean over windows of [C, H, W], [C, L] or [C, D, H, W]; padding counts as zeros',
);

export const maxpool = pool('maxpool', 'maximum over windows; `pad` is smaller than the window, as in `avgpool`');

export const globalAvgpool: LayerDef = {
  doc: 'the mean of each channel: [C, H, W] → [C, 1, 1]; [C, L] and [C, D, H, W] → [C]',
  inputs: one,
  parameters: [],
  build(site, [input], _args, name) {
    const { shape } = input;
    if (isImage(shape)) return site.add(name, 'globalavgpool', [input], [shape[0], 1, 1]);
    if (shape.length !== 2 && shape.length !== 4)
      return site.wrongShape(
        '[channels, height, width], [channels, length] or [channels, depth, height, width]',
        input,
      );
    // all places of a channel, one below the other
    const [channels] = shape as [number];
    const column = [channels, elementCount(shape) / channels, 1];
    const image = site.add(`${name}.reshape`, 'reshape', [input], column, { shape: column });
    const means = site.add(`${name}.mean`, 'globalavgpool', [image], [channels, 1, 1]);
    return site.add(name, 'reshape', [means], [channels], { shape: [channels] });
  },
};
