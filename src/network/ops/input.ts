import { list } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';

export const input = defineOp({
  doc: 'What a user feeds: one real image a sample.',
  arity: [0, 0],
  attrs: { shape: list() },
  params: [],
  traits: {
    ...realTraits,
    role: 'input',
    accumulates: true,
  },
  lowering: { role: 'time' },
  type: ({ attrs }) => ({ shape: attrs.shape, code: { kind: 'real' } }),
});
