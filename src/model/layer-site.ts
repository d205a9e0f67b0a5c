import type { Span } from '../base/source.js';
import { type Frame, blockTrail } from './frame.js';
import type { LayerSite } from './layers/index.js';
import type { Reporter } from './reporter.js';
import type { Layer } from './types.js';
import { type TensorValue, describeShape } from './values.js';

/** Where a layer is built: what is written there, inside of which body, who hears of problems, and who takes the layers. */
interface Building {
  readonly op: string;
  readonly place: Span;
  readonly frame: Frame;
  readonly reporter: Reporter;
  readonly add: (layer: Layer) => TensorValue;
}

/** What a layer's definition may do where it is built. */
export function layerSite({ op, place, frame, reporter, add }: Building): LayerSite {
  return {
    add: (name, kind, inputs, shape, attrs = {}, neuron) => {
      const ids = inputs.map((input) => input.op);
      const own = neuron === undefined ? {} : { neuron };
      return add({ id: frame.ids.layer(name), kind, inputs: ids, shape, attrs, place, ...own });
    },
    weighted: (name, kind, input, shape, weight, attrs = {}) =>
      add({ id: frame.ids.layer(name), kind, inputs: [input.op], shape, attrs, weight, place }),
    wrongShape: (needs, found) => {
      const related = [{ place: found.place, message: `${describeShape(found.shape)} comes from here` }];
      reporter.report('model/shape', { op, needs, found: describeShape(found.shape) }, place, {
        related: [...related, ...blockTrail(frame)],
      });
      return undefined;
    },
    wrongArgument: (name, expected, found, of) => {
      const args = { what: `\`${name}\` of \`${op}\``, expected, found };
      const from = of === undefined ? [] : [{ place: of.place, message: `${describeShape(of.shape)} comes from here` }];
      reporter.report('model/argument-type', args, place, { related: [...from, ...blockTrail(frame)] });
      return undefined;
    },
    mismatch: (left, right, why, help) => {
      const [first, second] = [describeShape(left.shape), describeShape(right.shape)];
      const related = [
        { place: left.place, message: `${first} comes from here` },
        { place: right.place, message: `${second} comes from here` },
        ...blockTrail(frame),
      ];
      reporter.report('model/shape-mismatch', { op, left: first, right: second, why }, place, { related, help });
      return undefined;
    },
  };
}
