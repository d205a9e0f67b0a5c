import { expect, it } from 'vitest';
import { configure, pipelines, runPipeline } from '../../src/passes/index.js';
import { networkFrom } from '../support/train.js';

/** What the passes of `--planes` help with, for a body behind two layers of spikes `a` and `b`. */
function helpsOf(body: string): readonly (string | undefined)[] {
  const network = networkFrom(`
    use "spikec/neurons" { LIF }
    network N {
      input x: real[2, 8, 8]
      a = x | conv(4) | spike
      b = a | conv(4) | spike
      output ${body} | flatten | linear(3)
    }
    config c { network N  neuron LIF  coding direct(steps: 2) }`);
  const { diagnostics } = runPipeline(network, configure(pipelines.planes, {}), { neurons: new Map() });
  return diagnostics.filter(({ code }) => code === 'convert/mac-on-real').map(({ help }) => help);
}

it('a synapse on a sum of trains is told so, one on a current to put an activation before it, and both remedies do', () => {
  expect(helpsOf('(a + b) | conv(4) | spike')).toEqual([expect.stringContaining('it reads a sum of trains')]);
  expect(helpsOf('((a + b) | avgpool(2)) | conv(4) | spike')).toEqual([
    expect.stringContaining('it reads a sum of trains'),
  ]);
  expect(helpsOf('b | conv(4) | conv(4) | spike')).toEqual([expect.stringContaining('put an activation')]);
  expect(helpsOf('(a | conv(4)) + (b | conv(4)) | spike')).toEqual([]);
  expect(helpsOf('(a + b) | spike | conv(4) | spike')).toEqual([]);
  expect(helpsOf('b | conv(4) | spike | conv(4) | spike')).toEqual([]);
});
