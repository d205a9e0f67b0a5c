import { expect, it } from 'vitest';
import { TokenStream } from '../../src/base/tokens.js';
import { neuronProblems, parseNeuron } from '../../src/equations/index.js';
import { libraryNeurons } from '../../src/workspace/files.js';

function problemsOf(text: string): readonly string[] {
  return neuronProblems(parseNeuron(new TokenStream({ name: 'n.ir', text })));
}

const body = (charge: string, fire: string, more = ''): string =>
  `N(theta = 1) { state u = 0 charge u = ${charge} fire s = ${fire} reset u = u - s ${more} }`;

it('finds nothing wrong with the neurons of the standard library', () => {
  for (const [name, def] of libraryNeurons()) expect(neuronProblems(def), name).toEqual([]);
});

it.each([
  [body('u + x', 'u >= theta'), []],
  [body('u + nowhere', 'u >= theta'), ["reads nowhere, which it doesn't have, in charge u"]],
  [body('u + s', 'u >= theta'), ["reads s, which it doesn't have, in charge u"]],
  [body('u + foo(x)', 'u >= theta'), ['calls foo, which is no function, in charge u']],
  [body('u + toString(x)', 'u >= theta'), ['calls toString, which is no function, in charge u']],
  [body('clip(u, 0)', 'u >= theta'), ['gives clip 2 argument(s) instead of 3 in charge u']],
  [body('u + x', 'levels(u, top: 3)'), ["gives levels an argument top, which it doesn't take, in fire s"]],
  [
    body('u + x', 'u >= theta', 'surrogate triangle(width: wide)'),
    ["reads wide, which it doesn't have, in the surrogate's width"],
  ],
  ['N(a = 1, a = 2) { state u = a charge u = x fire s = u > 0 }', ['has two parameters of one name']],
  [
    'N() { state u = v charge u = x fire u = u > 0 }',
    ["reads v, which it doesn't have, in state u", 'assigns no output s in fire'],
  ],
])('%s', (text, problems) => {
  expect(problemsOf(text)).toEqual(problems);
});
