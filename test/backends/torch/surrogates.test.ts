import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { ProgramBuilder, autodiff, evaluate, surrogateTable } from '../../../src/tensor/index.js';
import { hasTorch, runPython } from '../../support/pytorch.js';

const layers = join(import.meta.dirname, '../../../src/backends/torch/python');

it.skipIf(!hasTorch)('every surrogate of `layers.py` is that of the Tensor IR', () => {
  const at = Array.from({ length: 81 }, (_, i) => (i - 40) / 10 + 0.013);
  const asked = Object.entries(surrogateTable).map(([name, { args }]) => {
    const values = Object.values(args).map((value, i) => (Number.isFinite(value) ? value + 0.25 : i === 0 ? -1 : 2));
    return { name, values, keys: Object.keys(args) };
  });
  const code = `
import json, sys, torch
sys.path.insert(0, ${JSON.stringify(layers)})
import layers
v = torch.tensor(${JSON.stringify(at)}, dtype=torch.float64)
for name, values in json.loads(${JSON.stringify(JSON.stringify(asked.map(({ name, values }) => [name, values])))}):
    x = v.clone().requires_grad_()
    layers.step(x, name, *values).sum().backward()
    print(json.dumps(x.grad.tolist()))
`;
  // of two numbers `torch.where` makes float32
  const found = runPython('.', ['-c', code]).trim().split('\n');
  asked.forEach(({ name, values, keys }, i) => {
    const b = new ProgramBuilder('p');
    const x = b.param('x', tensor('f64', [at.length], at));
    const attrs = Object.fromEntries(keys.map((key, k) => [`surrogate_${key}`, values[k]!]));
    b.output('loss', b.as('loss').sumAll(b.cast(b.ge(x, 0, { surrogate: name, ...attrs }), 'f64')));
    const ours = [...evaluate(autodiff(b.build(), 'loss', ['x']).program, {})['grad.x']!.data];
    const theirs = JSON.parse(found[i]!) as number[];
    ours.forEach((value, k) => expect(theirs[k], `${name} at ${at[k]}`).toBeCloseTo(value, 6));
  });
});
