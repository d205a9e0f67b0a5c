import type { Instantiator } from '../instantiate.js';
import type { LoadedFile } from '../declared.js';
import type { Work } from '../memory.js';
import type { Reporter } from '../reporter.js';
import { bindingsAreUnique } from './bindings-are-unique.js';
import { bindingsAreUsed } from './bindings-are-used.js';
import { blocksDontContainThemselves } from './blocks-dont-contain-themselves.js';
import { graphsHaveInputsAndOneOutput } from './graphs-have-inputs-and-one-output.js';
import { namesAreKnown } from './names-are-known.js';
import type { Rule } from './rule.js';

/** What can be said of declarations before any of them is used, in this order. */
const rules: readonly Rule[] = [bindingsAreUnique, graphsHaveInputsAndOneOutput, namesAreKnown, bindingsAreUsed];

export function checkRules(
  files: readonly LoadedFile[],
  reporter: Reporter,
  instantiator: Instantiator,
  work: Work,
): void {
  blocksDontContainThemselves(files, instantiator);
  for (const file of files) {
    for (const declaration of file.ast.declarations) {
      if (declaration.kind !== 'block' && declaration.kind !== 'network') continue;
      work.run('rules', { declaration, file }, () => {
        for (const rule of rules) rule(declaration, { file, reporter });
      });
    }
  }
}
