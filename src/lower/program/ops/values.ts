import { listAttr, numberAttr } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { folded } from '../context.js';
import { stepsOf } from '../runnable.js';
import type { Act, OpLowering } from './op-lowering.js';
import { windowOf } from './synapses.js';

const values = (act: Act): OpLowering => ({ role: 'values', act });

export const relu = values(({ builder }, _, [x]) => builder.max(x!, 0));
export const sigmoid = values(({ builder }, _, [x]) => builder.sigmoid(x!));
export const clip = values(({ builder }, { attrs }, [x]) =>
  builder.clip(x!, numberAttr(attrs, 'min'), numberAttr(attrs, 'max')),
);
export const maxpool = values(({ builder }, op, [x]) => builder.maxpool(x!, windowOf(op)));
export const pad = values(({ builder }, { attrs }, [x]) => {
  const [top, left, bottom, right] = listAttr(attrs, 'pads') as [number, number, number, number];
  return builder.pad(x!, [0, 0, top, left], [0, 0, bottom, right], numberAttr(attrs, 'value'));
});

/** One mask a sample for all of its time steps, so that a dropped unit is silent throughout. */
export const dropout = values(({ lowering, builder }, op, [x]) => {
  const rate = numberAttr(op.attrs, 'rate');
  if (lowering.mode === 'infer' || rate === 0) return x!;
  const mask = lowering.random({ id: `${op.id}.mask`, shape: folded(1, op.type.shape), kind: 'mask', rate });
  const steps = stepsOf(x!);
  return builder.mul(x!, steps === 1 ? mask : builder.concat(new Array<Value>(steps).fill(mask), 0));
});

const shaped: OpLowering = {
  role: 'moves',
  act: ({ builder }, op, [x]) => builder.reshape(x!, folded(stepsOf(x!), op.type.shape)),
};
export const flatten = shaped;
export const reshape = shaped;
/** Axes in another order; the batch, with the time steps in it, stays in front. */
export const transpose: OpLowering = {
  role: 'moves',
  act: ({ builder }, { attrs }, [x]) => builder.transpose(x!, [0, ...listAttr(attrs, 'perm').map((axis) => axis + 1)]),
};

/** Some positions of one axis. */
export const slice: OpLowering = {
  role: 'moves',
  act: ({ builder }, { attrs }, [x]) => {
    const at = numberAttr(attrs, 'axis') + 1;
    const [start, end, step] = ['start', 'end', 'step'].map((name) => numberAttr(attrs, name)) as [
      number,
      number,
      number,
    ];
    return builder.sliceAxis(x!, at, start, end, step);
  },
};
export const identity: OpLowering = { role: 'moves', act: (_acting, _op, [x]) => x! };

export const add: OpLowering = { role: 'join', act: ({ builder }, _, [a, b]) => builder.add(a!, b!) };
export const mul: OpLowering = { role: 'product', act: ({ builder }, _, [a, b]) => builder.mul(a!, b!) };
export const concat: OpLowering = { role: 'join', act: ({ builder }, _, inputs) => builder.concat(inputs, 1) };
