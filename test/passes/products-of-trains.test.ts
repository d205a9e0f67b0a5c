import { expect, it } from 'vitest';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { multiplyingOps } from '../../src/passes/index.js';
import type { Network } from '../../src/network/index.js';
import { expectClose, logitsOf, runPasses, withRandomNorms } from '../support/planes.js';
import { randomImages } from '../support/random-network.js';
import { configFrom, networkFrom } from '../support/train.js';

const neurons: Readonly<Record<string, string>> = {
  one: 'LIF',
  two: 'MBLIF(integer: 1, fraction: 1, theta: 0.1)',
  three: 'ILIF(D: 3)',
  ternary: 'Ternary',
  wide: 'ILIF(D: 63)',
  aligned: 'IBRALIF(D: 1.5, N: 10)',
};

/** A network of `body` and a read-out, on trains that are called as their neurons are; with the norms of a trained one. */
function network(shape: readonly number[], body: string, seed = 3): Network {
  const layer = shape.length === 2 ? 'linear(4)' : 'conv(4)';
  const lines = Object.entries(neurons)
    .filter(([name]) => new RegExp(String.raw`\b${name}\b`).test(body))
    .map(([name, neuron]) => `${name} = image | ${layer} | spike(${neuron})`);
  const made = networkFrom(
    `
    use "spikec/neurons" { LIF, MBLIF, ILIF, IBRALIF, Ternary }
    use "spikec/attention" { SpikformerBlock, SpikingSelfAttention }
    network N {
      input image: real[${shape.join(', ')}]
      ${lines.join('\n      ')}
      output ${body} | spike | flatten | linear(3)
    }
    config c { network N  neuron LIF(theta: 0.1)  coding direct(steps: 2) }`,
    seed,
  );
  return withRandomNorms(made, seed);
}

function expectSamePlanes(shape: readonly number[], body: string): void {
  const trained = network(shape, body);
  const planes = runPasses(runPasses(trained, 'ann'), 'planes');
  const image = randomImages(2, 1, shape).map((v) => v / 4);
  const expected = logitsOf(trained, image, 'f64');
  expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0);
  expectClose(logitsOf(planes, image, 'f64'), expected, 1e-5);
  expectClose(logitsOf(runPasses(planes, 'fuse'), image, 'f64'), expected, 1e-5);
  expect(multiplyingOps(planes)).toEqual([]);
}

const tokens = [4, 4];

it.each([
  'matmul(one, two) | linear(4)',
  'matmul(two, one, transpose: true) | linear(4)',
  'matmul(one, one, transpose: true) | linear(4)',
  'matmul(ternary, aligned) | linear(4)',
  '(matmul(one, three) + one) | linear(4)',
  '0.125 * matmul(one, two)',
  'matmul(0.125 * matmul(three, one), one)',
  'one * two | linear(4)',
  'one * ternary | linear(4)',
  '0.5 * (two * one) * one | linear(4)',
  'SpikformerBlock(one + one, 4, 4, heads: 2)',
  'SpikingSelfAttention(two, 4, 4, heads: 2) | linear(4)',
])('%s only adds with --planes: one of its operands is of one bit', (body) => {
  expectSamePlanes(tokens, body);
});

it.each([
  'matmul(two, two)',
  'two * three',
  'two * three | linear(4)',
  'aligned * three | linear(4)',
  '(three * three + one) * two | linear(4)',
  'matmul(two * three, two)',
  'matmul(two, three, transpose: true) | linear(4)',
  'matmul(one + one, three)',
  'matmul(aligned, three)',
  'matmul(wide, two)',
  'matmul(0.25 * matmul(two, three, transpose: true), two)',
  'SpikingSelfAttention(two, 4, 4, heads: 2, Attention: MBLIF(integer: 1, fraction: 1, theta: 0.1)) | linear(4)',
])('%s only adds with --planes: one of its operands comes in planes', (body) => {
  expectSamePlanes(tokens, body);
});

it('a positive factor behind a train passes maxima, a negative one doesn’t: the greatest of −s isn’t minus the greatest of s', () => {
  expectSamePlanes([2, 4, 4], '0.5 * three | maxpool(2) | conv(3)');
  for (const body of ['(-1 * one) | maxpool(2) | conv(3)', 'concat(-1 * one, two) | maxpool(2) | conv(3)']) {
    const trained = runPasses(network([2, 4, 4], body), 'ann');
    expect(() => runPasses(trained, 'planes'), body).toThrow(/maxpool %output\.maxpool.* takes the greatest/);
  }
});

it.each([
  'two | batchnorm(axis: 0) | linear(4)',
  'concat(one, two) | linear(4)',
  'concat(one, three) | linear(4)',
  'one | linear(4) | batchnorm(axis: 0) | linear(4)',
  'concat(one | linear(4), one | linear(4)) | linear(4)',
])('%s: what belongs to tokens isn’t folded into weights of features', (body) => {
  const trained = runPasses(network(tokens, body), 'ann');
  expect(() => runPasses(trained, 'planes')).toThrow(/linear %output\.linear(_\d)? multiplies/);
});

it('counts beyond 2²⁴ are a potential: float32 has no exact integers there', () => {
  const { ops } = network(tokens, 'matmul(matmul(matmul(wide, wide), wide), wide)');
  const products = ops.filter(({ kind }) => kind === 'matmul').map(({ type }) => type.code);
  // four terms each
  const [two, three] = [63 ** 2 * 4, 63 ** 3 * 4 ** 2];
  expect(63 ** 4 * 4 ** 3).toBeGreaterThan(2 ** 24);
  expect(products).toEqual([
    { kind: 'spike', min: 0, max: two, step: 1 },
    { kind: 'spike', min: 0, max: three, step: 1 },
    { kind: 'psp' },
  ]);
});

it.each([
  // products of −32 … 31 are 1024 at most: 2¹⁴ of them 2²⁴, which float32 has
  [6, 2 ** 14, undefined],
  [6, 2 ** 14 + 1, '16,778,240'],
  [12, 5, '20,971,520'],
])('products of spikes of %i bits over %i are exact or said to be rounded', (spikes, features, said) => {
  const text = `
    use "spikec/neurons" { Refined }
    network N {
      input x: real[2, ${features}]
      q = x | spike
      output matmul(q, q, transpose: true) | slice(0, 1)
    }
    config c { network N  neuron Refined(signed: true)  coding direct(steps: 1)  bits { spikes ${spikes} } }`;
  const { value, diagnostics } = lowerModel(configFrom(text), { blank: true });
  const { code } = value!.ops.find(({ kind }) => kind === 'matmul')!.type;
  const messages = diagnostics.map(({ code, severity, message }) => [code, severity, message]);
  if (said === undefined) {
    expect([code.kind, messages]).toEqual(['spike', []]);
    return;
  }
  const message = `counts of matmul %output.matmul may reach ${said}; float32 rounds beyond 2²⁴`;
  expect([code.kind, messages]).toEqual(['psp', [['network/counts-rounded', 'warning', message]]]);
});

it.each([
  ['q * q * q * q', undefined],
  ['q * q * q * q * q', 'counts of mul %output.mul_4 may reach 992,436,543; float32 rounds beyond 2²⁴'],
  ['(q * q * q * q) + (q * q * q * q)', 'counts of add %output.add may reach 31,505,922; float32 rounds beyond 2²⁴'],
])('%s is exact or said to be rounded', (body, message) => {
  const text = `
    use "spikec/neurons" { MBLIF }
    network N { input x: real[4]  q = x | linear(4) | spike  output ${body} | spike | linear(2) }
    config c { network N  neuron MBLIF(integer: 6, fraction: 0)  coding direct(steps: 1) }`;
  const { diagnostics } = lowerModel(configFrom(text), { blank: true });
  expect(diagnostics.map((found) => found.message)).toEqual(message === undefined ? [] : [message]);
});
