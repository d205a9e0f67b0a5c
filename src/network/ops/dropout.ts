import { type Value, folded, stepsOf } from '../../tensor/index.js';
import { number } from './attributes.js';
import { defineOp } from './define.js';
import { relayTraits } from './row-traits.js';

export const dropout = defineOp({
  doc: 'Drops values at random in training; nothing in inference.',
  arity: [1, 1],
  attrs: { rate: number() },
  params: [],
  traits: { ...relayTraits, role: 'same' },
  lowering: {
    role: 'values',
    // one mask a sample for all of its time steps, so that a dropped unit is silent throughout
    act: ({ lowering, builder }, { id, attrs: { rate }, type }, [x]) => {
      if (lowering.mode === 'infer' || rate === 0) return x!;
      const mask = lowering.random({ id: `${id}.mask`, shape: folded(1, type.shape), kind: 'mask', dropped: rate });
      const steps = stepsOf(x!);
      return builder.mul(x!, steps === 1 ? mask : builder.concat(new Array<Value>(steps).fill(mask), 0));
    },
  },
  type: ({ inputs }) => inputs[0]!,
});
