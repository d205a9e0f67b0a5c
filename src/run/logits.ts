import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import { type Carrier, lower } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { openRunnable } from '../train/index.js';

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
  /** What carries the values, where it isn't what the network's coding says. */
  readonly carrier?: Carrier;
}

/** The program parameter that holds a layer's real weights, where parameters keep their names. */
export function weightId(network: Network, param: string): string {
  return network.params.get(param)?.quant === undefined ? param : `${param}.real`;
}

/** Opens a network of any coding for its logits alone. */
export async function openLogits(network: Network, engine: Engine, options: LogitsOptions = {}): Promise<Logits> {
  const { fed = [], threads, carrier } = options;
  const runnable = lower(network, { trainable: fed.length > 0, ...(carrier === undefined ? {} : { carrier }) });
  const running = await openRunnable(runnable, engine, { threads, fed });
  const logits = present(running.outputs.logits, 'run: no logits');
  return {
    begin: (params = {}) => {
      const pass = running.pass(params);
      return async (images) => present((await pass(images))[logits], 'run: no logits');
    },
    lanes: running.lanes,
    dispose: running.dispose,
  };
}
