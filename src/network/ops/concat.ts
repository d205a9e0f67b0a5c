import type { Code } from '../value-types.js';
import { defineOp } from './define.js';
import { joinedCode, linearResult, sameShape, shapeText, withTime } from './type-rules.js';
import { relayTraits } from './row-traits.js';

export const concat = defineOp({
  doc: 'Concatenation over channels (axis 0 of [C,H,W] or [F]). Of trains of one step a train with the levels of all.',
  arity: [1, Infinity],
  attrs: {},
  params: [],
  traits: { ...relayTraits, role: 'concatenation', join: true, planewise: true, keepsRange: true },
  lowering: { role: 'join', act: ({ builder }, _, inputs) => builder.concat(inputs, 1) },
  type: ({ inputs }) => {
    const [first, ...rest] = inputs;
    for (const other of rest) {
      if (!sameShape(first!.shape.slice(1), other.shape.slice(1))) {
        return `operands differ beside the channels: ${shapeText(first!.shape)} and ${shapeText(other.shape)}`;
      }
    }
    const shape = [inputs.reduce((sum, type) => sum + type.shape[0]!, 0), ...first!.shape.slice(1)];
    const code = rest.reduce<Code | undefined>(
      (joined, other) => (joined === undefined ? undefined : joinedCode(joined, other.code)),
      first!.code,
    );
    return code === undefined ? linearResult(first!, shape) : withTime({ shape, code }, first!.time);
  },
});
