import { type Help } from '../base/diagnostics/index.js';
import type {
  ConfigDeclaration,
  Declaration,
  GraphDeclaration,
  ModelFile,
  NeuronDeclaration,
} from '../syntax/index.js';

/** A parsed file and the names that its declarations see. */
export interface LoadedFile {
  readonly ast: ModelFile;
  readonly isLibrary: boolean;
  readonly scope: ReadonlyMap<string, Declared>;
  /** Kinds of declarations of which damaged ones may be there under names that can't be read. */
  readonly hidden: ReadonlySet<Declaration['kind']>;
  /** Help for an unknown name that the standard library declares: what to add to the file. */
  readonly elsewhere: (name: string) => Help | undefined;
}

/** A declaration and the file whose names it sees. */
export interface Declared<D = GraphDeclaration | NeuronDeclaration | ConfigDeclaration> {
  readonly declaration: D;
  readonly file: LoadedFile;
  /** It only stands for an import that failed, which is already reported. */
  readonly missing?: true;
}
