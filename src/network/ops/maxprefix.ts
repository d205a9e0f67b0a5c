import { border, number, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sliding } from './geometry.js';
import { firingTraits } from './row-traits.js';
import { windowShape } from './type-rules.js';

export const maxprefix = defineOp({
  doc: 'Exact max pooling of stepwise weighted trains by running prefix: M_k = max_i P_i,k, s_k = M_k − β·M_k−1 (docs/sws.md). With β = 1 the running maximum of counts, for trains that carry means.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border(), beta: number() },
  params: [],
  traits: { ...firingTraits, role: 'running-maximum', padding: 'absent' },
  links: sliding,
  lowering: { role: 'time' },
  type: (request) => {
    const from = request.inputs[0]!;
    if (from.code.kind !== 'spike') return 'needs a spike train';
    const shape = windowShape(request, from.shape[0]!);
    return typeof shape === 'string' ? shape : { ...from, shape };
  },
});
