import type { Tensor } from '../base/dtype.js';
import type { Program } from '../tensor/types.js';

/** Runs tensor programs. */
export interface Engine {
  readonly name: string;
  /** Makes a program ready to run, once; every call of `step` then runs all of it. */
  open(program: Program, options?: OpenOptions): Promise<Opened>;
}

export interface OpenOptions {
  /** Threads inside one operation; the engine's default where missing. */
  readonly threads?: number;
}

/** A program that an engine has made ready. */
export interface Opened {
  readonly engine: string;
  /** How many steps it can usefully have under way at once; 1 where missing. */
  readonly lanes?: number;
  /** Feeds every program input by id, gives every program output by name. */
  step(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}
