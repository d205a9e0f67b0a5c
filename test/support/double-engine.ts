import { type Tensor, tensor } from '../../src/base/dtype.js';
import type { Engine } from '../../src/engines/index.js';
import { portsOf } from '../../src/engines/states.js';
import { evaluate } from '../../src/tensor/index.js';

/** The reference evaluator as an engine whose every number, states among them, is a float64. */
export const doubleEngine: Engine = {
  name: 'reference evaluator in float64',
  open: (program, { states: initial = new Map() } = {}) => {
    const { states, returned } = portsOf(program, initial);
    let now = new Map([...initial].map(([id, value]) => [id, wide(value)]));
    let before = now;
    return Promise.resolve({
      engine: 'reference',
      step: (feeds) => {
        const results = evaluate(program, { ...feeds, ...Object.fromEntries(now) }, { precision: 'f64' });
        before = now;
        now = new Map(states.map(({ id, next }) => [id, results[next]!]));
        return Promise.resolve(Object.fromEntries(Object.keys(returned).map((name) => [name, results[name]!])));
      },
      read: (ids, options) => {
        const from = options?.before === true ? before : now;
        return Promise.resolve(new Map([...from].filter(([id]) => ids === undefined || ids.includes(id))));
      },
      write: (written) => {
        for (const [id, value] of written) now.set(id, wide(value));
        return Promise.resolve();
      },
      dispose: () => Promise.resolve(),
    });
  },
};

function wide(value: Tensor): Tensor {
  return value.dtype === 'f32' ? tensor('f64', value.shape, value.data) : value;
}
