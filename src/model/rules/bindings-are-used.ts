import { type Rule, expressionsOf, namesIn } from './rule.js';

/** Inputs, bindings and parameters take part in something (a warning). */
export const bindingsAreUsed: Rule = (declaration, { reporter }) => {
  const used = new Set(expressionsOf(declaration).flatMap(namesIn));
  for (const { name } of declaration.parameters) {
    if (!used.has(name.text)) reporter.report('model/unused-parameter', { name: name.text }, name.span);
  }
  for (const statement of declaration.body) {
    if (statement.kind === 'output' || used.has(statement.name.text)) continue;
    reporter.report('model/unused', { name: statement.name.text }, statement.name.span);
  }
};
