/** Name in emitted functions: comparisons of float32, as 0 and 1 in float32. */
export const compare = 'compare';

export type Comparison = 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual';

/** The line that an emitted function begins with where it compares. */
export const comparisonsHere = `const ${compare} = comparisons(tf);`;

/**
 * The function of a module that makes them. The wasm backend has vector code for float arithmetic, but goes through truth values one by
 * one: there comparisons are by the sign of the difference, which is zero only where both are equal. The native backend's own step function
 * takes six operations of its own.
 */
export const comparisonsText = `/** Comparisons of float32 as 0 and 1; on wasm, which is slow with truth values, by the sign of the difference. */
function comparisons(tf) {
  if (tf.getBackend() !== 'wasm') {
    const direct = (name) => (a, b) => tf.tidy(() => tf.cast(tf[name](a, b), 'float32'));
    return {
      equal: direct('equal'),
      notEqual: direct('notEqual'),
      less: direct('less'),
      lessEqual: direct('lessEqual'),
      greater: direct('greater'),
      greaterEqual: direct('greaterEqual'),
      nonzero: (a) => tf.tidy(() => tf.cast(tf.notEqual(a, 0), 'float32')),
    };
  }
  const above = (a, b) => tf.step(tf.sub(a, b));
  const apart = (a, b) => tf.step(tf.abs(tf.sub(a, b)));
  const not = (holds) => tf.sub(1, holds);
  return {
    equal: (a, b) => tf.tidy(() => not(apart(a, b))),
    notEqual: (a, b) => tf.tidy(() => apart(a, b)),
    less: (a, b) => tf.tidy(() => above(b, a)),
    lessEqual: (a, b) => tf.tidy(() => not(above(a, b))),
    greater: (a, b) => tf.tidy(() => above(a, b)),
    greaterEqual: (a, b) => tf.tidy(() => not(above(b, a))),
    nonzero: (a) => tf.tidy(() => tf.step(tf.abs(a))),
  };
}`;
