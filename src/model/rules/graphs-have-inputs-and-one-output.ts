import type { Rule } from './rule.js';

/** A graph has inputs (a network's with their shapes) and exactly one output. */
export const graphsHaveInputsAndOneOutput: Rule = ({ kind, name, body }, { reporter }) => {
  const inputs = body.filter((statement) => statement.kind === 'input');
  const [output, ...more] = body.filter((statement) => statement.kind === 'output');
  const which = `the ${kind} \`${name.text}\``;
  if (inputs.length === 0) {
    const help = kind === 'network' ? 'add for example `input image: real[3, 32, 32]`' : 'add `input x`';
    reporter.report('model/graph-form', { problem: `${which} has no input` }, name.span, { help });
  }
  if (output === undefined) {
    reporter.report('model/graph-form', { problem: `${which} has no output` }, name.span, { help: 'add `output …`' });
  }
  for (const second of more) {
    const related = [{ place: output!.span, message: 'the first output' }];
    reporter.report('model/graph-form', { problem: `${which} has a second output` }, second.span, { related });
  }
  for (const input of inputs) {
    const { type } = input;
    if (type === undefined && kind === 'block') continue;
    const help = `write for example \`input ${input.name.text}: real[3, 32, 32]\``;
    if (type?.dimensions === undefined || type.dimensions.length === 0) {
      const problem = `the input \`${input.name.text}\` has no shape`;
      reporter.report('model/graph-form', { problem }, input.span, { help });
    } else if (type.name.text !== 'real') {
      const problem = `the input \`${input.name.text}\` is of type \`${type.name.text}\`; inputs are \`real\``;
      reporter.report('model/graph-form', { problem }, type.name.span, { help });
    }
  }
};
