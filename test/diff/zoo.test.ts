import { expect, it } from 'vitest';
import { diffNetworks } from '../../src/diff/index.js';
import { surroundings } from '../support/sws.js';
import { type Network, parseNetwork, printNetwork } from '../../src/network/index.js';
import { configure, pipelines, runPipeline } from '../../src/passes/index.js';
import { zoo } from '../support/zoo.js';

/**
 * The network after each pass of the pipelines that networks of layers go through. Squeezed trains have no planes, and
 * planes of wide networks are much work; their narrow configurations have the same layers.
 */
function afterPasses(network: Network, small: boolean): readonly Network[] {
  const squeezed = network.ops.some(({ kind }) => kind === 'squeeze');
  const planes = small && !squeezed ? configure(pipelines.planes, {}) : [];
  const passes = [...configure(pipelines.ann, {}), ...planes];
  const { runs } = runPipeline(network, passes, surroundings);
  expect(runs.length).toBeGreaterThanOrEqual(pipelines.ann.length);
  return runs.map((run) => run.network);
}

function reread(network: Network): Network {
  const text = printNetwork(network);
  const { value, diagnostics } = parseNetwork({ name: 'network.ir', text }, network.params);
  expect(diagnostics).toEqual([]);
  expect(printNetwork(value!)).toBe(text);
  return value!;
}

it.each(zoo())('$name: reads back from text after every pass, and does not differ from itself', (config) => {
  const blank = config.network({ blank: true });
  const small = [...blank.params.values()].reduce((sum, { tensor }) => sum + tensor.data.length, 0) < 1e6;
  // of a wide network drawing its weights is most of the work, and its narrow configurations have them
  const network = small ? config.network() : blank;
  for (const one of [network, ...(config.first || small ? afterPasses(network, small) : [])]) {
    const again = reread(one);
    expect({ ...again, ops: again.ops.length }).toEqual({ ...one, ops: one.ops.length });
    expect(again.ops).toEqual(one.ops.map(({ place: _, ...op }) => op));
    expect(diffNetworks(one, again)).toMatchObject({ identical: true, matched: one.ops.length });
  }
});
