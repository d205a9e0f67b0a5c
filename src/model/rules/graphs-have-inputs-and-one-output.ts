import { writing } from '../../base/diagnostics/index.js';
import type { Span } from '../../base/source.js';
import type { GraphDeclaration } from '../../syntax/index.js';
import type { Rule } from './rule.js';

/** A graph has inputs (a network's with their shapes) and one output; a network may have several, each with a name. */
export const graphsHaveInputsAndOneOutput: Rule = (declaration, { reporter }) => {
  const { kind, name, body } = declaration;
  const inputs = body.filter((statement) => statement.kind === 'input');
  const [output, ...more] = body.filter((statement) => statement.kind === 'output');
  const which = `the ${kind} \`${name.text}\``;
  if (inputs.length === 0) {
    const input = kind === 'network' ? 'input image: real[3, 32, 32]' : 'input x';
    const text = kind === 'network' ? `add for example \`${input}\`` : `add \`${input}\``;
    const help = writing(text, `Add \`${input}\``, bodyStart(declaration), `\n  ${input}`);
    reporter.report('model/graph-form', { problem: `${which} has no input` }, name.span, { help });
  }
  if (output === undefined) {
    reporter.report('model/graph-form', { problem: `${which} has no output` }, name.span, { help: 'add `output …`' });
  }
  for (const second of kind === 'block' ? more : []) {
    const related = [{ place: output!.span, message: 'the first output' }];
    reporter.report('model/graph-form', { problem: `${which} has a second output` }, second.span, { related });
  }
  for (const unnamed of kind === 'network' && more.length > 0 ? [output!, ...more] : []) {
    if (unnamed.name !== undefined) continue;
    const problem = `${which} has several outputs, and this one has no name`;
    reporter.report('model/graph-form', { problem }, unnamed.span, { help: 'write `output digit = …`' });
  }
  for (const input of inputs) {
    const { type } = input;
    if (type === undefined && kind === 'block') continue;
    const whole = `input ${input.name.text}: real[3, 32, 32]`;
    const help = writing(`write for example \`${whole}\``, `Write \`${whole}\``, input.span, whole);
    if (type?.dimensions === undefined || type.dimensions.length === 0) {
      const problem = `the input \`${input.name.text}\` has no shape`;
      reporter.report('model/graph-form', { problem }, input.span, { help });
    } else if (type.name.text !== 'real') {
      const problem = `the input \`${input.name.text}\` is of type \`${type.name.text}\`; inputs are \`real\``;
      const real = writing(help.text, 'Write `real`', type.name.span, 'real');
      reporter.report('model/graph-form', { problem }, type.name.span, { help: real });
    }
  }
};

/** Behind the bracket that opens a body. */
function bodyStart({ name, parameters, span: { source } }: GraphDeclaration): Span {
  const header = Math.max(name.span.end, ...parameters.map(({ span }) => span.end));
  const start = source.text.indexOf('{', header) + 1;
  return { source, start, end: start };
}
