import type { Expression, GraphDeclaration } from '../../syntax/index.js';
import type { LoadedFile } from '../declared.js';
import type { Reporter } from '../reporter.js';

export interface RuleContext {
  readonly file: LoadedFile;
  readonly reporter: Reporter;
}

/** Reports what breaks the sentence that is the rule's name. */
export type Rule = (declaration: GraphDeclaration, context: RuleContext) => void;

/** The expressions directly inside one. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'list':
      return expression.items;
    case 'call':
      return expression.args.map((argument) => argument.value);
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'pipe':
      return [expression.source, ...expression.stages.flatMap((stage) => [...stage.repeats, stage.call])];
    case 'number':
    case 'string':
    case 'bool':
    case 'name':
    case 'format':
      return [];
  }
}

/** Every name an expression mentions, callees included. */
export function namesIn(expression: Expression): string[] {
  const own =
    expression.kind === 'name' ? [expression.name] : expression.kind === 'call' ? [expression.callee.text] : [];
  return [...own, ...partsOf(expression).flatMap(namesIn)];
}

/** Every expression of a declaration: defaults, types and the body's. */
export function expressionsOf(declaration: GraphDeclaration): Expression[] {
  const found: Expression[] = [];
  for (const parameter of declaration.parameters) if (parameter.default !== undefined) found.push(parameter.default);
  for (const statement of declaration.body) {
    if (statement.kind === 'input') found.push(...(statement.type?.dimensions ?? []));
    else found.push(statement.value);
  }
  return found;
}
