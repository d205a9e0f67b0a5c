import type { GraphDeclaration } from '../../syntax/index.js';
import type { Instantiator } from '../instantiate.js';
import type { Declared, LoadedFile } from '../declared.js';
import { expressionsOf, namesIn } from './rule.js';

/** A block on the path of the search, with the blocks it mentions that are still to be looked at. */
interface Step {
  readonly declaration: GraphDeclaration;
  readonly mentions: Declared<GraphDeclaration>[];
}

/**
 * No block mentions itself, directly or through other blocks. A depth-first search over all files,
 * without recursion: a block met again while it is on the path closes a circle.
 */
export function blocksDontContainThemselves(files: readonly LoadedFile[], instantiator: Instantiator): void {
  const done = new Set<GraphDeclaration>();
  const onPath = new Set<GraphDeclaration>();
  const path: Step[] = [];
  const enter = (declared: Declared<GraphDeclaration>): void => {
    path.push({ declaration: declared.declaration, mentions: blocksIn(declared) });
    onPath.add(declared.declaration);
  };
  for (const file of files) {
    for (const declaration of file.ast.declarations) {
      if (declaration.kind !== 'block' || done.has(declaration)) continue;
      enter({ declaration, file });
      for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
        const next = step.mentions.pop();
        if (next === undefined) {
          path.pop();
          onPath.delete(step.declaration);
          done.add(step.declaration);
        } else if (onPath.has(next.declaration)) {
          reportCircle(path, next.declaration, instantiator);
        } else if (!done.has(next.declaration)) {
          enter(next);
        }
      }
    }
  }
}

/** Reports every block of the circle that `again` closes, each with the circle from its own point of view. */
function reportCircle(path: readonly Step[], again: GraphDeclaration, instantiator: Instantiator): void {
  const circle = path.map((step) => step.declaration);
  const members = circle.slice(circle.indexOf(again));
  if (members.length > 100) return instantiator.reportRecursion(again, [again.name.text, '…', again.name.text]);
  members.forEach((member, i) => {
    const around = [...members.slice(i), ...members.slice(0, i), member];
    instantiator.reportRecursion(
      member,
      around.map((declaration) => declaration.name.text),
    );
  });
}

/** Blocks that a declaration mentions by the names of its file. */
function blocksIn({ declaration, file }: Declared<GraphDeclaration>): Declared<GraphDeclaration>[] {
  const local = new Set([
    ...declaration.parameters.map((parameter) => parameter.name.text),
    ...declaration.body.map((statement) => statement.name?.text),
  ]);
  const names = new Set(expressionsOf(declaration).flatMap(namesIn));
  return [...names].flatMap((name) => {
    const declared = local.has(name) ? undefined : file.scope.get(name);
    if (declared?.declaration.kind !== 'block') return [];
    return [{ declaration: declared.declaration, file: declared.file }];
  });
}
