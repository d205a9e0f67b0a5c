import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Engine, Opened } from '../engines/index.js';
import { layerNames, lowerForInference } from '../lower/program/training.js';
import { lowerNetwork } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { type Program, paramsAsInputs, simplify } from '../tensor/index.js';
import { isOfLayers } from '../workspace/own-network.js';
import { fedWith } from './run-layers.js';

/** A network that gives logits, on an engine. */
export interface Logits {
  /**
   * Begins a pass over data: [N, …] → [N, classes], with values for the parameters that are fed. Random inputs are
   * drawn anew from the same seed.
   */
  readonly begin: (params?: Readonly<Record<string, Tensor>>) => (images: Tensor<'f32'>) => Promise<Tensor>;
  /** Batches it can have under way at once. */
  readonly lanes: number;
  readonly dispose: () => Promise<void>;
}

export interface LogitsOptions {
  readonly threads?: number | undefined;
  /** Ids of program parameters that are given with the images ({@link weightId}). */
  readonly fed?: readonly string[];
}

/** The program parameter that holds a layer's real weights, where parameters keep their names. */
export function weightId(network: Network, param: string): string {
  return network.params.get(param)?.quant === undefined ? param : `${param}.real`;
}

/** Whether a network is one of real values only. */
export function isReal(network: Network): boolean {
  return network.coding === undefined && network.ops.every((op) => op.type.time === undefined);
}

/** Compiles a network of any kind: real, of layers with trains that carry means, or with stepwise weighted spikes. */
export async function openLogits(network: Network, engine: Engine, options: LogitsOptions = {}): Promise<Logits> {
  const { fed = [], threads } = options;
  const trainable = fed.length > 0;
  const compiled = (program: Program): Promise<Opened> => {
    const ready = simplify(trainable ? paramsAsInputs(program, fed) : program);
    return engine.open(ready, threads === undefined ? {} : { threads });
  };
  if (isOfLayers(network) || (isReal(network) && !network.ops.some(({ kind }) => kind === 'quantize'))) {
    const lowered = lowerForInference(network, { trainable });
    const executable = await compiled(lowered.program);
    return logitsOf(executable, lowered.image, layerNames.logits, () => fedWith(executable, lowered));
  }
  const program = lowerNetwork(network, { precision: isReal(network) ? 'f32' : 'f64', trainable });
  return logitsOf(await compiled(program), present(program.inputs[0], 'driver: a network without input').id, '0');
}

function logitsOf(executable: Opened, input: string, output: string, fresh: () => Opened = () => executable): Logits {
  return {
    begin: (params = {}) => {
      const started = fresh();
      return async (images) =>
        present((await started.step({ ...params, [input]: images }))[output], 'driver: no logits');
    },
    lanes: executable.lanes ?? 1,
    dispose: () => executable.dispose(),
  };
}
