import { readFileSync } from 'node:fs';
import katex from 'katex';
import { expect, it } from 'vitest';
import { exprTex, neuronTex } from '../../docs/equations-tex.js';
import { TokenStream } from '../../src/base/tokens.js';
import { parseExpr } from '../../src/equations/index.js';
import { checkModel } from '../../src/model/index.js';

const tex = (text: string): string =>
  exprTex(parseExpr(new TokenStream({ name: 'equation', text }))).replaceAll(/\s+/g, ' ');

it('a product, a quotient and a power read as they are meant', () => {
  expect(tex('(1 - 1 / tau) * u + x')).toBe(String.raw`\left( 1 - \dfrac{1}{\tau} \right) \cdot u + x`);
  expect(tex('a - (b - c)')).toBe(String.raw`a - \left( b - c \right)`);
  expect(tex('(a + b) ^ 2')).toBe(String.raw`{\left( a + b \right)}^{2}`);
  expect(tex('(a / b) ^ 2')).toBe(String.raw`{\left( \dfrac{a}{b} \right)}^{2}`);
  expect(tex('(a ^ b) ^ c')).toBe(String.raw`{\left( {a}^{b} \right)}^{c}`);
  expect(tex('a ^ b ^ c * (a / b)')).toBe(String.raw`{a}^{{b}^{c}} \cdot \dfrac{a}{b}`);
  expect(tex('-(a + b)')).toBe(String.raw`-\left( a + b \right)`);
  expect(tex('a0 * feedback')).toBe(String.raw`a_{0} \cdot \mathrm{feedback}`);
});

it('a comparison counts as 1 or 0, and stands bare as the condition of a case', () => {
  expect(tex('u >= theta')).toBe(String.raw`[u \ge \theta]`);
  expect(tex('alpha * (u >= theta)')).toBe(String.raw`\alpha \cdot [u \ge \theta]`);
  expect(tex('where(s != 0, 0, where(u < 1, 1, u))')).toBe(
    String.raw`\begin{cases} 0 & \text{if } s \ne 0 \\ 1 & \text{if } u < 1 \\ u & \text{otherwise} \end{cases}`,
  );
});

it('every neuron of the standard library is set, each of its names among the others', () => {
  const text = readFileSync('models/neurons.spike', 'utf8');
  const { value } = checkModel({ name: 'neurons', text }, { read: () => undefined, library: () => undefined });
  expect(value!.neurons.size).toBeGreaterThan(20);
  for (const neuron of value!.neurons.values()) {
    const html = katex.renderToString(neuronTex(neuron), { output: 'mathml', throwOnError: true, strict: 'error' });
    for (const { name, assignments } of neuron.phases) if (assignments.length > 0) expect(html).toContain(name);
  }
});

it('membranes of several units have an index, their sum has none', () => {
  const text = readFileSync('models/neurons.spike', 'utf8');
  const { value } = checkModel({ name: 'neurons', text }, { read: () => undefined, library: () => undefined });
  const mlf = neuronTex(value!.neurons.get('MLF')!);
  expect(mlf).toContain(String.raw`u_i \leftarrow`);
  expect(mlf).toContain(String.raw`\mathrm{fired}_i = [u_i \ge \theta + \left( i - 1 \right) \cdot \mathrm{spacing}]`);
  expect(mlf).toContain(String.raw`s = \sum_i \mathrm{fired}_i`);
});
