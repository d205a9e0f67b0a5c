import type { GraphDeclaration } from '../../syntax/index.js';
import type { LoadedFile } from '../load.js';
import type { Declared } from '../values.js';
import { type Rule, expressionsOf, namesIn } from './rule.js';

/** No block mentions itself, directly or through other blocks. */
export const blocksDontContainThemselves: Rule = (declaration, { file, instantiator }) => {
  if (declaration.kind !== 'block') return;
  const visited = new Set<GraphDeclaration>();
  const queue: { readonly declared: Declared<GraphDeclaration>; readonly path: readonly string[] }[] = [
    { declared: { declaration, file }, path: [declaration.name.text] },
  ];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const other of blocksIn(next.declared.declaration, next.declared.file)) {
      const path = [...next.path, other.declaration.name.text];
      if (other.declaration === declaration) return instantiator.reportRecursion(declaration, path);
      if (visited.has(other.declaration)) continue;
      visited.add(other.declaration);
      queue.push({ declared: other, path });
    }
  }
};

/** Blocks that a declaration mentions by the names of its file. */
function blocksIn(declaration: GraphDeclaration, file: LoadedFile): Declared<GraphDeclaration>[] {
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
