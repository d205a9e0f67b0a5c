import type { IParserErrorMessageProvider, IRecognitionException, TokenType } from 'chevrotain';
import { tokens as t } from '../../grammar/index.js';

/** What each rule of the grammar is called when something else stands where it should begin. */
const descriptions: Readonly<Record<string, string>> = {
  modelFile: '`use`, `block`, `network`, `neuron` or `config`',
  declaration: '`use`, `block`, `network`, `neuron` or `config`',
  graphBody: '`input`, `output`, a binding `NAME = …` or `}`',
  graphStatement: '`input`, `output`, a binding `NAME = …` or `}`',
  neuronDeclaration: '`input`, `state`, `charge`, `fire`, `reset`, `surrogate`, `planes` or `}`',
  neuronStatement: '`input`, `state`, `charge`, `fire`, `reset`, `surrogate`, `planes` or `}`',
  phase: 'an assignment `NAME = …`',
  planesStatement: '`unary` or `binary`',
  settings: 'a setting or `}`',
  setting: 'a value or `{`',
  primary: 'a value',
  args: '`,` or `)`',
  parameters: '`,` or `)`',
  list: '`,` or `]`',
};

const labels = new Map(t.tokens.map((token) => [token.name, token.LABEL ?? token.name]));

/**
 * The parser's messages are never shown; they only carry what was expected, for
 * {@link expectation} to put in words.
 */
export const expectationCarrier: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => expected.name,
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: () => '',
  buildEarlyExitMessage: () => '',
};

/** What should have stood at the place of `error`, in words. */
export function expectation(error: IRecognitionException): string {
  const rule = error.context.ruleStack.at(-1) ?? 'modelFile';
  if (error.name !== 'MismatchedTokenException') return descriptions[rule] ?? 'something else';
  const token = error.message;
  if (token === 'EOF') return descriptions['modelFile']!;
  if (isClosing(token) && descriptions[rule] !== undefined) return descriptions[rule];
  return labels.get(token) ?? token;
}

function isClosing(name: string): boolean {
  const closing: readonly TokenType[] = [t.RightBrace, t.RightParen, t.RightBracket];
  return closing.some((token) => token.name === name);
}
