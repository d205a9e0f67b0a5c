import type { Source } from '../../base/source.js';
import type { ModelLoader } from '../../model/index.js';
import { type Declaration, parseWhatHolds } from '../../syntax/index.js';
import type { Analysis } from '../project.js';

export type Named = Exclude<Declaration, { kind: 'use' }>;

/** The declarations that a document knows, by the names that it knows them by. */
export function declarationsKnown({ source, index }: Analysis): ReadonlyMap<string, Named> {
  const known = new Map<string, Named>();
  const ast = index?.asts.get(source.name);
  for (const declaration of ast?.declarations ?? []) {
    if (declaration.kind !== 'use') known.set(declaration.name.text, declaration);
    else {
      for (const { name, alias } of declaration.names) {
        const meant = index!.definitionAt(source.name, name.span.start);
        const found =
          meant && declaredAt(index!.asts.get(meant.span.source.name)?.declarations ?? [], meant.span.start);
        if (found !== undefined) known.set((alias ?? name).text, found);
      }
    }
  }
  return known;
}

function declaredAt(declarations: readonly Declaration[], start: number): Named | undefined {
  return declarations.find((one): one is Named => one.kind !== 'use' && one.name.span.start === start);
}

/** What a file that may be used declares. */
export function declarationsOf(path: string, loader: ModelLoader, from: Source): readonly Named[] {
  const folder = from.name.slice(0, from.name.lastIndexOf('/') + 1);
  const text = path.startsWith('spikec/')
    ? loader.library(path.slice('spikec/'.length))
    : loader.read(`${folder}${path}`);
  if (text === undefined) return [];
  const declarations = parseWhatHolds({ name: path, text }).value?.declarations ?? [];
  return declarations.flatMap((one) => (one.kind === 'use' ? [] : [one]));
}

/** The parameters of a block, a network or a neuron, as far as its text says what they need. */
export function parametersOf(
  declaration: Named,
): readonly { readonly name: string; readonly required: boolean; readonly text: string }[] {
  if (declaration.kind === 'config') return [];
  return declaration.parameters.map(({ name, default: otherwise, span }) => ({
    name: name.text,
    required: otherwise === undefined,
    text: span.source.text.slice(span.start, span.end).replaceAll(/\s+/g, ' '),
  }));
}
