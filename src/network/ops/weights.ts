import { boolean, number, optional, string } from './attributes.js';

/** Attributes of every synapse with weights that can have bits. */
export const weightAttrs = {
  planes: optional(number()),
  unary: optional(boolean()),
  weight_bits: optional(number()),
  weight_bits_max: optional(number()),
  weight_step_rule: optional(string()),
  folded_bias: optional(boolean()),
} as const;

/** Its parameters. */
export const weightParams = ['weight', 'bias?', 'gain?', 'weight_step?', 'weight_bits?'];
