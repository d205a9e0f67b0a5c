/**
 * Gives layers their ids. An id is made of the names of the bindings around the layer and what the
 * layer is called: `stage2.0.pre.conv` is the `conv` in the binding `pre` of the first block in the
 * binding `stage2`. A second `conv` in one binding is `conv_2`. An id depends on its own binding
 * alone, so edits elsewhere leave it as it is.
 */
export class IdScope {
  readonly #prefix: string;
  #binding = '';
  #counts = new Map<string, number>();
  #blocks = 0;
  /** Bindings entered before, so that a name bound twice (an error) still gives unique ids. */
  readonly #entered = new Map<string, number>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** A scope that stands where this one does and goes on by itself. */
  copy(): IdScope {
    const copy = new IdScope(this.#prefix);
    copy.#binding = this.#binding;
    copy.#counts = new Map(this.#counts);
    copy.#blocks = this.#blocks;
    for (const [name, times] of this.#entered) copy.#entered.set(name, times);
    return copy;
  }

  /** Starts the binding `name`. */
  enter(name: string): void {
    const times = (this.#entered.get(name) ?? 0) + 1;
    this.#entered.set(name, times);
    this.#binding = times === 1 ? name : `${name}_${times}`;
    this.#counts = new Map();
    this.#blocks = 0;
  }

  /** The id of the next layer called `name` in the current binding. */
  layer(name: string): string {
    const times = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, times);
    return `${this.#prefix}${this.#binding}.${times === 1 ? name : `${name}_${times}`}`;
  }

  /** The scope of the next block in the current binding. */
  block(): IdScope {
    return new IdScope(`${this.#prefix}${this.#binding}.${this.#blocks++}.`);
  }
}
