import { suggest } from '../../base/did-you-mean.js';
import type { CallExpression, Expression, GraphDeclaration, NameExpression } from '../../syntax/index.js';
import { calleeOf } from '../arguments.js';
import { mayBeHidden } from '../environment.js';
import { constantFunctions } from '../evaluate.js';
import { layerTable } from '../layers/index.js';
import { type Rule, type RuleContext, partsOf } from './rule.js';

/** Every name a graph mentions is a parameter, a binding above, a declaration or a layer. */
export const namesAreKnown: Rule = (declaration, context) => {
  const bound = new Set<string>();
  const check = (expression: Expression | undefined): void => {
    if (expression !== undefined) new NameCheck(declaration, bound, context).visit(expression);
  };
  for (const parameter of declaration.parameters) {
    check(parameter.default);
    bound.add(parameter.name.text);
  }
  for (const statement of declaration.body) {
    if (statement.kind === 'input') statement.type?.dimensions?.forEach(check);
    else check(statement.value);
    if (statement.name !== undefined) bound.add(statement.name.text);
  }
};

/** What an argument of a neuron may be called with. */
const argumentWords: ReadonlySet<string> = new Set(['learn', 'fixed']);

class NameCheck {
  constructor(
    private readonly declaration: GraphDeclaration,
    private readonly bound: ReadonlySet<string>,
    private readonly context: RuleContext,
  ) {}

  visit(expression: Expression): void {
    if (expression.kind === 'name') this.#value(expression);
    else if (expression.kind === 'call') this.#call(expression);
    else if (expression.kind === 'pipe') {
      this.visit(expression.source);
      for (const { repeats, call } of expression.stages) {
        repeats.forEach((repeat) => this.visit(repeat));
        this.#call(call);
      }
    } else partsOf(expression).forEach((part) => this.visit(part));
  }

  #value({ name, span }: NameExpression): void {
    const { file } = this.context;
    if (this.bound.has(name) || file.scope.has(name) || mayBeHidden(name, file)) return;
    const help = (): string | undefined =>
      this.#laterBinding(name) ?? suggest(name, [...this.bound, ...this.context.file.scope.keys()]);
    this.context.reporter.report('model/unknown-name', { kind: 'value', name }, span, { help });
  }

  #call(written: CallExpression | NameExpression): void {
    const { name, args, place } = calleeOf(written);
    if (!this.#isCallable(name) && !mayBeHidden(name, this.context.file)) {
      const names = (): string[] => [...this.bound, ...this.context.file.scope.keys(), ...Object.keys(layerTable)];
      const help = (): string | undefined => this.#laterBinding(name) ?? suggest(name, names());
      this.context.reporter.report('model/unknown-name', { kind: 'layer or block', name }, place, { help });
    }
    for (const { name: key, value } of args) {
      // Words such as `pad: same` are no names.
      if (key !== undefined && value.kind === 'name' && Object.hasOwn(layerTable, name)) continue;
      this.visit(value);
    }
  }

  #isCallable(name: string): boolean {
    const known = this.bound.has(name) || this.context.file.scope.has(name);
    return known || Object.hasOwn(layerTable, name) || constantFunctions.has(name) || argumentWords.has(name);
  }

  #laterBinding(name: string): string | undefined {
    const later = this.declaration.body.some((statement) => statement.name?.text === name);
    return later ? `\`${name}\` is bound below; move that line up` : undefined;
  }
}
