import type { Name } from '../../syntax/index.js';
import type { Rule } from './rule.js';

/** Parameters, inputs and bindings of one graph have different names. */
export const bindingsAreUnique: Rule = (declaration, { reporter }) => {
  const seen = new Map<string, Name>();
  const names = [
    ...declaration.parameters.map((parameter) => parameter.name),
    ...declaration.body.flatMap((statement) => (statement.name === undefined ? [] : [statement.name])),
  ];
  for (const name of names) {
    const earlier = seen.get(name.text);
    if (earlier === undefined) {
      seen.set(name.text, name);
      continue;
    }
    const related = [{ place: earlier.span, message: 'first declared here' }];
    reporter.report('model/duplicate-name', { name: name.text }, name.span, { related });
  }
};
