import { expect, it } from 'vitest';
import { chooseEngine } from '../../src/run/engine.js';
import { type BitPenalty } from '../../src/lower/program/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { traineeOf } from '../../src/train/index.js';
import { networkFrom, stepFeeds } from '../support/train.js';

const text = `
  use "spikec/neurons" { Refined }
  network Tiny {
    input image: real[1, 8, 8]
    a = image | spike(Refined(signed: true)) | conv(4, kernel: 3) | batchnorm | spike
    output a | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(3)
  }
  config tiny {
    network Tiny  neuron Refined(theta: 0.4)  coding direct(steps: 1)
    bits {
      weights learn(init: 2.4, max: 6, target: 1)
      spikes  learn(init: 2.6, max: 6, target: 2)
      steps   learn(init: 2, max: 3, target: 1)
      layer "output.linear" { weights 1 }
    }
  }`;

it.each(['onnxruntime', 'fused', 'tfjs-wasm', 'tfjs-cpu'])(
  'a training step with learned bits in %s is that of the reference',
  async (name) => {
    const network = networkFrom(text);
    const ops = network.ops.map(({ id }) => id);
    const penalties = (['weights', 'spikes', 'steps'] as const).map((kind): BitPenalty => ({
      kind,
      target: 1,
      penalty: 0.1,
      distance: 'absolute',
      ops,
    }));
    const bits = { renewal: 'none', rateFactors: {}, penalties } as const;
    const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 1e-3 } as const;
    const trainee = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer, bits });
    const feeds = stepFeeds(trainee, 9);
    const expected = evaluate(trainee.step.program, feeds);
    const executable = await chooseEngine(name, 'train').open(trainee.step.program);
    const found = await executable.step(feeds);
    await executable.dispose();
    for (const [output, { data }] of Object.entries(expected)) {
      data.forEach((value, i) => {
        const error = Math.abs(found[output]!.data[i]! - value);
        expect(error, `${output}[${i}]`).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
      });
    }
  },
);
