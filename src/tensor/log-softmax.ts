import type { ProgramBuilder, Value } from './builder.js';

/** ln softmax along the last axis; the maximum is taken off first, which changes nothing but overflow. */
export function logSoftmax(b: ProgramBuilder, x: Value): Value {
  const last = x.shape.length - 1;
  const shifted = b.sub(x, b.detach(b.reduceMax(x, [last], true)));
  return b.sub(shifted, b.log(b.sum(b.exp(shifted), [last], true)));
}
