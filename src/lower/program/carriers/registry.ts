import { binary } from './binary.js';
import { burst } from './burst.js';
import type { Carrier } from './carrier.js';
import { direct, events } from './means.js';
import { offset } from './offset.js';
import { pattern } from './pattern.js';
import { phase } from './phase.js';
import { rate } from './rate.js';
import { real } from './real.js';
import { stepwise } from './stepwise.js';
import { tsc } from './tsc.js';
import { ttfsDynamic } from './ttfs-dynamic.js';
import { ttfs } from './ttfs.js';

/** Every coding that is lowered: a file each, and a line here. */
export const carriers: readonly Carrier[] = [
  real,
  direct,
  rate,
  offset,
  events,
  binary,
  stepwise,
  phase,
  burst,
  ttfs,
  ttfsDynamic,
  tsc,
  pattern,
];
