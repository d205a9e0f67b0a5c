import type {
  Declaration,
  Expression,
  GraphDeclaration,
  ModelFile,
  Name,
  NeuronDeclaration,
  Setting,
} from '../../syntax/index.js';
import { partsOf } from '../rules/rule.js';
import { type Draft, type Scope, type SymbolKind, draftOf } from './symbols.js';

/**
 * Definitions and references of one file: first what it declares, then, when imports know what they stand for, what its
 * declarations mention.
 */
export class FileIndexer {
  readonly symbols: Draft[] = [];
  readonly top = new Map<string, Draft>();
  readonly #parameters = new Map<Draft, Map<string, Draft>>();
  /** What graphs bind, by the graph and the name. */
  readonly #bindings = new Map<GraphDeclaration, Map<string, Draft>>();

  constructor(readonly ast: ModelFile) {
    const { declarations } = ast;
    for (const declaration of declarations) {
      if (declaration.kind !== 'use') this.#define(this.top, declaration.name, declaration.kind);
    }
    for (const declaration of declarations) {
      if (declaration.kind !== 'use') continue;
      for (const { name, alias } of declaration.names) {
        const made = this.#define(this.top, alias ?? name, 'import');
        if (alias !== undefined && made !== undefined) Object.assign(made, { original: name.span });
      }
    }
    for (const declaration of declarations) {
      const own = declaration.kind === 'use' || declaration.kind === 'config' ? undefined : this.#own(declaration);
      if (own === undefined || declaration.kind === 'use' || declaration.kind === 'config') continue;
      const scope = new Map<string, Draft>();
      for (const { name } of declaration.parameters) this.#define(scope, name, 'parameter', own);
      this.#parameters.set(own, scope);
    }
  }

  parametersOf(draft: Draft): ReadonlyMap<string, Draft> | undefined {
    return this.#parameters.get(draft);
  }

  /** What a graph of this file binds under a name. */
  bindingOf(graph: GraphDeclaration, name: string): Draft | undefined {
    return this.#bindings.get(graph)?.get(name);
  }

  /** An import's definition in the file that it comes from, with its parameters. */
  link(local: string, target: Draft, parameters: ReadonlyMap<string, Draft> | undefined): void {
    const draft = this.top.get(local);
    if (draft?.kind !== 'import') return;
    draft.means = target;
    if (parameters !== undefined) this.#parameters.set(draft, new Map(parameters));
  }

  /** Collects what the declarations mention. */
  mentions(): void {
    for (const declaration of this.ast.declarations) this.#body(declaration);
  }

  /** The definition of a declaration, unless an earlier one has its name. */
  #own({ name }: Exclude<Declaration, { kind: 'use' }>): Draft | undefined {
    const own = this.top.get(name.text);
    return own?.span === name.span ? own : undefined;
  }

  #define(scope: Map<string, Draft>, name: Name, kind: SymbolKind, within?: Draft): Draft | undefined {
    if (scope.has(name.text)) return undefined;
    const made = draftOf(name, kind, within);
    scope.set(name.text, made);
    this.symbols.push(made);
    return made;
  }

  #body(declaration: Declaration): void {
    if (declaration.kind === 'use') return;
    if (declaration.kind === 'config') {
      if (declaration.base !== undefined) this.#mention(declaration.base, this.top);
      this.#settings(declaration.settings);
      return;
    }
    const own = this.top.get(declaration.name.text)!;
    const scope = new Map([...this.top, ...(this.#parameters.get(own) ?? [])]);
    for (const { default: otherwise } of declaration.parameters) if (otherwise) this.#expression(otherwise, scope);
    if (declaration.kind === 'neuron') this.#neuron(declaration, scope, own);
    else this.#graph(declaration, scope, own);
  }

  #graph(graph: GraphDeclaration, scope: Map<string, Draft>, own: Draft): void {
    const bindings = new Map<string, Draft>();
    this.#bindings.set(graph, bindings);
    for (const statement of graph.body) {
      if (statement.kind === 'input') statement.type?.dimensions?.forEach((one) => this.#expression(one, scope));
      else this.#expression(statement.value, scope);
      if (statement.name === undefined) continue;
      const inner = new Map<string, Draft>();
      this.#define(inner, statement.name, statement.kind === 'input' ? 'input' : 'value', own);
      for (const [name, draft] of inner) {
        scope.set(name, draft);
        if (!bindings.has(name)) bindings.set(name, draft);
      }
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
      if (statement.kind === 'current') assign(statement.name, 'input');
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
      if (value !== undefined) this.#expression(value, this.top);
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
