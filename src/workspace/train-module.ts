import { emitTfjsModule } from '../backends/tfjs/index.js';
import { encodeSafetensors } from '../base/safetensors.js';
import { lower } from '../lower/program/index.js';
import { type Network, paramsToTensors } from '../network/index.js';
import { simplify } from '../tensor/index.js';
import { type StepSettings, traineeOf } from '../train/index.js';

/**
 * `train.mjs`, the network as a TensorFlow.js module: `init`, `predict` and, for a config with
 * `train { … }`, `step`. `train.safetensors` has the weights that it begins with: those of the
 * network before batch norm is folded.
 */
export function trainModule(network: Network, settings: StepSettings | undefined): Map<string, string | Uint8Array> {
  const predict = simplify(lower(network, { trainable: true }).program);
  const parts = settings === undefined ? { predict } : { step: traineeOf(network, settings).step, predict };
  return new Map<string, string | Uint8Array>([
    ['train.mjs', emitTfjsModule(network.name, parts)],
    ['train.safetensors', encodeSafetensors(paramsToTensors(network.params))],
  ]);
}
