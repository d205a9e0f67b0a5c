import type { Argument, GraphDeclaration } from '../syntax/index.js';
import type { Callee } from './arguments.js';
import type { LoadedFile } from './declared.js';
import type { Environment, EvaluationContext, GraphHooks } from './evaluate.js';
import type { BlockValue, Value } from './values.js';

/** What the expander asks of those that know all files. */
export interface Bodies {
  /** The names a file declares and imports. */
  environment(file: LoadedFile): Environment;
  context(file: LoadedFile, environment: Environment, graph: GraphHooks): EvaluationContext;
  /** Values of a block's parameters; undefined where one is wrong, which is reported. */
  arguments(
    block: BlockValue,
    callee: Callee,
    args: readonly Argument[],
    context: EvaluationContext,
  ): ReadonlyMap<string, Value> | undefined;
  reportRecursion(declaration: GraphDeclaration, path: readonly string[]): void;
}
