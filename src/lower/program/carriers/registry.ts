import type { Carrier } from './carrier.js';
import { bernoulli, direct, events } from './means.js';
import { real } from './real.js';
import { stepwise } from './stepwise.js';

/** Every coding that is lowered: a file each, and a line here. */
export const carriers: readonly Carrier[] = [real, direct, bernoulli, events, stepwise];
