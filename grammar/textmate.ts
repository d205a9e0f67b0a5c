import * as t from './tokens.js';

const declarations = ['use', 'as', 'block', 'network', 'neuron', 'config', 'extends'];
const operators = ['and', 'or', 'not'];
const constants = ['true', 'false'];

/** A TextMate grammar for editors that highlight by it, as JSON. */
export function grammarToTextMate(): string {
  const all = t.keywords.map((keyword) => keyword.name.toLowerCase());
  const others = all.filter((word) => ![...declarations, ...operators, ...constants].includes(word));
  const words = (list: readonly string[]): string => `\\b(?:${list.join('|')})\\b`;
  const grammar = {
    $schema: 'https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json',
    name: 'Spike',
    scopeName: 'source.spike',
    fileTypes: ['spike'],
    patterns: [
      { name: 'comment.line.double-slash.spike', match: (t.LineComment.PATTERN as RegExp).source },
      {
        name: 'string.quoted.double.spike',
        begin: '"',
        end: '"|$',
        patterns: [
          { name: 'constant.character.escape.spike', match: '\\\\["\\\\nt]' },
          { name: 'invalid.illegal.escape.spike', match: '\\\\.' },
        ],
      },
      {
        match: `\\b(block|network|neuron|config)\\s+([A-Za-z_][A-Za-z0-9_]*)(?=\\s*(?:\\(|\\{|extends\\b))`,
        captures: { 1: { name: 'keyword.declaration.spike' }, 2: { name: 'entity.name.type.spike' } },
      },
      { name: 'keyword.declaration.spike', match: words(declarations) },
      { name: 'keyword.control.spike', match: words(others) },
      { name: 'keyword.control.spike', match: '\\bplanes(?=\\s+(?:unary|binary)\\b)' },
      { name: 'keyword.operator.word.spike', match: words(operators) },
      { name: 'constant.language.spike', match: words(constants) },
      { name: 'constant.numeric.spike', match: `\\b${(t.NumberLiteral.PATTERN as RegExp).source}` },
      { name: 'variable.parameter.spike', match: '\\b[A-Za-z_][A-Za-z0-9_]*(?=\\s*:)' },
      { name: 'entity.name.function.spike', match: '\\b[A-Za-z_][A-Za-z0-9_]*(?=\\s*\\()' },
      { name: 'entity.name.function.spike', match: '(?<=\\|)\\s*[A-Za-z_][A-Za-z0-9_]*' },
      { name: 'keyword.operator.spike', match: '\\||[<>]=?|==|!=|[-+*/^=]' },
    ],
  };
  return `${JSON.stringify(grammar, undefined, 2)}\n`;
}
