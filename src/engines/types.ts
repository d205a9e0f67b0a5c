import type { Tensor } from '../base/dtype.js';
import type { Program } from '../tensor/types.js';

/** Runs tensor programs. */
export interface Engine {
  readonly name: string;
  compile(program: Program, options?: CompileOptions): Promise<Executable>;
}

export interface CompileOptions {
  /** Threads inside one operation; the engine's default where missing. */
  readonly threads?: number;
}

export interface Executable {
  readonly engine: string;
  /** How many runs it can usefully have under way at once; 1 where missing. */
  readonly lanes?: number;
  /** Feeds every program input by id, gives every program output by name. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}
