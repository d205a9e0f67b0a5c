import { defineOp } from './define.js';
import { relayTraits } from './row-traits.js';

export const identity = defineOp({
  doc: 'Nothing.',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: { ...relayTraits, role: 'same' },
  lowering: { role: 'moves', act: (_acting, _op, [x]) => x! },
  type: ({ inputs }) => inputs[0]!,
});
