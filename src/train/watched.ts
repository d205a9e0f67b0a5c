import type { Tensor } from '../base/dtype.js';
import type { Opened } from '../engines/index.js';
import type { Network } from '../network/index.js';
import { quantisedTensors } from './bits.js';

/** Roles of parameters that are numbers of bits, or of steps. */
const roles = ['weight_bits', 'bits', 'steps'];

/** The few small states that are looked at between steps: learned bits, step sizes. All others stay in the engine. */
export class Watched {
  private constructor(
    readonly opened: Opened,
    readonly values: Map<string, Tensor>,
  ) {}

  static async open(opened: Opened, network: Network, states: readonly string[]): Promise<Watched> {
    const named = new Set([
      ...network.ops.flatMap(({ params }) => roles.map((role) => params[role])),
      ...quantisedTensors(network).map(({ step }) => step),
    ]);
    return new Watched(opened, await opened.read(states.filter((id) => named.has(id))));
  }

  /** Lets `change` set values, and hands those that it did to the engine. `all` gives every state of the moment. */
  async changedBy<T>(
    change: (values: Map<string, Tensor>, all: () => Promise<Map<string, Tensor>>) => Promise<T>,
  ): Promise<T> {
    const before = new Map(this.values);
    const result = await change(this.values, async () => new Map([...(await this.opened.read()), ...this.values]));
    await this.#write([...this.values].filter(([id, value]) => before.get(id) !== value));
    return result;
  }

  /** After a step: the engine's values are taken over, except of those that stay, which it gets back. */
  async update(staying: ReadonlySet<string> = new Set()): Promise<void> {
    const ids = [...this.values.keys()];
    if (ids.length === 0) return;
    await this.#write([...this.values].filter(([id]) => staying.has(id)));
    for (const [id, value] of await this.opened.read(ids)) this.values.set(id, value);
  }

  async #write(values: readonly (readonly [string, Tensor])[]): Promise<void> {
    if (values.length > 0) await this.opened.write(new Map(values));
  }
}
