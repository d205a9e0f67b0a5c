import { expect, it } from 'vitest';
import { Findings } from '../../src/workspace/findings.js';
import { plannedTraining } from '../../src/workspace/planned-training.js';
import { configFrom } from '../support/train.js';

/** Codes of what planning a training with these settings says. */
function codesOf(settings: string): readonly string[] {
  const config = configFrom(`
    use "spikec/neurons" { LIF }
    network N { input x: real[4]  a = x | linear(3) | spike  output a | linear(2) }
    config c { network N  neuron LIF  coding direct(steps: 2)
      train { data mnist  optimizer sgd(lr: 0.1)  epochs 3  ${settings} } }`);
  const findings = new Findings();
  plannedTraining(config, {}, findings);
  return findings.all.map(({ code, place }) => (place === undefined ? `${code} nowhere` : code));
}

it('a training in which nothing learns, or whose warm-up never ends, is warned about; others are not', () => {
  expect(codesOf('freeze ["*"]')).toEqual(['train/nothing-learns']);
  expect(codesOf('freeze ["a.linear", "output.linear"]')).toEqual(['train/nothing-learns']);
  expect(codesOf('freeze ["a.linear"]')).toEqual([]);
  expect(codesOf('schedule cosine(warmup: 3)')).toEqual(['train/long-warmup']);
  expect(codesOf('schedule constant(warmup: 5)')).toEqual(['train/long-warmup']);
  expect(codesOf('schedule cosine(warmup: 2)')).toEqual([]);
  expect(codesOf('schedule one_cycle')).toEqual([]);
});
