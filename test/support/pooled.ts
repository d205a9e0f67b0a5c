import type { Network } from '../../src/network/index.js';
import { networkFrom } from './train.js';

/** Two layers of neurons of 3 bits and 2 squeezed steps with thresholds of their own, pooled in one way or another. */
export function pooledNetwork(pooled: string, layers = ''): Network {
  return networkFrom(`
    use "spikec/neurons" { Refined }
    network Pooled {
      input image: real[1, 8, 8]
      coded = image | spike
      a = coded | conv(2, kernel: 3) | spike(Refined(theta: 0.3))
      b = coded | conv(2, kernel: 3) | spike(Refined(theta: 0.2))
      p = ${pooled}
      d = p | conv(4, kernel: 3) | spike
      output d | flatten | linear(3)
    }
    config pooled {
      network Pooled  neuron Refined  coding direct(steps: 1)
      bits { weights 4  spikes 3  steps 2 ${layers} }
      train { data mnist  optimizer sgd(lr: 0.1)  epochs 1  batch 5 }
    }
  `);
}
