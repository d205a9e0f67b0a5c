import type { Span } from '../base/source.js';
import type {
  Declaration,
  Expression,
  GraphDeclaration,
  ModelFile,
  Name,
  NeuronDeclaration,
  Setting,
} from '../syntax/index.js';
import { partsOf } from './rules/rule.js';

export type SymbolKind = Exclude<Declaration['kind'], 'use'> | 'import' | 'parameter' | 'input' | 'value' | 'state';

/** A name that a file defines. */
export interface NameDefinition {
  readonly name: string;
  readonly kind: SymbolKind;
  /** Of the name itself. */
  readonly span: Span;
  /** The declaration it stands in; nothing for declarations and imports. */
  readonly within?: NameDefinition;
  /** Where it is mentioned, in the order of the text, its definition not included. */
  readonly references: readonly Span[];
}

/** Definitions and references of one file, by its text alone: what an editor asks. */
export interface NameIndex {
  /** In the order of the text. */
  readonly symbols: readonly NameDefinition[];
  /** What the name at an offset means, be it defined or mentioned there. */
  readonly definitionAt: (offset: number) => NameDefinition | undefined;
}

type Draft = NameDefinition & { readonly references: Span[] };
type Scope = ReadonlyMap<string, Draft>;

/** Indexes the declarations of a file that could be read. Layers, functions and names of other files have no definition. */
export function indexNames(file: ModelFile): NameIndex {
  const index = new Indexer();
  index.file(file);
  const symbols = [...index.symbols].sort((a, b) => a.span.start - b.span.start);
  const holds = ({ start, end }: Span, offset: number): boolean => offset >= start && offset <= end;
  return {
    symbols,
    definitionAt: (offset) =>
      symbols.find(({ span, references }) => [span, ...references].some((one) => holds(one, offset))),
  };
}

class Indexer {
  readonly symbols: Draft[] = [];
  readonly #top = new Map<string, Draft>();
  readonly #parameters = new Map<Draft, Map<string, Draft>>();

  file({ declarations }: ModelFile): void {
    for (const declaration of declarations) {
      if (declaration.kind !== 'use') this.#define(this.#top, declaration.name, declaration.kind);
    }
    for (const declaration of declarations) {
      if (declaration.kind !== 'use') continue;
      for (const { name, alias } of declaration.names) this.#define(this.#top, alias ?? name, 'import');
    }
    for (const declaration of declarations) {
      if (declaration.kind === 'use' || declaration.kind === 'config') continue;
      const own = this.#top.get(declaration.name.text)!;
      if (own.span !== declaration.name.span) continue;
      const scope = new Map<string, Draft>();
      for (const { name } of declaration.parameters) this.#define(scope, name, 'parameter', own);
      this.#parameters.set(own, new Map(scope));
    }
    for (const declaration of declarations) this.#body(declaration);
  }

  #define(scope: Map<string, Draft>, { text, span }: Name, kind: SymbolKind, within?: Draft): void {
    if (scope.has(text)) return;
    const made: Draft = { name: text, kind, span, references: [], ...(within === undefined ? {} : { within }) };
    scope.set(text, made);
    this.symbols.push(made);
  }

  #body(declaration: Declaration): void {
    if (declaration.kind === 'use') return;
    if (declaration.kind === 'config') {
      if (declaration.base !== undefined) this.#mention(declaration.base, this.#top);
      this.#settings(declaration.settings);
      return;
    }
    const own = this.#top.get(declaration.name.text)!;
    const scope = new Map([...this.#top, ...(this.#parameters.get(own) ?? [])]);
    for (const { default: otherwise } of declaration.parameters) if (otherwise) this.#expression(otherwise, scope);
    if (declaration.kind === 'neuron') this.#neuron(declaration, scope, own);
    else this.#graph(declaration, scope, own);
  }

  #graph({ body }: GraphDeclaration, scope: Map<string, Draft>, own: Draft): void {
    for (const statement of body) {
      if (statement.kind === 'input') statement.type?.dimensions?.forEach((one) => this.#expression(one, scope));
      else this.#expression(statement.value, scope);
      if (statement.name === undefined) continue;
      const inner = new Map<string, Draft>();
      this.#define(inner, statement.name, statement.kind === 'input' ? 'input' : 'value', own);
      for (const [name, draft] of inner) scope.set(name, draft);
    }
  }

  #neuron({ body }: NeuronDeclaration, scope: Map<string, Draft>, own: Draft): void {
    const local = new Map<string, Draft>();
    const assign = (name: Name, kind: SymbolKind): void => {
      const known = local.get(name.text);
      if (known !== undefined) known.references.push(name.span);
      else this.#define(local, name, kind, own);
      scope.set(name.text, local.get(name.text)!);
    };
    for (const statement of body) {
      if (statement.kind !== 'state') continue;
      assign(statement.name, 'state');
      for (const one of [statement.units, statement.initial]) if (one) this.#expression(one, scope);
    }
    for (const statement of body) {
      if (statement.kind === 'surrogate') this.#expression(statement.call, scope);
      if (statement.kind !== 'phase') continue;
      for (const { name, value } of statement.assignments) {
        this.#expression(value, scope);
        assign(name, 'value');
      }
    }
  }

  #settings(settings: readonly Setting[]): void {
    for (const { value, settings: inner } of settings) {
      if (value !== undefined) this.#expression(value, this.#top);
      if (inner !== undefined) this.#settings(inner);
    }
  }

  #expression(expression: Expression, scope: Scope): void {
    if (expression.kind === 'name') this.#mention({ text: expression.name, span: expression.span }, scope);
    if (expression.kind === 'format')
      [expression.integer, expression.fraction].forEach((one) => this.#mention(one, scope));
    if (expression.kind === 'call') {
      this.#mention(expression.callee, scope);
      const callee = scope.get(expression.callee.text);
      const parameters = callee && this.#parameters.get(callee);
      for (const { name } of expression.args) if (name && parameters) this.#mention(name, parameters);
    }
    partsOf(expression).forEach((part) => this.#expression(part, scope));
  }

  #mention({ text, span }: Name, scope: Scope): void {
    scope.get(text)?.references.push(span);
  }
}
