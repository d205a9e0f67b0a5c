import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { NetworkBuilder, printNetwork, rewrite, roleOf } from '../../src/network/index.js';
import { configure, defaulted, real, runPipeline } from '../../src/passes/index.js';
import { definePass } from '../../src/passes/pass.js';
import { surroundings } from '../support/sws.js';

// A pass: its options, with types, and a function from network to network. It asks traits, never names.

const capActivations = definePass({
  name: 'cap-activations',
  doc: 'Puts a clip behind every activation without a bound.',
  options: { most: defaulted(real(0), 'The greatest activation.', 6) },
  run: (network, { most }) =>
    rewrite(network, (op, inputs, to) => {
      const copied = to.copy(op, inputs);
      const role = roleOf(op);
      if ((role !== 'bound' && role !== 'function') || 'max' in op.attrs) return copied;
      return to.builder.add({ id: `${op.id}.capped`, kind: 'clip', inputs: [copied], attrs: { min: 0, max: most } });
    }),
});

function network() {
  const b = new NetworkBuilder('n');
  b.param('w', { tensor: tensor('f32', [4, 4], new Array(16).fill(1)) });
  b.add({ id: 'x', kind: 'input', attrs: { shape: [4] } });
  b.add({ id: 'r', kind: 'relu', inputs: ['x'] });
  return b.finish([b.add({ id: 'f', kind: 'linear', inputs: ['r'], params: { weight: 'w' } })]);
}

it('a new pass runs with its options and is verified', () => {
  const { network: made, runs, diagnostics } = runPipeline(network(), configure([capActivations], {}), surroundings);
  expect(diagnostics).toEqual([]);
  expect(runs.map(({ pass }) => pass)).toEqual(['cap-activations']);
  expect(printNetwork(made!)).toMatch(/%r\.capped = clip %r \{min=0, max=6\}/);
  const low = runPipeline(network(), configure([capActivations], { 'cap-activations': { most: 2 } }), surroundings);
  expect(printNetwork(low.network!)).toContain('max=2');
});
