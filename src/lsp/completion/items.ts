import { type CompletionItem, CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import { describeSetting, signature } from '../../model/index-of-names/describe.js';
import type { Parameter, Setting, Spec } from '../../model/schema.js';

/** An item whose text is its label. */
export function plain(
  label: string,
  kind: CompletionItemKind,
  detail?: string,
  documentation?: string,
): CompletionItem {
  return {
    label,
    kind,
    ...(detail === undefined ? {} : { detail }),
    ...(documentation === undefined ? {} : { documentation }),
  };
}

/** An item that leaves the cursor where something is still to be said. */
export function snippet(item: CompletionItem, insertText: string): CompletionItem {
  return { ...item, insertText, insertTextFormat: InsertTextFormat.Snippet };
}

/** The same item for an editor that knows no snippets: what stood in a place stays, the places go. */
export function withoutPlaces({ insertText, insertTextFormat, ...item }: CompletionItem): CompletionItem {
  if (insertText === undefined || insertTextFormat !== InsertTextFormat.Snippet) return item;
  const text = insertText
    .replaceAll(/\$\{\d+:([^}]*)\}/g, '$1')
    .replaceAll(/\$\{\d+\|([^,|]*)[^}]*\}/g, '$1')
    .replaceAll(/\$\{?\d+\}?/g, '');
  return { ...item, insertText: text };
}

type Callable = readonly Pick<Parameter, 'name' | 'required' | 'default'>[];

/** Something that is called: with places for what it needs, without parentheses where it needs nothing. */
export function callable(
  label: string,
  kind: CompletionItemKind,
  parameters: Callable,
  about: { readonly detail?: string; readonly documentation?: string } = {},
): CompletionItem {
  const detail = about.detail ?? signature(label, parameters as readonly Parameter[]);
  const item = plain(label, kind, detail, about.documentation);
  const needed = parameters.filter(({ required }) => required === true);
  if (needed.length === 0) return item;
  const [only, ...others] = needed;
  if (others.length === 0) return snippet(item, `${label}(\${1:${only!.name}})`);
  return snippet(item, `${label}(${needed.map(({ name }, i) => `${name}: \${${i + 1}}`).join(', ')})`);
}

/** Arguments by name that aren't given yet. */
export function argumentItems(
  parameters: readonly (Parameter & Partial<Setting>)[],
  named: readonly string[],
): CompletionItem[] {
  return parameters
    .filter(({ name }) => !named.includes(name))
    .map((row) =>
      snippet(
        {
          ...plain(row.name, CompletionItemKind.Field, describeSetting(row)),
          label: `${row.name}:`,
          filterText: row.name,
        },
        `${row.name}: $1`,
      ),
    );
}

/** What a parameter may be, where its spec says words. */
export function valueItems({ spec, doc }: { readonly spec: Spec; readonly doc?: string }): CompletionItem[] {
  const about = doc === undefined ? {} : { doc };
  switch (spec.kind) {
    case 'bool':
      return ['true', 'false'].map((word) => plain(word, CompletionItemKind.Keyword, undefined, doc));
    case 'words':
      return spec.words.map((word) => plain(word, CompletionItemKind.EnumMember, undefined, doc));
    case 'choice':
    case 'sum':
      return Object.entries(spec.of).map(([name, { doc, args }]) =>
        callable(name, CompletionItemKind.EnumMember, args, { documentation: doc }),
      );
    case 'either':
      return spec.of.flatMap((one) => valueItems({ spec: one, ...about }));
    case 'list':
      return valueItems({ spec: spec.of, ...about });
    case 'label':
      return Object.entries(spec.known ?? {}).map(([name, doc]) =>
        /^\w+$/.test(name)
          ? plain(name, CompletionItemKind.EnumMember, doc)
          : snippet(plain(name, CompletionItemKind.EnumMember, doc), `"${name.replace(/:.*/, ':$1')}"`),
      );
    case 'any':
    case 'int':
    case 'real':
    case 'string':
    case 'pair':
    case 'block':
    case 'neuron':
      return [];
  }
}

/** The rows of a choice's arguments. */
export function choiceRows(spec: Spec, name: string): readonly Parameter[] | undefined {
  if (spec.kind === 'choice' || spec.kind === 'sum')
    return Object.hasOwn(spec.of, name) ? spec.of[name]!.args : undefined;
  if (spec.kind === 'list') return choiceRows(spec.of, name);
  if (spec.kind !== 'either') return undefined;
  return spec.of.map((one) => choiceRows(one, name)).find((rows) => rows !== undefined);
}
