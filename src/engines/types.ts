import type { Tensor } from '../base/dtype.js';
import type { Program } from '../tensor/types.js';

/** Runs tensor programs. */
export interface Engine {
  readonly name: string;
  /** Whether it computes what waits (`TensorOp.after`) when it is its turn: a step that recomputes takes less memory. */
  readonly waits?: true;
  /** Makes a program ready to run, once; every call of `step` then runs all of it. */
  open(program: Program, options?: OpenOptions): Promise<Opened>;
}

export interface OpenOptions {
  /** Threads inside one operation; the engine's default where missing. */
  readonly threads?: number;
  /**
   * Whether it runs a few times only, between other work: onnxruntime's threads then sleep until there is work for them instead of waiting in
   * a loop, and of what a step took no memory is kept for the next.
   */
  readonly brief?: boolean | undefined;
  /**
   * States by id, with the values that they begin with. A state is an input ID of the program whose value at the next
   * step is the output `next.ID`, of the same dtype and fixed shape. The engine keeps them, in its own form and memory:
   * they are neither fed nor given back by `step`, and nothing of them is copied unless it is read.
   */
  readonly states?: ReadonlyMap<string, Tensor>;
}

/** A program that an engine has made ready, with its states. */
export interface Opened {
  readonly engine: string;
  /** How many steps it can usefully have under way at once; 1 where missing, and with states. */
  readonly lanes?: number;
  /**
   * Feeds every program input by id, states apart; gives every program output by name, next values of states apart. A step
   * that fails leaves the states as they were.
   */
  step(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /**
   * Copies of states, all of them where no ids are given. With `before`, those that the last step began with; only
   * directly after a step, before any `write`.
   */
  read(ids?: readonly string[], options?: { readonly before?: boolean }): Promise<Map<string, Tensor>>;
  /** Overrides states. */
  write(states: ReadonlyMap<string, Tensor>): Promise<void>;
  dispose(): Promise<void>;
}
