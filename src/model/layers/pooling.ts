import type { Parameter } from '../schema.js';
import { describeShape } from '../values.js';
import { type LayerDef, isImage, one } from './layer-def.js';
import { padParameter, windowOver } from './window.js';

const parameters: readonly Parameter[] = [
  { name: 'kernel', spec: { kind: 'pair', min: 1 }, default: 2 },
  { name: 'stride', spec: { kind: 'pair', min: 1 } },
  padParameter,
];

function pool(kind: 'avgpool' | 'maxpool'): LayerDef {
  return {
    inputs: one,
    parameters,
    build(site, [input], args, name) {
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

/** `avgpool(kernel: 2, stride: kernel, pad: none)`; padding counts as zeros in the mean. */
export const avgpool = pool('avgpool');

/** `maxpool(kernel: 2, stride: kernel, pad: none)` */
export const maxpool = pool('maxpool');

/** `global_avgpool`: [C, H, W] → [C, 1, 1]. */
export const globalAvgpool: LayerDef = {
  inputs: one,
  parameters: [],
  build(site, [input], _args, name) {
    if (!isImage(input.shape)) return site.wrongShape('[channels, height, width]', input);
    return site.add(name, 'globalavgpool', [input], [input.shape[0], 1, 1]);
  },
};
